//! The graders are graded: solutions score full points, ten runs in a row and on a busy machine,
//! skeletons score none, and every classic mistake is caught by the checks that it names.
//!
//! All of it is discovered; nothing here names a lesson. `GRADERS_ONLY=03` or
//! `GRADERS_ONLY=03/framed` restricts it to what somebody is working on, and
//! `cargo xtask grade 03 --self-test` shows the same as a table.

#![allow(clippy::unwrap_used, clippy::expect_used)] // Helpers of tests; a panic is a failed test.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

use course::mistake::{all_patches, patches};
use course::workspace;
use course::{Exercise, Lesson};
use grader::process::{Cancel, orphans};
use grader::score::check_of;
use grader::selftest::{Trial, variants};
use grader::waits::Waits;

/// A fixed one: whatever else differs between two runs of this file, the payloads do not.
const SEED: u64 = 20_260_101;
/// How many cases of one program run at a time. Most of a case is waiting.
const JOBS: usize = 4;
/// How many programs are graded at a time.
const AT_A_TIME: usize = 6;
/// How often in a row a solution is graded, each time with other payloads.
const RUNS: u64 = 10;
/// The runs from this one on are done while somebody else wants the processors, too.
const FIRST_BUSY_RUN: u64 = 5;
/// How many classic mistakes an exercise has at least.
const LEAST_MISTAKES: usize = 5;

/// One test at a time grades: while one of them keeps the processors busy on purpose, what another one
/// sees of a slow program would be the machine's doing.
static GRADING: Mutex<()> = Mutex::new(());

fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        orphans::adopt();
        workspace::root(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap()
    })
}

fn lessons() -> &'static [Lesson] {
    static LESSONS: OnceLock<Vec<Lesson>> = OnceLock::new();
    LESSONS.get_or_init(|| course::lessons(root()).unwrap())
}

/// The exercises that `GRADERS_ONLY` names; all of them without it.
fn chosen() -> Vec<(&'static Lesson, &'static Exercise)> {
    let only = std::env::var("GRADERS_ONLY").unwrap_or_default();
    let (number, name) = only.split_once('/').unwrap_or((&only, ""));
    let pairs = lessons().iter().flat_map(|l| l.about.exercises.iter().map(move |e| (l, e)));
    let is_chosen = |(lesson, exercise): &(&Lesson, &Exercise)| {
        (number.is_empty() || lesson.answers_to(number))
            && (name.is_empty() || exercise.name == name)
    };
    let chosen: Vec<_> = pairs.filter(is_chosen).collect();
    assert!(!chosen.is_empty(), "there is no exercise {only}");
    chosen
}

fn trial(exercise: (&'static Lesson, &'static Exercise)) -> Trial<'static> {
    Trial::new(root(), exercise, SEED, JOBS, &Cancel::default()).unwrap()
}

/// Does `work` for each of `all`, several at a time.
fn at_a_time<T>(count: usize, all: impl Iterator<Item = T> + Send, work: impl Fn(T) + Sync) {
    let left = Mutex::new(all);
    thread::scope(|scope| {
        for _ in 0..count {
            scope.spawn(|| {
                let next = || left.lock().unwrap().next();
                while let Some(one) = next() {
                    work(one);
                }
            });
        }
    });
}

#[test]
fn every_solution_scores_full_points_ten_times_in_a_row_also_on_a_busy_machine() {
    let _alone = GRADING.lock().unwrap_or_else(PoisonError::into_inner);
    let trials: Vec<Trial> = chosen().into_iter().map(trial).collect();
    let problems = Mutex::new(Vec::new());
    let grade = |runs: Range<u64>| {
        let all = runs.flat_map(|run| trials.iter().map(move |trial| (run, trial)));
        at_a_time(AT_A_TIME, all, |(run, trial)| {
            let (_, problem) = trial.solution(run);
            let problem = problem.map(|problem| format!("run {run}: {problem}"));
            problems.lock().unwrap().extend(problem);
        });
    };
    grade(0..FIRST_BUSY_RUN);
    let busy = Busy::begin();
    grade(FIRST_BUSY_RUN..RUNS);
    drop(busy);
    expect_none(problems);
}

#[test]
fn skeletons_score_nothing_and_mistakes_are_caught_by_the_checks_they_name() {
    let _alone = GRADING.lock().unwrap_or_else(PoisonError::into_inner);
    let chosen = chosen();
    let built = variants::build(root(), &chosen, &Cancel::default()).unwrap();
    assert!(built.iter().all(|all| all.iter().any(|variant| variant.mistake.is_none())));
    let trials: Vec<Trial> = chosen.into_iter().map(trial).collect();
    let all =
        trials.iter().zip(&built).flat_map(|(trial, all)| all.iter().map(move |v| (trial, v)));
    let problems = Mutex::new(Vec::new());
    at_a_time(AT_A_TIME, all, |(trial, variant)| {
        let problem = trial.problem(variant);
        problems.lock().unwrap().extend(problem);
    });
    expect_none(problems);
}

fn expect_none(problems: Mutex<Vec<String>>) {
    let problems = problems.into_inner().unwrap();
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

#[test]
fn every_graded_test_has_points_and_every_point_has_a_test() {
    for lesson in lessons().iter().filter(|lesson| !lesson.about.exercises.is_empty()) {
        let exercises = &lesson.about.exercises;
        let trial = trial((lesson, &exercises[0]));
        let tested: BTreeSet<String> = trial.names().map(check_with_exercise).collect();
        let checks = exercises.iter().flat_map(|e| e.checks.iter().map(move |c| (e, c)));
        let worth: BTreeSet<String> = checks
            .filter(|(_, check)| check.points > 0)
            .map(|(exercise, check)| format!("{}::{}", exercise.name, check.name))
            .collect();
        let number = &lesson.number;
        let unpaid: Vec<_> = tested.difference(&worth).collect();
        assert!(unpaid.is_empty(), "lesson {number} gives no points for these tests: {unpaid:?}");
        let untested: Vec<_> = worth.difference(&tested).collect();
        assert!(untested.is_empty(), "lesson {number} has no test for these checks: {untested:?}");
    }
}

/// How long they are is compared by `cargo xtask grade --waits check`.
#[test]
fn every_case_has_its_committed_waits_and_no_other() {
    for lesson in lessons().iter().filter(|lesson| !lesson.about.exercises.is_empty()) {
        let trial = trial((lesson, &lesson.about.exercises[0]));
        let cases: BTreeSet<String> = trial.names().map(str::to_owned).collect();
        let waits = Waits::of(lesson).unwrap().names();
        let different: Vec<_> = cases.symmetric_difference(&waits).collect();
        let mend = format!("cargo xtask grade {} --waits write", lesson.number);
        assert!(different.is_empty(), "{different:?}: {mend}");
    }
}

/// `EXERCISE::CHECK` of a test `EXERCISE::CHECK::CASE`.
fn check_with_exercise(test: &str) -> String {
    let (exercise, case) = test.split_once("::").unwrap_or((test, ""));
    format!("{exercise}::{}", check_of(case))
}

#[test]
fn every_exercise_has_its_mistakes() {
    for (lesson, exercise) in chosen() {
        let mistakes = patches(lesson, exercise).len();
        assert!(mistakes >= LEAST_MISTAKES, "{}/{} has {mistakes}", lesson.number, exercise.name);
    }
}

/// Two exercises may share the beginning of their names, and a patch for none is never tried.
#[test]
fn every_patch_belongs_to_one_exercise() {
    for lesson in lessons() {
        let exercises = lesson.about.exercises.iter();
        let claimed: Vec<PathBuf> =
            exercises.flat_map(|exercise| patches(lesson, exercise)).collect();
        for patch in all_patches(lesson) {
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

/// Keeps every processor busy until it is dropped.
struct Busy {
    is_over: &'static AtomicBool,
}

impl Busy {
    fn begin() -> Self {
        // A few bytes for each run of a test; the threads may outlast us by a moment.
        let is_over: &'static AtomicBool = Box::leak(Box::new(AtomicBool::new(false)));
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            thread::spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        Self { is_over }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}
