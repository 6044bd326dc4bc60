//! Running the graded tests of one exercise on a submission, each case in a process of its own.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::build::{self, Unbuilt};
use crate::course::{Exercise, Lesson};
use crate::process::{self, Bounds, Cancel, Ended};
use crate::protocol::{self, Outcome, Verdict};
use crate::score::{self, Case, CaseResult, ExerciseScore};
use crate::submission::Submission;

/// How long one case may take. Every wait inside a case has a shorter limit of its own, so this
/// is for the case that those fail, too.
pub const CASE_LIMIT: Duration = Duration::from_secs(60);
/// How long the graded tests may take to list themselves.
const LIST_LIMIT: Duration = Duration::from_secs(20);

/// One exercise to grade.
#[derive(Debug)]
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
}

/// The graded tests of a lesson, built, and the list of what they contain. Whoever grades again
/// and again prepares them once.
#[derive(Clone, Debug)]
pub struct Tests {
    program: PathBuf,
    list: String,
}

/// Grades one exercise. `watch` sees the score after every case.
pub fn grade(job: &Job, watch: &mut dyn FnMut(&ExerciseScore)) -> ExerciseScore {
    match prepare(job) {
        Ok(tests) => grade_built(job, &tests, &build(job), watch),
        Err(problem) => score::ungraded(job.lesson, job.exercise, problem),
    }
}

/// Has cargo build the graded tests, and lets them list themselves.
///
/// # Errors
/// A grader-error: nothing a student could mend.
pub fn prepare(job: &Job) -> Result<Tests, String> {
    let name = format!("lesson_{}", job.lesson.number);
    let program = build::graded_tests(job.workspace, &name, &job.cancel)?;
    let list = list(&program, job)?;
    Ok(Tests { program, list })
}

/// The command line of the program to grade, which cargo builds first if it is ours.
///
/// # Errors
/// When there is no program.
pub fn build(job: &Job) -> Result<Vec<String>, Unbuilt> {
    job.submission.command(job.workspace, &job.lesson.number, &job.exercise.name, &job.cancel)
}

/// As [`grade`], with everything built: `tests` by [`prepare`], `program` by [`build`].
pub fn grade_built(
    job: &Job,
    tests: &Tests,
    program: &Result<Vec<String>, Unbuilt>,
    watch: &mut dyn FnMut(&ExerciseScore),
) -> ExerciseScore {
    grade_cases(job, tests, program, watch)
        .unwrap_or_else(|problem| score::ungraded(job.lesson, job.exercise, problem))
}

/// The error is a grader-error.
fn grade_cases(
    job: &Job,
    tests: &Tests,
    program: &Result<Vec<String>, Unbuilt>,
    watch: &mut dyn FnMut(&ExerciseScore),
) -> Result<ExerciseScore, String> {
    let cases = cases(tests, job);
    let mut results = Vec::new();
    for case in cases.iter().filter(|case| case.chosen) {
        results.push(match program {
            Ok(program) => run_case(job, &tests.program, program, &case.name),
            Err(Unbuilt::DoesNotCompile(error)) => {
                result(&case.name, Verdict::DoesNotCompile, error)
            }
            Err(Unbuilt::Broken(error)) => return Err(error.clone()),
        });
        watch(&score::score(job.lesson, job.exercise, &cases, &results, false));
        if job.cancel.is_cancelled() {
            return Err("grading was interrupted".to_owned());
        }
    }
    Ok(score::score(job.lesson, job.exercise, &cases, &results, true))
}

/// What the graded tests of a lesson list.
fn list(tests: &Path, job: &Job) -> Result<String, String> {
    let mut command = Command::new(tests);
    command.args(["--list", "--format", "terse"]);
    let ended = process::run(&mut command, &Bounds::of(LIST_LIMIT, &job.cancel))
        .map_err(|error| format!("cannot start {}: {error}", tests.display()))?;
    if !ended.status.is_some_and(|status| status.success()) {
        return Err(format!("{} does not list its tests: {}", tests.display(), ended.stderr));
    }
    Ok(ended.stdout)
}

/// The cases of the exercise, in the order of its checks in `lesson.toml`: easy ones first.
fn cases(tests: &Tests, job: &Job) -> Vec<Case> {
    let mut cases = listed(&tests.list, &job.exercise.name, job.case);
    let checks = &job.exercise.checks;
    cases.sort_by_key(|case| {
        checks.iter().position(|check| check.name == score::check_of(&case.name))
    });
    cases
}

/// The cases of `exercise` in libtest's terse list, `MODULE::NAME: test` a line.
fn listed(list: &str, exercise: &str, wanted: Option<&str>) -> Vec<Case> {
    let is_wanted = |name: &str| {
        wanted.is_none_or(|wanted| name == wanted || name.starts_with(&format!("{wanted}::")))
    };
    list.lines()
        .filter_map(|line| line.strip_suffix(": test")?.strip_prefix(exercise)?.strip_prefix("::"))
        .map(|name| Case { name: name.to_owned(), chosen: is_wanted(name) })
        .collect()
}

fn run_case(job: &Job, tests: &Path, program: &[String], case: &str) -> CaseResult {
    match try_case(job, tests, program, case) {
        Ok((ended, outcome)) => {
            let (verdict, report) = judge(&ended, outcome);
            CaseResult { seconds: ended.took.as_secs_f64(), ..result(case, verdict, &report) }
        }
        Err(error) => {
            result(case, Verdict::GraderError, &format!("cannot run the graded test: {error}"))
        }
    }
}

fn result(case: &str, verdict: Verdict, report: &str) -> CaseResult {
    CaseResult { name: case.to_owned(), verdict, report: report.to_owned(), seconds: 0.0 }
}

/// One case in its own process, with a folder of its own for what it leaves to us.
fn try_case(
    job: &Job,
    tests: &Path,
    program: &[String],
    case: &str,
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
        .env(protocol::SEED, job.seed.to_string());
    let ended = process::run(&mut command, &Bounds::of(CASE_LIMIT, &job.cancel));
    process::kill_noted(&groups);
    Ok((ended?, read_outcome(outcome)))
}

fn read_outcome(path: PathBuf) -> Option<Outcome> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// The exit code and the outcome must agree; neither alone is believed.
fn judge(ended: &Ended, outcome: Option<Outcome>) -> (Verdict, String) {
    let Some(status) = ended.status else {
        return (Verdict::Timeout, format!("the test was not over after {CASE_LIMIT:?}"));
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

    #[test]
    fn only_the_exercises_own_tests_are_listed() {
        let list = "answer::short: test\nanswer::long::case_1: test\nanswers::x: test\n\
                    lines::y: test\nanswer::b: benchmark\n";
        let names: Vec<_> = listed(list, "answer", None).into_iter().map(|c| c.name).collect();
        assert_eq!(names, ["short", "long::case_1"]);
    }

    #[test]
    fn a_wanted_name_means_a_case_or_all_cases_of_a_check() {
        let list = "answer::long::case_1: test\nanswer::long::case_2: test\nanswer::longer: test\n";
        let chosen =
            |wanted| listed(list, "answer", Some(wanted)).iter().filter(|case| case.chosen).count();
        assert_eq!((chosen("long"), chosen("long::case_2"), chosen("lon")), (2, 1, 0));
    }

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
