//! Lesson 1's exercises, graded by what they print. Each test is a check of its exercise's file.

mod classify;
mod endpoint;
mod subnet;

use graded::{Case, Output};

/// What every program of this lesson does with `texts` as its arguments: it prints `lines`, says
/// nothing else, and ends well.
fn expect_lines(case: &Case, texts: &[&str], lines: &[&str]) {
    let output = case.run(texts, "");
    case.expect_equal("standard output", &(lines.join("\n") + "\n"), &output.stdout);
    expect_code(case, &output, 0);
}

/// Bad `texts` between two good ones: each is named once on standard error, the good ones are
/// answered all the same, and the exit code tells.
fn expect_refusals(case: &Case, good: [(&str, &str); 2], bad: &[&str]) {
    let [(first, first_line), (last, last_line)] = good;
    let output = case.run(&[&[first], bad, &[last]].concat(), "");
    case.expect_equal("standard output", &format!("{first_line}\n{last_line}\n"), &output.stdout);
    let count = output.stderr.lines().count().to_string();
    case.expect_equal("how many lines standard error has", &bad.len().to_string(), &count);
    for (bad, line) in bad.iter().zip(output.stderr.lines()) {
        case.expect_equal(&format!("that the line names {bad:?}"), bad, named(bad, line));
    }
    expect_code(case, &output, 2);
}

/// `text` if `line` contains it, else the line.
fn named<'a>(text: &'a str, line: &'a str) -> &'a str {
    if line.contains(text) { text } else { line }
}

/// With no arguments there is nothing to do but to say so.
fn expect_usage(case: &Case) {
    let output = case.run(&[], "");
    case.expect_equal("standard output", "", &output.stdout);
    let says = if output.stderr.trim().is_empty() { "nothing" } else { "something" };
    case.expect_equal("what standard error says", "something", says);
    expect_code(case, &output, 2);
}

fn expect_code(case: &Case, output: &Output, code: i32) {
    case.expect_equal("the exit code", &format!("{:?}", Some(code)), &format!("{:?}", output.code));
}
