//! Lesson 1: what an IPv4 address means, and the loopback block at work.

mod answer;
mod demo;
mod describe;
mod facts;
mod network;

use std::process::ExitCode;

use clap::Parser;

/// Explains addresses; with no arguments, shows the five classes and the loopback block.
#[derive(Parser)]
struct Args {
    /// 192.168.1.77, 10.0.0.0/8, 127.0.0.1:8888 …; - reads them from standard input, one a line
    inputs: Vec<String>,
    /// One JSON object per line instead of a sentence
    #[arg(long, requires = "inputs")]
    json: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let ended = match args.inputs.as_slice() {
        [] => demo::show(),
        inputs => answer::answer_all(inputs, args.json),
    };
    ended.unwrap_or_else(|error| netbasics::cli::program::exit_code(error.as_ref()))
}
