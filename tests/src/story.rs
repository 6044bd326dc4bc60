//! What has happened so far: the steps of the test, and what the wire carried.

use std::fmt::Write;

use grader::protocol::Verdict;

use crate::bytes;

/// How many steps, wire lines and lines of the program are shown; the earlier ones are counted.
const SHOWN: usize = 14;
/// How much of a line is shown, in characters.
const SHOWN_WIDTH: usize = 200;

/// Which way something went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To the program under test.
    ToProgram,
    /// From it.
    FromProgram,
}

/// What was not as it should be.
#[derive(Debug)]
pub struct Difference {
    /// Fail, timeout, …
    pub verdict: Verdict,
    /// In one sentence.
    pub what: String,
    /// The bytes expected and got, where it is about bytes.
    pub bytes: Option<(Vec<u8>, Vec<u8>)>,
}

impl Difference {
    /// The program did something else than it should.
    pub fn fail(what: impl Into<String>) -> Self {
        Self { verdict: Verdict::Fail, what: what.into(), bytes: None }
    }

    /// The program did not do it in time.
    pub fn timeout(what: impl Into<String>) -> Self {
        Self { verdict: Verdict::Timeout, ..Self::fail(what) }
    }

    /// With the bytes that were expected and those that came.
    #[must_use]
    pub fn with(self, expected: &[u8], got: &[u8]) -> Self {
        Self { bytes: Some((expected.to_vec(), got.to_vec())), ..self }
    }
}

/// The steps and the wire of one case.
#[derive(Debug, Default)]
pub struct Story {
    steps: Vec<String>,
    wire: Vec<String>,
}

impl Story {
    pub fn step(&mut self, what: impl Into<String>) {
        self.steps.push(what.into());
    }

    /// Notes payload on connection number `connection`; one line for all pieces of it, so that one
    /// byte at a time does not fill the screen.
    pub fn carried(&mut self, connection: usize, way: Way, payload: &[u8], pieces: usize) {
        if payload.is_empty() {
            return;
        }
        let pieces = if pieces > 1 { format!(" in {pieces} pieces") } else { String::new() };
        self.wire(connection, way, &format!("{}{pieces}", bytes::brief(payload)));
    }

    /// Notes that something other than payload passed: an end, a reset.
    pub fn wire(&mut self, connection: usize, way: Way, what: &str) {
        let arrow = if way == Way::ToProgram { "-->" } else { "<--" };
        self.wire.push(format!("client {connection} {arrow} {what}"));
    }

    /// The report of a failure in the last step; the arrow marks it.
    pub fn report(&self, difference: &Difference, said: &str, replay: &str) -> String {
        let mut text = format!("{}\n", difference.what.trim_end());
        if let Some((expected, got)) = difference.bytes.as_ref().filter(|(a, b)| a != b) {
            text.push('\n');
            text.push_str(&bytes::compare(expected, got));
        }
        text.push_str("\nsteps\n");
        let arrow = |number| if number == self.steps.len() { "-->" } else { "   " };
        let numbered = (1..).zip(&self.steps);
        let steps: Vec<String> = numbered
            .map(|(number, step)| format!("{} {number:>2}. {step}", arrow(number)))
            .collect();
        push_last(&mut text, &steps);
        if !self.wire.is_empty() {
            text.push_str("\nthe wire\n");
            push_last(&mut text, &self.wire);
        }
        let said: Vec<String> =
            said.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
        if !said.is_empty() {
            text.push_str("\nyour program said on standard error\n");
            push_last(&mut text, &said);
        }
        let _ = writeln!(text, "\nreplay: {replay}");
        text
    }
}

fn push_last(text: &mut String, lines: &[String]) {
    let skipped = lines.len().saturating_sub(SHOWN);
    if skipped > 0 {
        let _ = writeln!(text, "  … {skipped} before these");
    }
    for line in &lines[skipped..] {
        let shown: String = line.chars().take(SHOWN_WIDTH).collect();
        let more = if shown.len() < line.len() { " …" } else { "" };
        let _ = writeln!(text, "  {shown}{more}");
    }
}
