//! The graders are graded: solutions score full points, skeletons none, and every classic mistake
//! is caught by the checks that it names.
//!
//! Skeletons and mistakes are built in a small workspace of their own below `target/graders`, so
//! that no student's file is touched. All of it is discovered; nothing here names a lesson.
//! `GRADERS_ONLY=03` or `GRADERS_ONLY=03/framed` restricts it to what somebody is working on.

#![allow(clippy::unwrap_used, clippy::expect_used)] // Helpers of tests; a panic is a failed test.

#[path = "graders/variants.rs"]
mod variants;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use grader::course::{self, Exercise, Lesson};
use grader::protocol::Verdict;
use grader::run::{self, Job};
use grader::score::ExerciseScore;
use grader::submission::Submission;
use grader::workspace;

use variants::{Kind, Variant};

/// A fixed one: whatever else differs between two runs, the payloads do not.
const SEED: u64 = 20_260_101;

fn root() -> PathBuf {
    workspace::root(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The exercises that `GRADERS_ONLY` names; all of them without it.
fn chosen(lessons: &[Lesson]) -> Vec<(&Lesson, &Exercise)> {
    let only = std::env::var("GRADERS_ONLY").unwrap_or_default();
    let (number, name) = only.split_once('/').unwrap_or((&only, ""));
    let pairs = lessons.iter().flat_map(|l| l.about.exercises.iter().map(move |e| (l, e)));
    let is_chosen = |(lesson, exercise): &(&Lesson, &Exercise)| {
        (number.is_empty() || lesson.answers_to(number))
            && (name.is_empty() || exercise.name == name)
    };
    let chosen: Vec<_> = pairs.filter(is_chosen).collect();
    assert!(!chosen.is_empty(), "there is no exercise {only}");
    chosen
}

fn grade(lesson: &Lesson, exercise: &Exercise, submission: &Submission) -> ExerciseScore {
    let root = root();
    let job = Job::new(&root, (lesson, exercise), submission, SEED);
    run::grade(&job, &mut |_| {})
}

/// What went wrong, told by the grader itself.
fn stories(score: &ExerciseScore) -> String {
    let cases = score.checks.iter().flat_map(|check| &check.cases);
    let failed = cases.filter(|case| case.verdict != Verdict::Pass);
    let told = failed.map(|case| format!("{}: {}: {}", case.name, case.verdict, case.report));
    told.collect::<Vec<_>>().join("\n")
}

/// The checks with a case that did not pass, and how.
fn failures(score: &ExerciseScore) -> BTreeSet<(String, Verdict)> {
    let checks = score.checks.iter();
    checks
        .flat_map(|check| check.cases.iter().map(|case| (check.name.clone(), case.verdict)))
        .filter(|(_, verdict)| *verdict != Verdict::Pass)
        .collect()
}

#[test]
fn every_solution_scores_full_points() {
    for (lesson, exercise) in chosen(&course::lessons(&root()).unwrap()) {
        let score = grade(lesson, exercise, &Submission::Solution);
        let name = format!("{}/{}", lesson.number, exercise.name);
        assert!(score.problems.is_empty(), "{name}: {:#?}", score.problems);
        assert_eq!(score.points(), score.out_of(), "{name}: {}", stories(&score));
        assert!(score.out_of() > 0 && score.all_passed(), "{name}: {}", stories(&score));
    }
}

#[test]
fn skeletons_score_nothing_and_mistakes_are_caught_by_the_checks_they_name() {
    let lessons = course::lessons(&root()).unwrap();
    let variants = variants::build(&root(), &chosen(&lessons));
    assert!(!variants.is_empty());
    for variant in &variants {
        let submission = Submission::Program(vec![variant.program.display().to_string()]);
        let score = grade(variant.lesson, variant.exercise, &submission);
        assert!(score.problems.is_empty(), "{}: {:#?}", variant.name, score.problems);
        match &variant.kind {
            Kind::Skeleton => {
                assert_eq!(score.points(), 0, "{}: {}", variant.name, stories(&score));
            }
            Kind::Mistake { caught_by } => assert_caught(variant, caught_by, &score),
        }
    }
}

/// By `fail`: a mistake that is only found by waiting would be found out by a slow machine, too.
/// One that hangs or crashes says so in its header: `check (timeout)`, `check (crash)`.
fn assert_caught(
    variant: &Variant,
    caught_by: &BTreeSet<(String, Verdict)>,
    score: &ExerciseScore,
) {
    assert!(!caught_by.is_empty(), "{} names no check", variant.name);
    assert_eq!(&failures(score), caught_by, "{}: {}", variant.name, stories(score));
}

#[test]
fn every_exercise_has_two_mistakes_or_more() {
    for (lesson, exercise) in chosen(&course::lessons(&root()).unwrap()) {
        let mistakes = variants::patches(lesson, exercise).len();
        assert!(mistakes >= 2, "{}/{} has {mistakes}", lesson.number, exercise.name);
    }
}

/// Two exercises may share the beginning of their names, and a patch for none is never tried.
#[test]
fn every_patch_belongs_to_one_exercise() {
    for lesson in &course::lessons(&root()).unwrap() {
        let exercises = lesson.about.exercises.iter();
        let claimed: Vec<PathBuf> =
            exercises.flat_map(|exercise| variants::patches(lesson, exercise)).collect();
        for patch in variants::all_patches(lesson) {
            let owners = claimed.iter().filter(|claimed| **claimed == patch).count();
            assert_eq!(
                owners,
                1,
                "{} belongs to no exercise, or to several: a patch is named EXERCISE-NAME.patch",
                patch.display()
            );
        }
    }
}
