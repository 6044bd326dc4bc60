//! `cargo xtask book`: the book, built by a program of its own (it is large; xtask is not).

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::on_demand::COURSEBOOK;
use course::Course;
use grader::cargo;

/// Build the course book in both languages, into target/book
#[derive(clap::Args)]
pub struct Options {
    /// Only look for mistakes
    #[arg(long, conflicts_with_all = ["serve", "open"])]
    check: bool,
    /// Serve it over HTTP until Ctrl-C, with lesson 8's server
    #[arg(long)]
    serve: bool,
    /// Open it in the browser
    #[arg(long)]
    open: bool,
    /// Where the site goes
    #[arg(long, value_name = "DIR", conflicts_with_all = ["check", "serve", "open"])]
    out: Option<String>,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let root = Course::find()?.root;
    let mut build = COURSEBOOK.command(&root)?;
    build.current_dir(&root);
    build.args(options.check.then_some("--check"));
    build.args(options.out.iter().flat_map(|out| ["--out", out]));
    if !cargo::run(&mut build)? {
        return Ok(ExitCode::FAILURE);
    }
    let site = root.join("target/book");
    if options.open && !options.serve {
        // A file is as good as a server: no page asks for anything that a file cannot give.
        show(&site.join("index.html").display().to_string())?;
    }
    if options.serve {
        let server = cargo::build(&root, "lesson-08")?;
        let address = "127.0.0.1:8000";
        println!("http://{address}/index.html");
        if options.open {
            show(&format!("http://{address}/index.html"))?;
        }
        let mut serve = Command::new(server);
        serve.args(["server", "--addr", address, "--dir"]).arg(&site);
        let status = serve.status().context("cannot start lesson 8's server")?;
        return Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    Ok(ExitCode::SUCCESS)
}

fn show(what: &str) -> Result<()> {
    open::that(what).with_context(|| format!("no browser could be started; open {what} yourself"))
}
