//! How a case of a check can end.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As it should.
    Pass,
    /// The program did something else than it should.
    Fail,
    /// The program did not do it in time.
    Timeout,
    /// The program ended by a signal or with an error code in the middle of it.
    Crash,
    /// The program did not print its readiness line.
    NotReady,
    /// There is no program: the compiler refuses it.
    DoesNotCompile,
    /// The grader or the test itself is broken. Never the student's failure.
    GraderError,
}

impl Verdict {
    /// Whether a wait ran out of time, which may be the machine's fault, too.
    #[must_use]
    pub fn is_too_late(self) -> bool {
        matches!(self, Self::Timeout | Self::NotReady)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Timeout => "timeout",
            Self::Crash => "crash",
            Self::NotReady => "not ready",
            Self::DoesNotCompile => "does not compile",
            Self::GraderError => "grader error",
        })
    }
}
