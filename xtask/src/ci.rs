//! `cargo xtask ci`: every check that a change has to pass, one after the other.
//!
//! `.ci/run` is this and nothing else, once it has installed the peers of the tests.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};
use clap::Parser;

use crate::cargo;
use crate::course::Course;
use crate::{Cli, dispatch};

/// Run every check that a change has to pass; stop at the first that fails
#[derive(clap::Args)]
pub struct Options {
    /// Show the checks as commands and run none of them
    #[arg(long)]
    list: bool,
}

/// One check: its name, and the words after `cargo` that run it.
struct Step {
    name: String,
    command: Vec<String>,
    /// Set for this step alone.
    variable: Option<(&'static str, &'static str)>,
}

/// The checks, quick ones first. A new check is a new line.
fn steps(course: &Course) -> Vec<Step> {
    let clippy = "clippy --workspace --all-targets --all-features --locked -- -D warnings";
    let mut steps = vec![
        step("format", "fmt --all --check"),
        step("lints", clippy),
        // The exercises have their comments from the solutions.
        step("documentation", "doc --workspace --exclude exercise-* --no-deps --locked")
            .with("RUSTDOCFLAGS", "-D warnings"),
        step("addresses need no sockets", "build -p netbasics --no-default-features --locked"),
        step("skeletons", "xtask skeleton --check"),
        step("tests", "test --locked"),
        step("tests of the book", "test -p coursebook -p explorer --locked"),
        step("the first command of the README", "run -p lesson-02"),
        step("book", "xtask book"),
        step("what the book shows of programs", "xtask record --check"),
    ];
    for lesson in &course.lessons {
        let (number, topic) = (&lesson.number, &lesson.topic);
        steps.push(step(&format!("lesson {topic}"), &format!("xtask run {number}")));
    }
    steps
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let course = Course::find()?;
    let steps = steps(&course);
    if options.list {
        for step in &steps {
            println!("{}", step.replay());
        }
        return Ok(ExitCode::SUCCESS);
    }
    cargo::step_aside();
    let started = Instant::now();
    for (number, step) in (1..).zip(&steps) {
        eprintln!("[ci] {number}/{}: {}: {}", steps.len(), step.name, step.replay());
        let step_started = Instant::now();
        let passed = step.run(&course).unwrap_or_else(|error| {
            eprintln!("{error:#}");
            false
        });
        if !passed {
            bail!("{} failed; to run this check again: {}", step.name, step.replay());
        }
        eprintln!("[ci] {}: passed in {:.1} s", step.name, step_started.elapsed().as_secs_f64());
    }
    eprintln!("[ci] all {} checks passed in {} s", steps.len(), started.elapsed().as_secs());
    Ok(ExitCode::SUCCESS)
}

fn step(name: &str, command: &str) -> Step {
    let command = command.split(' ').map(String::from).collect();
    Step { name: name.to_owned(), command, variable: None }
}

impl Step {
    fn with(mut self, variable: &'static str, value: &'static str) -> Self {
        self.variable = Some((variable, value));
        self
    }

    /// What to type to run this check alone.
    fn replay(&self) -> String {
        let variable =
            self.variable.map_or(String::new(), |(name, value)| format!("{name}=\"{value}\" "));
        format!("{variable}cargo {}", self.command.join(" "))
    }

    /// Our own commands run in this process: cargo need not look at us again for each of them.
    fn run(&self, course: &Course) -> Result<bool> {
        if self.command[0] == "xtask" {
            return Ok(dispatch(Cli::try_parse_from(&self.command)?)? == ExitCode::SUCCESS);
        }
        cargo::run(cargo::command(&course.root).args(&self.command).envs(self.variable))
    }
}
