//! Lesson 1's exercises, graded by what they print. Each test is a check of `lesson.toml`.

#[path = "lesson_01/classify.rs"]
mod classify;
#[path = "lesson_01/endpoint.rs"]
mod endpoint;
#[path = "lesson_01/subnet.rs"]
mod subnet;

use graded::{Exam, Ran};

/// What every program of this lesson does with `texts` as its arguments: it prints `lines`, says
/// nothing else, and ends well.
fn expect_lines(exam: &Exam, texts: &[&str], lines: &[&str]) {
    let ran = exam.run(texts, "");
    exam.expect_equal("standard output", &(lines.join("\n") + "\n"), &ran.stdout);
    expect_code(exam, &ran, 0);
}

/// Bad `texts` between two good ones: each is named once on standard error, the good ones are
/// answered all the same, and the exit code tells.
fn expect_refusals(exam: &Exam, good: [(&str, &str); 2], bad: &[&str]) {
    let [(first, first_line), (last, last_line)] = good;
    let ran = exam.run(&[&[first], bad, &[last]].concat(), "");
    exam.expect_equal("standard output", &format!("{first_line}\n{last_line}\n"), &ran.stdout);
    let count = ran.stderr.lines().count().to_string();
    exam.expect_equal("how many lines standard error has", &bad.len().to_string(), &count);
    for (bad, line) in bad.iter().zip(ran.stderr.lines()) {
        exam.expect_equal(&format!("that the line names {bad:?}"), bad, named(bad, line));
    }
    expect_code(exam, &ran, 2);
}

/// `text` if `line` contains it, else the line.
fn named<'a>(text: &'a str, line: &'a str) -> &'a str {
    if line.contains(text) { text } else { line }
}

/// With no arguments there is nothing to do but to say so.
fn expect_usage(exam: &Exam) {
    let ran = exam.run(&[], "");
    exam.expect_equal("standard output", "", &ran.stdout);
    let says = if ran.stderr.trim().is_empty() { "nothing" } else { "something" };
    exam.expect_equal("what standard error says", "something", says);
    expect_code(exam, &ran, 2);
}

fn expect_code(exam: &Exam, ran: &Ran, code: i32) {
    exam.expect_equal("the exit code", &format!("{:?}", Some(code)), &format!("{:?}", ran.code));
}
