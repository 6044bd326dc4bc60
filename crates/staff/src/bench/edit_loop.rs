//! `bench loop`: what a student waits for after every change.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail, ensure};
use grader::process;
use netlab::timed::Timed;

use super::comparison::{self, Candidate, Measure, Sample};
use super::report::{Kind, Memory, Report};
use super::setup::Setup;
use super::transfer::Launch;
use super::watch_loop;
use grader::cargo;

const TIMED: &str = "from the start of the command, whose source file has just been touched, to its \
    first line of output (lesson 2, hello world) or to its end; development profile, everything \
    else already built; with `cargo xtask watch`, from a file's being saved to the last line of \
    its verdict";
const SECONDS: [Measure; 1] = [Measure { name: "time", unit: "s", higher_is_better: false }];
/// How long a build may take.
pub const LIMIT: Duration = Duration::from_secs(900);
const TICK: Duration = Duration::from_millis(1);
/// What is edited in the lesson, and what in its exercise.
const LESSON: &str = "lessons/02-tcp-echo/src/server.rs";
const SOLUTION: &str = "lessons/02-tcp-echo/solution";

/// Seconds from an edit to what it brings: `cargo run -p lesson-02`, `cargo xtask grade 02`, and
/// `cargo xtask watch`, of which it also says how much is the grader's own
#[derive(clap::Args)]
pub struct Options {}

/// Edits and runs once.
type Timing<'a> = Box<dyn Fn() -> Result<Duration> + 'a>;

/// When a command counts as done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Until {
    FirstLine,
    End,
}

pub fn run(setup: &Setup, _options: &Options) -> Result<Report> {
    let hello = hello_world(setup)?;
    let target = cargo::target(&setup.root);
    let cargo = |command: &[&str], edited: Option<&Path>, until| {
        edited.map_or(Ok(()), |edited| edit(&setup.root.join(edited)))?;
        run_cargo(&setup.root, &target, command, until)
    };
    let all: [(&str, Kind, Timing<'_>); 4] = [
        (
            "cargo run -p lesson-02",
            Kind::Ours,
            Box::new(|| {
                cargo(&["run", "-p", "lesson-02"], Some(Path::new(LESSON)), Until::FirstLine)
            }),
        ),
        (
            "cargo xtask grade 02",
            Kind::Ours,
            Box::new(|| {
                let grade = ["xtask", "grade", "02", "--submission", "solution"];
                cargo(&grade, Some(Path::new(SOLUTION)), Until::End)
            }),
        ),
        ("cargo xtask list", Kind::Ours, Box::new(|| cargo(&["xtask", "list"], None, Until::End))),
        (
            "cargo run, hello world",
            Kind::Landmark,
            Box::new(|| {
                edit(&hello.join("src/main.rs"))?;
                run_cargo(&hello, &hello.join("target"), &["run"], Until::FirstLine)
            }),
        ),
    ];
    let candidates: Vec<_> = all
        .into_iter()
        .map(|(name, kind, command)| {
            // The first time builds what an edit does not touch.
            let built = std::cell::Cell::new(false);
            Candidate::new(name, kind, &[], move |_| {
                if !built.replace(true) {
                    command()?;
                }
                Ok(seconds(command()?))
            })
        })
        .collect();
    let (mut groups, mut missing) =
        comparison::run_rounds(setup, "from an edit to its effect", &SECONDS, &candidates)?;
    let (watched, not_watched) = watch_loop::run(setup)?;
    groups.extend(watched);
    groups.retain(|group| !group.rows.is_empty());
    missing.extend(not_watched);
    Ok(Report { name: "loop", timed: TIMED.to_owned(), groups, missing })
}

pub fn seconds(took: Duration) -> Sample {
    Sample { values: vec![took.as_secs_f64()], memory: Memory::default() }
}

/// What `cargo new` makes, outside of every workspace.
pub fn hello_world(setup: &Setup) -> Result<std::path::PathBuf> {
    let folder = setup.empty_folder("hello")?;
    fs::create_dir(folder.join("src"))?;
    let manifest = "[package]\nname = \"hello\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::write(folder.join("src/main.rs"), "fn main() {\n    println!(\"Hello, world!\");\n}\n")?;
    Ok(folder)
}

/// Gives a file, or all sources in a folder, the time of now, as an editor does that saves.
fn edit(path: &Path) -> Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            let path = entry?.path();
            if path.is_dir() || path.extension().is_some_and(|end| end == "rs") {
                edit(&path)?;
            }
        }
        return Ok(());
    }
    let file = fs::File::options().write(true).open(path);
    let file = file.with_context(|| format!("cannot touch {}", path.display()))?;
    Ok(file.set_modified(SystemTime::now())?)
}

/// Runs a cargo command in its own process group; how long it took.
pub fn run_cargo(folder: &Path, target: &Path, command: &[&str], until: Until) -> Result<Duration> {
    let mut cargo = grader::cargo::command(folder);
    cargo.args(command).env("CARGO_TARGET_DIR", target);
    let mut running = Launch::from(cargo).start()?;
    let limit = Instant::now() + LIMIT;
    loop {
        if until == Until::FirstLine
            && let Some(at) = running.first_output()
        {
            let took = at - running.started();
            running.kill();
            return Ok(took);
        }
        if let Some(ended) = running.ends(TICK) {
            ensure!(
                ended.status.success(),
                "cargo {} failed: {}",
                command.join(" "),
                running.said()
            );
            let end = if until == Until::End { Some(ended.at) } else { running.first_output() };
            let end = end.context("it ended and had printed nothing")?;
            return Ok(end - running.started());
        }
        check(limit, &running)?;
    }
}

fn check(limit: Instant, running: &Timed) -> Result<()> {
    if process::is_interrupted() {
        bail!("interrupted");
    }
    ensure!(Instant::now() < limit, "not done within {LIMIT:?}: {}", running.said());
    Ok(())
}
