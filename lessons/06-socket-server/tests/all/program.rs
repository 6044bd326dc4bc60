//! The program from outside: all four kinds of servers, all three ways to run requests.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests end at the first thing that is wrong

use crate::serving;
use std::io::Write;
use std::net::{Shutdown, UdpSocket};
use std::process::Command;
use std::thread;

use crate::serving::{
    LIMIT, PROGRAM, Served, ask, exists, hear, is_ended, is_silent, is_stream, say, try_ask,
};
use netlab::hostile;
use netlab::peers::Peer;
use netlab::program::{poll, uninterrupted};
use rstest::rstest;

fn program() -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(PROGRAM);
    command.timeout(LIMIT);
    command
}

// The demo

#[test]
fn the_demo_shows_four_servers_a_full_pool_and_a_graceful_end() {
    let output = program().args(["--addr", "127.0.0.1:0"]).assert().success().stderr("");
    let stdout = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    let count = |text: &str| stdout.lines().filter(|line| line.contains(text)).count();
    let servers = if cfg!(unix) { 4 } else { 2 };
    assert_eq!(count("[client] HELLO"), servers, "{stdout}");
    assert_eq!(count("[server] listening on unix:"), servers - 2, "{stdout}");
    assert!(count("the pool is full (1 running, 1 waiting)") > 0, "{stdout}");
    for word in ["one", "two", "three", "four"] {
        assert_eq!(count(&format!("[client-{word}] {}", word.to_uppercase())), 1, "{stdout}");
    }
    assert_eq!(count("[client-late] cannot connect to "), 1, "{stdout}");
    assert_eq!(count("[client-early] HELLO"), 1, "{stdout}");
    assert!(stdout.lines().all(|line| line.starts_with('[')), "{stdout}");
}

#[test]
fn the_demo_works_twice_in_a_row_on_one_port() {
    let addr = serving::free("tcp");
    for _ in 0..2 {
        program().args(["--addr", &addr]).assert().success();
    }
}

// Every kind, every runner

#[rstest]
fn every_kind_answers_however_requests_are_run(
    #[values("tcp", "udp", "unix", "unix-datagram")] kind: &str,
    #[values("inline", "threads", "pool")] run: &str,
) {
    if !exists(kind) {
        return;
    }
    let server = Served::start(kind, &["--run", run]);
    for _ in 0..3 {
        server
            .client()
            .args(["hello", "", "two words"])
            .assert()
            .success()
            .stderr("")
            .stdout("HELLO\n\nTWO WORDS\n");
    }
    assert!(server.says(" says: two words"));
}

#[rstest]
fn many_clients_at_once_get_their_own_answers(
    #[values("tcp", "udp", "unix", "unix-datagram")] kind: &str,
    #[values("inline", "threads", "pool")] run: &str,
) {
    if !exists(kind) {
        return;
    }
    let server = Served::start(kind, &["--run", run]);
    thread::scope(|clients| {
        for number in 0..8 {
            let server = &server;
            clients.spawn(move || {
                let words: Vec<String> = (0..20).map(|word| format!("c{number}w{word}")).collect();
                let answers = words.join("\n").to_uppercase() + "\n";
                server.client().args(&words).assert().success().stdout(answers);
            });
        }
    });
}

#[rstest]
fn bytes_that_come_one_by_one_make_one_message(#[values("tcp", "unix")] kind: &str) {
    if !exists(kind) {
        return;
    }
    let server = Served::start(kind, &[]);
    let mut slow = server.connect();
    for byte in "Schritt für Schritt\n".bytes() {
        slow.write_all(&[byte]).unwrap();
    }
    assert_eq!(hear(&slow), "SCHRITT FüR SCHRITT\n");
    slow.write_all(b"the last line without end").unwrap();
    slow.shutdown(Shutdown::Write).unwrap();
    assert_eq!(hear(&slow), "THE LAST LINE WITHOUT END\n");
}

#[rstest]
fn who_vanishes_ends_only_its_own_request(
    #[values("tcp", "unix")] kind: &str,
    #[values("inline", "threads", "pool")] run: &str,
) {
    if !exists(kind) {
        return;
    }
    let server = Served::start(kind, &["--run", run, "--workers", "2"]);
    for round in 0..20 {
        let mut leaving = server.connect();
        // In the middle of a message, before any, and with answers on their way that nobody reads.
        let said: &[u8] = [&b"half a mess"[..], b"", b"one\ntwo\nthree\n"][round % 3];
        leaving.write_all(said).unwrap();
    }
    assert_eq!(ask(&server.connect(), "still here?"), "STILL HERE?\n");
}

#[rstest]
fn a_handler_that_panics_ends_only_its_own_request(
    #[values("tcp", "udp", "unix", "unix-datagram")] kind: &str,
    #[values("inline", "threads", "pool")] run: &str,
) {
    if !exists(kind) {
        return;
    }
    // More panics than the pool has workers.
    let server = Served::start(kind, &["--run", run, "--bug", "boom", "--workers", "2"]);
    for _ in 0..4 {
        let timeout = if is_stream(kind) { "20" } else { "0.2" };
        let mut client = server.client();
        let failed = client.args(["--timeout", timeout, "boom"]).assert().code(1).stdout("");
        let error = String::from_utf8(failed.get_output().stderr.clone()).unwrap();
        let expected = if is_stream(kind) { " closed the connection" } else { "no answer " };
        assert!(error.contains(expected) && error.lines().count() == 1, "{error}");
    }
    assert!(server.says(" gets no answer: the handler panicked"));
    server.client().arg("and now?").assert().success().stdout("AND NOW?\n");
}

#[rstest]
fn a_message_that_is_too_long_ends_only_its_own_connection(#[values("tcp", "unix")] kind: &str) {
    if !exists(kind) {
        return;
    }
    let server = Served::start(kind, &[]);
    let fits = "x".repeat(64 * 1024);
    assert_eq!(ask(&server.connect(), &fits), fits.to_uppercase() + "\n");
    let mut greedy = server.connect();
    // The server may refuse before the last of these bytes has been taken.
    let _ = greedy.write_all(format!("{fits}x").as_bytes());
    assert!(server.says("a line goes on past the limit of 65536 bytes"));
    assert_eq!(ask(&server.connect(), "hello"), "HELLO\n");
}

#[test]
fn who_is_silent_for_too_long_makes_room_for_others() {
    let server = Served::start("tcp", &["--run", "inline", "--idle", "0.3"]);
    let silent = server.connect();
    // A client that is held up before it speaks is silent, too; then another one comes.
    let is_served = || (try_ask(&server, "hello").ok()? == "HELLO\n").then_some(());
    assert!(poll(LIMIT, is_served).is_some(), "{}", server.running.stderr());
    assert!(is_ended(&silent));
    assert!(server.says(" is gone: timed out; the peer is silent"));
}

#[test]
fn datagrams_of_any_size_are_answered_whole() {
    let server = Served::start("udp", &[]);
    let socket = server.udp();
    for length in [0, 1, 1025, 65_507] {
        socket.send(&vec![b'a'; length]).unwrap();
        let mut answer = vec![0; 70_000];
        let got = uninterrupted(|| socket.recv(&mut answer)).unwrap();
        assert_eq!(answer[..got], vec![b'A'; length]);
    }
}

#[test]
fn senders_that_are_gone_do_not_stop_the_server() {
    let server = Served::start("udp", &[]);
    for _ in 0..20 {
        let leaving = server.udp();
        for _ in 0..5 {
            leaving.send(b"bye").unwrap();
        }
    }
    server.client().arg("hello").assert().success().stdout("HELLO\n");
}

// How requests are run

#[test]
fn inline_the_second_client_waits_until_the_first_has_gone() {
    let server = Served::start("tcp", &["--run", "inline"]);
    let (first, second) = (server.connect(), server.connect());
    assert_eq!(ask(&first, "one"), "ONE\n");
    say(&second, "two");
    assert!(is_silent(&second));
    drop(first);
    assert_eq!(hear(&second), "TWO\n");
}

#[test]
fn with_a_thread_for_each_nobody_waits_for_anybody() {
    let server = Served::start("tcp", &["--run", "threads"]);
    let clients: Vec<_> = (0..100).map(|_| server.connect()).collect();
    for client in clients.iter().rev() {
        assert_eq!(ask(client, "hello"), "HELLO\n");
    }
}

#[rstest]
fn a_full_pool_lets_clients_wait_in_order_and_loses_none(#[values("tcp", "unix")] kind: &str) {
    if !exists(kind) {
        return;
    }
    let server = Served::start(kind, &["--workers", "1", "--queue", "1"]);
    let first = server.connect();
    assert_eq!(ask(&first, "one"), "ONE\n");
    let others: Vec<_> = (0..5).map(|_| server.connect()).collect();
    for waiting in &others {
        say(waiting, "me too");
    }
    assert!(server.says("the pool is full (1 running, 1 waiting): the next must wait"));
    assert!(others.iter().all(is_silent));
    drop(first);
    for waiting in others {
        assert_eq!(hear(&waiting), "ME TOO\n");
    }
}

#[test]
fn a_pool_without_a_queue_serves_as_many_as_it_has_workers() {
    let server = Served::start("tcp", &["--workers", "2", "--queue", "0"]);
    let (one, two, three) = (server.connect(), server.connect(), server.connect());
    assert_eq!(ask(&one, "a") + &ask(&two, "b"), "A\nB\n");
    say(&three, "c");
    assert!(server.says("the pool is full (2 running, 0 waiting)"));
    assert!(is_silent(&three));
    drop(two);
    assert_eq!(hear(&three), "C\n");
}

#[cfg(target_os = "linux")]
#[test]
fn however_many_clients_come_the_pool_has_its_threads_and_no_more() {
    let server = Served::start("tcp", &["--workers", "3", "--queue", "5", "--backlog", "500"]);
    let clients: Vec<_> = (0..200).map(|_| server.connect()).collect();
    assert!(server.says("the pool is full (3 running, 5 waiting)"));
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id)).unwrap();
    let threads = status.lines().find_map(|line| line.strip_prefix("Threads:")).unwrap();
    // Three workers, the loop, the main thread, and the one that waits for Ctrl-C.
    assert!(threads.trim().parse::<u32>().unwrap() <= 6, "{threads} threads");
    drop(clients);
    assert_eq!(ask(&server.connect(), "hello"), "HELLO\n");
}

#[test]
fn datagrams_wait_for_a_full_pool_in_the_systems_queue() {
    let server = Served::start("udp", &["--workers", "1", "--queue", "1", "--work", "0.05"]);
    let socket = server.udp();
    for number in 0..10 {
        socket.send(format!("m{number}").as_bytes()).unwrap();
    }
    for number in 0..10 {
        let mut answer = [0; 16];
        let length = uninterrupted(|| socket.recv(&mut answer)).unwrap();
        assert_eq!(answer[..length], *format!("M{number}").as_bytes());
    }
    assert!(server.says("the pool is full (1 running, 1 waiting)"));
}

// Arguments, and what goes wrong

#[rstest]
#[case::path_for_tcp(&["--path", "x"], "--path is for the unix kinds; tcp and udp have --addr\n")]
#[case::path_for_udp(
    &["--kind", "udp", "--path", "x"],
    "--path is for the unix kinds; tcp and udp have --addr\n"
)]
#[case::addr_for_unix(
    &["--kind", "unix", "--addr", "127.0.0.1:0"],
    "--addr is for tcp and udp; the unix kinds have --path\n"
)]
fn an_option_of_the_other_kinds_is_refused(
    #[values("server", "client")] role: &str,
    #[case] arguments: &[&str],
    #[case] line: &str,
) {
    program().arg(role).args(arguments).assert().code(2).stdout("").stderr(line.to_owned());
}

#[rstest]
#[case(&["--kind", "sctp"])]
#[case(&["--run", "fast"])]
#[case(&["--workers", "0"])]
#[case(&["--grace", "-1"])]
#[case(&["--backlog", "100000"])]
fn nonsense_is_refused(#[case] arguments: &[&str]) {
    program().arg("server").args(arguments).assert().code(2).stdout("");
}

#[test]
fn a_second_server_on_the_port_says_what_to_try() {
    let first = Served::start("tcp", &[]);
    let why = "address already in use; another program has it: try --addr 127.0.0.1:0 (cargo xtask \
               doctor tells more)";
    program()
        .args(["server", "--addr", &first.at])
        .assert()
        .code(1)
        .stdout("")
        .stderr(format!("cannot listen on {}: {why}\n", first.at));
    let first = Served::start("udp", &[]);
    let mut second = program();
    second.args(["server", "--kind", "udp", "--addr", &first.at]);
    second.assert().code(1).stderr(format!("cannot bind to {}: {why}\n", first.at));
}

#[rstest]
#[case("tcp")]
#[case("udp")]
fn nobody_connects_to_port_0(#[case] kind: &str) {
    let mut client = program();
    client.args(["client", "--kind", kind, "--addr", "127.0.0.1:0", "hello"]);
    let said = client.assert().code(2).get_output().stderr.clone();
    assert!(String::from_utf8_lossy(&said).contains(": port 0 is no port to connect to"));
}

#[test]
fn without_a_server_the_client_says_what_to_try() {
    let gone = serving::free("tcp");
    program().args(["client", "--addr", &gone, "hello"]).assert().code(1).stderr(format!(
        "cannot connect to {gone}: connection refused; no program listens there: start the server \
         first, or check --addr\n"
    ));
    let gone = serving::free("udp");
    let mut client = program();
    client.args(["client", "--kind", "udp", "--addr", &gone, "hello"]);
    client.assert().code(1).stderr(format!(
        "cannot talk to {gone}: port unreachable; its host says that no program has that port: \
         start the server first, or check --addr\n"
    ));
}

#[test]
fn a_server_that_does_not_answer_in_time_is_given_up() {
    let server = Served::start("tcp", &["--work", "20"]);
    server.client().args(["--timeout", "0.2", "hello"]).assert().code(1).stdout("").stderr(
        format!(
            "cannot hear from {}: timed out; the peer is silent, or does not take what it is \
             sent\n",
            server.at
        ),
    );
    let server = Served::start("udp", &["--work", "20"]);
    server.client().args(["--timeout", "0.2", "hello"]).assert().code(1).stdout("").stderr(
        format!(
            "cannot talk to {}: no answer to 4 tries in 200ms; UDP does not tell whether something was lost, \
             or the server is busy, or gave no answer\n",
            server.at
        ),
    );
}

#[test]
fn a_line_feed_in_a_message_is_refused_where_messages_are_lines() {
    let server = Served::start("tcp", &[]);
    server
        .client()
        .arg("two\nlines")
        .assert()
        .code(2)
        .stdout("")
        .stderr("a message over a stream is one line: it cannot contain a line feed\n");
    let server = Served::start("udp", &[]);
    server.client().arg("two\nlines").assert().success().stdout("TWO\nLINES\n");
}

#[test]
fn a_line_of_standard_input_is_answered_before_the_next_is_typed() {
    let server = Served::start("tcp", &[]);
    let mut client = Peer::start(Command::new(PROGRAM).arg("client").args(server.target()));
    for line in ["one", "two", "three"] {
        client.tell(&format!("{line}\n"));
        assert!(client.prints(&line.to_uppercase(), LIMIT), "{client:?}");
    }
    client.close_input();
    assert_eq!(client.ends(LIMIT).expect("it ends").code(), Some(0));
    let is_done = || server.running.stderr().contains(" is done").then_some(());
    assert!(poll(LIMIT, is_done).is_some());
}

#[test]
fn over_ipv6_it_is_the_same() {
    for kind in ["tcp", "udp"] {
        let mut command = Command::new(PROGRAM);
        command.args(["server", "--kind", kind, "--addr", "[::1]:0"]);
        let (_running, _, at) = serving::start(&mut command);
        let mut client = program();
        client.args(["client", "--kind", kind, "--addr", &at, "hello"]);
        client.assert().success().stdout("HELLO\n");
    }
}

#[test]
fn the_help_of_either_side_says_where() {
    for role in ["server", "client"] {
        let help = program().args([role, "--help"]).assert().success().get_output().stdout.clone();
        let help = String::from_utf8(help).unwrap();
        assert!(help.contains("Where to listen, or whom to talk to:"), "{help}");
    }
}

// Peers that play with terminals

#[rstest]
fn what_a_client_says_cannot_play_with_the_servers_terminal(#[values("tcp", "udp")] kind: &str) {
    let server = Served::start(kind, &[]);
    let message = [hostile::TEXT.as_bytes(), b" \xff\nend\n"].concat();
    if is_stream(kind) {
        (&server.connect()).write_all(&message).unwrap();
    } else {
        server.udp().send(&message).unwrap();
    }
    assert!(server.says("end"), "{}", server.running.stderr());
    assert_eq!(hostile::complaint(server.running.stderr().as_bytes()), None);
}

#[test]
fn what_a_server_says_cannot_play_with_the_clients_terminal() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let answer = thread::spawn(move || {
        let (length, client) = uninterrupted(|| socket.recv_from(&mut [0; 64])).unwrap();
        assert!(length > 0);
        let answer = [hostile::TEXT.as_bytes(), b"\xff"].concat();
        socket.send_to(&answer, client).unwrap();
    });
    let mut client = program();
    client.args(["client", "--kind", "udp", "--addr", &address, "hello"]);
    let client = client.assert().success();
    answer.join().unwrap();
    assert_eq!(hostile::complaint(&client.get_output().stdout), None);
}

#[test]
fn a_flood_of_datagrams_does_not_fill_the_log() {
    let server = Served::start("udp", &["--run", "inline"]);
    let socket = server.udp();
    for _ in 0..2_000 {
        socket.send(b"hello").unwrap();
        uninterrupted(|| socket.recv(&mut [0; 16])).unwrap();
    }
    let counted = "(more lines like this are counted, not shown)\n";
    assert!(server.says(counted), "{}", server.running.stderr());
    let lines = server.running.stderr().lines().count();
    assert!(lines < 1_000, "{lines} lines");
}
