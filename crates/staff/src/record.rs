//! `cargo xtask record`: what the book shows of programs that run, from programs that run.
//!
//! A *scenario* is a file `mdbook/recordings/NN/NAME.toml`: the commands that a reader would type,
//! and perhaps a conversation to be drawn. Recording it writes `NAME.txt` (the commands with all
//! that they printed) and `NAME.en.svg`, `NAME.zh-CN.svg`, … beside it, and those are committed.
//! With `--check` everything is run again and compared, so that the book cannot show what no longer
//! happens.
//!
//! Each scenario is played in a network namespace of its own (unshare(1)): nobody else has port
//! 8888 there, and whatever a scenario does to "the network" it does to none but its own.

mod compare;
mod draw;
mod play;
mod sandbox;
mod scenario;
mod shown;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, bail};

use course::Course;
use sandbox::{Programs, Sandbox};
use scenario::Scenario;

/// How many scenarios are played at a time.
const AT_A_TIME: usize = 3;

/// Run what the book shows, and write down what it prints and what the wire carries
#[derive(clap::Args)]
pub struct Options {
    /// Only scenarios whose name begins so, as in 02 or 02/hello
    wanted: Option<String>,
    /// Compare with what is written down, and write nothing
    #[arg(long)]
    check: bool,
    /// Write it down again although only chance differs
    #[arg(long, conflicts_with = "check")]
    anew: bool,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let course = Course::find()?;
    let wanted = options.wanted.as_deref().unwrap_or("");
    let scenarios: Vec<Scenario> = scenario::all(&course.root)?;
    let chosen: Vec<&Scenario> =
        scenarios.iter().filter(|it| it.name.starts_with(wanted)).collect();
    if chosen.is_empty() {
        bail!("no scenario of mdbook/recordings begins with {wanted:?}");
    }
    if options.check && !cfg!(target_os = "linux") {
        println!("recordings are made, and compared, on Linux: its network namespaces are needed");
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(programs) = sandbox::programs_from_outside()? {
        let scenario = scenarios.iter().find(|it| it.name == wanted).context("no such scenario")?;
        let is_same = record(scenario, &Sandbox::set(&programs)?, options)?;
        return Ok(if is_same { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let programs = sandbox::build(&course, &chosen)?;
    let different = play_all(&chosen, &programs, wanted, options)?;
    if different > 0 {
        bail!(
            "{different} of the book's scenarios did not end as recorded; if that is how it should be: \
             cargo xtask record {wanted}"
        );
    }
    println!(
        "{} scenarios: {}",
        chosen.len(),
        if options.check { "as recorded" } else { "recorded" }
    );
    Ok(ExitCode::SUCCESS)
}

/// Plays the scenarios, some at a time, for most of a scenario is waiting; how many did not end as
/// recorded.
fn play_all(
    scenarios: &[&Scenario],
    programs: &Programs,
    wanted: &str,
    options: &Options,
) -> Result<usize> {
    let is_named = |scenario: &Scenario| wanted == scenario.name && !options.check;
    let play = |scenario: &Scenario| {
        let mut arguments = vec!["record", scenario.name.as_str()];
        arguments.extend(options.check.then_some("--check"));
        // To name one scenario is to ask for a new one.
        arguments.extend((is_named(scenario) || options.anew).then_some("--anew"));
        sandbox::in_namespace(&arguments, programs)
    };
    let left = Mutex::new(scenarios.iter());
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    let different = Mutex::new(Ok(0));
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(scenario) = next() {
                    let played = play(scenario);
                    let mut different = different.lock().unwrap_or_else(PoisonError::into_inner);
                    match (&mut *different, played) {
                        (Ok(count), Ok(is_same)) => *count += usize::from(!is_same),
                        (Ok(_), Err(error)) => *different = Err(error),
                        (Err(_), _) => {}
                    }
                }
            });
        }
    });
    different.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Plays a scenario and keeps what comes of it; whether it is as it was, if that was the question.
fn record(scenario: &Scenario, sandbox: &Sandbox, options: &Options) -> Result<bool> {
    let mode = match (options.check, options.anew) {
        (true, _) => Mode::Check,
        (false, true) => Mode::Anew,
        (false, false) => Mode::Record,
    };
    let mut is_same = true;
    for take in perform(scenario, sandbox).with_context(|| format!("scenario {}", scenario.name))? {
        is_same &= take.keep(mode)?;
    }
    Ok(is_same)
}

/// What to do with what was recorded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Compare it.
    Check,
    /// Write it down if it tells something else than what is written down.
    Record,
    /// Write it down if it differs at all.
    Anew,
}

/// Whether what was recorded before tells the same as what happens now.
type Alike = Box<dyn Fn(&str, &str) -> bool>;

/// Files that belong together; the first one, a text, says whether they tell the same.
struct Take {
    files: Vec<(PathBuf, String)>,
    alike: Alike,
}

fn perform(scenario: &Scenario, sandbox: &Sandbox) -> Result<Vec<Take>> {
    let mut takes = Vec::new();
    if !scenario.about.steps.is_empty() {
        let any_order = scenario.about.any_order;
        takes.push(Take {
            files: vec![(scenario.file("txt"), play::play(&scenario.about, sandbox)?)],
            alike: Box::new(move |before, now| compare::alike(before, now, any_order)),
        });
    }
    if let Some(conversation) = &scenario.about.diagram {
        let by_chance = conversation.by_chance;
        let drawn = draw::draw(conversation, sandbox)?;
        takes.push(Take {
            files: drawn.into_iter().map(|(end, text)| (scenario.file(end), text)).collect(),
            alike: Box::new(move |before, now| by_chance || compare::alike_drawn(before, now)),
        });
    }
    Ok(takes)
}

impl Take {
    /// Writes the files, or compares them; whether nothing is different.
    fn keep(&self, mode: Mode) -> Result<bool> {
        let before: Vec<Option<String>> =
            self.files.iter().map(|(file, _)| read(file)).collect::<Result<_>>()?;
        let now = self.files.iter().map(|(_, text)| text.as_str());
        let is_there = before.iter().all(Option::is_some);
        let is_same = before.iter().map(Option::as_deref).eq(now.map(Some));
        let first = |texts: &[Option<String>]| texts.first().cloned().flatten().unwrap_or_default();
        let (old, new) = (first(&before), self.files.first().map_or("", |(_, text)| text));
        // Where the first one is the same to the letter, no other may differ.
        let is_alike = is_there && old != new && (self.alike)(&old, new);
        if is_same || (is_alike && mode != Mode::Anew) {
            return Ok(true);
        }
        for (file, text) in &self.files {
            if mode != Mode::Check {
                fs::write(file, text)
                    .with_context(|| format!("cannot write {}", file.display()))?;
            }
            println!("{}", file.display());
        }
        if mode == Mode::Check && is_there {
            println!("{}", compare::difference(&old, new));
        }
        Ok(mode != Mode::Check)
    }
}

fn read(file: &Path) -> Result<Option<String>> {
    match fs::read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        read => read.map(Some).with_context(|| format!("cannot read {}", file.display())),
    }
}
