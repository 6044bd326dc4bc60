//! The log of what has happened so far, step by step, and the report made of it.

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

    /// With something more to say.
    #[must_use]
    pub fn and(mut self, more: &str) -> Self {
        self.what = format!("{}; {more}", self.what);
        self
    }

    /// With the bytes that were expected and those that came.
    #[must_use]
    pub fn with(self, expected: &[u8], got: &[u8]) -> Self {
        Self { bytes: Some((expected.to_vec(), got.to_vec())), ..self }
    }
}

/// What else a report shows beside the steps.
#[derive(Debug)]
pub struct ReportContext {
    /// Which side the program is: `server` or `client`.
    pub role: &'static str,
    /// The end of the transcript, and how many lines were before it.
    pub wire: (Vec<String>, usize),
    /// What the program has said on standard error.
    pub said: String,
    /// The command that runs the case again.
    pub replay: String,
}

/// The steps of one case.
#[derive(Debug, Default)]
pub struct StepLog {
    steps: Vec<String>,
}

impl StepLog {
    pub fn step(&mut self, what: impl Into<String>) {
        self.steps.push(what.into());
    }

    /// The report of a failure in the last step; the arrow marks it.
    pub fn report(&self, difference: &Difference, context: &ReportContext) -> String {
        let mut text = String::new();
        push_first_and_last(&mut text, &difference.what);
        if let Some((expected, got)) = difference.bytes.as_ref().filter(|(a, b)| a != b) {
            text.push('\n');
            text.push_str(&bytes::compare(expected, got));
        }
        text.push_str("\nsteps\n");
        push_last(&mut text, &self.numbered_steps(), 0);
        let (lines, before) = &context.wire;
        if !lines.is_empty() {
            let _ = writeln!(text, "\nthe wire (your program is the {})", context.role);
            push_last(&mut text, lines, *before);
        }
        let said: Vec<String> =
            context.said.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
        if !said.is_empty() {
            text.push_str("\nyour program said on standard error\n");
            push_last(&mut text, &said, 0);
        }
        let _ = writeln!(text, "\nreplay: {}", context.replay);
        text
    }

    fn numbered_steps(&self) -> Vec<String> {
        let arrow = |number| if number == self.steps.len() { "-->" } else { "   " };
        let steps = (1..).zip(&self.steps);
        steps.map(|(number, step)| format!("{} {number:>2}. {step}", arrow(number))).collect()
    }
}

/// What went wrong may quote a program that has much to say: its first line and the last ones.
fn push_first_and_last(text: &mut String, what: &str) {
    let mut lines = what.trim_end().lines();
    let _ = writeln!(text, "{}", shortened(lines.next().unwrap_or_default(), 3 * SHOWN_WIDTH));
    let more: Vec<String> = lines.map(str::to_owned).collect();
    push_last(text, &more, 0);
}

fn push_last(text: &mut String, lines: &[String], before: usize) {
    let skipped = lines.len().saturating_sub(SHOWN);
    if skipped + before > 0 {
        let _ = writeln!(text, "  … {} before these", skipped + before);
    }
    for line in &lines[skipped..] {
        let _ = writeln!(text, "  {}", shortened(line, SHOWN_WIDTH));
    }
}

fn shortened(line: &str, width: usize) -> String {
    let shown: String = line.chars().take(width).collect();
    if shown.len() < line.len() { shown + " …" } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(said: &str) -> ReportContext {
        let wire = ((0..SHOWN).map(|number| format!("line {number}")).collect(), 100);
        ReportContext { role: "client", wire, said: said.to_owned(), replay: "again".to_owned() }
    }

    #[test]
    fn however_much_has_happened_a_report_fits_some_screens() {
        let mut step_log = StepLog::default();
        for number in 0..10_000 {
            step_log.step(format!("step {number} {}", "x".repeat(1000)));
        }
        let much = "a long line of the program ".repeat(100) + "\n";
        let what = Difference::fail(format!("it said\n{}", much.repeat(1000)));
        let report = step_log.report(&what, &context(&much.repeat(1000)));
        assert!(report.lines().count() < 5 * SHOWN, "{} lines", report.lines().count());
        assert!(report.lines().all(|line| line.chars().count() < SHOWN_WIDTH + 20));
        assert!(report.contains("… 9986 before these") && report.contains("--> 10000. step 9999"));
        assert!(report.contains("the wire (your program is the client)\n  … 100 before these"));
        assert!(report.ends_with("replay: again\n"));
    }

    #[test]
    fn a_report_says_nothing_of_what_there_is_not() {
        let quiet = ReportContext { wire: (Vec::new(), 0), ..context("") };
        let mut step_log = StepLog::default();
        step_log.step("look");
        let report = step_log.report(&Difference::fail("nothing is there"), &quiet);
        assert_eq!(report, "nothing is there\n\nsteps\n  -->  1. look\n\nreplay: again\n");
    }
}
