//! The `gradescope` report: `results.json` as Gradescope reads it. In a `run_autograder`, write it
//! to `/autograder/results/results.json`.
//!
//! Source: Gradescope's Autograder Specifications, "Output format",
//! <https://gradescope-autograders.readthedocs.io/en/latest/specs/>; schema:
//! `schemas/gradescope.schema.json`.
//!
//! One `tests` entry for each check, because points belong to checks; what its cases have to say
//! is in its `output`. The `score` at the top is the sum of theirs. There is no maximum at the top
//! of the format (the assignment's settings have it): ours is in `extra_data`.
//!
//! - A check that has not run yet has neither `score` nor `status`, and `output` says so.
//! - Where the grader itself has failed, or has not graded anything yet, there is no report. Gradescope then says "The autograder
//!   failed to execute correctly" (same site, "Troubleshooting"), and the instructor can run it
//!   again; a file with zeros would be a grade. What went wrong is on standard output, which
//!   Gradescope shows to the instructor.

use serde_json::{Value, json};

use super::{Grade, first_failure, pretty};
use crate::advice::advice;
use crate::plain::shortened;
use crate::protocol::Verdict;
use crate::score::{CheckScore, ExerciseScore};
use course::Language;

/// How much one check may say, in bytes: a page shows all checks of a lesson at once.
const OUTPUT_BYTES: usize = 16 * 1024;

/// The report's text, if this is a grade.
#[must_use]
pub fn render(grade: &Grade) -> Option<String> {
    if !grade.is_grade() {
        return None;
    }
    let exercises = (1..).zip(&grade.exercises);
    let tests = exercises.flat_map(|(number, exercise)| tests(number, exercise, grade.language));
    Some(pretty(&json!({
        "score": grade.points(),
        "execution_time": grade.seconds(),
        "output": heading(grade),
        "output_format": "text",
        "visibility": "visible",
        "tests": tests.collect::<Vec<_>>(),
        "extra_data": {
            "max_score": grade.out_of(),
            "seed": grade.seed,
            "complete": grade.pending() == 0,
        },
    })))
}

/// What is said once, above all tests.
fn heading(grade: &Grade) -> String {
    let mut lines: Vec<String> = grade.caveat().into_iter().collect();
    for exercise in &grade.exercises {
        if let Some(error) = exercise.uncompiled() {
            let (lesson, name) = (&exercise.lesson, &exercise.exercise);
            let error = shortened(error, OUTPUT_BYTES);
            lines.push(format!("{lesson}/{name}: {}\n{error}", Verdict::DoesNotCompile));
        }
    }
    lines.push(format!("seed {}", grade.seed));
    lines.join("\n")
}

fn tests(number: usize, exercise: &ExerciseScore, language: Language) -> Vec<Value> {
    let checks = (1..).zip(&exercise.checks);
    checks
        .map(|(place, check)| test(&format!("{number}.{place}"), exercise, check, language))
        .collect()
}

fn test(number: &str, exercise: &ExerciseScore, check: &CheckScore, language: Language) -> Value {
    let (lesson, name) = (&exercise.lesson, &exercise.exercise);
    let mut test = json!({
        "max_score": check.out_of,
        "name": format!("{lesson}/{name}: {}", check.name),
        "name_format": "text",
        "number": number,
        "output": shortened(&output(check, language), OUTPUT_BYTES),
        "output_format": "text",
        "visibility": "visible",
    });
    if let Some(verdict) = check.verdict() {
        test["score"] = check.points.into();
        test["status"] = if verdict == Verdict::Pass { "passed" } else { "failed" }.into();
    }
    test
}

fn output(check: &CheckScore, language: Language) -> String {
    match check.verdict() {
        None => language.words("not run yet", "尚未运行").to_owned(),
        Some(Verdict::Pass) => String::new(),
        Some(Verdict::DoesNotCompile) => Verdict::DoesNotCompile.to_string(),
        Some(_) => first_failure(check).map_or(String::new(), |(case, story)| {
            let word = language.words("usually: ", "常见原因：");
            let advice = advice(check, case, language);
            let advice = advice.map_or(String::new(), |advice| format!("{word}{advice}\n\n"));
            format!("{advice}{}: {}\n{story}", case.verdict, case.name)
        }),
    }
}
