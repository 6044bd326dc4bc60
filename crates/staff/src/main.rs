//! The commands of contributors and instructors. `cargo xtask bench …` and its like start this
//! program, with their arguments as they are, so that a student never compiles it.
//!
//! Every command is a module with `Options` and `run(options)`, as those of `xtask` are.

mod bench;
mod ci;
mod record;
mod translations;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use grader::terminal;

/// The course's commands for contributors and instructors
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Record(record::Options),
    Translations(translations::Options),
    Bench(bench::Options),
    Ci(ci::Options),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Record(options) => record::run(&options),
        Command::Translations(options) => translations::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Ci(options) => ci::run(&options),
    };
    outcome.unwrap_or_else(|error| {
        if terminal::is_unread(error.as_ref()) {
            return ExitCode::SUCCESS;
        }
        eprintln!("cargo xtask: {error:#}");
        ExitCode::FAILURE
    })
}
