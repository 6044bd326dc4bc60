//! The `classroom50` report: the `result.json` of Classroom 50, schema `classroom50/result/v1`.
//!
//! Source: Classroom 50's wiki, "Advanced Autograding", sections "Contract" and "The `result.json`
//! contract", <https://github.com/foundation50/classroom50/wiki/Advanced-Autograding>; schema:
//! `schemas/classroom50.schema.json`.
//!
//! Whose work was graded is not ours to know: the runner of Classroom 50 tells it in the environment
//! variables that [`Identity`] names. One `tests` entry for each check, with whole points.
//!
//! - `datetime` is when the work was handed in, which no variable tells. As the wiki's own
//!   templates do, the time of grading is written, and the runner puts the commit's time in its
//!   place, as it does with `owner` and `assignment_type`.
//! - An autograder there has to end with exit code 0 once it has graded, whatever the grade is;
//!   another code makes the runner write a result with `status=error`. `cargo xtask grade` ends with
//!   1 where points are missing: an `autograder.py` turns 1 into 0 and hands 3 (grader error) and
//!   130 (interrupted) on.
//! - Where the grader itself has failed, or has not graded anything yet, there is no report, so that
//!   nobody takes it for a zero.

use serde_json::{Value, json};

use super::{Grade, pretty};
use crate::Problem;
use crate::protocol::Verdict;
use crate::score::{CheckScore, ExerciseScore};

/// Whose work it is, as the runner's environment variables tell.
#[derive(Clone, Debug)]
pub struct Identity {
    classroom: String,
    assignment: String,
    assignment_type: String,
    owner: String,
    submission: String,
    commit: String,
    release: String,
    review: String,
}

impl Identity {
    /// Reads `CLASSROOM`, `ASSIGNMENT`, `ASSIGNMENT_TYPE` (`individual`, `group` or `team`), `OWNER`
    /// (or `USERNAME`), `SUBMISSION_TAG`, `COMMIT_URL`, `RELEASE_URL`, and `REVIEW_URL` (else
    /// `COMMIT_URL` again).
    ///
    /// # Errors
    /// A sentence that names the variables that are missing.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Problem> {
        let mut missing = Vec::new();
        let read = |name: &str| variable(name).filter(|value| !value.is_empty());
        let mut need = |name: &'static str, other: &str| {
            read(name).or_else(|| read(other)).unwrap_or_else(|| {
                missing.push(name);
                String::new()
            })
        };
        let commit = need("COMMIT_URL", "");
        let identity = Self {
            classroom: need("CLASSROOM", ""),
            assignment: need("ASSIGNMENT", ""),
            assignment_type: need("ASSIGNMENT_TYPE", ""),
            owner: need("OWNER", "USERNAME"),
            submission: need("SUBMISSION_TAG", ""),
            release: need("RELEASE_URL", ""),
            review: read("REVIEW_URL").unwrap_or_else(|| commit.clone()),
            commit,
        };
        if !missing.is_empty() {
            return Err(format!(
                "the report classroom50 needs environment variables that Classroom 50's runner \
                 sets; missing: {}",
                missing.join(", ")
            )
            .into());
        }
        let kind = &identity.assignment_type;
        if !["individual", "group", "team"].contains(&kind.as_str()) {
            return Err(
                format!("ASSIGNMENT_TYPE is {kind:?}, not individual, group or team").into()
            );
        }
        Ok(identity)
    }
}

/// The report's text, if this is a grade.
#[must_use]
pub fn render(grade: &Grade, identity: &Identity) -> Option<String> {
    if !grade.is_grade() {
        return None;
    }
    let tests = grade
        .exercises
        .iter()
        .flat_map(|exercise| exercise.checks.iter().map(move |check| test(exercise, check)));
    Some(pretty(&json!({
        "schema": "classroom50/result/v1",
        "classroom": identity.classroom,
        "assignment": identity.assignment,
        "assignment_type": identity.assignment_type,
        "owner": identity.owner,
        "submission": identity.submission,
        "commit": identity.commit,
        "release": identity.release,
        "review": identity.review,
        "datetime": grade.began_utc(),
        "score": grade.points(),
        "max-score": grade.out_of(),
        "tests": tests.collect::<Vec<_>>(),
    })))
}

fn test(exercise: &ExerciseScore, check: &CheckScore) -> Value {
    json!({
        "test-name": format!("{}/{}: {}", exercise.lesson, exercise.exercise, check.name),
        "passed": check.verdict() == Some(Verdict::Pass),
        "score": check.points,
        "max-score": check.out_of,
    })
}
