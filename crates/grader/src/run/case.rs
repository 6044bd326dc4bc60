//! One case, in a process of its own.

use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::Job;
use crate::disturbance::Disturbance;
use crate::outcome;
use crate::process::{self, Bounds, Ended};
use crate::protocol::{self, Outcome, Verdict};
use crate::punctuality::Stopwatch;
use crate::score::CaseResult;
use crate::submission::Submission;
use crate::waits::Limits;

/// What came of a case.
pub struct Sat {
    pub result: CaseResult,
    /// The longest single wait of the test for the program.
    pub longest_wait: Duration,
    /// What held the test up, by its own word.
    pub disturbance: Option<Disturbance>,
    /// For how long this process was stopped meanwhile.
    pub grader_stopped: Duration,
}

/// Runs one case on `program` within `limits`.
pub fn sit(job: &Job, tests: &Path, program: &[String], case: &str, limits: Limits) -> Sat {
    let watch = Stopwatch::start();
    let tried = try_case(job, tests, program, case, limits);
    let grader_stopped = watch.standstill().stopped();
    match tried {
        Ok((ended, outcome)) => {
            let longest_wait = outcome.as_ref().map_or(0.0, |outcome| outcome.longest_wait);
            let output = outcome.as_ref().map_or(String::new(), |it| it.output.clone());
            let disturbance = outcome.as_ref().and_then(|it| it.disturbance.clone());
            let (verdict, report) = judge(&ended, outcome);
            let result = CaseResult::new(case, verdict, &report);
            Sat {
                result: CaseResult { output, seconds: ended.took.as_secs_f64(), ..result },
                longest_wait: Duration::try_from_secs_f64(longest_wait).unwrap_or_default(),
                disturbance,
                grader_stopped,
            }
        }
        Err(error) => {
            let report = format!("cannot run the graded test: {error}");
            let result = CaseResult::new(case, Verdict::GraderError, &report);
            Sat { result, longest_wait: Duration::ZERO, disturbance: None, grader_stopped }
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
    let (groups, work) = (folder.path().join("groups"), folder.path().join("work"));
    std::fs::create_dir(&groups)?;
    std::fs::create_dir(&work)?;
    let mut command = command(job, tests, program, case, limits)?;
    command.env(protocol::GROUPS, &groups);
    // What somebody has typed may name files by their place from here. Everything else works in a
    // folder of its own, and what it leaves there is nobody's concern.
    if !matches!(job.submission, Submission::Program(_)) {
        command.current_dir(&work);
    }
    let (stdin, outcome) = outcome::channel()?;
    let bounds = Bounds::of(limits.whole, &job.cancel);
    let ended = process::run_noting(&mut command, stdin, &bounds, |_| {});
    // It holds a copy of the test's end of the channel.
    drop(command);
    process::kill_noted(&groups);
    let is_over = process::orphans::end();
    match ended {
        Ok(_) if !is_over => Err(io::Error::other("what the program has started cannot be ended")),
        ended => Ok((ended?, outcome.receive())),
    }
}

fn command(
    job: &Job,
    tests: &Path,
    program: &[String],
    case: &str,
    limits: Limits,
) -> io::Result<Command> {
    let mut command = Command::new(tests);
    command
        .args(["--exact", &format!("{}::{case}", job.exercise.name), "--nocapture"])
        .env(protocol::OUTCOME, "stdin")
        .env(protocol::PROGRAM, serde_json::to_string(program)?)
        .env(protocol::CASE, case)
        .env(protocol::WHOSE, job.submission.arguments())
        .env(protocol::PATIENCE, limits.patience.as_millis().to_string())
        .env(protocol::SEED, job.seed.to_string())
        // Every case that does not pass panics; to look up the names for its backtrace takes many
        // times as long as the case, and says nothing of the program.
        .env("RUST_BACKTRACE", "0");
    match job.artifacts {
        Some(folder) => command.env(protocol::ARTIFACTS, folder),
        None => command.env_remove(protocol::ARTIFACTS),
    };
    Ok(command)
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
        Some(Outcome { verdict: Verdict::GraderError, report, .. }) => {
            (Verdict::GraderError, format!("{report}\n{}{}", ended.stdout, ended.stderr))
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

#[cfg(all(test, unix))] // only there a test can make up an exit status
mod tests {
    use super::*;

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
            let outcome_of = |verdict| Outcome {
                verdict,
                report: String::new(),
                output: String::new(),
                longest_wait: 0.0,
                disturbance: None,
            };
            judge(&ended, outcome.map(outcome_of)).0
        };
        assert_eq!(judged(0, Some(Verdict::Pass)), Verdict::Pass);
        assert_eq!(judged(101, Some(Verdict::Crash)), Verdict::Crash);
        assert_eq!(judged(101, Some(Verdict::Pass)), Verdict::GraderError);
        assert_eq!(judged(0, Some(Verdict::Fail)), Verdict::GraderError);
        assert_eq!(judged(0, None), Verdict::GraderError);
    }
}
