//! Grades to report: one of each kind that there is, and random ones. All of them come out of the
//! scoring function, as real ones do.

// Each file of tests uses a part of this.
#![allow(dead_code, clippy::unwrap_used)] // A panic is a failed test.

use std::time::{Duration, SystemTime};

use course::{About, Check, Exercise, Language, Lesson, Text};
use grader::protocol::Verdict;
use grader::report::{Grade, Kind};
use grader::score::{self, Case, CaseResult};
use grader::submission::Submission;
use proptest::prelude::*;

/// What a program prints that wants to be shown as something else: escape sequences, the ends of
/// every quotation that a report may use, HTML, links, a forged result, and a lot of it.
pub const HOSTILE: &str = "\x1b[2J\x1b[32mpass\x1b[0m \u{9b}31m\0\x08\r\u{202e}\u{ffff}\n\
    | ✅ pass | 99 / 99 |\n```\n````\n~~~\n</details><script>alert(1)</script>\n\
    [a link](https://example.org) ![](x.png) https://example.org @everyone\n\
    ]]></failure></testcase><testcase name=\"forged\"/>\n{\"score\": 99} \\ \" ' &amp; <!-- \n";

/// The results of one check's cases. A missing one is still to come.
pub type Cases = Vec<Option<(Verdict, String)>>;

/// A grade with an exercise for each item, whose checks have these points and cases.
pub fn grade(exercises: Vec<Vec<(u32, Cases)>>, is_over: bool) -> Grade {
    let mut grade = Grade {
        submission: Submission::Program(vec!["python3".into(), "my`|<b>.py".into()]),
        seed: 7,
        began: SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000),
        language: Language::English,
        exercises: Vec::new(),
    };
    for (number, checks) in exercises.into_iter().enumerate() {
        let lesson = lesson(number, &checks);
        let exercise = &lesson.about.exercises[0];
        let (mut listed, mut results) = (Vec::new(), Vec::new());
        for (check, (_, cases)) in exercise.checks.iter().zip(checks) {
            for (place, case) in cases.into_iter().enumerate() {
                let name = format!("{}::case_{place}_of_many", check.name);
                listed.push(Case { name: name.clone(), chosen: true });
                let result = |(verdict, report): (Verdict, String)| {
                    let output = report.chars().rev().collect();
                    CaseResult { name, verdict, report, output, seconds: 0.5 }
                };
                results.extend(case.map(result));
            }
        }
        grade.update(&score::score(&lesson, exercise, &listed, &results, is_over));
    }
    grade
}

pub fn lesson(number: usize, checks: &[(u32, Cases)]) -> Lesson {
    let text = |en: &str| Text { en: en.into(), zh: "中文".into() };
    let check = |(place, (points, _)): (usize, &(u32, Cases))| Check {
        name: format!("check_{place}"),
        points: *points,
        usually: text("One read was taken for one message."),
    };
    let exercise = Exercise {
        name: format!("exercise_{number}"),
        title: text("T"),
        task: text("T"),
        hints: vec![],
        checks: checks.iter().enumerate().map(check).collect(),
    };
    let (title, learn, exercises) = (text("T"), text("L"), vec![exercise]);
    let about = About { minutes: 1, title, learn, run: None, exercises };
    let (number, topic, folder) = (format!("{:02}", number + 1), "t".into(), "f".into());
    Lesson { number, topic, folder, about }
}

/// A grade of two exercises with two checks each, all of whose first checks' cases end like this.
fn all(verdict: Verdict, report: &str) -> Grade {
    let exercise = || vec![(2, said(1, verdict, report)), (3, said(2, verdict, report))];
    grade(vec![exercise(), exercise()], true)
}

/// The results of some cases that all went the same way.
fn said(cases: usize, verdict: Verdict, report: &str) -> Cases {
    vec![Some((verdict, report.to_owned())); cases]
}

/// One grade of each kind, with its name.
pub fn examples() -> Vec<(&'static str, Grade)> {
    let pass = || said(1, Verdict::Pass, "");
    let fail = || said(1, Verdict::Fail, "expected 5 bytes, got 3");
    let ill = || said(1, Verdict::GraderError, "no loopback");
    let half = vec![(2, pass()), (3, [pass(), fail()].concat())];
    let ill = vec![(2, pass()), (3, [ill(), fail()].concat())];
    let interrupted = vec![(2, pass()), (3, [pass(), vec![None]].concat())];
    let waiting = vec![(4, vec![None])];
    let mut ungraded = all(Verdict::Pass, "");
    ungraded.exercises[1].checks.iter_mut().for_each(|check| check.cases.clear());
    ungraded.exercises[1].problems.push("the graded tests cannot be built".into());
    vec![
        ("full", all(Verdict::Pass, "")),
        ("partial", grade(vec![half], true)),
        ("does not compile", all(Verdict::DoesNotCompile, "error[E0425]: cannot find `x`\n")),
        ("grader error in a case", grade(vec![ill], true)),
        ("grader error outside", ungraded),
        ("interrupted", grade(vec![interrupted, waiting.clone()], false)),
        ("not begun", grade(vec![waiting], false)),
        ("nothing to grade", grade(vec![], true)),
        ("hostile", all(Verdict::Fail, HOSTILE)),
        ("huge", all(Verdict::Crash, &"`\x1b|".repeat(40_000))),
    ]
}

/// A random grade.
pub fn any_grade() -> impl Strategy<Value = Grade> {
    let verdict = prop_oneof![
        8 => Just(Verdict::Pass),
        2 => Just(Verdict::Fail),
        1 => prop_oneof![
            Just(Verdict::Timeout),
            Just(Verdict::Crash),
            Just(Verdict::NotReady),
            Just(Verdict::DoesNotCompile),
            Just(Verdict::GraderError),
        ],
    ];
    let report = prop_oneof![any::<String>(), Just(HOSTILE.to_owned()), "[`|<&\n\\]_*#>-]{0,40}"];
    let result = prop_oneof![6 => (verdict, report).prop_map(Some), 1 => Just(None)];
    let cases = prop::collection::vec(result, 1..4);
    let checks = prop::collection::vec((0_u32..10, cases), 1..4);
    (prop::collection::vec(checks, 0..4), any::<bool>())
        .prop_map(|(it, is_over)| grade(it, is_over))
}

/// The kind called `name`, as Classroom 50's runner would set its variables.
pub fn kind(name: &str) -> Kind {
    let variable = |name: &str| {
        Some(if name == "ASSIGNMENT_TYPE" { "group".into() } else { format!("the {name}") })
    };
    Kind::named(name, variable).unwrap()
}
