//! Contestants have their turns, round by round, and what they took becomes rows of a report.

use std::path::PathBuf;

use anyhow::{Result, bail};
use grader::process;

use super::field::Field;
use super::peers::Peer;
use super::report::{Absence, Group, Kind, Memory, Missing, Row};

/// One program or pair of programs that takes part.
pub struct Contestant<'a> {
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

/// One turn; it is told where the programs of [`Contestant::needs`] are, in that order.
pub type Turn<'a> = Box<dyn Fn(&[PathBuf]) -> Result<Sample> + 'a>;

/// What one turn gave: a value for each [`Measure`], in their order.
pub struct Sample {
    pub values: Vec<f64>,
    pub memory: Memory,
}

/// What a contest gave: a group for each measure, and who could not take part.
pub type Outcome = (Vec<Group>, Vec<Missing>);

/// A quantity that is compared.
#[derive(Clone, Copy)]
pub struct Measure {
    pub name: &'static str,
    pub unit: &'static str,
    pub higher_is_better: bool,
}

pub const MIB_PER_SECOND: Measure =
    Measure { name: "throughput", unit: "MiB/s", higher_is_better: true };

impl<'a> Contestant<'a> {
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
pub fn hold(
    field: &Field,
    title: &str,
    measures: &[Measure],
    contestants: &[Contestant<'_>],
) -> Result<Outcome> {
    let (mut present, mut missing) = (Vec::new(), Vec::new());
    for contestant in contestants.iter().filter(|contestant| field.wants(&contestant.name)) {
        match look_for(contestant) {
            Ok(programs) => present.push((contestant, programs, Vec::new(), Vec::new())),
            Err(what) => missing.push(what),
        }
    }
    for round in 1..=field.rounds {
        for (contestant, programs, samples, failures) in &mut present {
            // Who was too slow once would only take everybody's time.
            if failures.iter().any(|failure: &String| failure.starts_with(OUT_OF_TIME)) {
                continue;
            }
            let turn = (contestant.turn)(programs);
            if process::is_interrupted() {
                bail!("interrupted");
            }
            let what = match &turn {
                Ok(sample) => format!("{:.1} {}", sample.values[0], measures[0].unit),
                Err(error) => format!("failed: {error:#}"),
            };
            eprintln!(
                "[bench] {title}, round {round}/{}: {}: {what}",
                field.rounds, contestant.name
            );
            match turn {
                Ok(sample) => samples.push(sample),
                Err(error) => failures.push(format!("{error:#}")),
            }
        }
    }
    let group = |(number, measure): (usize, &Measure)| {
        let rows = present.iter().map(|(contestant, _, samples, failures)| Row {
            name: contestant.name.clone(),
            kind: contestant.kind,
            note: contestant.note,
            values: samples.iter().map(|sample| sample.values[number]).collect(),
            memory: samples.iter().fold(Memory::default(), |most, sample| most.max(sample.memory)),
            failures: failures.clone(),
        });
        Group { title: title.to_owned(), measure: *measure, rows: rows.collect() }
    };
    Ok((measures.iter().enumerate().map(group).collect(), missing))
}

/// Where a contestant's programs are, or why it does not take part.
fn look_for(contestant: &Contestant<'_>) -> Result<Vec<PathBuf>, Missing> {
    let missing = |why| Missing { name: contestant.name.clone(), why };
    if let Some(reason) = contestant.left_out {
        return Err(missing(Absence::LeftOut(reason)));
    }
    let find = |peer: &Peer| peer.find().ok_or(missing(Absence::NotInstalled(*peer)));
    contestant.needs.iter().map(find).collect()
}
