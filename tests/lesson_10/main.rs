//! Lesson 10's exercises, graded over the wire. Each test is a check of its exercise's file.

mod pong;
mod probe;

use std::time::Duration;

use graded::Case;

/// Long enough that a program which does too much has done so; a correct one is silent, however
/// slow the machine.
const A_MOMENT: Duration = Duration::from_millis(100);

/// Expects that wrong arguments are refused: exit code 2, and something that says why.
fn expect_refused(case: &Case, arguments: &[&str]) {
    let output = case.run(arguments, "");
    case.expect_equal("its exit code", "2", &output.code.map_or(String::new(), |c| c.to_string()));
    case.expect_equal("nothing on standard output", "", &output.stdout);
    let says_why = if output.stderr.trim().is_empty() { "no" } else { "yes" };
    case.expect_equal("some words on standard error", "yes", says_why);
}
