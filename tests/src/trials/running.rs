#![cfg(unix)]

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::{A_MOMENT, assert_says, case_of, report_of};
use crate::patience::patience;

const NOWHERE: std::net::SocketAddr =
    std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9);

#[test]
fn the_contracts_arguments_come_first_and_the_output_is_given_back() {
    let case = case_of("echo $*; echo trouble >&2; exit 1");
    let output = case.start_client(NOWHERE, &["a.txt", "--fast"]).expect_exit(1);
    assert_eq!(output.stdout, "client --addr 127.0.0.1:9 a.txt --fast\n");
    assert_eq!((output.code, output.stderr.as_str()), (Some(1), "trouble\n"));
}

#[test]
fn a_wrong_exit_code_is_told_in_words() {
    let report = report_of(|| {
        case_of("echo all is well >&2").start_client(NOWHERE, &[]).expect_exit(1);
    });
    assert_says(&report, &["fail: your program ended with exit status: 0, but 1 is expected"]);
    assert_says(&report, &["the network or the other side failed", "all is well"]);
    assert_says(&report, &["-->  2. your program ends with exit code 1"]);
}

#[test]
fn a_signal_is_a_crash() {
    let report = report_of(|| {
        case_of("kill -SEGV $$").start_client(NOWHERE, &[]).expect_exit(0);
    });
    assert_says(&report, &["crash: your program has ended (signal: 11"]);
}

#[test]
fn a_program_that_runs_on_is_told_as_a_timeout() {
    let report = report_of(|| {
        case_of("sleep 1000").start_client(NOWHERE, &[]).expect_exit(0);
    });
    assert_says(&report, &["timeout: your program still runs after"]);
}

#[test]
fn an_end_that_is_too_early_is_told() {
    let case = case_of("sleep 1000");
    let running = case.start_client(NOWHERE, &[]);
    running.expect_still_running(A_MOMENT);
    running.kill();
    let report = report_of(|| {
        let patient = Duration::from_secs(60);
        case_of("exit 0").start_client(NOWHERE, &[]).expect_still_running(patient);
    });
    assert_says(&report, &["your program has ended too early", "exit status: 0"]);
}

#[test]
fn the_longest_wait_is_remembered_and_silence_is_none() {
    let case = case_of("[ $4 = short ] || sleep 1000");
    case.start_client(NOWHERE, &["short"]).expect_exit(0);
    let longest = case.longest_wait();
    assert!(longest > Duration::ZERO);
    case.start_client(NOWHERE, &["long"]).expect_still_running(longest + A_MOMENT);
    assert_eq!(case.longest_wait(), longest);
}

/// Its end is told, too, but is not taken for the reason.
#[test]
fn a_program_that_has_said_something_wrong_may_end_after_it() {
    let report = report_of(|| {
        let case = case_of("exit 0");
        let host = case.listen();
        let mut stream = TcpStream::connect(host.address()).unwrap();
        let mut client = host.accept();
        let running = case.start_client(host.address(), &[]);
        // This fails as soon as it has ended.
        report_of(|| running.expect_still_running(Duration::from_secs(60)));
        stream.write_all(b"HELLO").unwrap();
        client.expect(b"hello");
    });
    assert_says(&report, &["fail: the bytes are not the ones expected (and then your program has"]);
    assert_says(&report, &["first difference at byte 0", "your program is the client"]);
}

#[test]
fn a_program_that_ends_without_connecting_is_not_waited_for() {
    let began = Instant::now();
    let report = report_of(|| {
        let case = case_of("echo the server is gone >&2; exit 1");
        let host = case.listen();
        let _running = case.start_client(host.address(), &[]);
        let _ = host.accept();
    });
    assert_says(&report, &["fail: your program has ended (exit status: 1)", "the server is gone"]);
    assert_says(&report, &["start your program: client --addr 127.0.0.1:"]);
    assert!(began.elapsed() < patience());
}
