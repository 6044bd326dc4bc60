//! One case, in a process of its own.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::Job;
use crate::process::{self, Bounds, Ended};
use crate::protocol::{self, Outcome, Verdict};
use crate::score::CaseResult;

/// A case lasts at most as long as so many waits do that each take all of their time.
const WAITS: u32 = 12;

/// How long the program may take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// For each single step that the test waits for.
    pub patience: Duration,
    /// For the whole case. Every wait inside of it has the shorter limit, so this is for the case
    /// that those fail, too.
    pub whole: Duration,
}

impl Limits {
    pub fn of(patience: Duration) -> Self {
        Self { patience, whole: patience * WAITS }
    }
}

/// What came of a case.
pub struct Sat {
    pub result: CaseResult,
    /// The longest single wait of the test for the program.
    pub longest_wait: Duration,
}

/// Runs one case on `program` within `limits`.
pub fn sit(job: &Job, tests: &Path, program: &[String], case: &str, limits: Limits) -> Sat {
    match try_case(job, tests, program, case, limits) {
        Ok((ended, outcome)) => {
            let longest_wait = outcome.as_ref().map_or(0.0, |outcome| outcome.longest_wait);
            let (verdict, report) = judge(&ended, outcome);
            let result = CaseResult::new(case, verdict, &report);
            Sat {
                result: CaseResult { seconds: ended.took.as_secs_f64(), ..result },
                longest_wait: Duration::try_from_secs_f64(longest_wait).unwrap_or_default(),
            }
        }
        Err(error) => {
            let report = format!("cannot run the graded test: {error}");
            let result = CaseResult::new(case, Verdict::GraderError, &report);
            Sat { result, longest_wait: Duration::ZERO }
        }
    }
}

/// The test has a folder of its own for what it leaves to us.
fn try_case(
    job: &Job,
    tests: &Path,
    program: &[String],
    case: &str,
    limits: Limits,
) -> io::Result<(Ended, Option<Outcome>)> {
    let folder = tempfile::tempdir()?;
    let (groups, outcome) = (folder.path().join("groups"), folder.path().join("outcome.json"));
    std::fs::create_dir(&groups)?;
    let mut command = Command::new(tests);
    command
        .args(["--exact", &format!("{}::{case}", job.exercise.name), "--nocapture"])
        .current_dir(job.workspace)
        .env(protocol::OUTCOME, &outcome)
        .env(protocol::GROUPS, &groups)
        .env(protocol::PROGRAM, serde_json::to_string(program)?)
        .env(protocol::CASE, case)
        .env(protocol::WHOSE, job.submission.arguments())
        .env(protocol::PATIENCE, limits.patience.as_millis().to_string())
        .env(protocol::SEED, job.seed.to_string());
    match job.artifacts {
        Some(folder) => command.env(protocol::ARTIFACTS, folder),
        None => command.env_remove(protocol::ARTIFACTS),
    };
    let ended = process::run(&mut command, &Bounds::of(limits.whole, &job.cancel));
    process::kill_noted(&groups);
    Ok((ended?, read_outcome(outcome)))
}

fn read_outcome(path: PathBuf) -> Option<Outcome> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// The exit code and the outcome must agree; neither alone is believed.
fn judge(ended: &Ended, outcome: Option<Outcome>) -> (Verdict, String) {
    let Some(status) = ended.status else {
        let took = ended.took;
        return (Verdict::Timeout, format!("the test was not over after {took:.0?}"));
    };
    match outcome {
        Some(Outcome { verdict: Verdict::Pass, report, .. }) if status.success() => {
            (Verdict::Pass, report)
        }
        Some(Outcome { verdict, report, .. }) if verdict != Verdict::Pass && !status.success() => {
            (verdict, report)
        }
        outcome => {
            let said = outcome.map_or("no outcome".to_owned(), |o| o.verdict.to_string());
            let report = format!("the test ended with {status}, but its outcome is: {said}");
            (Verdict::GraderError, format!("{report}\n{}{}", ended.stdout, ended.stderr))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn an_outcome_that_the_exit_code_contradicts_is_a_grader_error() {
        use std::os::unix::process::ExitStatusExt;
        use std::process::ExitStatus;
        let judged = |code: i32, outcome: Option<Verdict>| {
            let ended = Ended {
                status: Some(ExitStatus::from_raw(code << 8)),
                stdout: String::new(),
                stderr: String::new(),
                took: Duration::ZERO,
            };
            let outcome_of =
                |verdict| Outcome { verdict, report: String::new(), longest_wait: 0.0 };
            judge(&ended, outcome.map(outcome_of)).0
        };
        assert_eq!(judged(0, Some(Verdict::Pass)), Verdict::Pass);
        assert_eq!(judged(101, Some(Verdict::Crash)), Verdict::Crash);
        assert_eq!(judged(101, Some(Verdict::Pass)), Verdict::GraderError);
        assert_eq!(judged(0, Some(Verdict::Fail)), Verdict::GraderError);
        assert_eq!(judged(0, None), Verdict::GraderError);
    }
}
