//! What the grader and a graded test tell each other: environment variables, and one
//! [outcome](crate::outcome).
//!
//! A graded test runs in a process of its own and cannot be trusted to live to its end, as the
//! program it tests is anybody's. So its exit code must agree with its outcome; and it notes the
//! process group of every program it starts *when* it starts it, so that the grader can end the
//! group even after it had to kill the test.
//!
//! The program under test inherits none of these variables.

pub use course::Verdict;
use serde::{Deserialize, Serialize};

use crate::disturbance::Disturbance;

/// Says that a grader waits for this test's [`Outcome`], as JSON, on the other end of the test's
/// standard input.
pub const OUTCOME: &str = "GRADER_OUTCOME";
/// Names the folder in which the test leaves an empty file for each process group it has started,
/// named by the group's id.
pub const GROUPS: &str = "GRADER_GROUPS";
/// The program to test, already built: its command line as a JSON array of strings.
pub const PROGRAM: &str = "GRADER_PROGRAM";
/// The name of the case, without the exercise, for the line that replays it.
pub const CASE: &str = "GRADER_CASE";
/// What chooses the submission on the command line that replays the case.
pub const WHOSE: &str = "GRADER_WHOSE";
/// The limit of every single wait of the test for the program, in milliseconds. Without it the test
/// has a limit of its own.
pub const PATIENCE: &str = "GRADER_PATIENCE_MS";
/// Names the folder (an absolute path; it need not exist yet) in which a case that does not pass
/// leaves what the wire carried: `LESSON-EXERCISE-CASE.svg`, a sequence diagram, and
/// `LESSON-EXERCISE-CASE.pcapng`, a capture for Wireshark. `::` in a case's name becomes `-`.
pub const ARTIFACTS: &str = "GRADER_ARTIFACTS";
/// The number that all random payloads follow from. A person may set it, too.
pub const SEED: &str = "SEED";

/// What a Rust program says when it comes to a `todo!`.
pub const UNWRITTEN: &str = "not yet implemented";

/// All variables that a program under test must not inherit.
pub const PRIVATE: [&str; 7] = [OUTCOME, GROUPS, PROGRAM, CASE, WHOSE, PATIENCE, ARTIFACTS];

/// What a test leaves for the grader.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// How it ended.
    pub verdict: Verdict,
    /// For the student: what was expected, what came, what the wire saw. Empty for a pass.
    pub report: String,
    /// What the program has printed on standard error. (Its standard output is a matter of the
    /// task, and so of the report.)
    #[serde(default)]
    pub output: String,
    /// The longest single wait for the program, in seconds of punctual time, and without what the
    /// program was told to wait for: what a limit has to allow for.
    #[serde(default)]
    pub longest_wait: f64,
    /// What held the test up, if that makes its verdict worth nothing.
    #[serde(default)]
    pub disturbance: Option<Disturbance>,
}
