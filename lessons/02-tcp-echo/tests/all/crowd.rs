//! Many clients, and clients that are slow, deaf or rude: none of them may cost the others
//! anything, nor the server its memory. With a thread for each client, and with one for all.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed step is a failed test

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::Command;
use std::thread;
use std::time::Duration;

use netlab::program::{Server, uninterrupted};
#[cfg(unix)]
use netlab::program::{poll, signal};
use rstest::rstest;

const LIMIT: Duration = Duration::from_secs(20);
/// No client takes the server beyond this, whatever it sends and does not read.
const MOST_MEMORY: u64 = 32 * 1024 * 1024;

/// Both models of the server, as words of its command line.
const THREADS: &[&str] = &[];
const EVENTS: &[&str] = &["--events"];

fn server(model: &[&str], args: &[&str]) -> Server {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lesson-02"));
    command.args(["server", "--addr", "127.0.0.1:0"]).args(model).args(args);
    Server::start(&mut command, LIMIT).unwrap()
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.set_write_timeout(Some(LIMIT)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Says `message` and waits for its echo.
fn round_trip(mut stream: &TcpStream, message: &[u8]) {
    stream.write_all(message).unwrap();
    let mut echo = vec![0; message.len()];
    stream.read_exact(&mut echo).unwrap();
    assert_eq!(echo, message);
}

#[cfg(unix)]
fn is_echoed(mut stream: &TcpStream) -> bool {
    let mut echo = [0; 5];
    stream.write_all(b"hello").is_ok() && stream.read_exact(&mut echo).is_ok() && &echo == b"hello"
}

/// Sends copies of `piece` until no more is taken, and returns how many bytes were.
fn send_without_reading(mut stream: &TcpStream, piece: &[u8]) -> usize {
    // Short, as it passes once with nothing moving before we know; that is what is waited for.
    stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let mut sent = 0;
    loop {
        assert!(sent < (256 << 20), "the server takes all, though nobody takes its answers");
        match uninterrupted(|| stream.write(&piece[sent % piece.len()..])) {
            Ok(taken) => sent += taken,
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
                return sent;
            }
        }
    }
}

fn assert_modest(server: &Server) {
    if let Some(peak) = server.peak_memory() {
        assert!(peak < MOST_MEMORY, "the server has held {peak} bytes");
    }
}

#[rstest]
fn who_listens_late_gets_every_byte_after_a_half_close_and_the_servers_memory_stays_small(
    #[values(THREADS, EVENTS)] model: &[&str],
) {
    let server = server(model, &[]);
    let mut deaf = connect(server.address());
    // A prime length: a piece that is lost or doubled shows.
    let piece: Vec<u8> = (0..65_521_u32).map(|place| place.to_le_bytes()[0]).collect();
    let sent = send_without_reading(&deaf, &piece);
    round_trip(&connect(server.address()), b"others are served");
    assert_modest(&server);

    deaf.shutdown(Shutdown::Write).unwrap();
    let mut echo = Vec::new();
    deaf.read_to_end(&mut echo).unwrap();
    assert_eq!(echo.len(), sent);
    assert!(echo.iter().eq(piece.iter().cycle().take(sent)));
    assert!(server.says("is done", LIMIT));
}

/// More than fits into one turn, and nothing new comes that would report it again.
#[cfg(unix)]
#[rstest]
fn all_that_came_while_the_server_was_suspended_is_echoed(
    #[values(THREADS, EVENTS)] model: &[&str],
) {
    let server = server(model, &[]);
    let mut client = connect(server.address());
    round_trip(&client, b"hello");
    signal("-STOP", server.id()).unwrap();
    let sent = send_without_reading(&client, &vec![b'x'; 65536]);
    client.shutdown(Shutdown::Write).unwrap();
    signal("-CONT", server.id()).unwrap();
    let mut echo = Vec::new();
    client.read_to_end(&mut echo).unwrap();
    assert_eq!(echo.len(), sent);
}

#[rstest]
fn short_lines_with_long_replies_do_not_fill_the_memory(#[values(THREADS, EVENTS)] model: &[&str]) {
    let text = "x".repeat(2000);
    let server = server(model, &["--reply", &text]);
    let mut deaf = connect(server.address());
    let lines = send_without_reading(&deaf, &vec![b'\n'; 50_000]);
    assert_modest(&server);

    deaf.shutdown(Shutdown::Write).unwrap();
    drop(server);
    // What is on its way still comes, and is whole lines up to its end.
    let mut replies = Vec::new();
    let _ = deaf.read_to_end(&mut replies);
    assert!(replies.len() / (text.len() + 1) < lines);
    assert!(replies.chunks_exact(text.len() + 1).all(|reply| reply.ends_with(b"x\n")));
}

#[rstest]
fn one_busy_client_does_not_starve_the_others(#[values(THREADS, EVENTS)] model: &[&str]) {
    let server = server(model, &[]);
    let busy = connect(server.address());
    let mut hearing = busy.try_clone().unwrap();
    let hears =
        thread::spawn(
            move || while matches!(uninterrupted(|| hearing.read(&mut [0; 4096])), Ok(1..)) {},
        );
    let mut saying = busy.try_clone().unwrap();
    let says = thread::spawn(move || while saying.write_all(&vec![b'x'; 65536]).is_ok() {});
    let modest = connect(server.address());
    for number in 0..200_u32 {
        round_trip(&modest, &number.to_be_bytes());
    }
    busy.shutdown(Shutdown::Both).unwrap();
    says.join().unwrap();
    hears.join().unwrap();
}

#[rstest]
fn bytes_that_come_one_by_one_go_back_one_by_one(#[values(THREADS, EVENTS)] model: &[&str]) {
    let server = server(model, &[]);
    let mut slow = connect(server.address());
    for byte in "Schritt für Schritt, 一步一步\n".bytes() {
        round_trip(&slow, &[byte]);
    }
    slow.shutdown(Shutdown::Write).unwrap();
    assert_eq!(uninterrupted(|| slow.read(&mut [0])).unwrap(), 0);
}

#[rstest]
fn a_line_of_the_limit_passes_and_one_byte_more_is_refused(
    #[values(THREADS, EVENTS)] model: &[&str],
) {
    let server = server(model, &["--reply", "x"]);
    let mut stream = connect(server.address());
    let mut line = vec![b'a'; 64 * 1024];
    line.push(b'\n');
    stream.write_all(&line).unwrap();
    let mut reply = [0; 2];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"x\n");
    line.insert(0, b'a');
    // The server may refuse before the last of these bytes has been taken.
    let _ = stream.write_all(&line);
    assert!(server.says("a line goes on past the limit of 65536 bytes", LIMIT));
}

#[rstest]
fn thousands_are_served_at_once(#[values(THREADS, EVENTS)] model: &[&str]) {
    let server = server(model, &[]);
    let clients: Vec<TcpStream> =
        (0..affordable_clients()).map(|_| connect(server.address())).collect();
    for (number, client) in clients.iter().enumerate() {
        round_trip(client, &number.to_be_bytes());
    }
    // All of them speak before any of them listens.
    for (number, mut client) in clients.iter().enumerate() {
        client.write_all(&number.to_le_bytes()).unwrap();
    }
    for (number, mut client) in clients.iter().enumerate().rev() {
        let mut echo = [0; size_of::<usize>()];
        client.read_exact(&mut echo).unwrap();
        assert_eq!(echo, number.to_le_bytes());
    }
    if let (EVENTS, Some(threads)) = (model, server.threads()) {
        // The second one waits for Ctrl-C.
        assert!(threads <= 2, "{threads} threads");
    }
}

/// 2,000, or what the limit of open files allows: the threaded server needs two for each client,
/// and other tests of this process run at the same time.
fn affordable_clients() -> usize {
    let limit = Command::new("sh").args(["-c", "ulimit -n"]).output().ok();
    let limit = limit.and_then(|output| String::from_utf8(output.stdout).ok()?.trim().parse().ok());
    limit.map_or(2000, |limit: usize| (limit / 5).min(2000))
}

#[rstest]
fn a_reset_with_answers_on_their_way_ends_only_that_client(
    #[values(THREADS, EVENTS)] model: &[&str],
) {
    let server = server(model, &[]);
    let other = connect(server.address());
    let rude = connect(server.address());
    send_without_reading(&rude, &vec![b'x'; 65536]);
    // Closing with unread bytes makes the system send a reset.
    let gone = rude.local_addr().unwrap();
    drop(rude);
    assert!(server.says(&format!("{gone} is gone: "), LIMIT), "{}", server.stderr());
    round_trip(&other, b"still here?");
}

#[rstest]
fn ctrl_c_tells_every_client(#[values(THREADS, EVENTS)] model: &[&str]) {
    let mut server = server(model, &[]);
    let clients: Vec<TcpStream> = (0..100).map(|_| connect(server.address())).collect();
    for client in &clients {
        round_trip(client, b"hello");
    }
    let deaf = connect(server.address());
    send_without_reading(&deaf, &vec![b'x'; 65536]);
    let status = server.interrupt(LIMIT).expect("it ends although clients are connected");
    if netlab::program::CAN_INTERRUPT {
        assert_eq!(status.code(), Some(0));
        for mut client in clients {
            assert_eq!(
                uninterrupted(|| client.read(&mut [0])).unwrap(),
                0,
                "the server has closed"
            );
        }
    }
}

/// The descriptors run out: clients that are in are served, and one that waits outside is let in
/// when others go.
#[cfg(unix)]
#[rstest]
fn out_of_descriptors_the_server_goes_on_and_does_not_spin(
    #[values(THREADS, EVENTS)] model: &[&str],
) {
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -n 40; exec \"$0\" server --addr 127.0.0.1:0 \"$@\""])
        .arg(env!("CARGO_BIN_EXE_lesson-02"))
        .args(model);
    let begin = std::time::Instant::now();
    let server = Server::start(&mut command, LIMIT).unwrap();
    let mut clients: Vec<TcpStream> = (0..60).map(|_| connect(server.address())).collect();
    assert!(server.says("cannot accept a connection just now: ", LIMIT));
    round_trip(&clients[0], b"served");
    let waiting = clients.pop().unwrap();
    drop(clients);
    round_trip(&waiting, b"served at last");
    let is_served = || is_echoed(&connect(server.address())).then_some(());
    assert!(poll(LIMIT, is_served).is_some(), "nobody is served any more");
    let tries = server.stderr().matches("cannot accept").count();
    let at_most = begin.elapsed().as_millis() / 50 + 1;
    assert!(tries as u128 <= at_most, "{tries} tries in a time for {at_most}");
}
