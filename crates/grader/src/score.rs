//! The one place where results become points.
//!
//! A check's points are earned when every one of its cases has passed, else there are none for it.
//! Checks without a test, tests without a check and results that went missing are the grader's own
//! errors: they are listed as problems, and a score with problems is not a grade.
//!
//! All that a submission has printed passes through here on its way into any report, and is made
//! [`plain`] here, once for all of them.

use crate::Problem;
use crate::plain::plain;
use crate::protocol::Verdict;
use course::{Check, Exercise, Lesson, Text};

/// One case that the graded tests have.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name without the exercise: `CHECK` or `CHECK::case_1_name`.
    pub name: String,
    /// Whether it is to run. A person can ask for one case only.
    pub chosen: bool,
}

/// How one case went.
#[derive(Clone, Debug)]
pub struct CaseResult {
    /// As in [`Case::name`].
    pub name: String,
    /// How it ended.
    pub verdict: Verdict,
    /// What there is to say about it; empty for a pass.
    pub report: String,
    /// What the program has printed on standard error.
    pub output: String,
    /// How long it took, in seconds.
    pub seconds: f64,
}

impl CaseResult {
    /// A result that took no time.
    #[must_use]
    pub fn new(name: &str, verdict: Verdict, report: &str) -> Self {
        let (name, report, output) = (name.to_owned(), report.to_owned(), String::new());
        Self { name, verdict, report, output, seconds: 0.0 }
    }
}

/// The score of one check.
#[derive(Clone, Debug)]
pub struct CheckScore {
    /// The name of the test function.
    pub name: String,
    /// The points earned.
    pub points: u32,
    /// The points there are.
    pub out_of: u32,
    /// The mistake it usually is when this check fails.
    pub usually: Text,
    /// How many of its chosen cases have no result yet.
    pub pending: usize,
    /// The results so far.
    pub cases: Vec<CaseResult>,
}

impl CheckScore {
    /// How the check went: as its first case that did not pass, and a grader-error before all
    /// others, because it says that the others may not be the student's. `None` while that is open,
    /// and for a check that nobody asked for.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        let mut verdicts = self.cases.iter().map(|case| case.verdict);
        if verdicts.clone().any(|verdict| verdict == Verdict::GraderError) {
            return Some(Verdict::GraderError);
        }
        let failed = verdicts.find(|verdict| *verdict != Verdict::Pass);
        let is_over = self.pending == 0 && !self.cases.is_empty();
        failed.or(is_over.then_some(Verdict::Pass))
    }

    /// The cases that did not pass.
    pub fn failures(&self) -> impl Iterator<Item = &CaseResult> {
        self.cases.iter().filter(|case| case.verdict != Verdict::Pass)
    }
}

/// The score of one exercise.
#[derive(Clone, Debug)]
pub struct ExerciseScore {
    /// The lesson's number, `02`.
    pub lesson: String,
    /// The exercise's name.
    pub exercise: String,
    /// In the order of the exercise's file.
    pub checks: Vec<CheckScore>,
    /// How many of the chosen cases have no result yet.
    pub pending: usize,
    /// Whether a person asked for some of the cases only; then the points say little.
    pub partial: bool,
    /// What is wrong with the grading itself. Not empty: this is not a grade.
    pub problems: Vec<String>,
}

impl ExerciseScore {
    /// The points earned.
    #[must_use]
    pub fn points(&self) -> u32 {
        self.checks.iter().map(|check| check.points).sum()
    }

    /// The points there are.
    #[must_use]
    pub fn out_of(&self) -> u32 {
        self.checks.iter().map(|check| check.out_of).sum()
    }

    /// The compiler's error, if that is why nothing could be tested.
    #[must_use]
    pub fn uncompiled(&self) -> Option<&str> {
        let mut cases = self.checks.iter().flat_map(|check| &check.cases);
        let is_uncompiled = |case: &&CaseResult| case.verdict == Verdict::DoesNotCompile;
        cases.find(is_uncompiled).map(|case| case.report.as_str())
    }

    /// The cases whose wait ran out of time, and their checks.
    pub fn late(&self) -> impl Iterator<Item = (&CheckScore, &CaseResult)> {
        let cases =
            self.checks.iter().flat_map(|check| check.cases.iter().map(move |c| (check, c)));
        cases.filter(|(_, case)| case.verdict.is_too_late())
    }

    /// Whether every case that was to run has run and passed.
    #[must_use]
    pub fn all_passed(&self) -> bool {
        let is_pass = |case: &CaseResult| case.verdict == Verdict::Pass;
        self.problems.is_empty()
            && self.pending == 0
            && self.checks.iter().flat_map(|check| &check.cases).all(is_pass)
    }
}

/// Scores `results` of the tests `listed`. With `is_over`, results that are still missing will
/// never come.
#[must_use]
pub fn score(
    lesson: &Lesson,
    exercise: &Exercise,
    listed: &[Case],
    results: &[CaseResult],
    is_over: bool,
) -> ExerciseScore {
    let chosen = listed.iter().filter(|case| case.chosen).count();
    let mut problems = mismatches(lesson, exercise, listed);
    if results.len() > chosen || (is_over && results.len() < chosen) {
        problems
            .push(format!("{chosen} cases were to run, but there are {} results", results.len()));
    }
    for broken in results.iter().filter(|result| result.verdict == Verdict::GraderError) {
        problems.push(format!("{}: {}", broken.name, plain(&broken.report)));
    }
    ExerciseScore {
        lesson: lesson.number.clone(),
        exercise: exercise.name.clone(),
        checks: exercise.checks.iter().map(|check| score_check(check, listed, results)).collect(),
        pending: chosen.saturating_sub(results.len()),
        partial: chosen < listed.len(),
        problems,
    }
}

/// The score of an exercise that could not be graded at all.
#[must_use]
pub fn ungraded(lesson: &Lesson, exercise: &Exercise, problem: &Problem) -> ExerciseScore {
    let mut score = score(lesson, exercise, &[], &[], true);
    score.problems = vec![plain(&problem.to_string())];
    score
}

/// The score of an exercise whose turn has not come yet. Nobody has listed its tests so far: each
/// check is taken to have one case.
#[must_use]
pub fn waiting(lesson: &Lesson, exercise: &Exercise) -> ExerciseScore {
    let name = |check: &Check| Case { name: check.name.clone(), chosen: true };
    let cases: Vec<Case> = exercise.checks.iter().map(name).collect();
    score(lesson, exercise, &cases, &[], false)
}

/// The check that a case belongs to: the name of its test function.
#[must_use]
pub fn check_of(case: &str) -> &str {
    case.split_once("::").map_or(case, |(check, _)| check)
}

fn score_check(check: &Check, listed: &[Case], results: &[CaseResult]) -> CheckScore {
    let is_own = |name: &str| check_of(name) == check.name;
    let cases: Vec<CaseResult> =
        results.iter().filter(|result| is_own(&result.name)).map(told).collect();
    let passed = |case: &Case| {
        cases.iter().any(|result| result.name == case.name && result.verdict == Verdict::Pass)
    };
    let own: Vec<&Case> = listed.iter().filter(|case| is_own(&case.name)).collect();
    let earned = !own.is_empty() && own.iter().all(|case| passed(case));
    let chosen = own.iter().filter(|case| case.chosen).count();
    CheckScore {
        name: check.name.clone(),
        points: if earned { check.points } else { 0 },
        out_of: check.points,
        usually: check.usually.clone(),
        pending: chosen.saturating_sub(cases.len()),
        cases,
    }
}

/// A result as it may be shown.
fn told(result: &CaseResult) -> CaseResult {
    CaseResult { report: plain(&result.report), output: plain(&result.output), ..result.clone() }
}

/// Checks without a test and tests without a check.
fn mismatches(lesson: &Lesson, exercise: &Exercise, listed: &[Case]) -> Vec<String> {
    let (number, name) = (&lesson.number, &exercise.name);
    let untested = exercise
        .checks
        .iter()
        .filter(|check| !listed.iter().any(|case| check_of(&case.name) == check.name))
        .map(|check| {
            format!("lesson {number} gives points for {name}::{}, which no test has", check.name)
        });
    let unscored = listed
        .iter()
        .filter(|case| !exercise.checks.iter().any(|check| check.name == check_of(&case.name)))
        .map(|case| {
            format!("the test {name}::{} has no points in lesson {number}'s {name}.toml", case.name)
        });
    untested.chain(unscored).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use course::{About, Check, Text};

    fn text() -> Text {
        Text { en: String::new(), zh: String::new() }
    }

    fn lesson() -> Lesson {
        let checks = [("short", 2), ("long", 3)].map(|(name, points)| Check {
            name: name.into(),
            points,
            usually: text(),
        });
        let exercise = Exercise {
            name: "answer".into(),
            title: text(),
            task: text(),
            hints: vec![],
            checks: checks.into(),
        };
        let exercises = vec![exercise];
        let about = About { minutes: 1, title: text(), learn: text(), run: None, exercises };
        Lesson { number: "02".into(), topic: "t".into(), folder: "f".into(), about }
    }

    fn listed(names: &[&str]) -> Vec<Case> {
        names.iter().map(|name| Case { name: (*name).into(), chosen: true }).collect()
    }

    fn result(name: &str, verdict: Verdict) -> CaseResult {
        CaseResult::new(name, verdict, "")
    }

    fn scored(listed: &[Case], results: &[CaseResult], is_over: bool) -> ExerciseScore {
        let lesson = lesson();
        score(&lesson, &lesson.about.exercises[0], listed, results, is_over)
    }

    #[test]
    fn a_check_earns_its_points_only_when_all_its_cases_pass() {
        let listed = listed(&["short", "long::case_1", "long::case_2"]);
        let mut results =
            vec![result("short", Verdict::Pass), result("long::case_1", Verdict::Pass)];
        assert_eq!(scored(&listed, &results, false).points(), 2);
        results.push(result("long::case_2", Verdict::Timeout));
        assert_eq!(scored(&listed, &results, true).points(), 2);
        results[2].verdict = Verdict::Pass;
        let full = scored(&listed, &results, true);
        assert_eq!((full.points(), full.out_of(), full.all_passed()), (5, 5, true));
    }

    #[test]
    fn a_check_without_a_test_is_a_problem_and_earns_nothing() {
        let score = scored(&listed(&["short"]), &[result("short", Verdict::Pass)], true);
        assert_eq!(score.points(), 2);
        assert!(score.problems.len() == 1 && score.problems[0].contains("answer::long"));
    }

    #[test]
    fn a_test_without_a_check_is_a_problem() {
        let names = ["short", "long", "shorter"];
        let results = names.map(|name| result(name, Verdict::Pass));
        let score = scored(&listed(&names), &results, true);
        assert!(score.problems.len() == 1 && score.problems[0].contains("answer::shorter"));
        assert!(!score.all_passed());
    }

    #[test]
    fn a_result_that_never_comes_is_a_problem_but_only_in_the_end() {
        let listed = listed(&["short", "long"]);
        let results = [result("short", Verdict::Pass)];
        let running = scored(&listed, &results, false);
        assert!(running.problems.is_empty() && running.pending == 1 && !running.all_passed());
        assert_eq!(scored(&listed, &results, true).problems.len(), 1);
    }

    #[test]
    fn a_grader_error_is_a_problem_and_not_a_failure() {
        let results = [result("short", Verdict::GraderError), result("long", Verdict::Pass)];
        assert_eq!(scored(&listed(&["short", "long"]), &results, true).problems.len(), 1);
    }

    #[test]
    fn a_check_has_no_verdict_before_its_last_case_unless_one_has_failed() {
        let listed = listed(&["short", "long::case_1", "long::case_2"]);
        let mut results = vec![result("long::case_1", Verdict::Pass)];
        let verdicts = |results: &[CaseResult]| {
            scored(&listed, results, false)
                .checks
                .iter()
                .map(CheckScore::verdict)
                .collect::<Vec<_>>()
        };
        assert_eq!(verdicts(&results), [None, None]);
        results.push(result("long::case_2", Verdict::Pass));
        assert_eq!(verdicts(&results), [None, Some(Verdict::Pass)]);
        results[0].verdict = Verdict::Crash;
        assert_eq!(verdicts(&results[..1]), [None, Some(Verdict::Crash)]);
        results[1].verdict = Verdict::GraderError;
        assert_eq!(verdicts(&results), [None, Some(Verdict::GraderError)]);
    }

    #[test]
    fn an_exercise_whose_turn_has_not_come_has_all_its_points_open() {
        let lesson = lesson();
        let score = waiting(&lesson, &lesson.about.exercises[0]);
        assert_eq!((score.points(), score.out_of(), score.pending), (0, 5, 2));
        assert!(score.problems.is_empty() && !score.partial && !score.all_passed());
    }

    #[test]
    fn what_a_program_printed_cannot_act_on_a_terminal() {
        let mut results = [result("short", Verdict::Fail), result("long", Verdict::GraderError)];
        for result in &mut results {
            "\x1b[2J".clone_into(&mut result.report);
        }
        let score = scored(&listed(&["short", "long"]), &results, true);
        assert_eq!(score.checks[0].cases[0].report, r"\u{1b}[2J");
        assert_eq!(score.problems, [r"long: \u{1b}[2J"]);
    }

    #[test]
    fn a_case_that_was_not_asked_for_is_not_missed() {
        let mut listed = listed(&["short", "long"]);
        listed[1].chosen = false;
        let score = scored(&listed, &[result("short", Verdict::Pass)], true);
        assert!(score.partial && score.all_passed() && score.points() == 2);
    }
}
