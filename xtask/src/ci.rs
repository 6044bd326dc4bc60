//! `cargo xtask ci`: every check that a change has to pass, one after the other.
//!
//! `.ci/run` is this and nothing else, once it has installed what the checks need.

mod need;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Parser;

use self::need::Need;
use crate::cargo;
use crate::course::Course;
use crate::{Cli, dispatch};

/// The oldest Rust that the course promises to work with.
const OLDEST_RUST: &str = concat!(env!("CARGO_PKG_RUST_VERSION"), ".0");
/// Systems whose lints are looked for from here, and what Rust calls them.
const OTHER_SYSTEMS: [(&str, &str); 3] = [
    ("Windows", "x86_64-pc-windows-gnu"),
    ("macOS", "aarch64-apple-darwin"),
    ("a Raspberry Pi", "armv7-unknown-linux-gnueabihf"),
];
const LINTS: &str = "cargo clippy --workspace --all-targets --all-features --locked";
const TESTS: &str = "cargo test --locked";
const BROWSER: &str = "crates/coursebook/browser";

/// Run every check that a change has to pass; stop at the first that fails
#[derive(clap::Args)]
pub struct Options {
    /// Show the checks as commands and run none of them
    #[arg(long)]
    list: bool,
    /// Only format, lints and `cargo test`: for every commit
    #[arg(long)]
    quick: bool,
    /// Show in the end how long each check took, the longest first
    #[arg(long)]
    timings: bool,
}

/// One check: its name, and the command that runs it.
struct Step {
    name: String,
    command: Vec<String>,
    /// Where it runs, below the course's folder.
    folder: &'static str,
    /// Set for this step alone.
    variables: Vec<(String, String)>,
    needs: Vec<Need>,
    /// What is run where a need is not met, if anything is.
    otherwise: Option<Box<Step>>,
}

/// The checks for every commit, quick ones first. A new check is a new line.
fn quick() -> Vec<Step> {
    vec![
        step("format", "cargo fmt --all --check"),
        step("lints", &format!("{LINTS} -- -D warnings")),
        step("tests", TESTS),
    ]
}

/// All checks, quick ones first. A new check is a new line.
fn all(course: &Course) -> Vec<Step> {
    let mut steps = vec![
        step("format", "cargo fmt --all --check"),
        step("lints", &format!("{LINTS} -- -D warnings")),
    ];
    steps.extend(OTHER_SYSTEMS.map(|(system, target)| lints_of(system, target)));
    steps.extend([
        // The exercises have their comments from the solutions.
        step("documentation", "cargo doc --workspace --exclude exercise-* --no-deps --locked")
            .with("RUSTDOCFLAGS", "-D warnings"),
        step(
            "addresses need no sockets",
            "cargo build -p netbasics --no-default-features --locked",
        ),
        step("skeletons", "cargo xtask skeleton --check"),
        tests(course),
        step("tests that take minutes", "cargo test -p deep --locked"),
        step("how long the solutions are waited for", "cargo xtask grade --waits check -j 6"),
        step("the oldest Rust of every dependency", "cargo test -p systems --locked"),
        step("Windows under Wine", "cargo run -p systems --locked")
            .needing(Need::Target("x86_64-pc-windows-gnu"))
            .needing(Need::Program("x86_64-w64-mingw32-gcc-posix", "gcc-mingw-w64-x86-64"))
            .needing(Need::Program("wine", "wine wine64")),
        step("tests of the book", "cargo test -p coursebook -p explorer --locked"),
        step("the first command of the README", "cargo run -p lesson-02"),
        step("book", "cargo xtask book"),
        step("what the book shows of programs", "cargo xtask record --check"),
    ]);
    for lesson in &course.lessons {
        let (number, topic) = (&lesson.number, &lesson.topic);
        steps.push(step(&format!("lesson {topic}"), &format!("cargo xtask run {number}")));
    }
    steps.extend([
        step("what looks at the book", "npm ci --no-audit --no-fund --loglevel=error").in_browser(),
        step("the book in a browser", "node --test").in_browser(),
    ]);
    steps
}

/// The lints of another system. C is compiled by a compiler that does nothing, which is enough as
/// long as nothing is linked.
fn lints_of(system: &str, target: &'static str) -> Step {
    let suffix = target.replace('-', "_");
    step(&format!("lints for {system}"), &format!("{LINTS} --target {target} -- -D warnings"))
        .with(&format!("CC_{suffix}"), "true")
        .with(&format!("AR_{suffix}"), "true")
        .needing(Need::Target(target))
}

/// `cargo test` as students run it, with the oldest Rust that they may have. Newer ones build all
/// of it for the lints.
fn tests(course: &Course) -> Step {
    let folder = course.root.join("target").join(OLDEST_RUST);
    step(&format!("tests with Rust {OLDEST_RUST}"), &format!("rustup run {OLDEST_RUST} {TESTS}"))
        // As an option, it would not reach what the tests build themselves.
        .with("CARGO_TARGET_DIR", &folder.to_string_lossy())
        .needing(Need::Toolchain(OLDEST_RUST))
        .otherwise(step("tests", TESTS))
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let course = Course::find()?;
    let steps = if options.quick { quick() } else { all(&course) };
    if options.list {
        for step in &steps {
            println!("{}", step.replay());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let (steps, left_out) = need::sort_out(steps, need::all_required())?;
    cargo::step_aside();
    let mut times = Vec::new();
    let outcome = run_all(&steps, &course, &mut times);
    if options.timings {
        show(&mut times);
    }
    outcome?;
    let total: Duration = times.iter().map(|(_, time)| *time).sum();
    eprintln!("[ci] all {} checks passed in {} s", steps.len(), total.as_secs());
    for line in left_out {
        eprintln!("[ci] left out: {line}");
    }
    Ok(ExitCode::SUCCESS)
}

fn run_all<'a>(
    steps: &'a [Step],
    course: &Course,
    times: &mut Vec<(&'a str, Duration)>,
) -> Result<()> {
    for (number, step) in (1..).zip(steps) {
        eprintln!("[ci] {number}/{}: {}: {}", steps.len(), step.name, step.replay());
        let started = Instant::now();
        let passed = step.run(course).unwrap_or_else(|error| {
            eprintln!("{error:#}");
            false
        });
        let took = started.elapsed();
        times.push((&step.name, took));
        if !passed {
            bail!("{} failed; to run this check again: {}", step.name, step.replay());
        }
        eprintln!("[ci] {}: passed in {:.1} s", step.name, took.as_secs_f64());
    }
    Ok(())
}

/// Where the time goes.
fn show(times: &mut [(&str, Duration)]) {
    times.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
    for (name, time) in times {
        eprintln!("[ci] {:>7.1} s  {name}", time.as_secs_f64());
    }
}

fn step(name: &str, command: &str) -> Step {
    Step {
        name: name.to_owned(),
        command: command.split(' ').map(String::from).collect(),
        folder: "",
        variables: Vec::new(),
        needs: Vec::new(),
        otherwise: None,
    }
}

impl Step {
    fn with(mut self, variable: &str, value: &str) -> Self {
        self.variables.push((variable.to_owned(), value.to_owned()));
        self
    }

    fn needing(mut self, need: Need) -> Self {
        self.needs.push(need);
        self
    }

    fn otherwise(mut self, other: Self) -> Self {
        self.otherwise = Some(Box::new(other));
        self
    }

    /// The book is looked at in a browser, which a script of Node's drives.
    fn in_browser(mut self) -> Self {
        self.folder = BROWSER;
        self.needing(Need::Program("npm", "npm")).needing(Need::Program("chromium", "chromium"))
    }

    /// What to type to run this check alone.
    fn replay(&self) -> String {
        let folder = match self.folder {
            "" => String::new(),
            folder => format!("cd {folder}; "),
        };
        let variables = self.variables.iter().map(|(name, value)| format!("{name}=\"{value}\" "));
        folder + &variables.collect::<String>() + &self.command.join(" ")
    }

    /// Our own commands run in this process: cargo need not look at us again for each of them.
    fn run(&self, course: &Course) -> Result<bool> {
        let words = self.command.iter().map(String::as_str).collect::<Vec<_>>();
        match words[..] {
            ["cargo", "xtask", ..] => {
                Ok(dispatch(Cli::try_parse_from(&words[1..])?)? == ExitCode::SUCCESS)
            }
            ["cargo", ref arguments @ ..] => {
                cargo::run(self.prepare(&mut cargo::command(&course.root), arguments))
            }
            [program, ref arguments @ ..] => {
                let mut command = Command::new(program);
                command.current_dir(course.root.join(Path::new(self.folder)));
                // What this cargo tells of itself must not reach another one.
                command.env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN");
                let status = self.prepare(&mut command, arguments).status();
                Ok(status.with_context(|| format!("cannot start {program}"))?.success())
            }
            [] => bail!("a check without a command"),
        }
    }

    fn prepare<'a>(&self, command: &'a mut Command, arguments: &[&str]) -> &'a mut Command {
        let variables = self.variables.iter().map(|(name, value)| (name, value));
        command.args(arguments).envs(variables)
    }
}
