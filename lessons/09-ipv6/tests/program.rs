//! The lesson's program against itself, and against clients and servers that misbehave.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed step is a failed test

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::Duration;

use assert_cmd::cargo::cargo_bin_cmd;
use netlab::filtered::Filtered;
use netlab::hostile;
use netlab::port::free_port;
use netlab::program::{Server, uninterrupted};
use netlab::record::Transport;
use rstest::rstest;

const LIMIT: Duration = Duration::from_secs(20);
const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

fn lesson() -> assert_cmd::Command {
    let mut command = cargo_bin_cmd!("lesson-09");
    command.timeout(2 * LIMIT);
    command
}

fn server(args: &[&str]) -> Server {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lesson-09"));
    command.arg("server").args(args);
    Server::start(&mut command, LIMIT).unwrap()
}

fn connect(host: IpAddr, server: &Server) -> TcpStream {
    let stream = TcpStream::connect((host, server.address().port())).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.set_write_timeout(Some(LIMIT)).unwrap();
    stream
}

/// Says `message`, half-closes, and returns our own address and all that comes back.
fn exchange(host: IpAddr, server: &Server, message: &str) -> (SocketAddr, String) {
    let mut stream = connect(host, server);
    let local = stream.local_addr().unwrap();
    stream.write_all(message.as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (local, answer)
}

/// What the server has to say to a client at `local`.
fn greeting(local: SocketAddr) -> String {
    let family = if local.is_ipv4() { "IPv4" } else { "IPv6" };
    format!("you came over {family} from {local}\n")
}

/// An address at which nobody listens.
fn refused(host: IpAddr) -> SocketAddr {
    (host, free_port(Transport::Tcp)).into()
}

/// For clients that wait for no silent address: the next attempt follows a failure, and not the time.
const UNHURRIED: &str = "--attempt-delay=2";

/// Standard output and standard error, of a client that tries these addresses.
fn try_candidates(candidates: &[SocketAddr], args: &[&str]) -> (Option<i32>, String, String) {
    let mut client = lesson();
    client.arg("client").args(args);
    for candidate in candidates {
        client.args(["--candidate", &candidate.to_string()]);
    }
    let output = client.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The lines about attempts, without their times.
fn events(said: &str) -> Vec<&str> {
    said.lines().filter_map(|line| Some(line.split_once(" ms  ")?.1)).collect()
}

#[test]
fn the_demo_shows_an_address_both_families_and_an_address_that_does_not_answer() {
    let output = lesson().args(["--addr", "127.0.0.1:0"]).assert().success().get_output().clone();
    let text = String::from_utf8(output.stdout).unwrap();
    for expected in [
        "[address]   canonical   2001:db8::8:800:200c:417a\n",
        "[server] listening on [::]:",
        "[client] you came over IPv6 from [::1]:",
        "[client] you came over IPv4 from 127.0.0.1:",
        "[server] [::ffff:127.0.0.1]:",
        "[client] hello by happy eyeballs\n",
        " attempt 2 is connected over IPv4",
    ] {
        assert!(text.contains(expected), "{expected} in\n{text}");
    }
    let labels = ["[address] ", "[server] ", "[client] "];
    assert!(text.lines().all(|line| labels.iter().any(|label| line.starts_with(label))), "{text}");
    assert!(output.stderr.is_empty());
}

#[cfg(target_os = "linux")] // elsewhere the silent address may refuse instead
#[test]
fn in_the_demo_the_silent_address_loses() {
    let output = lesson().args(["--addr", "127.0.0.1:0"]).assert().success().get_output().clone();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(" attempt 1 has lost and is closed\n"), "{text}");
}

#[test]
fn the_demo_succeeds_twice_in_a_row_on_one_port() {
    let addr = format!("127.0.0.1:{}", free_port(Transport::Tcp));
    for run in 1..=2 {
        let output = lesson().args(["--addr", &addr]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "run {run} of 2: {said}");
    }
}

#[rstest]
#[case::ipv4(V4, "127.0.0.1:0")]
#[case::ipv6(V6, "[::1]:0")]
fn a_client_is_told_its_family_and_address_and_then_echoed(#[case] host: IpAddr, #[case] at: &str) {
    let server = server(&["--addr", at]);
    let (local, answer) = exchange(host, &server, "hello\n你好");
    assert_eq!(answer, greeting(local) + "hello\n你好");
}

#[test]
fn one_dual_socket_serves_both_and_nobody_is_called_by_a_mapped_address() {
    let mut server = server(&["--dual", "--addr", "[::]:0"]);
    let (v6, answer) = exchange(V6, &server, "");
    assert_eq!(answer, greeting(v6));
    let (v4, answer) = exchange(V4, &server, "");
    assert_eq!(answer, greeting(v4));
    // The server's own terminal shows what the socket says, too.
    let shown = format!("[::ffff:127.0.0.1]:{} connected: on this IPv6 socket", v4.port());
    assert!(server.says(&shown, LIMIT), "{}", server.stderr());
    assert!(server.says(&format!("{v4} is done"), LIMIT), "{}", server.stderr());
    assert_eq!(server.interrupt(LIMIT).unwrap().code(), Some(0));
}

#[test]
fn an_ipv6_socket_that_is_not_dual_refuses_ipv4() {
    let server = server(&["--addr", &format!("[::]:{}", free_port(Transport::Tcp))]);
    assert_eq!(exchange(V6, &server, "x").1.lines().count(), 2);
    let refused = TcpStream::connect((V4, server.address().port())).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[rstest]
#[case::loopback("127.0.0.1:0")]
#[case::loopback_v6("[::1]:0")]
#[case::wildcard("0.0.0.0:0")]
#[case::wildcard_v6("[::]:0")]
fn two_sockets_serve_both_families_on_one_port(#[case] at: &str) {
    let mut server = server(&["--two", "--addr", at]);
    for host in [V4, V6] {
        let (local, answer) = exchange(host, &server, "x\n");
        assert_eq!(answer, greeting(local) + "x\n");
    }
    let asked: SocketAddr = at.parse().unwrap();
    assert_eq!(server.address().ip(), asked.ip(), "the family that was asked for is announced");
    assert!(server.says("a second socket listens on ", LIMIT), "{}", server.stderr());
    assert_eq!(server.interrupt(LIMIT).unwrap().code(), Some(0), "both listeners are woken");
    assert!(!server.stderr().contains("ffff"), "nobody is mapped: {}", server.stderr());
    assert_eq!(server.stdout(), format!("listening on {}\n", server.address()));
}

#[test]
fn a_port_that_is_taken_in_the_other_family_is_named_with_its_address() {
    let port = free_port(Transport::Tcp);
    let _taken = server(&["--addr", &format!("[::1]:{port}")]);
    let addr = format!("127.0.0.1:{port}");
    let expected = format!(
        "cannot listen on [::1]:{port}: address already in use; another program has it: try --addr \
         127.0.0.1:0 (cargo xtask doctor tells more)\n"
    );
    lesson().args(["server", "--two", "--addr", &addr]).assert().code(1).stderr(expected);
}

#[test]
fn a_port_in_use_is_one_clear_line_and_code_1() {
    let taken = server(&["--dual", "--addr", "[::]:0"]);
    let port = taken.address().port();
    let expected = format!(
        "cannot listen on [::]:{port}: address already in use; another program has it: try --addr \
         127.0.0.1:0 (cargo xtask doctor tells more)\n"
    );
    let again = format!("[::]:{port}");
    lesson().args(["server", "--dual", "--addr", &again]).assert().code(1).stderr(expected.clone());
    let demo = format!("127.0.0.1:{port}");
    lesson().args(["--addr", &demo]).assert().code(1).stderr(expected);
}

#[rstest]
#[case::one(&[], "::1")]
#[case::dual(&["--dual"], "::")]
#[case::two(&["--two"], "::1")]
fn ctrl_c_ends_the_server_and_its_port_is_free_at_once(
    #[case] kind: &[&str],
    #[case] host: IpAddr,
) {
    let addr = SocketAddr::new(host, free_port(Transport::Tcp)).to_string();
    let args = [kind, &["--addr", &addr]].concat();
    let mut first = server(&args);
    let mut open = connect(V6, &first);
    open.read_exact(&mut [0]).unwrap();
    let status = first.interrupt(LIMIT).expect("it ends although a client is connected");
    assert_eq!(status.code(), Some(0));
    let (local, answer) = exchange(V6, &server(&args), "again");
    assert_eq!(answer, greeting(local) + "again");
}

#[rstest]
#[case::one(&["--addr", "127.0.0.1:0"])]
#[case::dual(&["--dual", "--addr", "[::]:0"])]
fn a_client_that_resets_ends_only_itself(#[case] args: &[&str]) {
    let server = server(args);
    let rude = connect(V4, &server);
    let address = rude.local_addr().unwrap();
    // Closing with an unread greeting makes the system send a reset instead of a close.
    uninterrupted(|| rude.peek(&mut [0])).unwrap();
    drop(rude);
    let expected = format!("{address} is gone: connection reset");
    assert!(server.says(&expected, LIMIT), "{}", server.stderr());
    assert_eq!(exchange(V4, &server, "still here?").1.lines().last(), Some("still here?"));
}

#[test]
fn a_client_that_never_reads_keeps_nobody_else_from_being_served() {
    let server = server(&["--two", "--addr", "127.0.0.1:0"]);
    let deaf = connect(V4, &server);
    deaf.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    // Fills every buffer on the way until the server, which cannot send, stops reading.
    let piece = vec![b'x'; 64 * 1024];
    while (&deaf).write_all(&piece).is_ok() {}
    for host in [V4, V6] {
        assert_eq!(exchange(host, &server, "me?").1.lines().last(), Some("me?"));
    }
}

#[test]
fn the_client_prints_the_greeting_and_the_echo_of_each_message() {
    let server = server(&["--addr", "[::1]:0"]);
    let (code, printed, said) = try_candidates(&[server.address()], &["hello", "你好"]);
    assert_eq!(code, Some(0), "{said}");
    let lines: Vec<&str> = printed.lines().collect();
    assert!(lines[0].starts_with("you came over IPv6 from [::1]:"), "{printed}");
    assert_eq!(lines[1..], ["hello", "你好"]);
}

#[test]
fn a_refused_address_is_followed_by_the_next_at_once() {
    let server = server(&["--addr", "127.0.0.1:0"]);
    let (nobody, somebody) = (refused(V6), server.address());
    let (code, _, said) = try_candidates(&[nobody, somebody], &[UNHURRIED, "hello"]);
    assert_eq!(code, Some(0), "{said}");
    let events = events(&said);
    assert_eq!(
        events[..3],
        [
            format!("attempt 1: {nobody}"),
            "attempt 1 has failed: connection refused".to_owned(),
            format!("attempt 2: {somebody}"),
        ]
    );
    assert!(events[3].starts_with("attempt 2 is connected over IPv4: 127.0.0.1:"), "{said}");
    assert_eq!(events.len(), 4, "{said}");
}

#[rstest]
#[case::ipv6_is_silent(V6, V4)]
#[case::ipv4_is_silent(V4, V6)]
fn a_silent_address_loses_and_is_closed(#[case] silent: IpAddr, #[case] good: IpAddr) {
    let Some(silent) = Filtered::open(silent).unwrap() else { return };
    let server = server(&["--addr", &SocketAddr::new(good, 0).to_string()]);
    let (code, printed, said) = try_candidates(&[silent.address(), server.address()], &["hello"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(printed.ends_with("hello\n"), "{printed}");
    let events = events(&said);
    assert_eq!(events[0], format!("attempt 1: {}", silent.address()));
    assert_eq!(events[1], format!("attempt 2: {}", server.address()));
    assert!(events[2].starts_with("attempt 2 is connected over "), "{said}");
    assert_eq!(events[3..], ["attempt 1 has lost and is closed"]);
}

#[test]
fn the_families_take_turns_whatever_the_order_of_the_list() {
    let (first, second, other) = (refused(V4), refused(V4), refused(V6));
    let (code, _, said) = try_candidates(&[first, second, other], &[UNHURRIED]);
    assert_eq!(code, Some(1));
    let started: Vec<&str> =
        events(&said).into_iter().filter(|event| !event.contains("failed")).collect();
    assert_eq!(
        started,
        [
            format!("attempt 1: {first}"),
            format!("attempt 2: {other}"),
            format!("attempt 3: {second}"),
        ]
    );
    let expected = format!(
        "cannot connect to any candidate ({first}: connection refused; {second}: connection \
         refused; {other}: connection refused): is the server running, and --addr right?"
    );
    assert_eq!(said.lines().last(), Some(expected.as_str()));
}

#[test]
fn no_server_is_one_clear_line_and_code_1() {
    for host in [V4, V6] {
        let addr = refused(host).to_string();
        let assert = lesson().args(["client", "--addr", &addr, "hello"]).assert().code(1);
        let said = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
        let expected = format!(
            "cannot connect to {addr}: connection refused; no program listens there: start the \
             server first, or check --addr"
        );
        assert_eq!(said.lines().last(), Some(expected.as_str()));
    }
}

#[test]
fn an_address_that_never_answers_is_given_up() {
    let Some(silent) = Filtered::open(V6).unwrap() else { return };
    let addr = silent.address();
    let (code, _, said) = try_candidates(&[addr], &["--timeout", "0.3"]);
    assert_eq!(code, Some(1));
    let expected = format!(
        "cannot connect to {addr}: no answer within 0.3 s; a firewall may drop what comes, or the \
         machine is off"
    );
    assert_eq!(said.lines().last(), Some(expected.as_str()));
}

#[test]
fn what_there_was_no_time_for_is_said_to_be_untried() {
    let Some(silent) = Filtered::open(V6).unwrap() else { return };
    let untried = refused(V4);
    let args = ["--timeout", "0.2", "--attempt-delay", "1"];
    let (code, _, said) = try_candidates(&[silent.address(), untried], &args);
    assert_eq!(code, Some(1));
    assert!(said.contains(&format!("{untried}: not tried in that time")), "{said}");
}

#[test]
fn a_server_that_hangs_up_on_what_the_client_says_is_reported() {
    let listener = TcpListener::bind((V6, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let hang_up = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        // What stays unread makes the close a reset.
        uninterrupted(|| stream.peek(&mut [0])).unwrap();
    });
    let (code, _, said) = try_candidates(&[address], &["hello"]);
    hang_up.join().unwrap();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&format!("{address}: connection reset;")), "{said}");
}

#[test]
fn a_long_message_is_echoed_to_a_client_that_talks_and_listens() {
    let server = server(&["--addr", "[::1]:0"]);
    let message = "x".repeat(100_000);
    let messages: Vec<&str> = std::iter::repeat_n(message.as_str(), 16).collect();
    let (code, printed, said) = try_candidates(&[server.address()], &messages);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(printed.lines().skip(1).filter(|line| *line == message).count(), 16);
}

#[test]
fn the_greeting_comes_before_the_client_has_said_anything() {
    let server = server(&["--dual", "--addr", "[::]:0"]);
    let stream = connect(V6, &server);
    let expected = greeting(stream.local_addr().unwrap());
    let mut line = String::new();
    BufReader::new(&stream).read_line(&mut line).unwrap();
    assert_eq!(line, expected);
}

#[rstest]
#[case::bad_port(&["server", "--addr", "[::1]:99999"], "a port is at most 65535")]
#[case::no_brackets(&["server", "--addr", "::1:8888"], "needs brackets before a port")]
#[case::no_zone(&["client", "--addr", "[fe80::1%]:80"], "nothing after the '%'")]
#[case::port_0(&["client", "--addr", "[::1]:0"], "port 0 is no port to connect to")]
#[case::unknown_flag(&["server", "--loud"], "--loud")]
#[case::dual_and_two(&["server", "--dual", "--two"], "--two")]
#[case::dual_for_ipv4(&["server", "--dual"], "--dual is for the address [::]")]
#[case::dual_for_one_address(&["server", "--dual", "--addr", "[::1]:0"], "try --addr [::]:0")]
#[case::no_partner(&["server", "--two", "--addr", "192.0.2.1:0"], "--two is for 127.0.0.1, [::1]")]
#[case::too_quick(&["client", "--attempt-delay", "0.001"], "between 0.01 and 2 seconds")]
#[case::too_slow(&["client", "--attempt-delay", "3"], "between 0.01 and 2 seconds")]
#[case::no_time(&["client", "--timeout", "0"], "more than zero seconds")]
#[case::no_text(&["address"], "<TEXT>")]
fn wrong_arguments_are_code_2(#[case] args: &[&str], #[case] reason: &str) {
    let output = lesson().args(args).assert().code(2).get_output().clone();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(reason), "{said}");
}

#[test]
fn a_link_local_address_without_its_link_is_explained() {
    let expected =
        "a link-local address needs its link; name the interface, as in [fe80::1%eth0]:80";
    let server = lesson().args(["server", "--addr", "[fe80::1]:80"]).assert().code(1);
    server.stderr(format!("cannot listen on [fe80::1]:80: {expected}\n"));
    let (code, _, said) = try_candidates(&["[fe80::1]:80".parse().unwrap()], &[]);
    assert_eq!(code, Some(1));
    assert!(said.ends_with(&format!("cannot connect to [fe80::1]:80: {expected}\n")), "{said}");
}

#[rstest]
#[case::name(&format!("{}:80", "a".repeat(64)))]
#[case::zone("[fe80::1%no-such-link]:80")]
fn a_name_that_nobody_knows_is_one_clear_line(#[case] addr: &str) {
    let output = lesson().args(["client", "--addr", addr]).assert().code(1).get_output().clone();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with(&format!("cannot find the address of {addr}: ")), "{said}");
    assert!(said.ends_with("; is the name spelt right?\n"), "{said}");
}

#[test]
fn an_address_is_explained() {
    let text = "2001:DB8:0:0:8:0800:200C:417A";
    let expected = "\
2001:DB8:0:0:8:0800:200C:417A
  canonical   2001:db8::8:800:200c:417a
              RFC 5952, section 4.1: leading zeros of a group are left out
              RFC 5952, section 4.2.1: :: stands for as many groups of zeros as it can
              RFC 5952, section 4.3: letters are lowercase
  with a port [2001:db8::8:800:200c:417a]:8888
  groups      2001             db8              0                0
  bits        0010000000000001 0000110110111000 0000000000000000 0000000000000000
  groups      8                800              200c             417a
  bits        0000000000001000 0000100000000000 0010000000001100 0100000101111010
  the same    2001:0db8:0000:0000:0008:0800:200c:417a
              2001:db8:0:0:8:800:200c:417a
              2001:db8::8:800:32.12.65.122
              2001:DB8::8:800:200C:417A
  kind        documentation (2001:db8::/32, RFC 3849 section 2)
  scope       global
";
    lesson().args(["address", text]).assert().success().stdout(expected);
}

#[rstest]
#[case::bare_ipv4("192.0.2.1", "  canonical   ::ffff:192.0.2.1\n")]
#[case::mapped("::ffff:c000:201", "  IPv4        192.0.2.1, mapped (")]
#[case::brackets("[::1]", "  kind        loopback (::1/128")]
#[case::zone("fe80::1%eth0", "  with a port [fe80::1%eth0]:8888\n")]
#[case::no_zone("fe80::1", "  zone        missing: which link?")]
#[case::multicast("FF02::1", "  scope       link-local\n")]
#[case::ordinary("2606:4700::1111", "  kind        global unicast")]
fn an_explanation_says(#[case] text: &str, #[case] expected: &str) {
    let output = lesson().args(["address", text]).assert().success().get_output().clone();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.starts_with(&format!("{text}\n")), "{printed}");
    assert!(printed.contains(expected), "{printed}");
}

#[test]
fn a_bad_address_is_code_2_and_does_not_keep_the_good_ones_from_being_explained() {
    let assert = lesson().args(["address", "1::2::3", "::1", "10.0.0.256"]).assert().code(2);
    let output = assert.get_output().clone();
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("::1\n  canonical   ::1\n"));
    let expected = "1::2::3: a second ::, but an address may have only one (character 5)\n\
                    10.0.0.256: octet 4 is 256; an octet is at most 255\n";
    assert_eq!(String::from_utf8(output.stderr).unwrap(), expected);
}

#[test]
fn what_a_server_says_cannot_play_with_the_clients_terminal() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
        stream.write_all(&[hostile::TEXT.as_bytes(), b"\xff\n"].concat()).unwrap();
    });
    let (code, stdout, _) = try_candidates(&[address], &["hello"]);
    answer.join().unwrap();
    assert_eq!((code, hostile::complaint(stdout.as_bytes())), (Some(0), None));
}
