//! What a bench has found: rows of measured values, and their form for other programs.

use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::comparison::Measure;
use super::peers::{self, Peer};
use super::setup::Setup;
use super::{svg, table};

/// Everything that one bench found.
pub struct Report {
    /// `upload`, as in the command and in the names of its files.
    pub name: &'static str,
    /// What exactly was timed, the same for all.
    pub timed: String,
    pub groups: Vec<Group>,
    pub missing: Vec<Missing>,
}

/// Rows that can be compared with each other.
pub struct Group {
    pub title: String,
    pub measure: Measure,
    pub rows: Vec<Row>,
}

/// Who somebody is in a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A lesson.
    Ours,
    /// Somebody else's program that does the same.
    Peer,
    /// It does something else that helps to see what the numbers mean.
    Landmark,
}

/// All turns of one candidate.
pub struct Row {
    pub name: String,
    pub kind: Kind,
    pub note: &'static str,
    /// One for each turn that went well, in the order of the rounds.
    pub values: Vec<f64>,
    pub memory: Memory,
    /// Why a turn gave no value.
    pub failures: Vec<String>,
}

/// The most memory that either side held, in bytes; `None` if there was no such program.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    pub server: Option<u64>,
    pub client: Option<u64>,
}

impl Memory {
    pub fn max(self, other: Self) -> Self {
        Self { server: self.server.max(other.server), client: self.client.max(other.client) }
    }
}

/// Somebody who did not take part.
pub struct Missing {
    pub name: String,
    pub why: Absence,
}

/// Why somebody did not take part.
#[derive(Clone, Copy)]
pub enum Absence {
    /// The system has no such program.
    NotInstalled(Peer),
    /// We did not let it, for this reason.
    LeftOut(&'static str),
}

impl Row {
    /// The middle one, or the mean of the two in the middle.
    pub fn median(&self) -> Option<f64> {
        let sorted = self.sorted();
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => None,
            odd if odd % 2 == 1 => Some(sorted[middle]),
            _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
        }
    }

    pub fn min(&self) -> Option<f64> {
        self.sorted().first().copied()
    }

    pub fn max(&self) -> Option<f64> {
        self.sorted().last().copied()
    }

    fn sorted(&self) -> Vec<f64> {
        let mut values = self.values.clone();
        values.sort_unstable_by(f64::total_cmp);
        values
    }
}

impl Group {
    /// The best median among the peers.
    pub fn best_peer(&self) -> Option<f64> {
        let peers = self.rows.iter().filter(|row| row.kind == Kind::Peer);
        let medians = peers.filter_map(Row::median);
        if self.measure.higher_is_better {
            medians.max_by(f64::total_cmp)
        } else {
            medians.min_by(f64::total_cmp)
        }
    }

    /// How many times as good as the best peer: 2.0 is twice as fast, or half the time.
    pub fn ratio(&self, row: &Row) -> Option<f64> {
        let (value, best) = (row.median()?, self.best_peer()?);
        Some(if self.measure.higher_is_better { value / best } else { best / value })
    }

    fn json(&self) -> Value {
        let row = |row: &Row| {
            json!({
                "name": row.name,
                "kind": format!("{:?}", row.kind).to_lowercase(),
                "note": row.note,
                "values": row.values,
                "median": row.median(),
                "min": row.min(),
                "max": row.max(),
                "ratio_to_best_peer": self.ratio(row),
                "peak_memory_bytes": { "server": row.memory.server, "client": row.memory.client },
                "failures": row.failures,
            })
        };
        json!({
            "title": self.title,
            "measure": self.measure.name,
            "unit": self.measure.unit,
            "higher_is_better": self.measure.higher_is_better,
            "rows": self.rows.iter().map(row).collect::<Vec<_>>(),
        })
    }
}

impl Report {
    /// Prints the tables and writes both files. The exit code says whether ours did their part.
    pub fn publish(&self, setup: &Setup) -> Result<ExitCode> {
        let mut output = io::stdout().lock();
        writeln!(output, "{}", table::render(self, setup))?;
        let write = |end: &str, text: String| {
            let file = setup.out.join(format!("{}.{end}", self.name));
            fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
            Ok::<_, anyhow::Error>(file)
        };
        fs::create_dir_all(&setup.out)
            .with_context(|| format!("cannot make the folder {}", setup.out.display()))?;
        let json = write("json", serde_json::to_string_pretty(&self.json(setup))? + "\n")?;
        let chart = write("svg", svg::render(self))?;
        writeln!(output, "written: {}, {}", json.display(), chart.display())?;
        Ok(if self.ours_are_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn ours_are_well(&self) -> bool {
        let mut rows = self.groups.iter().flat_map(|group| &group.rows);
        rows.all(|row| row.kind != Kind::Ours || row.failures.is_empty())
    }

    fn json(&self, setup: &Setup) -> Value {
        let missing = |missing: &Missing| match missing.why {
            Absence::NotInstalled(Peer { program, package }) => {
                json!({ "name": missing.name, "program": program, "package": package })
            }
            Absence::LeftOut(reason) => json!({ "name": missing.name, "left_out": reason }),
        };
        json!({
            "bench": self.name,
            "timed": self.timed,
            "rounds": setup.rounds,
            "quick": setup.quick,
            "machine": setup.machine(),
            "groups": self.groups.iter().map(Group::json).collect::<Vec<_>>(),
            "missing": self.missing.iter().map(missing).collect::<Vec<_>>(),
            "install": peers::install(peers::ALL),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::comparison::MIB_PER_SECOND;

    fn row(kind: Kind, values: &[f64]) -> Row {
        let (name, values) = (format!("{kind:?}"), values.to_vec());
        Row { name, kind, note: "", values, memory: Memory::default(), failures: Vec::new() }
    }

    fn group(rows: Vec<Row>) -> Group {
        Group { title: String::new(), measure: MIB_PER_SECOND, rows }
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(row(Kind::Ours, &[9.0, 1.0, 2.0]).median(), Some(2.0));
        assert_eq!(row(Kind::Ours, &[4.0, 1.0, 2.0, 9.0]).median(), Some(3.0));
        assert_eq!(row(Kind::Ours, &[]).median(), None);
    }

    #[test]
    fn landmarks_are_no_peers() {
        let rows = vec![
            row(Kind::Ours, &[6.0]),
            row(Kind::Peer, &[3.0]),
            row(Kind::Peer, &[2.0]),
            row(Kind::Landmark, &[50.0]),
        ];
        let group = group(rows);
        assert_eq!(group.best_peer(), Some(3.0));
        assert_eq!(group.ratio(&group.rows[0]), Some(2.0));
    }

    #[test]
    fn half_the_time_is_twice_as_good() {
        let mut group = group(vec![row(Kind::Ours, &[1.0]), row(Kind::Peer, &[2.0])]);
        group.measure.higher_is_better = false;
        assert_eq!(group.ratio(&group.rows[0]), Some(2.0));
    }
}
