//! The `junit` report: the XML that Jenkins, GitLab and most CI systems show as a list of tests.
//!
//! Source: "`JUnit` XML reporting file format for Jenkins", <https://llg.cubic.org/docs/junit/>,
//! written by the quick-junit crate; schema: `schemas/junit.xsd`.
//!
//! An exercise is a `testsuite` and a case a `testcase`; the points, which `JUnit` does not know, are
//! properties of the suite. Whatever is the student's to mend is a `<failure>` whose type is the
//! verdict, a compiler's error too; what is not is an `<error>`. What the program printed on standard
//! error is `<system-err>`. A suite whose cases have not all
//! run says how many are `pending`.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use chrono::{DateTime, Utc};

use super::Grade;
use crate::advice::advice;
use crate::protocol::Verdict;
use crate::score::{CaseResult, CheckScore, ExerciseScore};
use course::Language;

/// The report's text.
#[must_use]
pub fn render(grade: &Grade) -> String {
    let mut report = Report::new("cargo xtask grade");
    report.set_timestamp(DateTime::<Utc>::from(grade.began));
    report.set_time(duration(grade.seconds()));
    report.add_test_suites(grade.exercises.iter().map(|exercise| suite(grade, exercise)));
    // Writing to a string does not fail.
    report.to_string().unwrap_or_default()
}

fn suite(grade: &Grade, exercise: &ExerciseScore) -> TestSuite {
    let name = format!("{}/{}", exercise.lesson, exercise.exercise);
    let mut suite = TestSuite::new(name.as_str());
    let properties = [
        ("points", exercise.points().to_string()),
        ("out_of", exercise.out_of().to_string()),
        ("pending", exercise.pending.to_string()),
        ("seed", grade.seed.to_string()),
        ("submission", grade.submission.to_string()),
    ];
    suite.add_properties(properties.map(|(name, value)| Property::new(name, value)));
    let mut seconds = 0.0;
    for check in &exercise.checks {
        seconds += check.cases.iter().map(|case| case.seconds).sum::<f64>();
        suite.add_test_cases(check.cases.iter().map(|it| case(&name, check, it, grade.language)));
    }
    if suite.errors == 0 && !exercise.problems.is_empty() {
        suite.add_test_case(ungraded(&name, &exercise.problems));
    }
    suite.set_time(duration(seconds));
    suite
}

fn case(suite: &str, check: &CheckScore, case: &CaseResult, language: Language) -> TestCase {
    let mut status = match case.verdict {
        Verdict::Pass => TestCaseStatus::success(),
        Verdict::GraderError => TestCaseStatus::non_success(NonSuccessKind::Error),
        _ => TestCaseStatus::non_success(NonSuccessKind::Failure),
    };
    if case.verdict != Verdict::Pass {
        let advice = advice(check, case, language).map(|advice| format!("\n\nusually: {advice}"));
        // As in the `json` report: `not-ready`, not "not ready".
        status.set_type(case.verdict.to_string().replace(' ', "-"));
        status.set_message(case.report.lines().next().unwrap_or_default());
        status.set_description(format!("{}{}", case.report.trim_end(), advice.unwrap_or_default()));
    }
    let mut test = TestCase::new(case.name.as_str(), status);
    test.set_classname(suite).set_time(duration(case.seconds));
    if !case.output.is_empty() {
        test.set_system_err(case.output.as_str());
    }
    test
}

/// The grading itself went wrong, and not in one of the cases.
fn ungraded(suite: &str, problems: &[String]) -> TestCase {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type("grader-error").set_message("the grader itself has failed");
    status.set_description(problems.join("\n"));
    let mut test = TestCase::new("the grading itself", status);
    test.set_classname(suite).set_time(Duration::ZERO);
    test
}

fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
