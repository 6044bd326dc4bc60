//! The graceful end: what is running is finished, who comes late is refused, and there is a limit.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests end at the first thing that is wrong
#![cfg(unix)] // there is no Ctrl-C for one process only on Windows

use crate::serving;
use netlab::program::{signal, uninterrupted, write_until_stuck};
use std::io::Write;
use std::net::Shutdown;
use std::thread;
use std::time::{Duration, Instant};

use crate::serving::{Served, ask, hear, is_ended, say, send_more_than_a_queue_takes};
use rstest::rstest;

/// How long a request takes in the first test.
const WORK: Duration = Duration::from_secs(1);

#[rstest]
fn a_running_request_is_answered_and_who_comes_late_is_refused(
    #[values("tcp", "unix")] kind: &str,
    #[values("threads", "pool")] run: &str,
) {
    let mut server = Served::start(kind, &["--run", run, "--work", "1", "--grace", "20"]);
    let early = server.connect();
    let said = Instant::now();
    say(&early, "hello");
    assert!(server.says(" says: hello"));
    server.interrupt();
    assert!(server.is_closed());
    let has_ended = server.running.ended().is_some();
    // A look that comes later than that finds the work done.
    assert!(!has_ended || said.elapsed() > WORK, "it serves the client that is in");
    assert_eq!(hear(&early), "HELLO\n");
    assert!(is_ended(&early));
    assert_eq!(server.code(), Some(0));
}

#[test]
fn inline_too_the_running_request_is_answered() {
    let mut server = Served::start("tcp", &["--run", "inline", "--work", "0.5", "--grace", "20"]);
    let (early, waiting) = (server.connect(), server.connect());
    say(&early, "hello");
    assert!(server.says(" says: hello"));
    server.interrupt();
    assert_eq!(hear(&early), "HELLO\n");
    assert!(is_ended(&waiting), "nobody accepted it");
    assert_eq!(server.code(), Some(0));
}

#[rstest]
fn who_says_nothing_does_not_hold_up_the_end(
    #[values("tcp", "unix")] kind: &str,
    #[values("inline", "threads", "pool")] run: &str,
) {
    let mut server = Served::start(kind, &["--run", run, "--grace", "20"]);
    let silent = server.connect();
    assert_eq!(ask(&silent, "hello"), "HELLO\n");
    server.interrupt();
    assert!(is_ended(&silent));
    assert_eq!(server.code(), Some(0));
    assert!(server.says(" is done\n"));
}

#[rstest]
fn messages_that_have_come_are_answered_and_half_a_message_is_not(
    #[values("tcp", "unix")] kind: &str,
) {
    let mut server = Served::start(kind, &["--work", "0.3", "--grace", "20"]);
    let mut client = server.connect();
    client.write_all(b"one\ntwo\nthr").unwrap();
    assert!(server.says(" says: one"));
    server.interrupt();
    assert_eq!(hear(&client) + &hear(&client), "ONE\nTWO\n");
    assert!(is_ended(&client));
    assert_eq!(server.code(), Some(0));
}

#[rstest]
fn what_a_full_pool_has_taken_is_finished_and_the_rest_is_refused(
    #[values("tcp", "unix")] kind: &str,
) {
    let arguments = ["--workers", "1", "--queue", "1", "--work", "0.3", "--grace", "20"];
    let mut server = Served::start(kind, &arguments);
    // The worker's, the one that waits, the one in the hands of the loop; and two in the system's
    // queue. (Each is connected when the call returns, and in this order.)
    let clients: Vec<_> = (0..5).map(|_| server.connect()).collect();
    for client in &clients {
        say(client, "hello");
    }
    assert!(server.says("the pool is full (1 running, 1 waiting)"));
    server.interrupt();
    for taken in &clients[..3] {
        assert_eq!(hear(taken), "HELLO\n");
        assert!(is_ended(taken));
    }
    assert!(clients[3..].iter().all(is_ended));
    assert_eq!(server.code(), Some(0));
}

#[test]
fn datagrams_that_were_taken_are_answered() {
    let arguments = ["--workers", "1", "--queue", "2", "--work", "0.3", "--grace", "20"];
    let mut server = Served::start("udp", &arguments);
    let socket = server.udp();
    for word in ["a", "b", "c", "d"] {
        socket.send(word.as_bytes()).unwrap();
    }
    // One in work, two that wait, and the fourth in the hands of the loop.
    assert!(server.says("the pool is full (1 running, 2 waiting)"));
    server.interrupt();
    for word in [b"A", b"B", b"C", b"D"] {
        let mut answer = [0; 8];
        let length = uninterrupted(|| socket.recv(&mut answer)).unwrap();
        assert_eq!(&answer[..length], word);
    }
    assert_eq!(server.code(), Some(0));
}

#[rstest]
fn what_is_not_finished_in_time_is_cut_and_the_code_says_so(
    #[values("tcp", "udp", "unix", "unix-datagram")] kind: &str,
    #[values("inline", "threads", "pool")] run: &str,
) {
    let mut server = Served::start(kind, &["--run", run, "--work", "3600", "--grace", "0.2"]);
    thread::scope(|scope| {
        let client =
            scope.spawn(|| server.client().args(["--timeout", "1", "hello"]).assert().code(1));
        assert!(server.says(" says: hello"));
        server.interrupt();
        client.join().unwrap();
    });
    assert_eq!(server.code(), Some(1));
    let line = "not every request was finished within 200ms, and the rest was cut: see --grace\n";
    assert!(server.says(line));
    if kind.starts_with("unix") {
        // Inline, the thread that would have removed the file never got to it. It does not matter.
        let (_next, ..) = serving::start(&mut serving::server_at(&server.path(), kind));
    }
}

#[rstest]
fn who_does_not_take_its_answers_is_not_waited_for(
    #[values("tcp", "unix")] kind: &str,
    #[values("inline", "threads", "pool")] run: &str,
) {
    // Neither of these limits can end it within the test's time.
    let arguments = ["--run", run, "--grace", "3600", "--idle", "3600"];
    let mut server = Served::start(kind, &arguments);
    let deaf = server.connect();
    let line = [vec![b'x'; 60_000], b"\n".to_vec()].concat();
    // Nobody takes the answers, so in the end the server takes no more messages.
    write_until_stuck(&deaf, &line, usize::MAX).unwrap();
    server.interrupt();
    assert_eq!(server.code(), Some(0), "{}", server.running.stderr());
    assert!(server.says(" is gone: the server is being stopped"), "{}", server.running.stderr());
}

#[rstest]
fn a_datagram_client_that_takes_no_answers_is_not_waited_for(
    #[values("inline", "threads", "pool")] run: &str,
) {
    let mut server = Served::start("unix-datagram", &["--run", run, "--grace", "3600"]);
    let path = server.folder.path().join("deaf");
    let deaf = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    send_more_than_a_queue_takes(&deaf, &server);
    assert!(server.says(" says: hello"));
    server.interrupt();
    assert_eq!(server.code(), Some(0), "{}", server.running.stderr());
}

#[test]
fn a_second_ctrl_c_ends_it_at_once() {
    let mut server = Served::start("tcp", &["--work", "3600", "--grace", "3600"]);
    let client = server.connect();
    say(&client, "hello");
    assert!(server.says(" says: hello"));
    server.interrupt();
    assert!(server.is_closed());
    server.interrupt();
    assert_eq!(server.code(), Some(130));
    assert!(is_ended(&client));
}

#[test]
fn sigterm_is_as_good_as_ctrl_c() {
    let mut server = Served::start("unix", &[]);
    let client = server.connect();
    assert_eq!(ask(&client, "hello"), "HELLO\n");
    signal("-TERM", server.id).unwrap();
    assert_eq!(server.code(), Some(0));
    assert!(!server.path().exists());
}

#[rstest]
fn the_same_address_can_be_bound_again_at_once(#[values("tcp", "udp")] kind: &str) {
    let mut server = Served::start(kind, &[]);
    server.client().arg("hello").assert().success();
    // The server closes first here, which is what leaves a port in TIME-WAIT.
    let open = (kind == "tcp").then(|| server.connect());
    let _ = open.as_ref().map(|open| ask(open, "hello"));
    server.interrupt();
    assert_eq!(server.code(), Some(0));
    let mut command = std::process::Command::new(serving::PROGRAM);
    let (_again, _, at) =
        serving::start(command.args(["server", "--kind", kind, "--addr", &server.at]));
    assert_eq!(at, server.at);
    drop(open);
}

#[test]
fn a_stopped_process_that_is_woken_serves_on() {
    let server = Served::start("tcp", &[]);
    let mut client = server.connect();
    assert_eq!(ask(&client, "one"), "ONE\n");
    signal("-STOP", server.id).unwrap();
    client.write_all(b"two\n").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    signal("-CONT", server.id).unwrap();
    assert_eq!(hear(&client), "TWO\n");
    server.client().arg("three").assert().success().stdout("THREE\n");
}
