//! Lesson 2's exercises, graded over the wire. Each test is a check of `lesson.toml`.

#[path = "lesson_02/answer.rs"]
mod answer;
#[path = "lesson_02/crowd.rs"]
mod crowd;
#[path = "lesson_02/lines.rs"]
mod lines;

use std::net::SocketAddr;
use std::time::Duration;

use graded::{Difference, Exam, mebibytes};

/// Long enough that a server which answers too early has done so; a correct one is silent, however
/// slow the machine.
const A_MOMENT: Duration = Duration::from_millis(100);

/// Memory for one client, in bytes: far more than any needs, whatever language the program is
/// written in, and far less than what a client may send.
const ENOUGH_MEMORY: u64 = 16 * 1024 * 1024;

/// Expects that the server has never held much more memory than `before`.
fn expect_little_memory(exam: &Exam, before: Option<u64>) {
    if let (Some(before), Some(peak)) = (before, exam.peak_memory()) {
        exam.step(format!(
            "expect that this took no more than {} of memory",
            mebibytes(ENOUGH_MEMORY)
        ));
        let taken = peak.saturating_sub(before);
        if taken > ENOUGH_MEMORY {
            exam.fail(Difference::fail(format!("it took {}", mebibytes(taken))));
        }
    }
}

/// Starts the program on the port of the running `server`.
fn expect_code_1_on_a_taken_port(exam: &Exam, server: SocketAddr) {
    let address = server.to_string();
    let ran = exam.run(&["server", "--addr", &address], "");
    expect_code(exam, 1, ran.code);
    exam.step(format!("expect one line on standard error that names {address}"));
    if ran.stderr.trim_end().lines().count() != 1 || !ran.stderr.contains(&address) {
        exam.fail(Difference::fail(format!("standard error is not that: {:?}", ran.stderr)));
    }
}

/// Starts the program with each of `wrong` in place of its arguments.
fn expect_code_2_on_arguments(exam: &Exam, wrong: &[&[&str]]) {
    for arguments in wrong {
        let ran = exam.run(arguments, "");
        expect_code(exam, 2, ran.code);
    }
}

fn expect_code(exam: &Exam, expected: i32, got: Option<i32>) {
    let got = got.map_or("none".to_owned(), |code| code.to_string());
    exam.expect_equal("the exit code", &expected.to_string(), &got);
}
