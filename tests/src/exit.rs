//! Attributes a failure to a program's exit, where the exit explains it.

use std::process::ExitStatus;

use grader::protocol::{self, Verdict};

use crate::step_log::Difference;

/// The exit code of a Rust program that panics.
const RUST_PANIC: i32 = 101;

/// Whether a program that ended so has crashed, whatever it printed: a signal, or Rust's panic.
pub fn is_crash(status: ExitStatus) -> bool {
    status.code().is_none_or(|code| code == RUST_PANIC)
}

/// A client ends by itself when it is done, or gives up. That explains why nothing more came, but
/// not why something wrong had come before.
pub fn attribute_client_exit(difference: &mut Difference, status: ExitStatus, said: &str) {
    let is_waited_for = difference.verdict == Verdict::Timeout;
    if is_waited_for || !is_of_the_contract(status) {
        attribute_exit(difference, status, said);
    } else {
        let what = &difference.what;
        difference.what = format!("{what} (and then your program has ended: {status})");
    }
}

fn is_of_the_contract(status: ExitStatus) -> bool {
    matches!(status.code(), Some(0..=2))
}

/// An end that nobody has asked for. With an exit code of the contract's it is a failure (a client
/// may well end with 1, but not here), with any other a crash.
pub fn attribute_exit(difference: &mut Difference, status: ExitStatus, said: &str) {
    difference.verdict = if is_of_the_contract(status) { Verdict::Fail } else { Verdict::Crash };
    let unwritten = said.lines().find_map(|line| line.strip_prefix(protocol::UNWRITTEN));
    difference.what = match unwritten {
        Some(part) => format!("a part of your program is still to be written{part}"),
        None => format!("your program has ended ({status}) in the middle of this"),
    };
}

/// The exit codes of the contract in words.
pub fn wrong_end(status: ExitStatus, expected: i32) -> String {
    let meaning = match expected {
        0 => "it did what it was asked",
        1 => "the network or the other side failed",
        2 => "its arguments are wrong",
        _ => "as the task says",
    };
    format!("your program ended with {status}, but {expected} is expected: {meaning}")
}
