//! The other half of `bench loop`: `cargo xtask watch`, from saving a file to the verdict.
//!
//! The whole is what a clock on the wall says. It is made of
//!
//! - the compiler and the linker: what cargo took, less what it takes for the same command when
//!   there is nothing to build;
//! - the tests themselves: how long their processes lived, less what it takes to start and end
//!   such a process that has nothing to do (the one that lists the tests);
//! - the grader's overhead, which is all the rest: noticing the file, cargo itself, starting and
//!   ending processes, scoring, printing.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use grader::process;

use super::comparison::{self, Candidate, Comparison, Measure, Sample};
use super::edit_loop::{Until, run_cargo};
use super::report::{Kind, Memory};
use super::setup::Setup;

const MEASURES: [Measure; 5] = [
    ms("the whole, save to verdict"),
    ms("of it: the grader's overhead"),
    ms("of that: cargo with nothing to build"),
    ms("compiler and linker"),
    ms("the tests themselves"),
];
/// What is edited: the solution, in a clone, in place of the exercise.
const EXERCISE: &str = "02/answer";
const FOLDER: &str = "lessons/02-tcp-echo";
const BUILD: [&str; 6] = ["build", "--quiet", "--package", "exercise-02", "--bin", "answer"];
/// How long the first grading may take, which builds everything.
const LIMIT: Duration = Duration::from_secs(900);
const TICK: Duration = Duration::from_millis(100);

const fn ms(name: &'static str) -> Measure {
    Measure { name, unit: "ms", higher_is_better: false }
}

/// The rows of the watch loop; none if nobody asked for them.
pub fn run(setup: &Setup) -> Result<Comparison> {
    const NAME: &str = "cargo xtask watch";
    if !setup.wants(NAME) {
        return Ok((Vec::new(), Vec::new()));
    }
    let watching = std::cell::RefCell::new(Watching::begin(setup)?);
    let turn = Candidate::new(NAME, Kind::Ours, &[], |_| watching.borrow_mut().turn())
        .noted("lesson 2's first exercise, solved; all of its cases");
    comparison::run_rounds(setup, "from saving an exercise to its verdict", &MEASURES, &[turn])
}

/// The command while it runs, in a clone of the course. Dropping it ends it.
struct Watching {
    child: Child,
    stdin: ChildStdin,
    /// What it says about its times, and when it came.
    verdicts: Receiver<(Instant, Times)>,
    clone: PathBuf,
    target: PathBuf,
    saves: u32,
}

impl Watching {
    fn begin(setup: &Setup) -> Result<Self> {
        let (clone, target) =
            (setup.empty_folder("watched")?, setup.empty_folder("watched-target")?);
        let mut git = Command::new("git");
        let cloned = git.args(["clone", "--quiet"]).arg(&setup.root).arg(&clone).status();
        ensure!(cloned.context("cannot start git")?.success(), "git clone failed");
        fs::write(exercise(&clone), solution(&clone)?)?;
        eprintln!("[bench] building the graded tests of a clone");
        let mut watch = Command::new(setup.build("xtask")?);
        watch.args(["watch", EXERCISE, "--timings", "--lang", "en"]).current_dir(&clone);
        watch.env("CARGO_TARGET_DIR", &target).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = watch.spawn().context("cannot start cargo xtask watch")?;
        let stdin = child.stdin.take().context("no pipe to it")?;
        let (sender, verdicts) = mpsc::channel();
        let lines = BufReader::new(child.stdout.take().context("no pipe from it")?).lines();
        thread::spawn(move || {
            for times in lines.map_while(Result::ok).filter_map(|line| Times::read(&line)) {
                let _ = sender.send((Instant::now(), times));
            }
        });
        let watching = Self { child, stdin, verdicts, clone, target, saves: 0 };
        watching.verdict()?;
        Ok(watching)
    }

    /// Saves a change and waits for what is said about it.
    fn turn(&mut self) -> Result<Sample> {
        let fresh = run_cargo(&self.clone, &self.target, &BUILD, Until::End)?;
        self.saves += 1;
        let text = format!("{}// saved {} times\n", solution(&self.clone)?, self.saves);
        let saved = Instant::now();
        fs::write(exercise(&self.clone), text)?;
        let (at, times) = self.verdict()?;
        let whole = (at - saved).as_secs_f64() * 1000.0;
        let cargo = fresh.as_secs_f64() * 1000.0;
        let compiler = (times.building - cargo).max(0.0);
        let tests = (times.in_cases - times.cases * times.listing).max(0.0);
        let overhead = whole - compiler - tests;
        let values = vec![whole, overhead, cargo, compiler, tests];
        Ok(Sample { values, memory: Memory::default() })
    }

    fn verdict(&self) -> Result<(Instant, Times)> {
        let until = Instant::now() + LIMIT;
        while Instant::now() < until && !process::is_interrupted() {
            match self.verdicts.recv_timeout(TICK) {
                Ok(verdict) => return Ok(verdict),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => bail!("it has ended"),
            }
        }
        bail!("no verdict within {LIMIT:?}")
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // It ends what it has started, which we could not.
        let _ = self.stdin.write_all(b"q\n");
        let _ = self.child.wait();
    }
}

fn exercise(clone: &Path) -> PathBuf {
    clone.join(FOLDER).join("exercise/src/bin/answer.rs")
}

fn solution(clone: &Path) -> Result<String> {
    Ok(fs::read_to_string(clone.join(FOLDER).join("solution/src/bin/answer.rs"))?)
}

/// What the command says with `--timings`, in milliseconds.
#[derive(Debug, PartialEq)]
struct Times {
    building: f64,
    listing: f64,
    cases: f64,
    in_cases: f64,
}

impl Times {
    fn read(line: &str) -> Option<Self> {
        let words = line.strip_prefix("[timings] ")?;
        let value = |name: &str| {
            let mut pairs = words.split(' ').filter_map(|word| word.split_once('='));
            pairs.find(|(key, _)| *key == name)?.1.parse().ok()
        };
        Some(Self {
            building: value("building")?,
            listing: value("listing")?,
            cases: value("cases")?,
            in_cases: value("in_cases")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_timings_is_understood_and_others_are_not() {
        // `xtask` has a test that it says so.
        let times = "[timings] total=9.5 noticing=0.5 preparing=0.0 building=4.0 testing=5.0 \
                     cases=2 in_cases=3.0 listing=1.0";
        let expected = Times { building: 4.0, listing: 1.0, cases: 2.0, in_cases: 3.0 };
        assert_eq!(Times::read(times), Some(expected));
        assert_eq!(Times::read("02/answer  One answer"), None);
    }
}
