//! How long a program may take for a step: as many times as long as the reference solution takes
//! for the same steps, on the same machine, at the same time.
//!
//! A case first runs with a patience of a few seconds, a thousand times what the solutions need on
//! an ordinary machine. Only if the verdict is that something took too long, the reference runs the
//! same case with the same seed, and the longest wait that it needed, times [`FACTOR`], is the
//! patience of the submission's second and last run. If that is no longer than the first patience,
//! the first verdict stands.
//!
//! - The reference does not pass: the grader or this machine is not fit to judge, which is a
//!   grader-error.
//! - There is no reference, as in a repository for students: what is left to measure is how long
//!   the graded tests themselves need to be started and to list their names. [`LISTINGS`] times as
//!   long is the patience, up to [`MOST_FIRST_PATIENCES`] times the first one.

use std::sync::OnceLock;
use std::time::Duration;

use super::case::{self, Limits, Sat};
use super::{Job, Tests};
use crate::build::Unbuilt;
use crate::protocol::Verdict;
use crate::score::CaseResult;
use crate::submission::Submission;

/// How long a program may first take for one step: to get ready, to answer, to close.
pub const FIRST_PATIENCE: Duration = Duration::from_secs(5);
/// A submission may take so many times as long as the reference solution.
const FACTOR: u32 = 20;
/// How long the reference may take for one step.
const REFERENCE_PATIENCE: Duration = Duration::from_secs(60);
/// Listing takes about 5 ms on an idle machine: this makes 2.5 s of it.
const LISTINGS: u32 = 500;
/// The first start of a program may take much longer than any other (a virus scanner reads it).
const MOST_FIRST_PATIENCES: u32 = 4;

/// Runs the cases of one exercise on one submission.
pub struct Examiner<'a> {
    pub job: &'a Job<'a>,
    tests: &'a Tests,
    program: &'a [String],
    /// The command line of the reference solution, built when it is needed for the first time;
    /// the error says why it cannot be.
    reference: OnceLock<Result<Vec<String>, String>>,
}

impl<'a> Examiner<'a> {
    pub fn new(job: &'a Job<'a>, tests: &'a Tests, program: &'a [String]) -> Self {
        Self { job, tests, program, reference: OnceLock::new() }
    }

    /// One case, with a second run if the first may have been too short for this machine.
    pub fn examine(&self, name: &str) -> CaseResult {
        let first = Limits::of(self.job.patience);
        let sat = self.sit(self.program, name, first);
        let took_too_long = matches!(sat.result.verdict, Verdict::Timeout | Verdict::NotReady);
        if !took_too_long || self.job.cancel.is_cancelled() {
            return sat.result;
        }
        match self.limits(name) {
            Ok(limits) if limits.patience > first.patience || limits.whole > first.whole => {
                self.sit(self.program, name, limits).result
            }
            Ok(_) => sat.result,
            Err(problem) => CaseResult::new(name, Verdict::GraderError, &problem),
        }
    }

    /// What this machine allows for. The error is a grader-error.
    fn limits(&self, name: &str) -> Result<Limits, String> {
        if !self.has_reference() {
            let most = self.job.patience * MOST_FIRST_PATIENCES;
            return Ok(Limits::of((self.tests.listing * LISTINGS).min(most)));
        }
        let reference =
            self.reference.get_or_init(|| self.build_reference()).as_ref().map_err(Clone::clone)?;
        let Sat { result, longest_wait } =
            self.sit(reference, name, Limits::of(REFERENCE_PATIENCE));
        if result.verdict != Verdict::Pass {
            return Err(format!(
                "the reference solution does not pass {name} on this machine either ({}): {}",
                result.verdict, result.report
            ));
        }
        let took = Duration::try_from_secs_f64(result.seconds).unwrap_or_default();
        let limits = Limits::of(longest_wait * FACTOR);
        Ok(Limits { whole: limits.whole.max(took * FACTOR), ..limits })
    }

    fn has_reference(&self) -> bool {
        let file = format!("solution/src/bin/{}.rs", self.job.exercise.name);
        self.job.lesson.folder.join(file).is_file()
    }

    fn build_reference(&self) -> Result<Vec<String>, String> {
        let Job { workspace, lesson, exercise, cancel, .. } = self.job;
        let built = Submission::Solution.command(workspace, &lesson.number, &exercise.name, cancel);
        built.map_err(|(Unbuilt::DoesNotCompile(error) | Unbuilt::Broken(error))| {
            format!("the reference solution cannot be built: {error}")
        })
    }

    fn sit(&self, program: &[String], name: &str, limits: Limits) -> Sat {
        case::sit(self.job, &self.tests.program, program, name, limits)
    }
}
