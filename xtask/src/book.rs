//! `cargo xtask book`: the book, built by a program of its own (it is large; xtask is not).

use std::process::ExitCode;

use anyhow::Result;

use crate::cargo;
use crate::course::Course;

/// Build the course book (--check: only look for mistakes; --out DIR: somewhere else)
#[derive(clap::Args)]
pub struct Options {
    /// Handed on to the book's own program
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "FLAGS")]
    flags: Vec<String>,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let mut cargo = cargo::command(&Course::find()?.root);
    cargo.args(["run", "--quiet", "--package", "coursebook", "--"]).args(&options.flags);
    Ok(if cargo::run(&mut cargo)? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
