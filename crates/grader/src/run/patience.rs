//! How long a program may take for a step: as many times as long as the reference solution takes
//! for the same steps, on the same machine, at the same time.
//!
//! A case first runs with a patience of a few seconds, a thousand times what the solutions need on
//! an ordinary machine. Only if the verdict is that something took too long, the reference runs the
//! same case with the same seed, and the longest wait that it needed, times [`FACTOR`], is the
//! patience of the submission's second and last run. If that is no longer than the first patience,
//! the first verdict stands.
//!
//! The reference has the same patience at first: where a case has the program wait for a part of
//! its patience, a longer one would make a longer wait of it. What the reference cannot do within
//! the first patience, it is given [`REFERENCE_PATIENCE`] for.
//!
//! A check that has lost its points by such a verdict is decided: its other cases are not run, as
//! each of them would be waited for as long, and nothing would be won by it.
//!
//! - The reference does not pass: the grader or this machine is not fit to judge, which is a
//!   grader-error.
//! - There is no reference, as in a repository for students: what is left to measure is how long
//!   the graded tests themselves need to be started and to list their names. [`LISTINGS`] times as
//!   long is the patience, up to [`MOST_FIRST_PATIENCES`] times the first one.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::case::{self, Limits, Sat};
use super::{Job, Tests};
use crate::build::Unbuilt;
use crate::protocol::Verdict;
use crate::score::{self, CaseResult};
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
    /// The checks that are decided by a case that was waited for in vain, and that case.
    decided: Mutex<BTreeMap<String, CaseResult>>,
}

impl<'a> Examiner<'a> {
    pub fn new(job: &'a Job<'a>, tests: &'a Tests, program: &'a [String]) -> Self {
        Self { job, tests, program, decided: Mutex::default() }
    }

    /// One case, unless its check is decided.
    pub fn examine(&self, name: &str) -> CaseResult {
        let check = score::check_of(name);
        if let Some(late) = self.decided().get(check) {
            return left_out(name, late);
        }
        let result = self.run(name);
        let was_waited_for = result.seconds >= self.job.patience.as_secs_f64();
        if result.verdict.is_too_late() && was_waited_for {
            self.decided().insert(check.to_owned(), result.clone());
        }
        result
    }

    fn decided(&self) -> MutexGuard<'_, BTreeMap<String, CaseResult>> {
        self.decided.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One case, with a second run if the first may have been too short for this machine.
    fn run(&self, name: &str) -> CaseResult {
        let first = Limits::of(self.job.patience);
        let sat = self.sit(self.program, name, first);
        if !sat.result.verdict.is_too_late() || self.job.cancel.is_cancelled() {
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
            return Ok(without_reference(self.job.patience, self.tests.listing));
        }
        let reference = self.job.reference.0.get_or_init(|| self.build_reference());
        let reference = reference.as_ref().map_err(Clone::clone)?;
        let mut sat = self.sit(reference, name, Limits::of(self.job.patience));
        if sat.result.verdict != Verdict::Pass {
            sat = self.sit(reference, name, Limits::of(REFERENCE_PATIENCE));
        }
        as_the_reference(&sat)
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

/// A case that was not run, as `late` of the same check has cost the check's points already.
fn left_out(name: &str, late: &CaseResult) -> CaseResult {
    let report = format!(
        "not run: this check has no points to win any more, and {} was waited for in vain\n\n\
         to run it: --case {name}",
        late.name
    );
    CaseResult::new(name, late.verdict, &report)
}

/// By how long the reference took for the same case.
fn as_the_reference(Sat { result, longest_wait }: &Sat) -> Result<Limits, String> {
    if result.verdict != Verdict::Pass {
        return Err(format!(
            "the reference solution does not pass {} on this machine either ({}): {}",
            result.name, result.verdict, result.report
        ));
    }
    let took = Duration::try_from_secs_f64(result.seconds).unwrap_or_default();
    let limits = Limits::of(*longest_wait * FACTOR);
    Ok(Limits { whole: limits.whole.max(took * FACTOR), ..limits })
}

/// By how long the tests took to list themselves.
fn without_reference(first: Duration, listing: Duration) -> Limits {
    Limits::of((listing * LISTINGS).min(first * MOST_FIRST_PATIENCES))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(verdict: Verdict, milliseconds: u64) -> Sat {
        let longest_wait = Duration::from_millis(milliseconds);
        let result = CaseResult::new("long::case_1", verdict, "the steps");
        Sat { result: CaseResult { seconds: 2.0, ..result }, longest_wait }
    }

    #[test]
    fn a_submission_may_take_a_multiple_of_what_the_reference_took() {
        let limits = as_the_reference(&reference(Verdict::Pass, 600)).unwrap();
        assert_eq!(limits.patience, Duration::from_secs(12));
        assert_eq!(limits.whole, Limits::of(limits.patience).whole);
    }

    #[test]
    fn a_case_of_many_short_waits_may_last_a_multiple_of_the_whole_too() {
        let limits = as_the_reference(&reference(Verdict::Pass, 1)).unwrap();
        assert_eq!(limits.whole, Duration::from_secs(40));
    }

    #[test]
    fn a_case_that_is_left_out_has_not_passed_and_says_why() {
        let late = CaseResult::new("long::case_1", Verdict::NotReady, "no line");
        let result = left_out("long::case_2", &late);
        assert_eq!(result.verdict, Verdict::NotReady);
        assert!(result.report.contains("not run") && result.report.contains("long::case_1"));
    }

    #[test]
    fn a_reference_that_does_not_pass_is_the_graders_error_and_says_what_it_saw() {
        let problem = as_the_reference(&reference(Verdict::Timeout, 60_000)).unwrap_err();
        assert!(problem.contains("long::case_1") && problem.contains("the steps"), "{problem}");
    }

    #[test]
    fn without_a_reference_a_slow_listing_prolongs_the_patience_but_not_for_ever() {
        let with = |listing| without_reference(FIRST_PATIENCE, Duration::from_millis(listing));
        assert!(with(5).patience < FIRST_PATIENCE);
        assert_eq!(with(20).patience, FIRST_PATIENCE * 2);
        assert_eq!(with(2000).patience, FIRST_PATIENCE * MOST_FIRST_PATIENCES);
    }
}
