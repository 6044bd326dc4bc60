//! The grade as a file for other programs.
//!
//! The `json` report, version 1. All times are seconds, all points whole numbers.
//!
//! ```text
//! { "schema": "course-grade", "version": 1,
//!   "submission": "exercise",      what was graded
//!   "seed": 7,                     what all random payloads follow from
//!   "points": 6, "out_of": 10,     of the exercises below
//!   "complete": true,              false while cases are still to run
//!   "grader_error": false,         true: this is not a grade
//!   "exercises": [
//!     { "lesson": "02", "exercise": "answer", "points": 6, "out_of": 10, "pending": 0,
//!       "partial": false,          true: only some cases were asked for
//!       "problems": [],            what is wrong with the grading itself
//!       "checks": [
//!         { "name": "…", "points": 2, "out_of": 2,
//!           "cases": [ { "name": "…", "verdict": "pass", "seconds": 0.01, "report": "" } ] } ] } ] }
//! ```
//!
//! Verdicts: `pass`, `fail`, `timeout`, `crash`, `not-ready`, `does-not-compile`, `grader-error`.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use crate::score::{CaseResult, CheckScore, ExerciseScore};
use crate::submission::Submission;

/// A grade: the scores of some exercises, and what they are the scores of.
#[derive(Debug)]
pub struct Grade {
    /// What was graded.
    pub submission: Submission,
    /// What all random payloads follow from.
    pub seed: u64,
    /// How many exercises are to be graded in all.
    pub wanted: usize,
    /// The scores so far.
    pub exercises: Vec<ExerciseScore>,
}

impl Grade {
    /// The points earned.
    #[must_use]
    pub fn points(&self) -> u32 {
        self.exercises.iter().map(ExerciseScore::points).sum()
    }

    /// The points of all exercises graded so far.
    #[must_use]
    pub fn out_of(&self) -> u32 {
        self.exercises.iter().map(ExerciseScore::out_of).sum()
    }

    /// Whether the grading itself went wrong somewhere.
    #[must_use]
    pub fn is_grader_error(&self) -> bool {
        self.exercises.iter().any(|exercise| !exercise.problems.is_empty())
    }

    /// Takes in a score, in place of an earlier one of the same exercise.
    pub fn update(&mut self, score: &ExerciseScore) {
        let same = |old: &&mut ExerciseScore| {
            (&old.lesson, &old.exercise) == (&score.lesson, &score.exercise)
        };
        match self.exercises.iter_mut().find(same) {
            Some(old) => *old = score.clone(),
            None => self.exercises.push(score.clone()),
        }
    }
}

/// The `json` report.
#[must_use]
pub fn json(grade: &Grade) -> Value {
    let is_complete = grade.exercises.len() == grade.wanted
        && grade.exercises.iter().all(|exercise| exercise.pending == 0);
    json!({
        "schema": "course-grade",
        "version": 1,
        "submission": grade.submission.to_string(),
        "seed": grade.seed,
        "points": grade.points(),
        "out_of": grade.out_of(),
        "complete": is_complete,
        "grader_error": grade.is_grader_error(),
        "exercises": grade.exercises.iter().map(exercise).collect::<Vec<_>>(),
    })
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
        "cases": score.cases.iter().map(case).collect::<Vec<_>>(),
    })
}

fn case(result: &CaseResult) -> Value {
    json!({
        "name": result.name,
        "verdict": result.verdict,
        "seconds": result.seconds,
        "report": result.report,
    })
}

/// Writes `text` to `path` so that a reader sees the old file or the new one, never a part: into a
/// temporary file in the same folder, then rename(2).
pub fn write_atomically(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(".report").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Verdict;

    fn score(points: u32, pending: usize) -> ExerciseScore {
        let result = CaseResult {
            name: "short".into(),
            verdict: Verdict::NotReady,
            report: "r".into(),
            seconds: 0.5,
        };
        let check = CheckScore { name: "short".into(), points, out_of: 4, cases: vec![result] };
        ExerciseScore {
            lesson: "02".into(),
            exercise: "answer".into(),
            checks: vec![check],
            pending,
            partial: false,
            problems: vec![],
        }
    }

    #[test]
    fn a_later_score_of_an_exercise_replaces_the_earlier_one() {
        let submission = Submission::Exercise;
        let mut grade = Grade { submission, seed: 7, wanted: 1, exercises: vec![] };
        grade.update(&score(0, 1));
        assert_eq!(json(&grade)["complete"], false);
        grade.update(&score(4, 0));
        let json = json(&grade);
        assert_eq!(
            (&json["points"], &json["out_of"], &json["complete"]),
            (&4.into(), &4.into(), &true.into())
        );
        let case = &json["exercises"][0]["checks"][0]["cases"][0];
        assert_eq!(case["verdict"], "not-ready");
    }

    #[test]
    fn a_report_replaces_the_file_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("grade.json");
        write_atomically(&path, "one").unwrap();
        write_atomically(&path, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
