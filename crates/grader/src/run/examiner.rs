//! One case after the other, each until its verdict means something.
//!
//! A case first runs with a patience of a few seconds, a thousand times what the solutions need on
//! an ordinary machine. If the verdict is that something took too long, and the case needs more than
//! that on this machine as it is now ([`crate::waits`]), it runs a second time with that much.
//!
//! A case that the machine has disturbed is run again ([`crate::disturbance`]), and one that did not
//! pass on a machine that cannot grade ([`crate::preflight`]) is a grader error.
//!
//! A check that has lost its points by a wait is decided: its other cases are not run, as each of them
//! would be waited for as long, and nothing would be won by it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::case::{self, Sat};
use super::{Job, Tests};
use crate::Problem;
use crate::disturbance::{self, TRIES, Weight};
use crate::preflight::{self, Disk};
use crate::protocol::Verdict;
use crate::score::{self, CaseResult};
use crate::waits::{Calibrator, Limits, Waits};

/// How long a program may first take for one step: to get ready, to answer, to close.
pub const FIRST_PATIENCE: Duration = Duration::from_secs(5);

/// Runs the cases of one exercise on one submission.
pub struct Examiner<'a> {
    pub job: &'a Job<'a>,
    tests: &'a Tests,
    program: &'a [String],
    waits: Waits,
    /// The checks that are decided by a case whose wait ran out of time, and that case.
    decided: Mutex<BTreeMap<String, CaseResult>>,
}

impl<'a> Examiner<'a> {
    /// # Errors
    /// A grader-error, when nobody knows how long anything may take.
    pub fn new(job: &'a Job<'a>, tests: &'a Tests, program: &'a [String]) -> Result<Self, Problem> {
        let waits = Waits::of(job.lesson)?;
        Ok(Self { job, tests, program, waits, decided: Mutex::default() })
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
        let calibrator = Calibrator::new(&self.tests.program);
        let (result, slowest) = calibrator.during(|| self.run_undisturbed(name, first));
        if !result.verdict.is_too_late() || self.job.cancel.is_cancelled() {
            return result;
        }
        let calibration = slowest.unwrap_or_default().max(calibrator.measure());
        let case = (self.job.exercise.name.as_str(), name);
        let limits = self.waits.limits(case, first.patience, calibration);
        if limits.patience > first.patience || limits.whole > first.whole {
            return self.run_undisturbed(name, limits);
        }
        result
    }

    /// One case, run again while the machine disturbs it.
    fn run_undisturbed(&self, name: &str, limits: Limits) -> CaseResult {
        let mut disturbed = String::new();
        for _ in 0..TRIES {
            let sat = case::sit(self.job, &self.tests.program, self.program, name, limits);
            if self.job.cancel.is_cancelled() {
                return sat.result;
            }
            match weigh(&sat) {
                None => return fit(sat.result),
                Some(Weight::Stands(evidence)) => return with_evidence(sat.result, &evidence),
                Some(Weight::Again) => disturbed = what(&sat),
            }
        }
        let report = format!(
            "this machine was paused or too busy: {disturbed}, and in each of the {TRIES} tries it was \
             the like; grade again when it has less to do"
        );
        CaseResult::new(name, Verdict::GraderError, &report)
    }
}

fn weigh(sat: &Sat) -> Option<Weight> {
    let disturbance = sat.disturbance.as_ref()?;
    Some(disturbance::weigh(disturbance, sat.grader_stopped))
}

fn what(sat: &Sat) -> String {
    sat.disturbance.as_ref().map_or_else(String::new, |disturbance| disturbance.what.clone())
}

/// A machine that cannot grade may fail every program.
fn fit(result: CaseResult) -> CaseResult {
    if result.verdict == Verdict::Pass {
        return result;
    }
    match preflight::check(Disk::OneBlock) {
        Ok(()) => result,
        Err(problem) => {
            let report = format!("{problem}\n\n{}", result.report);
            CaseResult { verdict: Verdict::GraderError, report, ..result }
        }
    }
}

fn with_evidence(result: CaseResult, evidence: &str) -> CaseResult {
    let report = format!("{}\n\nnote: {evidence}\n", result.report.trim_end());
    CaseResult { report, ..result }
}

/// A case that was not run, as `late` of the same check has cost the check's points already.
fn left_out(name: &str, late: &CaseResult) -> CaseResult {
    let report = format!(
        "not run: this check has no points to win any more, and {} ran out of time\n\n\
         to run it: --case {name}",
        late.name
    );
    CaseResult::new(name, late.verdict, &report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_that_is_left_out_has_not_passed_and_says_why() {
        let late = CaseResult::new("long::case_1", Verdict::NotReady, "no line");
        let result = left_out("long::case_2", &late);
        assert_eq!(result.verdict, Verdict::NotReady);
        assert!(result.report.contains("not run") && result.report.contains("long::case_1"));
    }

    #[test]
    fn evidence_comes_after_the_report_of_the_test() {
        let result = with_evidence(CaseResult::new("short", Verdict::Fail, "the steps\n"), "why");
        assert_eq!(result.report, "the steps\n\nnote: why\n");
    }

    #[test]
    fn a_failure_on_a_machine_that_can_grade_is_the_programs() {
        let result = fit(CaseResult::new("short", Verdict::Fail, "the steps"));
        assert_eq!((result.verdict, result.report.as_str()), (Verdict::Fail, "the steps"));
    }
}
