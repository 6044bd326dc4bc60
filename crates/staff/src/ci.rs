//! `cargo xtask ci`: every check that a change has to pass.
//!
//! `.ci/run` is this and nothing else, once it has installed what the checks need.
//!
//! Most checks keep all processors busy, or disturb the machine on purpose: they run one after the other.
//! A browser and the programs under Wine mostly wait, and run side by side; what each of them has said is
//! shown when it is over.

mod need;

use std::fs;
use std::io::{self, Seek};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use self::need::Need;
use course::Course;
use grader::cargo;

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
/// The one among the tests of `deep` that takes longer than all others together.
const GRADERS: &str = "graders";

/// Checks that run side by side: programs of other systems, and pages.
const PROGRAMS: Group = Some("programs and the book");

/// Checks in a row that name the same group run side by side.
type Group = Option<&'static str>;

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
    group: Group,
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
fn all(course: &Course) -> Result<Vec<Step>> {
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
        // Among the others are those that disturb the machine on purpose.
        step("the graders graded", &format!("cargo test -p deep --test {GRADERS} --locked")),
        step("tests that take minutes", &other_deep_tests(course)?),
        // This measures, so nothing else runs meanwhile.
        step("how long the solutions are waited for", "cargo xtask grade --waits check -j 6"),
        step("the first command of the README", "cargo run -p lesson-02"),
        step("book", "cargo xtask book"),
        step("what looks at the book", "npm ci --no-audit --no-fund --loglevel=error").in_browser(),
        step("the book in a browser", "node --test").in_browser().beside(PROGRAMS),
        step("Windows under Wine", "cargo run -p systems --locked")
            .beside(PROGRAMS)
            .needing(Need::Target("x86_64-pc-windows-gnu"))
            .needing(Need::Program("x86_64-w64-mingw32-gcc-posix", "gcc-mingw-w64-x86-64"))
            .needing(Need::Program("wine", "wine wine64")),
        // Its programs print how long they waited.
        step("what the book shows of programs", "cargo xtask record --check"),
        step("the oldest Rust of every dependency", "cargo test -p systems --locked"),
        step("tests of the book", "cargo test -p coursebook -p explorer --locked"),
        step("tests of the contributors' commands", "cargo test -p staff --locked"),
    ]);
    for lesson in &course.lessons {
        let (number, topic) = (&lesson.number, &lesson.topic);
        steps.push(step(&format!("lesson {topic}"), &format!("cargo xtask run {number}")));
    }
    Ok(steps)
}

/// All tests of `deep` but the graders'.
fn other_deep_tests(course: &Course) -> Result<String> {
    let folder = course.root.join("deep/tests");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let name = entry?.file_name();
        names.extend(name.to_str().and_then(|name| name.strip_suffix(".rs")).map(String::from));
    }
    names.retain(|name| name != GRADERS);
    names.sort();
    let tests: Vec<String> = names.iter().map(|name| format!("--test {name}")).collect();
    Ok(format!("cargo test -p deep {} --locked", tests.join(" ")))
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
    let steps = if options.quick { quick() } else { all(&course)? };
    if options.list {
        for step in &steps {
            println!("{}", step.replay());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let (steps, left_out) = need::sort_out(steps, need::all_required())?;
    cargo::step_aside(&["xtask"]);
    let started = Instant::now();
    let mut times = Vec::new();
    let outcome = run_all(&steps, &course, &mut times);
    let total = started.elapsed();
    if options.timings {
        show(&mut times);
    }
    outcome?;
    eprintln!("[ci] all {} checks passed in {} s", steps.len(), total.as_secs());
    for line in left_out {
        eprintln!("[ci] left out: {line}");
    }
    Ok(ExitCode::SUCCESS)
}

/// How long a check has taken, and whether others ran beside it.
struct Time<'a> {
    step: &'a Step,
    took: Duration,
    is_beside: bool,
}

fn run_all<'a>(steps: &'a [Step], course: &Course, times: &mut Vec<Time<'a>>) -> Result<()> {
    let mut number = 0;
    for together in steps.chunk_by(|one, next| one.group.is_some() && one.group == next.group) {
        for step in together {
            number += 1;
            eprintln!("[ci] {number}/{}: {}: {}", steps.len(), step.name, step.replay());
        }
        let failed = match together {
            [step] => run_alone(step, course, times),
            _ => run_side_by_side(together, course, times),
        };
        if let Some(step) = failed {
            bail!("{} failed; to run this check again: {}", step.name, step.replay());
        }
    }
    Ok(())
}

/// Returns it if it failed.
fn run_alone<'a>(step: &'a Step, course: &Course, times: &mut Vec<Time<'a>>) -> Option<&'a Step> {
    let started = Instant::now();
    let passed = step.run(course);
    let took = started.elapsed();
    times.push(Time { step, took, is_beside: false });
    (!step.passed(passed, took)).then_some(step)
}

/// Runs all of them to their ends, and returns the first that failed.
fn run_side_by_side<'a>(
    steps: &'a [Step],
    course: &Course,
    times: &mut Vec<Time<'a>>,
) -> Option<&'a Step> {
    let over = Mutex::new((times, None));
    thread::scope(|scope| {
        for step in steps {
            let over = &over;
            scope.spawn(move || {
                let started = Instant::now();
                let outcome = step.run_unseen(course);
                let took = started.elapsed();
                // Under the lock: what two of them have said is not mixed.
                let mut over = over.lock().unwrap_or_else(PoisonError::into_inner);
                over.0.push(Time { step, took, is_beside: true });
                let passed = outcome.and_then(|(passed, mut said)| {
                    eprintln!("[ci] {} says:", step.name);
                    said.rewind()?;
                    io::copy(&mut said, &mut io::stderr())?;
                    Ok(passed)
                });
                if !step.passed(passed, took) {
                    over.1.get_or_insert(step);
                }
            });
        }
    });
    over.into_inner().unwrap_or_else(PoisonError::into_inner).1
}

/// Where the time goes.
fn show(times: &mut [Time]) {
    times.sort_by_key(|time| std::cmp::Reverse(time.took));
    for Time { step, took, is_beside } in times {
        let beside = if *is_beside { " (side by side with others)" } else { "" };
        eprintln!("[ci] {:>7.1} s  {}{beside}", took.as_secs_f64(), step.name);
    }
}

fn step(name: &str, command: &str) -> Step {
    Step {
        name: name.to_owned(),
        command: command.split(' ').map(String::from).collect(),
        folder: "",
        variables: Vec::new(),
        needs: Vec::new(),
        group: None,
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

    fn beside(mut self, group: Group) -> Self {
        self.group = group;
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

    /// Says how it went; an error is a check that failed.
    fn passed(&self, outcome: Result<bool>, took: Duration) -> bool {
        let passed = outcome.unwrap_or_else(|error| {
            eprintln!("{error:#}");
            false
        });
        if passed {
            eprintln!("[ci] {}: passed in {:.1} s", self.name, took.as_secs_f64());
        }
        passed
    }

    fn run(&self, course: &Course) -> Result<bool> {
        self.ends_well(&mut self.process(course)?)
    }

    /// As [`run`](Self::run), and returns what it has said, too.
    fn run_unseen(&self, course: &Course) -> Result<(bool, fs::File)> {
        let said = tempfile::tempfile().context("cannot keep what the check says")?;
        let mut command = self.process(course)?;
        command.stdout(said.try_clone()?).stderr(said.try_clone()?);
        Ok((self.ends_well(&mut command)?, said))
    }

    fn ends_well(&self, command: &mut Command) -> Result<bool> {
        let status = command.status();
        Ok(status.with_context(|| format!("cannot start {}", self.command[0]))?.success())
    }

    fn process(&self, course: &Course) -> Result<Command> {
        let words = self.command.iter().map(String::as_str).collect::<Vec<_>>();
        let (mut command, arguments) = match words[..] {
            ["cargo", ref arguments @ ..] => (cargo::command(&course.root), arguments),
            [program, ref arguments @ ..] => {
                let mut command = Command::new(program);
                command.current_dir(course.root.join(Path::new(self.folder)));
                // What this cargo tells of itself must not reach another one.
                command.env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN");
                (command, arguments)
            }
            [] => bail!("a check without a command"),
        };
        let variables = self.variables.iter().map(|(name, value)| (name, value));
        command.args(arguments).envs(variables);
        Ok(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_checks_side_by_side_the_one_that_failed_is_named_and_all_others_end() {
        let course = Course::find().unwrap();
        let beside = |name, command| step(name, command).beside(PROGRAMS);
        let steps = [
            step("before", "cargo --version"),
            beside("good", "cargo --version"),
            beside("bad", "cargo no-such-command"),
            beside("good too", "cargo --version"),
            step("never", "cargo --version"),
        ];
        let mut times = Vec::new();
        let error = run_all(&steps, &course, &mut times).unwrap_err().to_string();
        assert_eq!(error, "bad failed; to run this check again: cargo no-such-command");
        let mut names: Vec<_> =
            times.iter().map(|time| (time.step.name.as_str(), time.is_beside)).collect();
        names.sort_unstable();
        assert_eq!(names, [("bad", true), ("before", false), ("good", true), ("good too", true)]);
    }

    #[test]
    fn what_a_check_says_is_kept_for_when_it_is_over() {
        let course = Course::find().unwrap();
        let (passed, mut said) = step("version", "cargo --version").run_unseen(&course).unwrap();
        said.rewind().unwrap();
        assert!(passed && io::read_to_string(said).unwrap().starts_with("cargo "));
    }

    #[test]
    fn the_two_steps_with_the_tests_of_deep_have_all_of_them() {
        let course = Course::find().unwrap();
        let commands: String = all(&course).unwrap().iter().map(Step::replay).collect();
        for entry in fs::read_dir(course.root.join("deep/tests")).unwrap() {
            let file = entry.unwrap().file_name().into_string().unwrap();
            let test = format!(" --test {} ", file.strip_suffix(".rs").unwrap());
            assert_eq!(commands.matches(&test).count(), 1, "{test}");
        }
    }
}
