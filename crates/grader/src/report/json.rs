//! The `json` report, version 1: everything there is to know. All times are seconds, all points
//! whole numbers. New keys may be added without a new version; schema: `schemas/json.schema.json`.
//!
//! ```text
//! { "schema": "course-grade", "version": 1,
//!   "submission": "exercise",      what was graded
//!   "seed": 7,                     what all random payloads follow from
//!   "began": "2026-09-01T12:00:00Z",
//!   "points": 6, "out_of": 10,     of the exercises below
//!   "complete": true,              false while cases are still to run
//!   "grader_error": false,         true: this is not a grade
//!   "exercises": [                 all that are to be graded, also those still to come
//!     { "lesson": "02", "exercise": "answer", "points": 6, "out_of": 10,
//!       "pending": 0,              cases without a result (at least; their number is found out late)
//!       "partial": false,          true: only some cases were asked for
//!       "problems": [],            what is wrong with the grading itself
//!       "checks": [
//!         { "name": "…", "points": 2, "out_of": 2,
//!           "verdict": "pass",     of all its cases; null while that is open
//!           "usually": { "en": "…", "zh": "…" },    the mistake it usually is
//!           "cases": [
//!             { "name": "…", "verdict": "pass", "seconds": 0.01,
//!               "report": "",      what there is to say about it
//!               "output": "" } ]   what the program printed on standard error
//!         } ] } ] }
//! ```
//!
//! Verdicts: `pass`, `fail`, `timeout`, `crash`, `not-ready`, `does-not-compile`, `grader-error`.

use serde_json::{Value, json};

use super::{Grade, pretty};
use crate::score::{CaseResult, CheckScore, ExerciseScore};

/// The report's text.
#[must_use]
pub fn render(grade: &Grade) -> String {
    pretty(&json!({
        "schema": "course-grade",
        "version": 1,
        "submission": grade.submission.to_string(),
        "seed": grade.seed,
        "began": grade.began_utc(),
        "points": grade.points(),
        "out_of": grade.out_of(),
        "complete": grade.pending() == 0,
        "grader_error": grade.is_grader_error(),
        "exercises": grade.exercises.iter().map(exercise).collect::<Vec<_>>(),
    }))
}

fn exercise(score: &ExerciseScore) -> Value {
    json!({
        "lesson": score.lesson,
        "exercise": score.exercise,
        "points": score.points(),
        "out_of": score.out_of(),
        "pending": score.pending,
        "partial": score.partial,
        "problems": score.problems,
        "checks": score.checks.iter().map(check).collect::<Vec<_>>(),
    })
}

fn check(score: &CheckScore) -> Value {
    json!({
        "name": score.name,
        "points": score.points,
        "out_of": score.out_of,
        "verdict": score.verdict(),
        "usually": { "en": score.usually.en.trim(), "zh": score.usually.zh.trim() },
        "cases": score.cases.iter().map(case).collect::<Vec<_>>(),
    })
}

fn case(result: &CaseResult) -> Value {
    json!({
        "name": result.name,
        "verdict": result.verdict,
        "seconds": result.seconds,
        "report": result.report,
        "output": result.output,
    })
}
