//! The lesson's program against itself, and against clients and servers that misbehave. What the
//! server does, it does with a thread for each client and with one thread for all.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed step is a failed test

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use assert_cmd::cargo::cargo_bin_cmd;
use netlab::conditions::{Conditions, Path, StreamFaults};
use netlab::hostile;
use netlab::port::free_address;
use netlab::program::{Server, poll, uninterrupted};
use netlab::record::Transport;
use netlab::relay::Relay;
use netlab::shape::Shape;
use rstest::rstest;

use Model::{Events, Threads};

const LIMIT: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug)]
enum Model {
    /// A thread for each client.
    Threads,
    /// One thread for all: `--events`.
    Events,
}

impl Model {
    fn args(self) -> &'static [&'static str] {
        match self {
            Threads => &[],
            Events => &["--events"],
        }
    }
}

fn lesson() -> assert_cmd::Command {
    let mut command = cargo_bin_cmd!("lesson-02");
    command.timeout(2 * LIMIT);
    command
}

fn server(model: Model, args: &[&str]) -> Server {
    start("127.0.0.1:0", model, args)
}

fn start(addr: &str, model: Model, args: &[&str]) -> Server {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lesson-02"));
    command.args(["server", "--addr", addr]).args(model.args()).args(args);
    Server::start(&mut command, LIMIT).unwrap()
}

fn connect(server: &Server) -> TcpStream {
    connect_to(server.address())
}

fn connect_to(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.set_write_timeout(Some(LIMIT)).unwrap();
    stream
}

/// Says `message`, half-closes, and returns all that comes back.
fn exchange(server: &Server, message: &[u8]) -> Vec<u8> {
    exchange_with(server.address(), message)
}

fn exchange_with(address: SocketAddr, message: &[u8]) -> Vec<u8> {
    try_exchange(address, message).unwrap()
}

fn try_exchange(address: SocketAddr, message: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = connect_to(address);
    stream.write_all(message)?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

#[test]
fn the_demo_repeats_the_tutorials_exchange() {
    let output = lesson().args(["--addr", "127.0.0.1:0"]).assert().success().get_output().clone();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("[server] listening on 127.0.0.1:"), "{text}");
    assert!(text.contains(" says: hello\n"), "{text}");
    assert!(text.contains("[client] 你好\n"), "{text}");
    assert!(
        text.lines().all(|l| l.starts_with("[server] ") || l.starts_with("[client] ")),
        "{text}"
    );
}

#[test]
fn the_demo_succeeds_twice_in_a_row_on_one_port() {
    let addr = free_address(Transport::Tcp).to_string();
    for run in 1..=2 {
        let output = lesson().args(["--addr", &addr]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "run {run} of 2: {said}");
    }
}

#[rstest]
#[case::nothing(b"")]
#[case::nul_and_invalid_utf8(b"\0\xff\xfe\r\n\0")]
#[case::chinese("你好".as_bytes())]
fn any_bytes_are_echoed(#[case] message: &[u8], #[values(Threads, Events)] model: Model) {
    assert_eq!(exchange(&server(model, &[]), message), message);
}

#[rstest]
fn a_message_larger_than_all_buffers_is_echoed_to_a_client_that_talks_and_listens(
    #[values(Threads, Events)] model: Model,
) {
    let server = server(model, &[]);
    let text = "0123456789abcde\n".repeat(512 * 1024);
    let assert = lesson()
        .args(["client", "--addr", &server.address().to_string()])
        .write_stdin(text.as_str())
        .assert()
        .success();
    assert!(assert.get_output().stdout == text.as_bytes());
}

#[rstest]
fn each_line_gets_the_reply_whatever_the_segments(#[values(Threads, Events)] model: Model) {
    let server = server(model, &["--reply", "你好"]);
    let mut stream = connect(&server);
    stream.set_nodelay(true).unwrap();
    for byte in b"one\ntwo\nthree" {
        stream.write_all(&[*byte]).unwrap();
    }
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "你好\n你好\n你好\n");
}

#[rstest]
fn with_each_read_a_word_needs_no_line_feed(#[values(Threads, Events)] model: Model) {
    let server = server(model, &["--reply", "你好", "--each-read"]);
    let mut stream = connect(&server);
    for letter in b"hello" {
        stream.write_all(&[*letter]).unwrap();
        let mut answer = [0; "你好\n".len()];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(answer, *"你好\n".as_bytes());
    }
    stream.shutdown(Shutdown::Write).unwrap();
    let end = uninterrupted(|| stream.read(&mut [0]));
    assert_eq!(end.unwrap(), 0, "a half-close is no message");
    assert!(server.says("is done", LIMIT), "{}", server.stderr());
    let said = server.stderr();
    assert_eq!(said.matches(" says: ").count(), 5, "{said}");
}

/// How fast a network carries one byte at a time, in bits a second: each is tried until the server has read
/// byte by byte. On a machine that is busy or stands still, it may read several at once in between.
const RATES: [u64; 16] = [400, 400, 400, 400, 80, 80, 80, 80, 80, 80, 40, 40, 40, 40, 40, 40];

#[rstest]
fn with_each_read_a_word_in_five_slices_gets_five_answers(#[values(Threads, Events)] model: Model) {
    let server = server(model, &["--reply", "你好", "--each-read"]);
    for rate in RATES {
        let shape = Shape { rate: Some(rate), ..Shape::default() };
        let stream = StreamFaults { slice: Some(1), ..StreamFaults::default() };
        let to_server = Path { shape, stream, ..Path::default() };
        let network = Conditions { to_server, ..Conditions::default() };
        let relay = Relay::start(Transport::Tcp, server.address(), network, None).unwrap();
        let answers = exchange_with(relay.address(), b"hello");
        if answers == "你好\n".repeat(5).as_bytes() {
            return;
        }
    }
    panic!("the server has never read byte by byte: {}", server.stderr());
}

#[rstest]
fn with_each_read_a_message_larger_than_a_read_gets_more_than_one_answer(
    #[values(Threads, Events)] model: Model,
) {
    let server = server(model, &["--reply", "x", "--each-read"]);
    let answers = exchange(&server, &[b'a'; 1025]);
    assert!(answers.len() >= 2 * "x\n".len(), "{answers:?}");
    assert!(answers.chunks(2).all(|answer| answer == b"x\n"), "{answers:?}");
}

#[rstest]
fn a_line_without_end_is_cut_off_instead_of_filling_the_memory(
    #[values(Threads, Events)] model: Model,
) {
    let server = server(model, &["--reply", "x"]);
    let mut stream = connect(&server);
    // The server stops reading at its limit, so the last of these writes may already fail.
    let _ = stream.write_all(&vec![b'a'; 200_000]);
    assert!(server.says("a line goes on past the limit of 65536 bytes", LIMIT));
}

#[test]
fn the_client_says_each_message_as_a_line() {
    let server = server(Threads, &[]);
    lesson()
        .args(["client", "--addr", &server.address().to_string(), "hello", "你好"])
        .assert()
        .success()
        .stdout("hello\n你好\n");
}

#[test]
fn the_client_prints_what_comes_while_the_person_is_still_typing() {
    let server = server(Threads, &[]);
    let mut client = Command::new(env!("CARGO_BIN_EXE_lesson-02"))
        .args(["client", "--addr", &server.address().to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut typing, mut screen) = (client.stdin.take().unwrap(), client.stdout.take().unwrap());
    let (shown, on_screen) = mpsc::channel();
    thread::spawn(move || {
        let mut seen = [0; 6];
        shown.send(screen.read_exact(&mut seen).map(|()| seen))
    });
    typing.write_all(b"first\n").unwrap();
    // The input is still open: what is on the screen now has come before its end.
    let seen = on_screen.recv_timeout(LIMIT).unwrap().unwrap();
    drop(typing);
    assert!(client.wait().unwrap().success());
    assert_eq!(&seen, b"first\n");
}

#[test]
fn no_server_is_one_clear_line_and_code_1() {
    let addr = free_address(Transport::Tcp).to_string();
    let expected = format!(
        "cannot connect to {addr}: connection refused; no program listens there: start the server \
         first, or check --addr\n"
    );
    lesson().args(["client", "--addr", &addr, "hello"]).assert().code(1).stderr(expected);
}

#[test]
fn a_port_in_use_is_one_clear_line_and_code_1() {
    let taken = server(Threads, &[]);
    let addr = taken.address().to_string();
    let expected = format!(
        "cannot listen on {addr}: address already in use; another program has it: try --addr \
         127.0.0.1:0 (cargo xtask doctor tells more)\n"
    );
    lesson().args(["server", "--addr", &addr]).assert().code(1).stderr(expected.clone());
    lesson().args(["--addr", &addr]).assert().code(1).stderr(expected);
}

#[rstest]
#[case::bad_port(&["server", "--addr", "127.0.0.1:99999"], "a port is at most 65535")]
#[case::no_port(&["client", "--addr", "127.0.0.1", "hi"], "no port; write HOST:PORT")]
#[case::port_0(&["client", "--addr", "127.0.0.1:0", "hi"], "port 0 is no port to connect to")]
#[case::unknown_flag(&["server", "--loud"], "--loud")]
#[case::a_typo_in_a_role(&["sever"], "a similar subcommand exists: 'server'")]
#[case::a_typo_in_a_flag(&["server", "--adr", "127.0.0.1:0"], "exists: '--addr'")]
#[case::each_read_of_an_echo(&["server", "--each-read"], "--reply <TEXT>")]
#[case::zero_idle(&["server", "--idle", "0"], "more than zero seconds")]
fn wrong_arguments_are_code_2(#[case] args: &[&str], #[case] reason: &str) {
    let output = lesson().args(args).assert().code(2).get_output().clone();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(reason), "{said}");
}

#[rstest]
fn two_hundred_clients_are_served_at_once(#[values(Threads, Events)] model: Model) {
    let server = server(model, &[]);
    let mut clients: Vec<TcpStream> = (0..200).map(|_| connect(&server)).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.write_all(format!("{number:03}").as_bytes()).unwrap();
    }
    // All are open at this point: the last is answered before the first has closed.
    for (number, client) in clients.iter_mut().enumerate().rev() {
        let mut echo = [0; 3];
        client.read_exact(&mut echo).unwrap();
        assert_eq!(echo, *format!("{number:03}").as_bytes());
    }
}

#[rstest]
fn a_client_that_falls_silent_is_let_go(#[values(Threads, Events)] model: Model) {
    let server = server(model, &["--idle", "0.2"]);
    let mut silent = connect(&server);
    assert_eq!(uninterrupted(|| silent.read(&mut [0])).unwrap(), 0, "the server closes");
    assert!(server.says("is gone: timed out", LIMIT));
}

#[rstest]
fn a_client_that_never_reads_is_let_go_and_others_are_served_meanwhile(
    #[values(Threads, Events)] model: Model,
) {
    let server = server(model, &["--idle", "0.5"]);
    let mut deaf = connect(&server);
    // Fills every buffer on the way until the server, which cannot send, stops reading.
    let piece = vec![b'x'; 64 * 1024];
    while deaf.write_all(&piece).is_ok() {}
    // A client that is held up before it speaks is dropped, too; then another one comes.
    let is_served = || {
        let answer = try_exchange(server.address(), b"still here?").ok()?;
        (answer == b"still here?").then_some(())
    };
    assert!(poll(LIMIT, is_served).is_some(), "{}", server.stderr());
}

#[rstest]
fn a_client_that_resets_ends_only_itself(#[values(Threads, Events)] model: Model) {
    let server = server(model, &[]);
    let rude = connect(&server);
    // Closing with unread bytes makes the system send a reset instead of a close.
    (&rude).write_all(b"unread").unwrap();
    uninterrupted(|| rude.peek(&mut [0])).unwrap();
    drop(rude);
    assert!(server.says("is gone: connection reset", LIMIT), "{}", server.stderr());
    assert_eq!(exchange(&server, b"still here?"), b"still here?");
}

/// What Ctrl-Z and `fg` do: on Linux, a call that waits with a time limit then returns early.
#[cfg(unix)]
#[rstest]
fn a_conversation_survives_that_the_server_is_suspended_and_resumed(
    #[values(Threads, Events)] model: Model,
) {
    let server = server(model, &[]);
    let mut client = connect(&server);
    client.write_all(b"before").unwrap();
    client.read_exact(&mut [0; 6]).unwrap();
    for name in ["-STOP", "-CONT"] {
        netlab::program::signal(name, server.id()).unwrap();
    }
    client.write_all(b"after!").unwrap();
    let mut echo = [0; 6];
    client.read_exact(&mut echo).unwrap();
    assert_eq!(&echo, b"after!");
}

#[rstest]
fn what_a_client_says_cannot_play_with_the_servers_terminal(
    #[values(Threads, Events)] model: Model,
) {
    let server = server(model, &["--reply", "x"]);
    exchange(&server, &[hostile::TEXT.as_bytes(), b"\xff\n"].concat());
    assert!(server.says(" is done", LIMIT), "{}", server.stderr());
    assert!(server.stderr().contains("says: 你好 \\u{1b}[2J"), "{}", server.stderr());
    assert_eq!(hostile::complaint(server.stderr().as_bytes()), None);
}

#[test]
fn what_a_server_says_cannot_play_with_the_clients_terminal() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let answer = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
        stream.write_all(&[hostile::TEXT.as_bytes(), b"\xff\r\n\tnul \0"].concat()).unwrap();
    });
    let client = lesson().args(["client", "--addr", &addr, "hello"]).assert().success();
    answer.join().unwrap();
    let output = client.get_output();
    assert_eq!(hostile::complaint(&output.stdout), None);
    assert!(output.stdout.ends_with(b"\\xff\r\n\tnul \\u{0}"), "{}", output.stdout.escape_ascii());
}

#[rstest]
fn ctrl_c_ends_the_server_and_its_port_is_free_at_once(#[values(Threads, Events)] model: Model) {
    let addr = free_address(Transport::Tcp).to_string();
    let mut first = start(&addr, model, &[]);
    let mut open = connect(&first);
    open.write_all(b"x").unwrap();
    open.read_exact(&mut [0]).unwrap();
    let status = first.interrupt(LIMIT).expect("it ends although a client is connected");
    assert_eq!(status.code(), Some(0));
    assert_eq!(exchange(&start(&addr, model, &[]), b"again"), b"again");
}

#[rstest]
fn a_server_prints_exactly_one_line_on_standard_output(#[values(Threads, Events)] model: Model) {
    let mut server = server(model, &["--reply", "x"]);
    exchange(&server, b"hello\n");
    let expected = format!("listening on {}\n", server.address());
    server.interrupt(LIMIT).unwrap();
    assert_eq!(server.stdout(), expected);
}

#[test]
fn a_server_that_hangs_up_early_is_reported() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let hang_up = thread::spawn(move || drop(listener.accept().unwrap()));
    // Standard input stays open: the person has not finished.
    let mut client = Command::new(env!("CARGO_BIN_EXE_lesson-02"))
        .args(["client", "--addr", &addr])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let typing = client.stdin.take();
    let output = client.wait_with_output().unwrap();
    drop(typing);
    hang_up.join().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("the server closed the connection before everything was said"), "{said}");
}
