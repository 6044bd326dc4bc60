//! Every JSON report is valid by its schema, and each schema refuses what is wrong.

#![allow(clippy::unwrap_used)] // Not only the test functions themselves may panic here.

#[path = "../../crates/grader/tests/grades/mod.rs"]
mod grades;

use std::collections::HashMap;
use std::sync::LazyLock;

use grader::report::Grade;
use jsonschema::Validator;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use grades::{any_grade, examples, kind};

const SCHEMAS: [(&str, &str); 4] = [
    ("json", include_str!("../../crates/grader/schemas/json.schema.json")),
    ("gradescope", include_str!("../../crates/grader/schemas/gradescope.schema.json")),
    ("classroom50", include_str!("../../crates/grader/schemas/classroom50.schema.json")),
    ("exercism", include_str!("../../crates/grader/schemas/exercism.schema.json")),
];

static VALIDATORS: LazyLock<HashMap<&str, Validator>> = LazyLock::new(|| {
    let validator = |schema| jsonschema::validator_for(&serde_json::from_str(schema).unwrap());
    SCHEMAS.into_iter().map(|(name, schema)| (name, validator(schema).unwrap())).collect()
});

fn parsed(name: &str, grade: &Grade) -> Option<Value> {
    kind(name).render(grade).map(|text| serde_json::from_str(&text).unwrap())
}

fn example(name: &str) -> Grade {
    examples().into_iter().find(|(of, _)| *of == name).unwrap().1
}

/// What is wrong with a report by its schema.
fn complaints(name: &str, report: &Value) -> Vec<String> {
    VALIDATORS[name].iter_errors(report).map(|error| error.to_string()).collect()
}

fn assert_valid(name: &str, grade: &Grade) {
    if let Some(report) = parsed(name, grade) {
        assert_eq!(complaints(name, &report), [""; 0], "{name}: {report:#}");
    } else {
        assert!(!grade.is_grade(), "{name} is missing");
    }
}

#[test]
fn every_kind_of_grade_gives_valid_reports() {
    for (name, grade) in examples() {
        println!("{name}");
        for (kind, _) in SCHEMAS {
            assert_valid(kind, &grade);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn all_reports_are_valid_whatever_the_grade(grade in any_grade()) {
        for (kind, _) in SCHEMAS {
            assert_valid(kind, &grade);
        }
    }
}

/// A valid report with one value changed, or removed by `null`. Each is wrong in its own way.
#[rstest]
#[case::another_schema("json", "/schema", json!("course-grades"))]
#[case::a_later_version("json", "/version", json!(2))]
#[case::half_a_point("json", "/points", json!(1.5))]
#[case::negative_points("json", "/out_of", json!(-1))]
#[case::no_seed("json", "/seed", Value::Null)]
#[case::a_local_time("json", "/began", json!("2026-09-01 12:00"))]
#[case::an_unknown_verdict("json", "/exercises/0/checks/0/cases/0/verdict", json!("passed"))]
#[case::an_escape("json", "/exercises/0/checks/1/cases/1/report", json!("\u{1b}[2J"))]
#[case::a_lesson_without_a_zero("json", "/exercises/0/lesson", json!("1"))]
#[case::no_top_score("gradescope", "/score", Value::Null)]
#[case::an_unknown_status("gradescope", "/tests/0/status", json!("pass"))]
#[case::a_status_without_a_score("gradescope", "/tests/0/score", Value::Null)]
#[case::a_number_that_is_one("gradescope", "/tests/0/number", json!(1))]
#[case::an_unknown_visibility("gradescope", "/tests/0/visibility", json!("yes"))]
#[case::points_as_text("gradescope", "/tests/0/max_score", json!("2"))]
#[case::a_misspelt_key("gradescope", "/visible", json!("visible"))]
#[case::another_version("classroom50", "/schema", json!("classroom50/result/v2"))]
#[case::nobody("classroom50", "/owner", json!(""))]
#[case::no_commit("classroom50", "/commit", Value::Null)]
#[case::an_unknown_type("classroom50", "/assignment_type", json!("pair"))]
#[case::a_fraction("classroom50", "/score", json!(0.5))]
#[case::a_test_without_points("classroom50", "/tests/0/max-score", Value::Null)]
#[case::passed_as_text("classroom50", "/tests/0/passed", json!("true"))]
#[case::a_time_zone("classroom50", "/datetime", json!("2026-09-01T12:00:00+02:00"))]
#[case::version_3("exercism", "/version", json!(3))]
#[case::pass_with_a_failure("exercism", "/status", json!("pass"))]
#[case::error_without_a_message("exercism", "/status", json!("error"))]
#[case::a_message_without_an_error("exercism", "/message", json!("oh"))]
#[case::a_test_without_a_name("exercism", "/tests/0/name", Value::Null)]
#[case::a_failure_that_passed("exercism", "/tests/0/message", json!("it failed"))]
#[case::a_task("exercism", "/tests/0/task_id", json!(1))]
#[case::too_much_output("exercism", "/tests/0/output", json!("x".repeat(501)))]
fn a_schema_refuses(#[case] name: &str, #[case] place: &str, #[case] value: Value) {
    let mut report = parsed(name, &example("partial")).unwrap();
    assert_eq!(complaints(name, &report), [""; 0]);
    let (parent, key) = place.rsplit_once('/').unwrap();
    let parent = report.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        assert!(parent.remove(key).is_some());
    } else {
        parent.insert(key.to_owned(), value);
    }
    assert!(!complaints(name, &report).is_empty(), "{report:#}");
}
