//! Lesson 6's exercises, graded over the wire. Each test is a check of `lesson.toml`.

#![allow(clippy::unwrap_used)] // Where the test itself cannot go on, a panic says so.

#[path = "lesson_06/both.rs"]
mod both;
#[path = "lesson_06/drain.rs"]
mod drain;

use std::time::Duration;

use graded::Exam;

/// Long enough that a program which says too much has done so; a correct one is silent, however
/// slow the machine.
const A_MOMENT: Duration = Duration::from_millis(100);

/// Expects that wrong arguments are refused: exit code 2, and something that says why.
fn expect_refused(exam: &Exam, arguments: &[&str]) {
    let ran = exam.run(arguments, "");
    expect_code(exam, 2, ran.code);
    exam.expect_equal("nothing on standard output", "", &ran.stdout);
    let says_why = if ran.stderr.trim().is_empty() { "no" } else { "yes" };
    exam.expect_equal("some words on standard error", "yes", says_why);
}

fn expect_code(exam: &Exam, expected: i32, got: Option<i32>) {
    let got = got.map_or("none".to_owned(), |code| code.to_string());
    exam.expect_equal("its exit code", &expected.to_string(), &got);
}
