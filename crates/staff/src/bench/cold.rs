//! `bench cold`: from a fresh clone to the first output of lesson 2.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::comparison::{self, Candidate, Measure, Sample};
use super::edit_loop::{Until, hello_world, run_cargo};
use super::report::{Kind, Memory, Report};
use super::setup::Setup;

const TIMED: &str = "git clone of the last commit, and `cargo run -p lesson-02` in an empty target \
    folder up to the first line of output; the dependencies have been downloaded before";
const MEASURES: [Measure; 2] = [
    Measure { name: "time", unit: "s", higher_is_better: false },
    Measure { name: "crates that are built", unit: "crates", higher_is_better: false },
];

/// Seconds from a fresh clone to lesson 2's first output
#[derive(clap::Args)]
pub struct Options {}

pub fn run(setup: &Setup, _options: &Options) -> Result<Report> {
    let hello = hello_world(setup)?;
    let candidates = [
        Candidate::new("lesson 2", Kind::Ours, &[], |_| clone_and_run(setup)),
        Candidate::new("hello world", Kind::Landmark, &[], |_| {
            let target = setup.empty_folder("target")?;
            let took = run_cargo(&hello, &target, &["run"], Until::FirstLine)?;
            Ok(sample(took, crates(&target)?))
        })
        .noted("cargo new; no clone"),
    ];
    let title = "from a fresh clone to the first output";
    let (groups, missing) = comparison::run_rounds(setup, title, &MEASURES, &candidates)?;
    Ok(Report { name: "cold", timed: TIMED.to_owned(), groups, missing })
}

fn clone_and_run(setup: &Setup) -> Result<Sample> {
    let (copy, target) = (setup.empty_folder("clone")?, setup.empty_folder("target")?);
    let started = Instant::now();
    let mut git = Command::new("git");
    let cloned = git.args(["clone", "--quiet", "--no-hardlinks"]).arg(&setup.root).arg(&copy);
    ensure!(cloned.status().context("cannot start git")?.success(), "git clone failed");
    let cloning = started.elapsed();
    let took =
        run_cargo(&copy, &target, &["run", "-p", "lesson-02", "--locked"], Until::FirstLine)?;
    Ok(sample(cloning + took, crates(&target)?))
}

#[expect(clippy::cast_precision_loss, reason = "some dozens")]
fn sample(took: Duration, crates: usize) -> Sample {
    Sample { values: vec![took.as_secs_f64(), crates as f64], memory: Memory::default() }
}

/// Cargo keeps a folder for each build of a package and of its build script; names end in a hash.
fn crates(target: &Path) -> Result<usize> {
    let mut names: Vec<String> = std::fs::read_dir(target.join("debug/.fingerprint"))?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter_map(|name| Some(name.rsplit_once('-')?.0.to_owned()))
        .collect();
    names.sort_unstable();
    names.dedup();
    Ok(names.len())
}
