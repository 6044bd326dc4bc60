//! The `exercism` report: `results.json`, version 2 of Exercism's test runner interface.
//!
//! Source: "The Test Runner Interface",
//! <https://exercism.org/docs/building/tooling/test-runners/interface>; schema:
//! `schemas/exercism.schema.json`.
//!
//! One `tests` entry for each case, in the order of the checks: only the first failure is shown
//! there. A case that fails has the status `fail`; one that could not be judged (timeout, crash,
//! not ready, does not compile) has `error`. Over all there is `error` only where there is no
//! verdict on the work: it does not compile, the grader itself has failed, or it is not finished;
//! then `message` says which.
//!
//! - `test_code` is the command that runs the case again.
//! - `output` is what the student's program printed on standard error, at most 500 characters.
//! - `task_id` belongs to version 3 and is left out.

use serde_json::{Value, json};

use super::{Grade, pretty};
use crate::advice::advice;
use crate::plain::shortened;
use crate::protocol::Verdict;
use crate::score::{CaseResult, CheckScore, ExerciseScore};

/// The longest `message`, in bytes: 65,535, as the interface says.
const MESSAGE_BYTES: usize = 65_535;
/// The longest `output`, in bytes, so that it never has more characters: 500, as said there.
const OUTPUT_BYTES: usize = 500;

/// The report's text.
#[must_use]
pub fn render(grade: &Grade) -> String {
    let mut tests = Vec::new();
    for exercise in &grade.exercises {
        for check in &exercise.checks {
            tests.extend(check.cases.iter().map(|case| test(grade, exercise, check, case)));
        }
    }
    let (status, message) = match (undecided(grade), all_passed(grade)) {
        (Some(message), _) => ("error", Some(shortened(&message, MESSAGE_BYTES))),
        (None, true) => ("pass", None),
        (None, false) => ("fail", None),
    };
    pretty(&json!({ "version": 2, "status": status, "message": message, "tests": tests }))
}

/// Why there is no verdict on the work as a whole.
fn undecided(grade: &Grade) -> Option<String> {
    let problems: Vec<&str> =
        grade.exercises.iter().flat_map(|it| &it.problems).map(String::as_str).collect();
    if !problems.is_empty() {
        let problems = problems.join("\n");
        return Some(format!(
            "The grader itself has failed; this is not your mistake.\n{problems}"
        ));
    }
    let mut errors = grade.exercises.iter().map(ExerciseScore::uncompiled);
    if let Some(error) = errors.next().flatten()
        && errors.all(|error| error.is_some())
    {
        return Some(error.to_owned());
    }
    (grade.pending() > 0).then(|| grade.caveat()).flatten()
}

fn all_passed(grade: &Grade) -> bool {
    grade.exercises.iter().all(ExerciseScore::all_passed)
}

fn test(grade: &Grade, exercise: &ExerciseScore, check: &CheckScore, case: &CaseResult) -> Value {
    let (lesson, name) = (&exercise.lesson, &exercise.exercise);
    let (whose, seed) = (grade.submission.arguments(), grade.seed);
    let replay =
        format!("cargo xtask grade {lesson}/{name}{whose} --case {} --seed {seed}", case.name);
    let output = (!case.output.is_empty()).then(|| shortened(&case.output, OUTPUT_BYTES));
    json!({
        "name": format!("{lesson}/{name}: {}", case.name.replace("::", ", ").replace('_', " ")),
        "status": match case.verdict {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            _ => "error",
        },
        "message": message(grade, check, case),
        "output": output,
        "test_code": replay,
    })
}

fn message(grade: &Grade, check: &CheckScore, case: &CaseResult) -> Option<String> {
    if case.verdict == Verdict::Pass {
        return None;
    }
    let mut message = format!("{}: {}", case.verdict, case.report.trim());
    if let Some(advice) = advice(check, case, grade.language) {
        let word = grade.language.words("usually: ", "常见原因：");
        message = format!("{word}{advice}\n\n{message}");
    }
    Some(shortened(&message, MESSAGE_BYTES))
}
