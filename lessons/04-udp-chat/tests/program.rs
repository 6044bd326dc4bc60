//! The program from outside: against itself, against sockets of the test, through a relay.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests end at the first thing that is wrong

use std::net::{SocketAddr, UdpSocket};
use std::process::Command;
use std::time::{Duration, Instant};

use netlab::conditions::Conditions;
use netlab::faults::{Direction, Fate};
use netlab::hostile;
use netlab::peers::Peer;
use netlab::port::free_address;
use netlab::program::{Server, poll, uninterrupted};
use netlab::record::Transport;
use netlab::relay::Relay;
use rstest::rstest;

const PROGRAM: &str = env!("CARGO_BIN_EXE_lesson-04");
/// Nothing here takes that long but on a machine that is very busy.
const LIMIT: Duration = Duration::from_secs(20);
const LARGEST: usize = 65_507;

fn serve_on(addr: &str, arguments: &[&str]) -> Server {
    let mut command = Command::new(PROGRAM);
    command.args(["server", "--addr", addr]).args(arguments);
    Server::start(&mut command, LIMIT).unwrap()
}

fn serve(arguments: &[&str]) -> Server {
    serve_on("127.0.0.1:0", arguments)
}

fn client(server: SocketAddr) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(PROGRAM);
    command.args(["client", "--addr", &server.to_string()]).timeout(LIMIT);
    command
}

/// A socket of the test that talks with `server`.
fn socket_to(server: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind((server.ip(), 0)).unwrap();
    socket.connect(server).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    socket
}

/// A socket of the test in place of a server.
fn silent_server() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

fn hear(socket: &UdpSocket) -> Vec<u8> {
    let mut buffer = vec![0; LARGEST + 1];
    let length = uninterrupted(|| socket.recv(&mut buffer)).expect("an answer");
    buffer.truncate(length);
    buffer
}

fn ask(socket: &UdpSocket, message: &[u8]) -> Vec<u8> {
    socket.send(message).unwrap();
    hear(socket)
}

fn ask_text(socket: &UdpSocket, message: &str) -> String {
    String::from_utf8(ask(socket, message.as_bytes())).unwrap()
}

/// How many datagrams wait to be received.
fn count_waiting(socket: &UdpSocket) -> usize {
    socket.set_nonblocking(true).unwrap();
    std::iter::from_fn(|| uninterrupted(|| socket.recv(&mut [0; 16])).ok()).count()
}

// The demo

#[test]
fn the_demo_repeats_the_conversation_with_labels() {
    let mut demo = assert_cmd::Command::new(PROGRAM);
    let output = demo.args(["--addr", "127.0.0.1:0"]).timeout(LIMIT).assert().success();
    let stdout = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    let lines: Vec<&str> = stdout.lines().collect();
    let [listening, says, answer] = lines[..] else { panic!("not three lines:\n{stdout}") };
    assert!(listening.starts_with("[server] listening on 127.0.0.1:"), "{listening}");
    assert!(says.starts_with("[server] 127.0.0.1:") && says.ends_with(" says: hello"), "{says}");
    assert_eq!(answer, "[client] 你好");
}

#[test]
fn the_demo_works_twice_in_a_row_on_one_port() {
    let addr = free_address(Transport::Udp).to_string();
    for _ in 0..2 {
        assert_cmd::Command::new(PROGRAM).args(["--addr", &addr]).timeout(LIMIT).assert().success();
    }
}

// The server

#[rstest]
#[case::empty(0)]
#[case::one_byte(1)]
#[case::larger_than_the_tutorials_buffer(1025)]
#[case::largest(LARGEST)]
fn a_datagram_of_any_size_is_echoed_whole(#[case] length: usize) {
    let server = serve(&[]);
    let message: Vec<u8> = (0..=250).cycle().take(length).collect();
    assert_eq!(ask(&socket_to(server.address()), &message), message);
}

#[test]
fn over_ipv6_it_is_the_same() {
    let server = serve_on("[::1]:0", &[]);
    assert_eq!(ask_text(&socket_to(server.address()), "hello"), "hello");
    client(server.address()).arg("hello").assert().success().stdout("hello\n");
}

#[test]
fn everybody_gets_the_answer_to_their_own_datagram() {
    let server = serve(&[]);
    let sockets: Vec<_> = (0..20).map(|_| socket_to(server.address())).collect();
    for (number, socket) in (0_u8..).zip(&sockets) {
        socket.send(&[number]).unwrap();
    }
    for (number, socket) in (0_u8..).zip(&sockets) {
        assert_eq!(hear(socket), [number]);
    }
}

#[test]
fn a_reply_is_the_same_whatever_came() {
    let server = serve(&["--reply", "你好"]);
    let socket = socket_to(server.address());
    assert_eq!(ask_text(&socket, "hello"), "你好");
    assert_eq!(ask_text(&socket, ""), "你好");
}

#[test]
fn a_reply_that_would_serve_an_attacker_is_refused() {
    let mut command = assert_cmd::Command::new(PROGRAM);
    command.args(["server", "--addr", "127.0.0.1:0", "--reply", &"x".repeat(513)]);
    let error = command.timeout(LIMIT).assert().code(2).get_output().stderr.clone();
    let error = String::from_utf8(error).unwrap();
    assert!(error.contains("a reply has at most 512 bytes, not 513"), "{error}");
}

#[test]
fn peers_that_are_gone_before_their_answer_comes_do_not_stop_the_server() {
    let mut server = serve(&[]);
    for _ in 0..20 {
        // The answers come when this socket is gone: they are for nobody else.
        let leaving = UdpSocket::bind(free_address(Transport::Udp)).unwrap();
        leaving.connect(server.address()).unwrap();
        for _ in 0..10 {
            leaving.send(b"bye").unwrap();
        }
    }
    assert_eq!(ask_text(&socket_to(server.address()), "hello"), "hello");
    assert!(server.ended().is_none());
}

#[test]
fn ctrl_c_ends_the_server_and_its_port_is_free_at_once() {
    let address = free_address(Transport::Udp);
    let mut server = serve_on(&address.to_string(), &[]);
    assert_eq!(ask_text(&socket_to(address), "hello"), "hello");
    let status = server.interrupt(LIMIT).expect("it ends");
    assert!(!cfg!(unix) || status.code() == Some(0), "{status}: {}", server.stderr());
    let again = serve_on(&address.to_string(), &[]);
    assert_eq!(ask_text(&socket_to(again.address()), "hello"), "hello");
}

#[test]
fn a_second_server_on_the_port_says_what_to_try() {
    let first = serve(&[]);
    let addr = first.address().to_string();
    let mut second = assert_cmd::Command::new(PROGRAM);
    second.args(["server", "--addr", &addr]).timeout(LIMIT).assert().code(1).stdout("").stderr(
        format!(
            "cannot bind to {addr}: address already in use; another program has it: \
             try --addr 127.0.0.1:0 (cargo xtask doctor tells more)\n"
        ),
    );
}

// The client

#[test]
fn each_message_is_a_datagram_and_each_answer_a_line() {
    let server = serve(&[]);
    let mut client = client(server.address());
    client.args(["hello", "", "two\nlines\n"]);
    client.assert().success().stdout("hello\n\ntwo\nlines\n").stderr("");
}

#[test]
fn lines_of_standard_input_are_said_one_by_one() {
    let server = serve(&[]);
    let mut client = client(server.address());
    client.write_stdin("hello\r\n\n你好").assert().success().stdout("hello\n\n你好\n");
}

#[test]
fn a_line_is_answered_before_the_next_one_is_typed() {
    let server = serve(&[]);
    let addr = server.address().to_string();
    let mut client = Peer::start(Command::new(PROGRAM).args(["client", "--addr", &addr]));
    for line in ["one\n", "two\n", "three\n"] {
        client.tell(line);
        assert!(client.prints(line, LIMIT), "{client:?}");
    }
    client.close_input();
    assert_eq!(client.ends(LIMIT).expect("it ends").code(), Some(0));
    assert_eq!(client.stdout(), "one\ntwo\nthree\n");
}

#[test]
fn the_largest_message_is_said_and_one_byte_more_is_refused() {
    let server = serve(&[]);
    let largest = "x".repeat(LARGEST);
    let mut fits = client(server.address());
    fits.write_stdin(largest.clone()).assert().success().stdout(largest + "\n");
    let mut too_large = client(server.address());
    too_large
        .write_stdin("x".repeat(LARGEST + 1))
        .assert()
        .code(2)
        .stdout("")
        .stderr("a UDP datagram over IPv4 carries at most 65,507 bytes; this message has 65,508\n");
}

#[test]
#[cfg(unix)] // Windows has no command lines of that length
fn a_message_that_is_too_large_is_refused_before_anything_is_sent() {
    let (server, address) = silent_server();
    let mut client = client(address);
    client
        .arg("hello")
        .arg("x".repeat(70_000))
        .assert()
        .code(2)
        .stderr("a UDP datagram over IPv4 carries at most 65,507 bytes; this message has 70,000\n");
    assert_eq!(count_waiting(&server), 0);
}

#[test]
fn nobody_connects_to_port_0() {
    let failed = client(([127, 0, 0, 1], 0).into()).arg("hello").assert().code(2);
    let said = String::from_utf8_lossy(&failed.get_output().stderr).into_owned();
    assert!(said.contains(": port 0 is no port to connect to"), "{said}");
}

#[test]
fn no_server_is_a_clear_line() {
    let address = free_address(Transport::Udp);
    client(address).arg("hello").assert().code(1).stdout("").stderr(format!(
        "cannot talk to {address}: port unreachable; its host says that no program has that port: \
         start the server first, or check --addr\n"
    ));
}

#[rstest]
#[case::none("0", 1, "1 try of 0.1 s")]
#[case::some("2", 3, "3 tries of 0.1 s each")]
fn a_silent_server_is_asked_a_bounded_number_of_times(
    #[case] retries: &str,
    #[case] tries: usize,
    #[case] said: &str,
) {
    let (server, address) = silent_server();
    let mut client = client(address);
    client.args(["hello", "--timeout", "0.1", "--retries", retries]);
    client.assert().code(1).stdout("").stderr(format!(
        "cannot talk to {address}: no answer after {said}; UDP does not tell whether the message or the \
         answer was lost, or nobody is there\n"
    ));
    assert_eq!(count_waiting(&server), tries);
}

#[rstest]
#[case::the_message(Direction::ToServer, 1)]
#[case::the_answer(Direction::ToClient, 2)]
fn what_is_lost_is_said_again(#[case] direction: Direction, #[case] heard_by_server: usize) {
    let server = serve(&[]);
    let mut conditions = Conditions::default();
    let path = match direction {
        Direction::ToServer => &mut conditions.to_server,
        Direction::ToClient => &mut conditions.to_client,
    };
    path.datagrams.exactly.insert(0, Fate::Lose);
    let relay = Relay::start(Transport::Udp, server.address(), conditions, None).unwrap();
    let mut client = client(relay.address());
    let begin = Instant::now();
    client.args(["hello", "--timeout", "0.5"]).assert().success().stdout("hello\n");
    let timeouts = begin.elapsed().as_millis() / 500;
    let counts = relay.counts();
    assert_eq!(counts.to_server.lost + counts.to_client.lost, 1);
    let again = usize::try_from(counts.to_server.pieces_out).unwrap() - heard_by_server;
    // Nothing is said a third time, unless the machine stood still until the time for that came.
    assert!(again as u128 <= timeouts.saturating_sub(1), "{counts:?} in {timeouts} timeouts");
}

#[test]
fn a_stranger_is_not_heard() {
    let (server, address) = silent_server();
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = address.to_string();
    let mut client = Command::new(PROGRAM);
    let mut client = Peer::start(client.args(["client", "--addr", &addr, "--timeout", "20", "hi"]));
    let (_, customer) = uninterrupted(|| server.recv_from(&mut [0; 16])).unwrap();
    stranger.send_to(b"lie", customer).unwrap();
    server.send_to(b"truth", customer).unwrap();
    assert_eq!(client.ends(LIMIT).expect("it ends").code(), Some(0));
    assert!(client.prints("truth\n", LIMIT));
    assert_eq!(client.stdout(), "truth\n");
}

// The room

#[test]
fn in_a_room_everybody_but_the_speaker_hears_it() {
    let server = serve(&["--room"]);
    let [ann, bob, eve] = [(); 3].map(|()| socket_to(server.address()));
    assert_eq!(ask_text(&ann, "I am Ann"), "heard by 0");
    assert_eq!(ask_text(&bob, "I am Bob"), "heard by 1");
    assert_eq!(hear(&ann), format!("{}: I am Bob", bob.local_addr().unwrap()).into_bytes());
    assert_eq!(ask_text(&eve, "你好"), "heard by 2");
    for listener in [&ann, &bob] {
        let said = String::from_utf8(hear(listener)).unwrap();
        assert_eq!(said, format!("{}: 你好", eve.local_addr().unwrap()));
    }
    let bytes = [0xff, 0x00, 0x80];
    assert_eq!(ask(&ann, &bytes), b"heard by 2");
    assert!(hear(&bob).ends_with(&bytes), "the bytes of a message are passed on as they are");
}

#[test]
fn a_client_in_a_room_hears_the_others_without_speaking_again() {
    let server = serve(&["--room"]);
    let addr = server.address().to_string();
    let mut listener = Peer::start(Command::new(PROGRAM).args(["client", "--addr", &addr]));
    listener.tell("hello\n");
    assert!(listener.prints("heard by 0\n", LIMIT), "{listener:?}");
    let speaker = socket_to(server.address());
    assert_eq!(ask_text(&speaker, "one"), "heard by 1");
    assert_eq!(ask_text(&speaker, "two"), "heard by 1");
    let said = format!("{0}: one\n{0}: two\n", speaker.local_addr().unwrap());
    assert!(listener.prints(&said, LIMIT), "{listener:?}");
    listener.close_input();
    assert_eq!(listener.ends(LIMIT).expect("it ends").code(), Some(0));
}

#[test]
fn a_member_who_is_silent_for_too_long_is_forgotten() {
    let server = serve(&["--room", "--expire", "0.5"]);
    let [silent, speaker] = [(); 2].map(|()| socket_to(server.address()));
    assert_eq!(ask_text(&silent, "hello"), "heard by 0");
    let alone = || (ask_text(&speaker, "anybody?") == "heard by 0").then_some(());
    poll(LIMIT, alone).expect("the silent member is forgotten");
}

#[test]
fn a_vanished_member_does_not_stop_the_room() {
    let server = serve(&["--room"]);
    let [leaving, staying] = [(); 2].map(|()| socket_to(server.address()));
    ask(&leaving, b"hello");
    drop(leaving);
    for _ in 0..5 {
        let receipt = ask_text(&staying, "anybody?");
        assert!(receipt.starts_with("heard by "), "{receipt}");
    }
}

#[test]
fn a_message_with_no_place_for_its_sender_is_refused_with_a_note() {
    let server = serve(&["--room"]);
    let [speaker, listener] = [(); 2].map(|()| socket_to(server.address()));
    ask(&listener, b"hello");
    let refusal = "too long to pass on with your address in front";
    assert_eq!(ask_text(&speaker, &"x".repeat(LARGEST)), refusal);
    assert_eq!(ask_text(&speaker, "short"), "heard by 1");
    assert!(hear(&listener).ends_with(b": short"), "nothing of the long one was passed on");
}

#[test]
fn a_full_room_says_so_and_goes_on() {
    let server = serve(&["--room"]);
    let members: Vec<_> = (0..64).map(|_| socket_to(server.address())).collect();
    for (number, member) in members.iter().enumerate() {
        assert_eq!(ask_text(member, ""), format!("heard by {number}"));
    }
    let newcomer = socket_to(server.address());
    assert_eq!(ask_text(&newcomer, "hello"), "the room is full (64 members)");
    let last = &members[63];
    assert_eq!(ask_text(last, "hello"), "heard by 63");
}

// Peers that play with terminals

#[rstest]
#[case::a_reply(&["--reply", "x"])]
#[case::a_room(&["--room"])]
fn what_a_client_says_cannot_play_with_the_servers_terminal(#[case] arguments: &[&str]) {
    let server = serve(arguments);
    let message = [hostile::TEXT.as_bytes(), b"\xff\nend"].concat();
    ask(&socket_to(server.address()), &message);
    assert!(server.says("\\nend\n", LIMIT), "{}", server.stderr());
    assert_eq!(hostile::complaint(server.stderr().as_bytes()), None);
}

#[test]
fn what_a_server_says_cannot_play_with_the_clients_terminal() {
    let (socket, address) = silent_server();
    let answer = std::thread::spawn(move || {
        let (_, client) = uninterrupted(|| socket.recv_from(&mut [0; 64])).unwrap();
        let answer = [hostile::TEXT.as_bytes(), b" nul \0\xff"].concat();
        socket.send_to(&answer, client).unwrap();
    });
    let client = client(address).arg("hello").assert().success();
    answer.join().unwrap();
    let stdout = &client.get_output().stdout;
    assert_eq!(hostile::complaint(stdout), None);
    assert!(stdout.ends_with(b" nul \\u{0}\\xff\n"), "{}", stdout.escape_ascii());
}

#[rstest]
#[case::an_echo(&[])]
#[case::a_reply(&["--reply", "x"])]
#[case::a_room(&["--room"])]
fn a_flood_does_not_fill_the_log(#[case] arguments: &[&str]) {
    let server = serve(arguments);
    let socket = socket_to(server.address());
    // Long ones, and one at a time, so that the server takes each of them.
    for _ in 0..2_000 {
        ask(&socket, &[b'x'; 5_000]);
    }
    let counted = "(more lines like this are counted, not shown)\n";
    assert!(server.says(counted, LIMIT), "{}", server.stderr());
    let said = server.stderr();
    // A line a second at most follows the first hundred, however slow this machine is.
    assert!(said.lines().count() < 1_000, "{} lines", said.lines().count());
    assert!(said.lines().all(|line| line.len() < 3_000), "a line for each is not too long either");
}
