//! Candidates have their turns, round by round, and what they took becomes rows of a report.

use std::path::PathBuf;

use anyhow::{Result, bail};
use grader::process;

use super::peers::Peer;
use super::report::{Absence, Group, Kind, Memory, Missing, Row};
use super::setup::Setup;

/// One program or pair of programs that takes part.
pub struct Candidate<'a> {
    pub name: String,
    pub kind: Kind,
    /// What stands beside its row in the table.
    pub note: &'static str,
    /// What the system must have for it.
    pub needs: &'static [Peer],
    /// Why it is not to take part this time, although it might.
    pub left_out: Option<&'static str>,
    pub turn: Turn<'a>,
}

/// One turn; it is told where the programs of [`Candidate::needs`] are, in that order.
pub type Turn<'a> = Box<dyn Fn(&[PathBuf]) -> Result<Sample> + 'a>;

/// What one turn gave: a value for each [`Measure`], in their order.
pub struct Sample {
    pub values: Vec<f64>,
    pub memory: Memory,
}

/// What came of it: a group for each measure, and the candidates that could not take part.
pub type Comparison = (Vec<Group>, Vec<Missing>);

/// A quantity that is compared.
#[derive(Clone, Copy)]
pub struct Measure {
    pub name: &'static str,
    pub unit: &'static str,
    pub higher_is_better: bool,
}

pub const MIB_PER_SECOND: Measure =
    Measure { name: "throughput", unit: "MiB/s", higher_is_better: true };

impl<'a> Candidate<'a> {
    pub fn new(
        name: &str,
        kind: Kind,
        needs: &'static [Peer],
        turn: impl Fn(&[PathBuf]) -> Result<Sample> + 'a,
    ) -> Self {
        let (name, turn) = (name.to_owned(), Box::new(turn));
        Self { name, kind, note: "", needs, left_out: None, turn }
    }

    pub fn noted(mut self, note: &'static str) -> Self {
        self.note = note;
        self
    }
}

/// How the failure of a turn that took too long begins.
pub const OUT_OF_TIME: &str = "out of time";

/// Lets everybody have a turn in every round; one group of rows for each measure.
///
/// A turn that fails is an entry in its row and not the end of the others.
pub fn run_rounds(
    setup: &Setup,
    title: &str,
    measures: &[Measure],
    candidates: &[Candidate<'_>],
) -> Result<Comparison> {
    let (mut present, mut missing) = (Vec::new(), Vec::new());
    for candidate in candidates.iter().filter(|candidate| setup.wants(&candidate.name)) {
        match look_for(candidate) {
            Ok(programs) => present.push((candidate, programs, Vec::new(), Vec::new())),
            Err(what) => missing.push(what),
        }
    }
    for round in 1..=setup.rounds {
        for (candidate, programs, samples, failures) in &mut present {
            // Who was too slow once would only take everybody's time.
            if failures.iter().any(|failure: &String| failure.starts_with(OUT_OF_TIME)) {
                continue;
            }
            let turn = (candidate.turn)(programs);
            if process::is_interrupted() {
                bail!("interrupted");
            }
            let what = match &turn {
                Ok(sample) => format!("{:.1} {}", sample.values[0], measures[0].unit),
                Err(error) => format!("failed: {error:#}"),
            };
            eprintln!(
                "[bench] {title}, round {round}/{}: {}: {what}",
                setup.rounds, candidate.name
            );
            match turn {
                Ok(sample) => samples.push(sample),
                Err(error) => failures.push(format!("{error:#}")),
            }
        }
    }
    let group = |(number, measure): (usize, &Measure)| {
        let rows = present.iter().map(|(candidate, _, samples, failures)| Row {
            name: candidate.name.clone(),
            kind: candidate.kind,
            note: candidate.note,
            values: samples.iter().map(|sample| sample.values[number]).collect(),
            memory: samples.iter().fold(Memory::default(), |most, sample| most.max(sample.memory)),
            failures: failures.clone(),
        });
        Group { title: title.to_owned(), measure: *measure, rows: rows.collect() }
    };
    Ok((measures.iter().enumerate().map(group).collect(), missing))
}

/// Where a candidate's programs are, or why it does not take part.
fn look_for(candidate: &Candidate<'_>) -> Result<Vec<PathBuf>, Missing> {
    let missing = |why| Missing { name: candidate.name.clone(), why };
    if let Some(reason) = candidate.left_out {
        return Err(missing(Absence::LeftOut(reason)));
    }
    let find = |peer: &Peer| peer.find().ok_or(missing(Absence::NotInstalled(*peer)));
    candidate.needs.iter().map(find).collect()
}
