//! One answer for each input, in order; a bad input does not stop the good ones.

use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use anyhow::Context;
use netbasics::cli::program::OutputError;

use crate::describe::describe;

/// Describes every input on standard output and complains about bad ones on standard error.
///
/// The code is 2 if there was a bad one, else 0.
pub fn answer_all(inputs: &[String], json: bool) -> anyhow::Result<ExitCode> {
    let mut all_good = true;
    for input in inputs {
        all_good &= if input == "-" { answer_stdin(json)? } else { answer(input, json)? };
    }
    Ok(if all_good { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

/// Answers each line as soon as it is read, so that it also works at a keyboard.
fn answer_stdin(json: bool) -> anyhow::Result<bool> {
    let mut all_good = true;
    for line in io::stdin().lock().split(b'\n') {
        let line = line.context("cannot read standard input")?;
        // Bytes that are not UTF-8 become U+FFFD, which then is the character that is wrong.
        let line = String::from_utf8_lossy(&line);
        if !line.trim().is_empty() {
            all_good &= answer(line.trim(), json)?;
        }
    }
    Ok(all_good)
}

// listing: begin answer
fn answer(input: &str, json: bool) -> anyhow::Result<bool> {
    let description = match describe(input) {
        Ok(description) => description,
        Err(error) => {
            eprintln!("{error}");
            return Ok(false);
        }
    };
    let line = if json { serde_json::to_string(&description)? } else { description.to_string() };
    // Not `println!`, which panics when the reader has gone (`lesson-01 - | head -1`).
    writeln!(io::stdout(), "{line}").map_err(OutputError)?;
    Ok(true)
}
// listing: end answer
