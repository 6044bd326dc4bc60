//! `cargo xtask` alone: what one can do next.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;

use crate::course::Course;

/// What to type, and what it does.
const COMMANDS: &[(&str, &str)] = &[
    ("cargo run -p lesson-02", "watch a server and a client talk"),
    ("cargo xtask list", "every lesson: what it is about and how long it takes"),
    ("cargo xtask run 02", "run a lesson's server and client as two programs"),
    ("cargo xtask lab --help", "put a bad network between any two programs, and watch it"),
    ("cargo xtask task 02", "what a lesson's exercise asks for, and which file to edit"),
    ("cargo xtask grade 02", "grade your exercise: points, what failed and why"),
    ("cargo xtask hint 02", "a nudge when you are stuck"),
    ("cargo xtask test 02", "test a lesson; without a number: everything"),
    ("cargo xtask book", "build the book to read along"),
    ("cargo xtask ci", "every check that a change has to pass"),
    ("cargo xtask --help", "all commands; COMMAND --help tells more about one"),
];

pub fn run() -> Result<ExitCode> {
    let lessons = Course::find()?.lessons.len();
    let mut out = io::stdout().lock();
    writeln!(out, "Network programming in Rust, {lessons} lessons. What you can do next:\n")?;
    for (command, purpose) in COMMANDS {
        writeln!(out, "  {command:<24}{purpose}")?;
    }
    Ok(ExitCode::SUCCESS)
}
