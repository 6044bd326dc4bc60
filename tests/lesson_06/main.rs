//! Lesson 6's exercises, graded over the wire. Each test is a check of its exercise's file.

#![allow(clippy::unwrap_used)] // Where the test itself cannot go on, a panic says so.

mod both;
mod drain;

use std::time::Duration;

use graded::Case;

/// Long enough that a program which says too much has done so; a correct one is silent, however
/// slow the machine.
const A_MOMENT: Duration = Duration::from_millis(100);

/// Expects that wrong arguments are refused: exit code 2, and something that says why.
fn expect_refused(case: &Case, arguments: &[&str]) {
    let output = case.run(arguments, "");
    expect_code(case, 2, output.code);
    case.expect_equal("nothing on standard output", "", &output.stdout);
    let says_why = if output.stderr.trim().is_empty() { "no" } else { "yes" };
    case.expect_equal("some words on standard error", "yes", says_why);
}

fn expect_code(case: &Case, expected: i32, got: Option<i32>) {
    let got = got.map_or("none".to_owned(), |code| code.to_string());
    case.expect_equal("its exit code", &expected.to_string(), &got);
}
