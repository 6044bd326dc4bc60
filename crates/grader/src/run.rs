//! Running the graded tests of one exercise on a submission, each case in a process of its own.
//!
//! Cases run one after the other unless somebody asks for several at a time: two programs that
//! share the processors disturb each other's timing, and a grade should not depend on who was
//! graded beside it. Results always stand in the order of the cases.

mod case;
mod examiner;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::Problem;
use crate::build::{self, Unbuilt};
use crate::preflight::{self, Disk};
use crate::process::{self, Bounds, Cancel, Ended};
use crate::protocol::Verdict;
use crate::score::{self, Case, CaseResult, ExerciseScore};
use crate::submission::Submission;
use crate::waits::{Calibrator, Limits, Need, Waits};
use course::{Exercise, Lesson};

use examiner::Examiner;
pub use examiner::FIRST_PATIENCE;

/// How often the calibrator works to see what its work needs.
const CALIBRATIONS: usize = 20;
/// How long the graded tests may take to list themselves.
const LIST_LIMIT: Duration = Duration::from_secs(20);

/// One exercise to grade.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    /// The root of the course.
    pub workspace: &'a Path,
    /// The lesson.
    pub lesson: &'a Lesson,
    /// One of its exercises.
    pub exercise: &'a Exercise,
    /// Whose program.
    pub submission: &'a Submission,
    /// What all random payloads follow from.
    pub seed: u64,
    /// Only this case, or only the cases of this check.
    pub case: Option<&'a str>,
    /// Ends the grading, with all that it has started.
    pub cancel: Cancel,
    /// How many cases run at a time, at least one.
    pub jobs: usize,
    /// How long a program may first take for one step; see [`FIRST_PATIENCE`].
    pub patience: Duration,
    /// The folder for what the wire carried in cases that did not pass; an absolute path.
    pub artifacts: Option<&'a Path>,
}

impl<'a> Job<'a> {
    /// All cases of an exercise, one at a time.
    #[must_use]
    pub fn new(
        workspace: &'a Path,
        (lesson, exercise): (&'a Lesson, &'a Exercise),
        submission: &'a Submission,
        seed: u64,
    ) -> Self {
        Self {
            workspace,
            lesson,
            exercise,
            submission,
            seed,
            case: None,
            cancel: Cancel::default(),
            jobs: 1,
            patience: FIRST_PATIENCE,
            artifacts: None,
        }
    }
}

/// The graded tests of a lesson, built, and the list of what they contain. A caller that grades
/// again and again prepares them once.
#[derive(Clone, Debug)]
pub struct Tests {
    program: PathBuf,
    list: String,
    /// How long it took to list them.
    listing: Duration,
}

impl Tests {
    /// All of the lesson's tests, whether an exercise has them as checks or not.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.list.lines().filter_map(|line| line.strip_suffix(": test"))
    }

    /// How long their process took to list them: what starting and ending it costs.
    #[must_use]
    pub fn listing(&self) -> Duration {
        self.listing
    }
}

/// Grades one exercise. `watch` sees the score after every case.
pub fn grade(job: &Job, watch: &mut dyn FnMut(&ExerciseScore)) -> ExerciseScore {
    match prepare(job) {
        Ok(tests) => grade_built(job, &tests, &build(job), watch),
        Err(problem) => score::ungraded(job.lesson, job.exercise, &problem),
    }
}

/// Looks whether this machine can grade, has cargo build the graded tests, and lets them list
/// themselves.
///
/// # Errors
/// A grader-error: nothing a student could mend.
pub fn prepare(job: &Job) -> Result<Tests, Problem> {
    preflight::check(Disk::Whole)?;
    let name = format!("lesson_{}", job.lesson.number);
    let program = build::graded_tests(job.workspace, &name, &job.cancel)?;
    let Ended { stdout: list, took: listing, .. } = list(&program, job)?;
    Ok(Tests { program, list, listing })
}

/// The command line of the program to grade, which cargo builds first if it is ours.
///
/// # Errors
/// When there is no program.
pub fn build(job: &Job) -> Result<Vec<String>, Unbuilt> {
    job.submission.command(job.workspace, &job.lesson.number, &job.exercise.name, &job.cancel)
}

/// As [`grade`], with everything built: `tests` by [`prepare`], `program` by [`build()`].
pub fn grade_built(
    job: &Job,
    tests: &Tests,
    program: &Result<Vec<String>, Unbuilt>,
    watch: &mut dyn FnMut(&ExerciseScore),
) -> ExerciseScore {
    grade_cases(job, tests, program, watch)
        .unwrap_or_else(|problem| score::ungraded(job.lesson, job.exercise, &problem))
}

/// The error is a grader-error.
fn grade_cases(
    job: &Job,
    tests: &Tests,
    program: &Result<Vec<String>, Unbuilt>,
    watch: &mut dyn FnMut(&ExerciseScore),
) -> Result<ExerciseScore, Problem> {
    let cases = cases(tests, job);
    let chosen: Vec<&str> =
        cases.iter().filter(|case| case.chosen).map(|case| case.name.as_str()).collect();
    let mut results = BTreeMap::new();
    let mut note = |place: usize, result: CaseResult| {
        results.insert(place, result);
        let results: Vec<CaseResult> = results.values().cloned().collect();
        watch(&score::score(job.lesson, job.exercise, &cases, &results, false));
    };
    match program {
        Ok(program) => examine(&Examiner::new(job, tests, program)?, &chosen, &mut note),
        Err(Unbuilt::DoesNotCompile(error)) => {
            for (place, case) in chosen.iter().enumerate() {
                note(place, CaseResult::new(case, Verdict::DoesNotCompile, error));
            }
        }
        Err(Unbuilt::Broken(error)) => return Err(error.clone().into()),
    }
    if job.cancel.is_cancelled() {
        return Err("grading was interrupted".into());
    }
    let results: Vec<CaseResult> = results.into_values().collect();
    Ok(score::score(job.lesson, job.exercise, &cases, &results, true))
}

/// Measures what `program`, the reference solution, needs in every case of the exercise, as many at a
/// time as the job says, and notes it in `waits`: the least of `times` runs, as a busy machine makes it
/// more and nothing less.
///
/// # Errors
/// A grader-error, also when it does not pass.
pub fn measure(
    job: &Job,
    tests: &Tests,
    program: &[String],
    times: usize,
    waits: &mut Waits,
) -> Result<(), Problem> {
    let cases = cases(tests, job);
    let next = AtomicUsize::new(0);
    let noted = Mutex::new((waits, Ok(())));
    thread::scope(|scope| {
        for _ in 0..job.jobs.clamp(1, cases.len().max(1)) {
            scope.spawn(|| {
                while let Some(Case { name, .. }) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let need = need(job, tests, program, times, name);
                    let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
                    match need {
                        Ok(need) => noted.0.note(&job.exercise.name, name, need),
                        Err(problem) => noted.1 = Err(problem),
                    }
                }
            });
        }
    });
    noted.into_inner().unwrap_or_else(PoisonError::into_inner).1
}

fn need(
    job: &Job,
    tests: &Tests,
    program: &[String],
    times: usize,
    name: &str,
) -> Result<Need, Problem> {
    let mut least = Need { wait: f64::INFINITY, whole: f64::INFINITY };
    for _ in 0..times {
        let sat = case::sit(job, &tests.program, program, name, Limits::of(job.patience));
        let CaseResult { verdict, seconds, report, .. } = sat.result;
        if verdict != Verdict::Pass {
            return Err(format!("the solution does not pass {name} ({verdict}): {report}").into());
        }
        let wait = sat.longest_wait.as_secs_f64();
        least = Need { wait: wait.min(least.wait), whole: seconds.min(least.whole) };
    }
    Ok(least)
}

/// How long the calibrator's piece of work takes on this machine when nothing disturbs it.
#[must_use]
pub fn calibrate(tests: &Tests) -> Duration {
    let calibrator = Calibrator::new(&tests.program);
    (0..CALIBRATIONS).map(|_| calibrator.measure()).min().unwrap_or_default()
}

/// Runs the cases, as many at a time as the job says, and notes each result with its place.
fn examine(examiner: &Examiner, cases: &[&str], note: &mut dyn FnMut(usize, CaseResult)) {
    let next = AtomicUsize::new(0);
    let (tell, results) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..examiner.job.jobs.clamp(1, cases.len().max(1)) {
            let (tell, next) = (tell.clone(), &next);
            scope.spawn(move || examine_next(examiner, cases, next, &tell));
        }
        drop(tell);
        for (place, result) in results {
            note(place, result);
        }
    });
}

/// One case after the other, until none is left. What was cut short by a cancellation is no result.
fn examine_next(
    examiner: &Examiner,
    cases: &[&str],
    next: &AtomicUsize,
    tell: &Sender<(usize, CaseResult)>,
) {
    loop {
        let place = next.fetch_add(1, Ordering::SeqCst);
        let Some(case) = cases.get(place) else { return };
        let result = examiner.examine(case);
        if examiner.job.cancel.is_cancelled() || tell.send((place, result)).is_err() {
            return;
        }
    }
}

/// What the graded tests of a lesson list.
fn list(tests: &Path, job: &Job) -> Result<Ended, Problem> {
    let mut command = Command::new(tests);
    command.args(["--list", "--format", "terse"]);
    let ended = process::run(&mut command, &Bounds::of(LIST_LIMIT, &job.cancel))
        .map_err(|error| format!("cannot start {}: {error}", tests.display()))?;
    if !ended.status.is_some_and(|status| status.success()) {
        return Err(format!("{} does not list its tests: {}", tests.display(), ended.stderr).into());
    }
    Ok(ended)
}

/// The cases of the exercise, in the order of the checks in its file: easy ones first.
fn cases(tests: &Tests, job: &Job) -> Vec<Case> {
    let mut cases = listed(tests.names(), &job.exercise.name, job.case);
    let checks = &job.exercise.checks;
    cases.sort_by_key(|case| {
        checks.iter().position(|check| check.name == score::check_of(&case.name))
    });
    cases
}

/// The cases of `exercise` among the tests `MODULE::NAME` of its lesson.
fn listed<'a>(
    names: impl Iterator<Item = &'a str>,
    exercise: &str,
    wanted: Option<&str>,
) -> Vec<Case> {
    let is_wanted = |name: &str| {
        wanted.is_none_or(|wanted| name == wanted || name.starts_with(&format!("{wanted}::")))
    };
    names
        .filter_map(|name| name.strip_prefix(exercise)?.strip_prefix("::"))
        .map(|name| Case { name: name.to_owned(), chosen: is_wanted(name) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As libtest lists them; a benchmark is no test.
    fn chosen(list: &str, wanted: Option<&str>) -> Vec<String> {
        let tests = Tests { program: PathBuf::new(), list: list.into(), listing: Duration::ZERO };
        let cases = listed(tests.names(), "answer", wanted).into_iter();
        cases.filter(|case| case.chosen).map(|case| case.name).collect()
    }

    #[test]
    fn only_the_exercises_own_tests_are_listed() {
        let list = "answer::short: test\nanswer::long::case_1: test\nanswers::x: test\n\
                    lines::y: test\nanswer::b: benchmark\n";
        assert_eq!(chosen(list, None), ["short", "long::case_1"]);
    }

    #[test]
    fn a_wanted_name_means_a_case_or_all_cases_of_a_check() {
        let list = "answer::long::case_1: test\nanswer::long::case_2: test\nanswer::longer: test\n";
        assert_eq!(chosen(list, Some("long")).len(), 2);
        assert_eq!(chosen(list, Some("long::case_2")), ["long::case_2"]);
        assert!(chosen(list, Some("lon")).is_empty());
    }
}
