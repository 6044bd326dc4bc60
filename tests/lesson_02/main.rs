//! Lesson 2's exercises, graded over the wire. Each test is a check of its exercise's file.

mod answer;
mod crowd;
mod lines;

use std::net::SocketAddr;
use std::time::Duration;

use graded::{Case, Difference, mebibytes};

/// Long enough that a server which answers too early has done so; a correct one is silent, however
/// slow the machine.
const A_MOMENT: Duration = Duration::from_millis(100);

/// Memory for one client, in bytes: far more than any needs, whatever language the program is
/// written in, and far less than what a client may send.
const ENOUGH_MEMORY: u64 = 16 * 1024 * 1024;

/// Expects that the server has never held much more memory than `before`.
fn expect_little_memory(case: &Case, before: Option<u64>) {
    if let (Some(before), Some(peak)) = (before, case.peak_memory()) {
        case.step(format!(
            "expect that this took no more than {} of memory",
            mebibytes(ENOUGH_MEMORY)
        ));
        let taken = peak.saturating_sub(before);
        if taken > ENOUGH_MEMORY {
            case.fail(Difference::fail(format!("it took {}", mebibytes(taken))));
        }
    }
}

/// Starts the program on the port of the running `server`.
fn expect_code_1_on_a_taken_port(case: &Case, server: SocketAddr) {
    let address = server.to_string();
    let output = case.run(&["server", "--addr", &address], "");
    expect_code(case, 1, output.code);
    case.step(format!("expect one line on standard error that names {address}"));
    if output.stderr.trim_end().lines().count() != 1 || !output.stderr.contains(&address) {
        case.fail(Difference::fail(format!("standard error is not that: {:?}", output.stderr)));
    }
}

/// Starts the program with each of `wrong` in place of its arguments.
fn expect_code_2_on_arguments(case: &Case, wrong: &[&[&str]]) {
    for arguments in wrong {
        let output = case.run(arguments, "");
        expect_code(case, 2, output.code);
    }
}

fn expect_code(case: &Case, expected: i32, got: Option<i32>) {
    let got = got.map_or("none".to_owned(), |code| code.to_string());
    case.expect_equal("the exit code", &expected.to_string(), &got);
}
