//! Counts and tells what became of the probes, as the system's ping does: late answers count, second
//! ones and errors are shown beside, and what concerns others is passed over.

use std::io::{self, Write};

use super::Plan;
use super::probes::Heard;
use super::statistics::RoundTrips;
use crate::reason::explain;

/// What has happened so far, and where it is told.
pub struct Tally {
    output: Box<dyn Write>,
    sent: u16,
    answered: u16,
    late: u16,
    duplicates: u32,
    errors: u32,
    round_trips: RoundTrips,
}

impl Tally {
    pub fn begin(host: &str, plan: &Plan, mut output: Box<dyn Write>) -> io::Result<Self> {
        let probes = if plan.count == 1 { "probe" } else { "probes" };
        writeln!(output, "ping {host}: {} {probes} with {} bytes of data", plan.count, plan.size)?;
        Ok(Self {
            output,
            sent: 0,
            answered: 0,
            late: 0,
            duplicates: 0,
            errors: 0,
            round_trips: RoundTrips::default(),
        })
    }

    /// Whether there are probes left that an error could be about: each brings one at most.
    pub fn expects_errors(&self) -> bool {
        self.errors < u32::from(self.sent)
    }

    /// One more probe was given to the system, which may not have taken it.
    pub fn sent(&mut self, sent: io::Result<usize>) -> io::Result<()> {
        self.sent += 1;
        match sent {
            Ok(_) => Ok(()),
            Err(error) => {
                self.problem(&format!("probe {} not sent: {}", self.sent, explain(&error)))
            }
        }
    }

    pub fn heard(&mut self, heard: &Heard) -> io::Result<()> {
        match *heard {
            Heard::Answer { sequence, round_trip, late } => {
                self.answered += 1;
                self.late += u16::from(late);
                self.round_trips.add(round_trip);
                let ms = round_trip.as_secs_f64() * 1000.0;
                let late = if late { ", late" } else { "" };
                writeln!(self.output, "answer to probe {sequence} after {ms:.3} ms{late}")
            }
            Heard::Duplicate(sequence) => {
                self.duplicates += 1;
                writeln!(self.output, "probe {sequence} is answered once more")
            }
            Heard::Damaged => self.problem("an answer that is not what was sent"),
            Heard::Problem(sequence, says) => self.problem(&format!("probe {sequence}: {says}")),
            Heard::Foreign => Ok(()),
        }
    }

    pub fn problem(&mut self, says: &str) -> io::Result<()> {
        self.errors += 1;
        writeln!(self.output, "{says}")
    }

    /// The last line; and how many probes were answered.
    pub fn end(mut self) -> io::Result<u16> {
        let line = self.summary();
        writeln!(self.output, "{line}")?;
        self.output.flush()?;
        Ok(self.answered)
    }

    fn summary(&self) -> String {
        let lost = f64::from(self.sent - self.answered) * 100.0 / f64::from(self.sent.max(1));
        let lost = format!("{lost:.1}");
        let lost = lost.strip_suffix(".0").unwrap_or(&lost);
        let mut parts = vec![format!("{} sent", self.sent), format!("{} answered", self.answered)];
        let beside = [
            (u32::from(self.late), "late"),
            (self.duplicates, "answered again"),
            (self.errors, "in error"),
        ];
        let beside = beside.iter().filter(|(count, _)| *count > 0);
        parts.extend(beside.map(|(count, what)| format!("{count} {what}")));
        parts.push(format!("{lost}% lost"));
        let line = parts.join(", ");
        if self.answered == 0 { line } else { format!("{line}; round trip {}", self.round_trips) }
    }
}
