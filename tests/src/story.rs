//! What has happened so far, step by step, and how it is told.

use std::fmt::Write;

use grader::protocol::Verdict;

use crate::bytes;

/// How many steps, wire lines and lines of the program are shown; the earlier ones are counted.
pub const SHOWN: usize = 14;
/// How much of a line is shown, in characters.
const SHOWN_WIDTH: usize = 200;

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

/// The steps of one case.
#[derive(Debug, Default)]
pub struct Story {
    steps: Vec<String>,
}

impl Story {
    pub fn step(&mut self, what: impl Into<String>) {
        self.steps.push(what.into());
    }

    /// The report of a failure in the last step; the arrow marks it. `wire` is the end of the
    /// transcript, and how many lines were before.
    pub fn report(
        &self,
        difference: &Difference,
        wire: &(Vec<String>, usize),
        said: &str,
        replay: &str,
    ) -> String {
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
        push_last(&mut text, &steps, 0);
        let (lines, before) = wire;
        if !lines.is_empty() {
            text.push_str("\nthe wire\n");
            push_last(&mut text, lines, *before);
        }
        let said: Vec<String> =
            said.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
        if !said.is_empty() {
            text.push_str("\nyour program said on standard error\n");
            push_last(&mut text, &said, 0);
        }
        let _ = writeln!(text, "\nreplay: {replay}");
        text
    }
}

fn push_last(text: &mut String, lines: &[String], before: usize) {
    let skipped = lines.len().saturating_sub(SHOWN);
    if skipped + before > 0 {
        let _ = writeln!(text, "  … {} before these", skipped + before);
    }
    for line in &lines[skipped..] {
        let shown: String = line.chars().take(SHOWN_WIDTH).collect();
        let more = if shown.len() < line.len() { " …" } else { "" };
        let _ = writeln!(text, "  {shown}{more}");
    }
}
