//! Every report says the same as all others, and shows what a hostile program prints without being
//! changed by it. (`peers.rs` asks a program nobody here wrote; the package `deep` holds each JSON
//! report against its schema, as the validator takes longer to compile than all of this.)

#![allow(clippy::unwrap_used)] // Not only the test functions themselves may panic here.

mod grades;

use course::Language;
use grader::plain::plain;
use grader::protocol::Verdict;
use grader::report::{Grade, Kind};
use grader::terminal::Terminal;
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use quick_junit::Report;
use rstest::rstest;
use serde_json::{Value, json};

use grades::{HOSTILE, any_grade, examples, kind};

fn render(name: &str, grade: &Grade) -> Option<String> {
    kind(name).render(grade)
}

fn parsed(name: &str, grade: &Grade) -> Option<Value> {
    render(name, grade).map(|text| serde_json::from_str(&text).unwrap())
}

fn example(name: &str) -> Grade {
    examples().into_iter().find(|(of, _)| *of == name).unwrap().1
}

/// How many points a report gives, and out of how many, for those that say so.
fn totals(name: &str, grade: &Grade) -> Option<(u64, u64)> {
    let report = || parsed(name, grade);
    let sum = |tests: &Value, key: &str| -> u64 {
        tests.as_array().unwrap().iter().filter_map(|test| test[key].as_u64()).sum()
    };
    let pair =
        |points: &Value, out_of: &Value| (points.as_u64().unwrap(), out_of.as_u64().unwrap());
    Some(match name {
        "json" => {
            let report = report()?;
            let checks = report["exercises"].as_array().unwrap().iter().map(|it| &it["checks"]);
            let all: Vec<_> = checks.map(|it| (sum(it, "points"), sum(it, "out_of"))).collect();
            let total = pair(&report["points"], &report["out_of"]);
            assert_eq!(total, all.iter().fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1)));
            total
        }
        "gradescope" => {
            let report = report()?;
            let total = pair(&report["score"], &report["extra_data"]["max_score"]);
            assert_eq!(total, (sum(&report["tests"], "score"), sum(&report["tests"], "max_score")));
            total
        }
        "classroom50" => {
            let report = report()?;
            let total = pair(&report["score"], &report["max-score"]);
            assert_eq!(total, (sum(&report["tests"], "score"), sum(&report["tests"], "max-score")));
            total
        }
        "junit" => {
            let report = Report::deserialize_from_str(&render(name, grade)?).unwrap();
            let property = |name: &str| -> u64 {
                let properties = report.test_suites.iter().flat_map(|suite| &suite.properties);
                let values = properties.filter(|it| it.name.as_str() == name);
                values.map(|it| it.value.as_str().parse::<u64>().unwrap()).sum()
            };
            (property("points"), property("out_of"))
        }
        "markdown" => points_of_page(&render(name, grade)?),
        _ => return None,
    })
}

/// From the last column of the tables: `2 / 3`.
fn points_of_page(page: &str) -> (u64, u64) {
    let rows = cells(page).into_iter();
    rows.fold((0, 0), |sum, row| {
        let (points, out_of) = row.last().unwrap().split_once(" / ").unwrap();
        (sum.0 + points.parse::<u64>().unwrap(), sum.1 + out_of.parse::<u64>().unwrap())
    })
}

fn events(page: &str) -> impl Iterator<Item = Event<'_>> {
    Parser::new_ext(page, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH)
}

/// The cells of all rows of all tables, but for their heads, as a reader of Markdown sees them.
fn cells(page: &str) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut in_row = false;
    for event in events(page) {
        let row = rows.last_mut().filter(|_| in_row);
        match (event, row) {
            (Event::Start(Tag::TableRow), _) => {
                in_row = true;
                rows.push(Vec::new());
            }
            (Event::End(TagEnd::TableRow), _) => in_row = false,
            (Event::Start(Tag::TableCell), Some(row)) => row.push(String::new()),
            (Event::Text(text) | Event::Code(text), Some(row)) => {
                row.last_mut().unwrap().push_str(&text);
            }
            _ => {}
        }
    }
    rows
}

/// A page that is made of our own Markdown: no HTML but the folds, no links, no images, as many
/// rows as there are checks.
fn assert_tame(page: &str, grade: &Grade) {
    assert!(page.len() <= 1024 * 1024, "{} bytes", page.len());
    for event in events(page) {
        match event {
            Event::Html(html) => {
                let html = html.trim();
                let is_ours = html == "</details>"
                    || (html.starts_with("<details><summary>") && html.ends_with("</summary>"));
                assert!(is_ours && html.matches('<').count() < 4, "{html}");
            }
            Event::InlineHtml(html) => panic!("{html}"),
            Event::Start(tag @ (Tag::Link { .. } | Tag::Image { .. })) => panic!("{tag:?}"),
            _ => {}
        }
    }
    let checks: usize = grade.exercises.iter().map(|exercise| exercise.checks.len()).sum();
    let rows = cells(page);
    assert_eq!(rows.len(), checks, "{page}");
    assert!(rows.iter().all(|row| row.len() == 3), "{rows:?}");
}

#[test]
fn every_kind_of_grade_gives_a_tame_page() {
    for (name, grade) in examples() {
        println!("{name}");
        assert_tame(&render("markdown", &grade).unwrap(), &grade);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn all_reports_agree_whatever_the_grade(grade in any_grade()) {
        assert_tame(&render("markdown", &grade).unwrap(), &grade);
        let expected = (u64::from(grade.points()), u64::from(grade.out_of()));
        for kind in ["json", "gradescope", "classroom50", "junit", "markdown"] {
            if let Some(totals) = totals(kind, &grade) {
                prop_assert_eq!(totals, expected, "{}", kind);
            } else {
                prop_assert!(!grade.is_grade(), "{} is missing", kind);
            }
        }
    }

    #[test]
    fn exercism_says_pass_exactly_for_a_grade_in_which_all_has_passed(grade in any_grade()) {
        let report = parsed("exercism", &grade).unwrap();
        let is_pass = grade.exercises.iter().all(grader::score::ExerciseScore::all_passed);
        prop_assert_eq!(report["status"] == "pass", is_pass);
        prop_assert!(!grade.is_grader_error() || report["status"] == "error");
    }

    #[test]
    fn junit_counts_the_students_failures_apart_from_the_graders(grade in any_grade()) {
        let text = render("junit", &grade).unwrap();
        let report = Report::deserialize_from_str(&text).unwrap();
        let cases = || grade.exercises.iter().flat_map(|it| &it.checks).flat_map(|it| &it.cases);
        let ended = |verdict| cases().filter(|case| case.verdict == verdict).count();
        let (passed, ill) = (ended(Verdict::Pass), ended(Verdict::GraderError));
        prop_assert_eq!(report.failures, cases().count() - passed - ill);
        prop_assert_eq!(report.errors > 0, grade.is_grader_error());
    }
}

#[test]
fn a_later_score_of_an_exercise_replaces_the_earlier_one() {
    let mut grade = example("not begun");
    assert_eq!(parsed("json", &grade).unwrap()["complete"], false);
    let later = grades::grade(vec![vec![(4, vec![Some((Verdict::NotReady, "r".into()))])]], true);
    grade.update(&later.exercises[0]);
    let report = parsed("json", &grade).unwrap();
    assert_eq!((&report["complete"], &report["out_of"]), (&json!(true), &json!(4)));
    let check = &report["exercises"][0]["checks"][0];
    assert_eq!(
        (&check["verdict"], &check["cases"][0]["report"]),
        (&json!("not-ready"), &json!("r"))
    );
}

#[test]
fn what_has_not_run_is_neither_a_pass_nor_a_failure() {
    let grade = example("interrupted");
    assert_eq!(parsed("json", &grade).unwrap()["complete"], false);
    let exercism = parsed("exercism", &grade).unwrap();
    assert_eq!(exercism["status"], "error");
    assert!(exercism["message"].as_str().unwrap().contains("have not run yet"));
    let gradescope = parsed("gradescope", &grade).unwrap();
    assert!(gradescope["output"].as_str().unwrap().contains("Not finished"));
    let tests = gradescope["tests"].as_array().unwrap();
    let open = tests.iter().filter(|test| test.get("score").is_none());
    assert_eq!(open.filter(|test| test["output"] == "not run yet").count(), 2);
    assert_eq!(grade.out_of(), 9, "also what has not begun is to be won");
    assert!(render("markdown", &grade).unwrap().contains("Not finished"));
}

#[rstest]
#[case("grader error in a case")]
#[case("grader error outside")]
#[case("not begun")]
fn what_is_no_grade_leaves_no_file_for_a_platform(#[case] name: &str) {
    let grade = example(name);
    let folder = tempfile::tempdir().unwrap();
    for kind_name in ["gradescope", "classroom50"] {
        let path = folder.path().join(kind_name);
        kind(kind_name).write(&example("interrupted"), &path).unwrap();
        assert!(path.exists());
        kind(kind_name).write(&grade, &path).unwrap();
        assert!(!path.exists(), "{kind_name} would take it for a grade");
        kind(kind_name).write(&grade, &path).unwrap();
    }
}

#[rstest]
#[case("grader error in a case")]
#[case("grader error outside")]
fn a_grader_error_is_nowhere_a_zero(#[case] name: &str) {
    let grade = example(name);
    assert_eq!(parsed("json", &grade).unwrap()["grader_error"], true);
    let exercism = parsed("exercism", &grade).unwrap();
    assert!(exercism["message"].as_str().unwrap().contains("not your mistake"));
    let junit = render("junit", &grade).unwrap();
    assert!(junit.contains("<error ") && junit.contains("type=\"grader-error\""), "{junit}");
    let page = render("markdown", &grade).unwrap();
    assert!(page.starts_with("### Not graded"), "{page}");
}

#[test]
fn a_compilers_error_is_the_students_and_is_told_once_where_a_page_shows_all() {
    let grade = example("does not compile");
    assert!(render("junit", &grade).unwrap().contains("<failure "));
    assert!(!render("junit", &grade).unwrap().contains("<error "));
    let exercism = parsed("exercism", &grade).unwrap();
    assert_eq!(exercism["status"], "error");
    assert!(exercism["message"].as_str().unwrap().contains("E0425"));
    // There are two exercises with several cases each.
    for kind in ["gradescope", "markdown"] {
        assert_eq!(render(kind, &grade).unwrap().matches("E0425").count(), 2, "{kind}");
    }
}

#[test]
fn a_page_of_many_checks_tells_the_first_failure_of_each_and_names_the_others() {
    let case = |report: &str| Some((Verdict::Fail, report.to_owned()));
    let grade = grades::grade(vec![vec![(1, vec![case("one"), case("two")])]], true);
    for kind in ["gradescope", "markdown"] {
        let report = render(kind, &grade).unwrap();
        assert!(report.contains("one") && !report.contains("two"), "{report}");
        assert!(report.contains("also: check_0::case_1_of_many (fail)"), "{report}");
    }
}

#[test]
fn what_a_program_printed_is_shown_whole_and_means_nothing() {
    let grade = example("hostile");
    let shown = plain(HOSTILE);
    let json = parsed("json", &grade).unwrap();
    assert_eq!(json["exercises"][0]["checks"][0]["cases"][0]["report"], shown);
    let junit = Report::deserialize_from_str(&render("junit", &grade).unwrap()).unwrap();
    assert_eq!((junit.tests, junit.failures), (6, 6), "a forged test case would be one more");
    let code: Vec<String> = events(&render("markdown", &grade).unwrap())
        .filter_map(|event| if let Event::Text(text) = event { Some(text.into()) } else { None })
        .collect();
    assert!(code.iter().any(|text: &String| text.trim_end() == shown.trim_end()), "{code:#?}");
    for name in grader::report::KINDS {
        let report = render(name, &grade).unwrap();
        let acts = |c: char| c.is_control() && c != '\n' && c != '\t';
        assert!(!report.chars().any(acts), "{name}");
    }
}

#[test]
fn what_a_program_printed_stands_apart_from_the_graders_words() {
    let grade = grades::grade(vec![vec![(1, vec![Some((Verdict::Pass, "olleh".into()))])]], true);
    assert_eq!(
        parsed("json", &grade).unwrap()["exercises"][0]["checks"][0]["cases"][0]["output"],
        "hello"
    );
    assert_eq!(parsed("exercism", &grade).unwrap()["tests"][0]["output"], "hello");
    assert!(render("junit", &grade).unwrap().contains("<system-err>hello</system-err>"));
}

#[test]
fn a_terminal_sees_no_escape_of_the_program() {
    let grade = example("hostile");
    let lesson = grades::lesson(0, &[(2, vec![]), (3, vec![])]);
    let mut output = Vec::new();
    let (language, whose) = (Language::English, String::new());
    let mut terminal =
        Terminal { output: &mut output, colour: false, language, whose, width: None };
    terminal.exercise(&lesson.about.exercises[0], &grade.exercises[0]).unwrap();
    terminal.sum(&grade).unwrap();
    let shown = String::from_utf8(output).unwrap();
    assert!(shown.contains(r"\u{1b}[2J") && !shown.contains(|c: char| c.is_control() && c != '\n'));
}

#[test]
fn a_huge_output_gives_reports_of_bounded_size() {
    for (name, megabytes) in [("json", 1), ("gradescope", 1), ("exercism", 1), ("junit", 3)] {
        let report = render(name, &example("huge")).unwrap();
        assert!(report.len() < megabytes << 20, "{name} has {} bytes", report.len());
    }
}

#[test]
fn a_page_says_how_much_has_no_room() {
    let case = Some((Verdict::Fail, "x".repeat(20_000)));
    let grade = grades::grade(vec![vec![(1, vec![case]); 100]], true);
    let page = render("markdown", &grade).unwrap();
    assert_tame(&page, &grade);
    assert!(page.contains("There is no room for"), "{} bytes", page.len());
}

#[test]
fn every_variable_that_classroom_50_must_set_is_named_when_missing() {
    let error = Kind::named("classroom50", |_| None).unwrap_err().to_string();
    for name in ["CLASSROOM", "ASSIGNMENT", "OWNER", "SUBMISSION_TAG", "COMMIT_URL", "RELEASE_URL"]
    {
        assert!(error.contains(name), "{error}");
    }
    assert!(!error.contains("REVIEW_URL"), "there is another for it: {error}");
    let error = Kind::named("classroom50", |_| Some("x".into())).unwrap_err().to_string();
    assert!(error.contains("ASSIGNMENT_TYPE is \"x\""), "{error}");
}

#[cfg(unix)]
#[test]
fn others_may_read_a_report() {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (ours, plain) = (folder.path().join("report"), folder.path().join("plain"));
    kind("json").write(&example("full"), &ours).unwrap();
    fs::write(&plain, "").unwrap();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(ours), mode(plain));
}
