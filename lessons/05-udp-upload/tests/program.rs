//! The lesson's program against itself, through a network that loses, repeats and swaps.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed step is a failed test

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin_cmd;
use netlab::conditions::{Conditions, Path as Way};
use netlab::faults::{DatagramFaults, Direction, Fate};
use netlab::hostile;
use netlab::port::free_address;
use netlab::program::{Server, poll, uninterrupted};
use netlab::record::Transport;
use netlab::relay::Relay;
use rstest::rstest;

const LIMIT: Duration = Duration::from_secs(30);

fn lesson() -> assert_cmd::Command {
    let mut command = cargo_bin_cmd!("lesson-05");
    command.timeout(2 * LIMIT);
    command
}

/// A server, its inbox, and a folder for files to send.
struct Scene {
    server: Server,
    folder: tempfile::TempDir,
}

impl Scene {
    fn new(args: &[&str]) -> Self {
        Self::at("127.0.0.1:0", args)
    }

    fn at(addr: &str, args: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("inbox")).unwrap();
        let server = start(addr, &folder.path().join("inbox"), args);
        Self { server, folder }
    }

    fn inbox(&self) -> PathBuf {
        self.folder.path().join("inbox")
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Sends a file to `addr` (the server, or a relay before it).
    fn send(addr: SocketAddr, file: &Path, args: &[&str]) -> assert_cmd::assert::Assert {
        lesson().args(["client", "--addr", &addr.to_string()]).arg(file).args(args).assert()
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.inbox())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn relay(&self, conditions: Conditions) -> Relay {
        Relay::start(Transport::Udp, self.server.address(), conditions, None).unwrap()
    }
}

fn start(addr: &str, inbox: &Path, args: &[&str]) -> Server {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lesson-05"));
    command.args(["server", "--addr", addr, "--dir"]).arg(inbox).args(args);
    Server::start(&mut command, LIMIT).unwrap()
}

/// Bytes that look random and are the same every time.
fn content(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

fn exactly(fates: &[(Direction, u64, Fate)]) -> Conditions {
    let mut conditions = Conditions::default();
    for (direction, index, fate) in fates {
        let way = match direction {
            Direction::ToServer => &mut conditions.to_server,
            Direction::ToClient => &mut conditions.to_client,
        };
        way.datagrams.exactly.insert(*index, *fate);
    }
    conditions
}

/// The kind of the packet that ends an upload, in its third byte: see packet.rs.
const CLOSE: u8 = 3;

/// A packet, by hand: see packet.rs for the layout.
fn packet(kind: u8, token: &[u8], payload: &[u8]) -> Vec<u8> {
    [b"NU", &[kind, 0][..], b"abcd", token, &[0; 8], payload].concat()
}

/// An `open` of 1,000 bytes in blocks of 1,200, named a.bin.
fn open(token: &[u8]) -> Vec<u8> {
    packet(1, token, b"\0\0\0\0\0\0\x03\xe8\0\0\x04\xb0a.bin")
}

/// Opens an upload from a socket of ours, and returns its token.
fn open_by_hand(socket: &UdpSocket, server: SocketAddr) -> Vec<u8> {
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    let mut answer = [0; 200];
    socket.send_to(&open(&[0; 8]), server).unwrap();
    assert_eq!(
        (uninterrupted(|| socket.recv(&mut answer)).unwrap(), answer[2]),
        (24, 7),
        "a token"
    );
    let token = answer[8..16].to_vec();
    socket.send_to(&open(&token), server).unwrap();
    assert_eq!((uninterrupted(|| socket.recv(&mut answer)).unwrap(), answer[2]), (28, 4), "an ack");
    token
}

#[test]
fn the_demo_shows_the_keyword_work_and_break_and_what_works_instead() {
    let output = lesson().args(["--addr", "127.0.0.1:0"]).assert().success().get_output().clone();
    let text = String::from_utf8(output.stdout).unwrap();
    let verdicts: Vec<_> = text.lines().filter(|line| line.starts_with("sent ")).collect();
    let broken: Vec<_> = verdicts.iter().map(|verdict| verdict.contains("NOT")).collect();
    assert_eq!(broken, [false, true, true, false, false, false], "{text}");
    assert!(text.contains("[server] datagram 7 is lost"), "{text}");
}

#[test]
fn the_demo_succeeds_twice_in_a_row_on_one_port() {
    let addr = free_address(Transport::Udp).to_string();
    for run in 1..=2 {
        let output = lesson().args(["--addr", &addr]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "run {run} of 2: {said}");
    }
}

#[rstest]
#[case::empty(0)]
#[case::one_byte(1)]
#[case::one_packet(1200)]
#[case::one_byte_more(1201)]
#[case::many(300_000)]
fn a_file_of_any_length_arrives_exactly(#[case] length: usize) {
    let scene = Scene::new(&[]);
    let file = scene.file("a.bin", &content(length));
    Scene::send(scene.server.address(), &file, &[]).success();
    assert!(fs::read(scene.inbox().join("a.bin")).unwrap() == content(length));
    assert_eq!(scene.names(), ["a.bin"]);
}

#[rstest]
#[case::seed_1(1)]
#[case::seed_2(2)]
#[case::seed_3(3)]
fn a_file_arrives_exactly_through_loss_duplicates_and_reordering(#[case] seed: u64) {
    let scene = Scene::new(&[]);
    let datagrams =
        DatagramFaults { lose: 0.1, duplicate: 0.1, reorder: 0.1, ..Default::default() };
    let relay = scene.relay(Conditions::both_ways(seed, Way { datagrams, ..Way::default() }));
    let file = scene.file("a.bin", &content(60_000));
    Scene::send(relay.address(), &file, &["--timeout", "0.05"]).success();
    assert!(fs::read(scene.inbox().join("a.bin")).unwrap() == content(60_000));
    assert_eq!(scene.names(), ["a.bin"]);
    assert!(relay.counts().to_server.lost > 0);
}

#[test]
fn a_lost_last_answer_is_asked_for_again_and_stores_nothing_twice() {
    let scene = Scene::new(&[]);
    // Answers to a file of one packet: token, ack of open, ack of data, stored.
    let relay = scene.relay(exactly(&[(Direction::ToClient, 3, Fate::Lose)]));
    let file = scene.file("a.bin", b"hello");
    Scene::send(relay.address(), &file, &[]).success();
    assert_eq!(scene.names(), ["a.bin"]);
}

#[test]
fn the_client_gives_up_when_no_answer_comes_and_says_what_is_unknown() {
    let scene = Scene::new(&[]);
    let front = without_close(scene.server.address());
    let file = scene.file("a.bin", b"hello");
    let failed = Scene::send(front, &file, &["--timeout", "0.5", "--retries", "3"]);
    let expected = format!(
        "all bytes were sent, but nobody knows whether the file is stored: no answer from {front} \
         after 4 tries; is it still running?\n"
    );
    let failed = failed.code(1);
    let said = String::from_utf8_lossy(&failed.get_output().stderr).into_owned();
    assert!(said.ends_with(&expected), "{said}");
    assert_eq!(said.matches("no answer to close within").count(), 4, "{said}");
}

/// A way to the server on which everything arrives but `close`, however often anything is sent.
fn without_close(server: SocketAddr) -> SocketAddr {
    let [front, back] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
    let address = front.local_addr().unwrap();
    thread::spawn(move || -> std::io::Result<()> {
        back.connect(server)?;
        back.set_read_timeout(Some(LIMIT))?;
        let mut datagram = [0; 2048];
        loop {
            let (length, client) = uninterrupted(|| front.recv_from(&mut datagram))?;
            if datagram[2] == CLOSE {
                continue;
            }
            back.send(&datagram[..length])?;
            // The server answers each of them once.
            let length = uninterrupted(|| back.recv(&mut datagram))?;
            front.send_to(&datagram[..length], client)?;
        }
    });
    address
}

#[test]
fn a_silent_server_costs_a_bounded_number_of_tries() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    silent.set_read_timeout(Some(LIMIT)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.bin");
    fs::write(&file, b"hello").unwrap();
    let addr = silent.local_addr().unwrap().to_string();
    let args = ["client", "--addr", &addr, "--timeout", "0.02", "--retries", "3"];
    lesson().args(args).arg(&file).assert().code(1);
    silent.set_nonblocking(true).unwrap();
    let mut tries = 0;
    while uninterrupted(|| silent.recv(&mut [0; 2048])).is_ok() {
        tries += 1;
    }
    // Once, and three times in two copies.
    assert_eq!(tries, 1 + 3 * 2);
}

#[test]
fn no_server_is_one_clear_line_and_code_1() {
    let free = free_address(Transport::Udp);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.bin");
    fs::write(&file, b"hello").unwrap();
    let expected = format!(
        "cannot reach {free}: connection refused; no program listens there: start the server \
         first, or check --addr\n"
    );
    let args = ["client", "--addr", &free.to_string()];
    lesson().args(args).arg(&file).assert().code(1).stderr(expected);
}

#[test]
fn an_existing_file_is_never_overwritten_and_both_sides_say_the_new_name() {
    let scene = Scene::new(&[]);
    for (content, expected) in [("one", "a.txt"), ("two", "a-1.txt")] {
        let file = scene.file("a.txt", content.as_bytes());
        let sent = Scene::send(scene.server.address(), &file, &[]).success();
        let said = String::from_utf8_lossy(&sent.get_output().stdout).into_owned();
        assert!(said.contains(&format!("stored as {expected}: 3 bytes")), "{said}");
        assert!(scene.server.says(&format!("stored {expected}: 3 bytes"), LIMIT));
    }
    assert_eq!(fs::read(scene.inbox().join("a.txt")).unwrap(), b"one");
    assert_eq!(fs::read(scene.inbox().join("a-1.txt")).unwrap(), b"two");
}

#[test]
fn a_name_that_leads_elsewhere_is_not_even_sent() {
    let scene = Scene::new(&[]);
    let file = scene.file("a.txt", b"x");
    let failed = Scene::send(scene.server.address(), &file, &["--name", "../evil"]).code(2);
    let said = String::from_utf8_lossy(&failed.get_output().stderr).into_owned();
    assert!(said.contains("cannot send it as \"../evil\": not a file name we accept"), "{said}");
    assert_eq!(scene.names(), [""; 0]);
}

#[test]
fn the_server_gives_its_reason_for_a_refusal() {
    let scene = Scene::new(&["--max-bytes", "10"]);
    let file = scene.file("a.txt", &[0; 11]);
    let failed = Scene::send(scene.server.address(), &file, &[]).code(1);
    let said = String::from_utf8_lossy(&failed.get_output().stderr).into_owned();
    assert!(said.contains("the server refused the upload: 11 bytes are too many"), "{said}");
    assert_eq!(scene.names(), [""; 0]);
}

#[test]
fn ctrl_c_is_obeyed_although_datagrams_keep_coming_and_names_what_it_drops() {
    // Nobody else is to hear what comes when the server is gone.
    let mut scene = Scene::at(&free_address(Transport::Udp).to_string(), &[]);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    open_by_hand(&socket, scene.server.address());
    socket.connect(scene.server.address()).unwrap();
    let ended = AtomicBool::new(false);
    let status = thread::scope(|threads| {
        // Until the server is gone, and then the system says so.
        threads.spawn(|| {
            while !ended.load(Ordering::SeqCst) {
                _ = socket.send(b"junk");
            }
        });
        let status = scene.server.interrupt(LIMIT);
        ended.store(true, Ordering::SeqCst);
        status
    });
    assert_eq!(status.expect("it ends").code(), Some(0));
    assert!(scene.server.says("dropped 0 of 1000 bytes of a.bin", LIMIT));
    assert_eq!(scene.names(), [""; 0]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_whose_length_nobody_knows_is_not_sent_as_an_empty_one() {
    for (file, reason) in [
        ("/proc/cpuinfo", "nobody knows its length yet"),
        ("/sys/class/net/lo/address", "nobody knows its length yet"),
        ("/dev/zero", "it is a device, not a file"),
    ] {
        let failed = lesson().args(["client", file]).assert().code(2);
        let said = String::from_utf8_lossy(&failed.get_output().stderr).into_owned();
        assert!(said.contains(reason), "{said}");
    }
}

#[cfg(unix)]
#[rstest]
fn a_pipe_without_a_writer_is_no_reason_to_wait(#[values("reliable", "keyword")] mode: &str) {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let failed = lesson().args(["client", "--mode", mode]).arg(&pipe).assert().code(2);
    let said = String::from_utf8_lossy(&failed.get_output().stderr).into_owned();
    assert!(said.contains("it is a pipe, and no program writes into it"), "{said}");
}

/// Without `SO_BROADCAST` the system refuses to send there, so nothing leaves this machine.
#[cfg(target_os = "linux")]
#[test]
fn a_broadcast_address_is_called_one() {
    let args = ["client", "--addr", "255.255.255.255:9", "Cargo.toml"];
    let failed = lesson().args(args).assert().code(1);
    let said = String::from_utf8_lossy(&failed.get_output().stderr).into_owned();
    assert!(said.contains("a broadcast address") && !said.contains("1024"), "{said}");
}

/// Linux has every address of 127.0.0.0/8, so one machine can play two hosts.
#[cfg(target_os = "linux")]
#[test]
fn one_host_does_not_take_every_place_with_the_keyword_either() {
    let scene = Scene::new(&["--mode", "keyword"]);
    let send = |from: &str, bytes: &[u8]| {
        let socket = UdpSocket::bind((from, 0)).unwrap();
        socket.send_to(bytes, scene.server.address()).unwrap();
        socket
    };
    let greedy: Vec<_> = (0..65).map(|_| send("127.0.0.1", b"the beginning")).collect();
    assert!(scene.server.says("too many uploads at once from 127.0.0.1", LIMIT));
    let other = send("127.0.0.2", b"all of it");
    other.send_to(b"END", scene.server.address()).unwrap();
    assert!(scene.server.says("stored upload.bin from 127.0.0.2", LIMIT));
    drop(greedy);
}

#[test]
fn two_uploads_at_once_do_not_mix() {
    let scene = Scene::new(&[]);
    let contents = [content(200_000), content(200_001).into_iter().rev().collect()];
    let files = [scene.file("a.bin", &contents[0]), scene.file("b.bin", &contents[1])];
    thread::scope(|threads| {
        for file in &files {
            threads.spawn(|| Scene::send(scene.server.address(), file, &[]).success());
        }
    });
    assert!(fs::read(scene.inbox().join("a.bin")).unwrap() == contents[0]);
    assert!(fs::read(scene.inbox().join("b.bin")).unwrap() == contents[1]);
}

#[rstest]
#[case::reliable("reliable")]
#[case::keyword("keyword")]
fn an_upload_that_falls_silent_leaves_nothing(#[case] mode: &str) {
    let scene = Scene::new(&["--idle", "0.3", "--mode", mode]);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    if mode == "reliable" {
        open_by_hand(&socket, scene.server.address());
    } else {
        socket.send_to(b"the beginning of a file", scene.server.address()).unwrap();
    }
    // A look that comes too late for the temporary file finds what the server says of its end.
    let was_there = || scene.names().len() == 1 || scene.server.stderr().contains("dropped ");
    poll(LIMIT, || was_there().then_some(())).expect("a temporary file");
    poll(LIMIT, || scene.names().is_empty().then_some(())).expect("nothing left");
}

#[test]
fn a_client_that_is_killed_leaves_nothing_and_the_server_goes_on() {
    let scene = Scene::new(&["--idle", "0.3"]);
    // A relay that loses everything after the first packets keeps the client busy until it is
    // killed; its unfinished file is there by then.
    // Two for `open`, and two blocks.
    let lost: Vec<_> = (4..2000).map(|index| (Direction::ToServer, index, Fate::Lose)).collect();
    let relay = scene.relay(exactly(&lost));
    let file = scene.file("a.bin", &content(50_000));
    let begin = Instant::now();
    let mut client = Command::new(env!("CARGO_BIN_EXE_lesson-05"))
        .args(["client", "--addr", &relay.address().to_string()])
        .arg(&file)
        .spawn()
        .unwrap();
    let came = || relay.counts().to_server.pieces_in + relay.counts().to_client.pieces_in;
    let has_dropped = || scene.server.stderr().contains("dropped ");
    let is_under_way = || (came() > 6 || has_dropped()).then_some(());
    poll(LIMIT, is_under_way).expect("the upload is under way");
    let was_quick = begin.elapsed() < Duration::from_millis(300);
    client.kill().unwrap();
    client.wait().unwrap();
    // On a machine that stands still, an upload may be over before its second block.
    let blocks: &[u32] = if was_quick { &[2400] } else { &[0, 1200, 2400] };
    let says = |bytes| format!("dropped {bytes} of 50000 bytes of a.bin from");
    let is_said = || blocks.iter().any(|bytes| scene.server.stderr().contains(&says(bytes)));
    poll(LIMIT, || is_said().then_some(())).unwrap_or_else(|| panic!("{}", scene.server.stderr()));
    poll(LIMIT, || scene.names().is_empty().then_some(())).expect("nothing left");
    Scene::send(scene.server.address(), &file, &[]).success();
}

#[test]
fn a_server_that_was_restarted_says_that_it_does_not_know_the_upload() {
    let addr = free_address(Transport::Udp);
    let mut scene = Scene::at(&addr.to_string(), &[]);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let token = open_by_hand(&socket, addr);
    assert_eq!(scene.server.interrupt(LIMIT).expect("it ends").code(), Some(0));
    assert_eq!(scene.names(), [""; 0], "a stopped server cleans up");
    scene.server = start(&addr.to_string(), &scene.inbox(), &[]);
    socket.send_to(&packet(2, &token, &[1; 1000]), addr).unwrap();
    let mut answer = [0; 200];
    let length = uninterrupted(|| socket.recv(&mut answer)).unwrap();
    let reason = String::from_utf8_lossy(&answer[24..length]).into_owned();
    assert!(answer[2] == 6 && reason.contains("no such upload"), "{reason}");
    assert_eq!(answer[8..16], token, "the client sees that it is for its own upload");
}

#[rstest]
#[case::one_after_the_other(&["--window", "1"])]
#[case::many_at_once(&["--window", "500"])]
#[case::large_ones(&["--datagram", "65000"])]
#[case::tiny_ones(&["--datagram", "7"])]
fn the_size_and_the_number_of_datagrams_can_be_chosen(#[case] args: &[&str]) {
    let scene = Scene::new(&[]);
    let file = scene.file("a.bin", &content(300_000));
    Scene::send(scene.server.address(), &file, args).success();
    assert!(fs::read(scene.inbox().join("a.bin")).unwrap() == content(300_000));
}

#[test]
fn a_large_file_costs_no_memory_on_either_side() {
    let scene = Scene::new(&[]);
    let path = scene.folder.path().join("large.bin");
    fs::File::create(&path).unwrap().set_len(64 << 20).unwrap();
    Scene::send(scene.server.address(), &path, &[]).success();
    assert_eq!(fs::metadata(scene.inbox().join("large.bin")).unwrap().len(), 64 << 20);
    if let Some(bytes) = scene.server.peak_memory() {
        assert!(bytes < 16 << 20, "the server's memory grew to {bytes} bytes");
    }
}

#[rstest]
#[case::too_large("65001")]
#[case::none("0")]
fn a_datagram_that_cannot_be_is_code_2(#[case] size: &str) {
    let args = ["client", "Cargo.toml", "--datagram", size];
    let output = lesson().args(args).assert().code(2).get_output().clone();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("1..=65000"), "{said}");
}

#[rstest]
#[case::no_file(&["client", "no-such-file"], "cannot send no-such-file: there is no such file")]
#[case::a_folder(&["client", "."], "it is a folder")]
#[case::port_0(&["client", "--addr", "127.0.0.1:0", "Cargo.toml"], "port 0 is no port to connect to")]
#[case::port_0_keyword(
    &["client", "--mode", "keyword", "--addr", "127.0.0.1:0", "Cargo.toml"],
    "port 0 is no port to connect to"
)]
#[case::no_folder(
    &["server", "--dir", "no-such-folder"],
    "cannot use no-such-folder as the folder for uploads: there is no such folder; create it first: \
     mkdir no-such-folder"
)]
#[case::no_mode(&["server", "--dir", ".", "--mode", "fast"], "reliable, keyword")]
fn wrong_arguments_are_code_2(#[case] args: &[&str], #[case] reason: &str) {
    let output = lesson().args(args).assert().code(2).get_output().clone();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(reason), "{said}");
}

/// A server that takes an empty file, or does not, and puts `words` into its last answer. (The kinds
/// are those of `src/packet.rs`.)
fn server_that_says(words: &'static str, refuses: bool) -> (SocketAddr, thread::JoinHandle<()>) {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(LIMIT)).unwrap();
    let address = server.local_addr().unwrap();
    let serving = thread::spawn(move || {
        loop {
            let mut datagram = [0; 2000];
            let (_, client) = uninterrupted(|| server.recv_from(&mut datagram)).unwrap();
            // The header is the client's own, but for the kind.
            let mut answer = datagram[..24].to_vec();
            answer[2] = match answer[2] {
                _ if refuses => 6,
                1 => 4,
                _ => 5,
            };
            let payload = if answer[2] == 4 { &[0, 0, 0, 1] } else { words.as_bytes() };
            answer.extend_from_slice(payload);
            server.send_to(&answer, client).unwrap();
            if answer[2] != 4 {
                return;
            }
        }
    });
    (address, serving)
}

#[rstest]
#[case::a_refusal(true, 1)]
#[case::a_new_name(false, 0)]
fn what_a_server_says_cannot_play_with_the_clients_terminal(
    #[case] refuses: bool,
    #[case] code: i32,
) {
    let (address, serving) = server_that_says(hostile::TEXT, refuses);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.txt");
    fs::write(&file, "").unwrap();
    let client = Scene::send(address, &file, &[]).code(code);
    serving.join().unwrap();
    let output = client.get_output();
    let shown = [&output.stdout[..], &output.stderr].concat();
    assert_eq!(hostile::complaint(&shown), None);
}

#[test]
fn a_name_that_turns_the_line_around_is_refused_and_nothing_of_it_is_shown() {
    let scene = Scene::new(&[]);
    let file = scene.file("a\u{202e}txt.exe", b"hello");
    let client = Scene::send(scene.server.address(), &file, &[]).failure();
    let said = String::from_utf8(client.get_output().stderr.clone()).unwrap();
    assert!(said.contains("one that is invisible"), "{said}");
    assert!(!said.contains('\u{202e}') && !scene.server.stderr().contains('\u{202e}'), "{said}");
    assert_eq!(scene.names(), [""; 0]);
}

#[test]
fn a_flood_of_refusals_does_not_fill_the_log() {
    let scene = Scene::new(&["--max-bytes", "10"]);
    let server = scene.server.address();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    let mut answer = [0; 2000];
    for number in 0..300_u32 {
        // Each is another transfer, opened with the token that the server gives.
        let mut open = open(&[0; 8]);
        open[4..8].copy_from_slice(&number.to_be_bytes());
        socket.send_to(&open, server).unwrap();
        assert_eq!(
            (uninterrupted(|| socket.recv(&mut answer)).unwrap(), answer[2]),
            (24, 7),
            "a token"
        );
        open[8..16].copy_from_slice(&answer[8..16]);
        socket.send_to(&open, server).unwrap();
        uninterrupted(|| socket.recv(&mut answer)).unwrap();
        assert_eq!(answer[2], 6, "a refusal");
    }
    let counted = "(more lines like this are counted, not shown)\n";
    assert!(scene.server.says(counted, LIMIT), "{}", scene.server.stderr());
    let said = scene.server.stderr();
    assert!(said.matches("refused an upload from ").count() < 300, "{said}");
}
