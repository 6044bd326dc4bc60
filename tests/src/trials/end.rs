#![cfg(unix)]

use std::io::Write;
use std::thread;

use super::{A_MOMENT, assert_says, case, case_of, report_of, serving_once};

const SAYS_IT_LISTENS: &str = "echo listening on 127.0.0.1:9; sleep 0.1; ";

#[test]
fn the_end_of_a_server_is_seen_and_then_explains_nothing() {
    let case = case_of(&[SAYS_IT_LISTENS, "echo all is well >&2; exit 0"].concat());
    let _ = case.serve();
    case.expect_server_exit(0);
    let report = report_of(|| case.fail(crate::Difference::fail("something else")));
    assert_says(&report, &["fail: something else", "ends by itself, with exit code 0"]);
    assert_says(&report, &["all is well"]);
}

#[test]
fn a_server_with_another_exit_code_and_one_that_crashes_are_told() {
    for (script, words) in [
        ("exit 1", "fail: your program ended with exit status: 1, but 0 is expected"),
        ("kill -SEGV $$", "crash: your program has ended (signal: 11"),
    ] {
        let report = report_of(|| {
            let case = case_of(&[SAYS_IT_LISTENS, script].concat());
            let _ = case.serve();
            case.expect_server_exit(0);
        });
        assert_says(&report, &[words]);
    }
}

#[test]
fn a_server_that_runs_on_is_told_as_a_timeout() {
    let report = report_of(|| {
        let case = case_of("echo listening on 127.0.0.1:9; exec sleep 1000");
        let _ = case.serve();
        case.expect_server_exit(0);
    });
    assert_says(&report, &["timeout: your program still runs after"]);
}

#[test]
fn a_server_that_has_ended_can_be_started_again() {
    let case = case_of(&[SAYS_IT_LISTENS, "exit 0"].concat());
    for _ in 0..2 {
        let _ = case.serve();
        case.expect_server_exit(0);
    }
    let report = report_of(|| case.fail(crate::Difference::fail("enough")));
    assert!(!report.contains("kill your program"), "{report}");
}

#[test]
fn a_port_is_refused_as_soon_as_its_listener_is_gone() {
    let case = case();
    let (address, serving) = serving_once(|mut stream| {
        stream.write_all(b"bye").unwrap();
        thread::sleep(A_MOMENT);
    });
    case.expect_refused(address, b"bye");
    serving.join().unwrap();
}

#[test]
fn a_port_that_is_still_served_is_told() {
    let report = report_of(|| {
        let case = case();
        let (address, _serving) = serving_once(|mut stream| stream.write_all(b"welcome").unwrap());
        case.expect_refused(address, b"bye");
    });
    assert_says(&report, &["fail: a client that connected now was still served", "welcome"]);
}
