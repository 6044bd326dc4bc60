//! `cargo run -p coursebook`: builds the course book and says where it is.

use std::env;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use coursebook::Book;

/// Build the course book in English and Chinese.
#[derive(Parser)]
struct Arguments {
    /// Look for mistakes in both languages and write nothing
    #[arg(long, conflicts_with = "out")]
    check: bool,
    /// Where the site goes; DIR/en and DIR/zh-CN are replaced [default: target/book]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let here = env::current_dir().context("cannot tell which folder this is")?;
    let book = Book::find(&here)?;
    let out = arguments.out.clone().unwrap_or_else(|| book.default_out());
    let editions = if arguments.check { book.check()? } else { book.build(&here.join(&out))? };

    let mut stdout = io::stdout().lock();
    for edition in editions {
        writeln!(stdout, "{edition}")?;
    }
    if arguments.check {
        writeln!(stdout, "no mistakes found; nothing was written")?;
    } else {
        writeln!(stdout, "open {}", out.join("index.html").display())?;
    }
    Ok(())
}
