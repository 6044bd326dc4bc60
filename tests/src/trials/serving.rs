#![cfg(unix)]

use super::{assert_says, case_of, report_of};

/// A server that nobody can connect to, as far as its own word goes.
const SAYS_IT_LISTENS: &str = "echo listening on 127.0.0.1:9; exec sleep 1000";

#[test]
fn what_a_server_needs_is_told_where_the_system_tells_it() {
    let case = case_of(SAYS_IT_LISTENS);
    assert_eq!(case.descriptors(), None, "there is no server yet");
    let _ = case.serve();
    let is_linux = cfg!(target_os = "linux");
    assert_eq!(case.threads(), is_linux.then_some(1));
    assert_eq!(case.descriptors().map(|count| count >= 3), is_linux.then_some(true));
    assert_eq!(case.peak_memory().map(|bytes| bytes > 0), is_linux.then_some(true));
}

#[test]
fn a_server_that_ends_is_not_ready_and_its_last_words_are_told() {
    let report = report_of(|| {
        let _ = case_of("echo the port is taken >&2; exit 1").serve();
    });
    assert_says(&report, &["not ready: the server ended (exit status: 1)", "the port is taken"]);
    assert_says(&report, &["-->  1. start your program: server --addr 127.0.0.1:0"]);
}

#[test]
fn a_part_that_is_still_to_be_written_is_named() {
    let script = "echo listening on 127.0.0.1:9
        echo 'not yet implemented: send the answer' >&2; exit 101";
    let report = report_of(|| {
        let case = case_of(script);
        let server = case.serve();
        let _ = case.sender(server).receive();
    });
    assert_says(
        &report,
        &["crash: a part of your program is still to be written: send the answer"],
    );
}
