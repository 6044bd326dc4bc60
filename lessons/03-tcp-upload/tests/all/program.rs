//! The lesson's program against itself, and against clients and servers that misbehave.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed step is a failed test

use crate::common;
use netlab::program::uninterrupted;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Output;
use std::thread;

use crate::common::{
    Host, LIMIT, Receipt, client, digest, end_of, file, header, hex, lesson, names_in,
    random_bytes, read_frame, read_receipt, server_on, sparse_file, stored,
};
use netlab::hostile;
use netlab::port::free_address;
use netlab::record::Transport;
use rstest::rstest;

const MIB: usize = 1024 * 1024;

#[test]
fn the_demo_uploads_both_ways_and_every_line_has_its_speaker() {
    let output = lesson().args(["--addr", "127.0.0.1:0"]).assert().success().get_output().clone();
    let text = String::from_utf8(output.stdout).unwrap();
    for expected in [
        "[server] listening on 127.0.0.1:",
        "[client] stored as poem.txt: 740000 bytes, SHA-256 ",
        "[server] poem.txt exists already, so this one is called poem-1.txt\n",
        "[client] sent 740000 bytes; nobody confirms them (--framing eof)\n",
        "upload.bin is identical to what was sent\n",
    ] {
        assert!(text.contains(expected), "no `{expected}` in:\n{text}");
    }
    let is_from_main =
        |line: &str| line.starts_with("--framing ") || line.contains(" is identical");
    let is_labelled = |line: &str| line.starts_with("[server] ") || line.starts_with("[client] ");
    assert!(text.lines().all(|line| is_from_main(line) || is_labelled(line)), "{text}");
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

// What arrives

#[rstest]
#[case::nothing(0)]
#[case::one_byte(1)]
#[case::many_segments(3 * MIB)]
fn a_sized_upload_is_exact_and_the_client_prints_its_receipt(#[case] length: usize) {
    let host = Host::start(&[]);
    let content = random_bytes(3, length);
    let (_folder, path) = file("a.bin", &content);
    let assert = lesson().args(["client", "--addr", &host.addr(), &path]).assert().success();
    // Nothing on standard error: no progress bar where nobody watches.
    assert
        .stdout(format!("stored as a.bin: {length} bytes, SHA-256 {}\n", hex(&content)))
        .stderr("");
    assert!(host.stored("a.bin") == content);
    assert_eq!(host.names(), ["a.bin"]);
}

#[rstest]
#[case::nothing(0)]
#[case::one_byte(1)]
#[case::many_segments(3 * MIB)]
fn an_upload_until_the_end_of_stream_is_exact(#[case] length: usize) {
    let host = Host::start(&["--framing", "eof"]);
    let content = random_bytes(4, length);
    let (_folder, path) = file("a.bin", &content);
    let args = ["client", "--framing", "eof", "--addr", &host.addr(), &path];
    let expected = format!("sent {length} bytes; nobody confirms them (--framing eof)\n");
    lesson().args(args).assert().success().stdout(expected).stderr("");
    assert!(host.stored("upload.bin") == content);
    assert_eq!(host.names(), ["upload.bin"]);
}

/// A pipe has no length and the kernel will not send it by itself; the bytes arrive all the same.
#[test]
#[cfg(unix)]
fn a_pipe_can_be_sent_until_its_end() {
    let host = Host::start(&["--framing", "eof"]);
    let content = random_bytes(12, 3 * MIB);
    let args = ["client", "--framing", "eof", "--addr", &host.addr(), "/dev/stdin"];
    let expected = format!("sent {} bytes; nobody confirms them (--framing eof)\n", 3 * MIB);
    lesson().args(args).write_stdin(content.clone()).assert().success().stdout(expected);
    assert!(host.stored("upload.bin") == content);
}

#[cfg(unix)]
#[rstest]
fn a_pipe_without_a_writer_is_no_reason_to_wait(#[values("sized", "eof")] framing: &str) {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let failed = lesson().args(["client", "--framing", framing]).arg(&pipe).assert().code(2);
    let said = String::from_utf8_lossy(&failed.get_output().stderr).into_owned();
    assert!(said.contains("it is a pipe, and no program writes into it"), "{said}");
}

#[test]
fn the_bytes_may_come_one_at_a_time_until_the_end_of_stream_too() {
    let host = Host::start(&["--framing", "eof"]);
    let content = random_bytes(13, 500);
    let mut stream = host.connect();
    for byte in &content {
        stream.write_all(&[*byte]).unwrap();
    }
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(
        uninterrupted(|| stream.read(&mut [0])).unwrap(),
        0,
        "the server closes when it is stored"
    );
    assert_eq!(host.stored("upload.bin"), content);
    let said = "stored upload.bin from";
    assert!(host.server.says(said, LIMIT), "{}", host.server.stderr());
    assert!(!host.server.stderr().contains("SHA-256"), "nobody has hashed it");
}

#[test]
fn the_bytes_may_come_one_at_a_time() {
    let host = Host::start(&[]);
    let content = random_bytes(5, 500);
    let mut stream = host.connect();
    for byte in [header(500, "报告.txt".as_bytes()), content.clone()].concat() {
        stream.write_all(&[byte]).unwrap();
    }
    assert_eq!(read_receipt(&mut stream), Receipt::of(&content, "报告.txt"));
    assert_eq!(host.stored("报告.txt"), content);
}

#[test]
fn the_server_takes_no_byte_beyond_the_announced_length() {
    let host = Host::start(&[]);
    let mut stream = host.send(3, b"a", b"abcdef");
    assert_eq!(read_receipt(&mut stream), Receipt::of(b"abc", "a"));
    assert_eq!(host.stored("a"), b"abc");
}

#[test]
fn the_client_can_choose_the_name() {
    let host = Host::start(&[]);
    let (_folder, path) = file("a.txt", b"hello");
    let args = ["client", "--addr", &host.addr(), &path, "--name", "b c.txt"];
    lesson().args(args).assert().success();
    assert_eq!(host.names(), ["b c.txt"]);
}

#[test]
fn a_file_that_exists_is_kept_and_both_sides_say_the_new_name() {
    let host = Host::start(&[]);
    fs::write(host.folder.path().join("a.txt"), "first").unwrap();
    let (_folder, path) = file("a.txt", b"second");
    let assert = lesson().args(["client", "--addr", &host.addr(), &path]).assert().success();
    let said = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    assert!(said.starts_with("stored as a-1.txt: 6 bytes"), "{said}");
    let says = "a.txt exists already, so this one is called a-1.txt";
    assert!(host.server.says(says, LIMIT), "{}", host.server.stderr());
    assert_eq!((host.stored("a.txt"), host.stored("a-1.txt")), (b"first".into(), b"second".into()));
}

// What is refused

#[rstest]
#[case::parent(b"../x", "leads into another folder")]
#[case::absolute(b"/etc/x", "leads into another folder")]
#[case::hidden(b".hidden", "begins with a dot")]
#[case::empty(b"", "it is empty")]
#[case::nul(b"a\0b", "control character")]
#[case::turned_around("a\u{202e}txt.exe".as_bytes(), "one that is invisible")]
#[case::too_long(&[b'a'; 300], "longer than 249 bytes")]
#[case::invalid_utf8(b"a\xff", "not UTF-8")]
fn a_hostile_name_is_refused_with_the_reason(#[case] name: &[u8], #[case] why: &str) {
    let around = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir_in(around.path()).unwrap();
    let host = Host { server: server_on(folder.path(), "127.0.0.1:0", &[]), folder };
    let reason = read_receipt(&mut host.send(5, name, b"hello")).reason();
    assert!(reason.contains(why), "{reason}");
    assert_eq!(host.names(), [""; 0]);
    assert_eq!(names_in(around.path()).len(), 1, "there is something beside the folder");
}

/// The server answers before a single byte of the file has come.
#[rstest]
#[case::more_than_a_file_can_have(1 << 63)]
#[case::the_largest_number(u64::MAX)]
#[case::one_too_many(1001)]
fn a_length_above_the_limit_is_refused_at_once(#[case] length: u64) {
    let host = Host::start(&["--max-bytes", "1000"]);
    let reason = read_receipt(&mut host.send(length, b"a", b"")).reason();
    assert_eq!(reason, format!("{length} bytes are too many; this server takes 1000"));
    assert_eq!(host.upload("a", &[7; 1000]), Receipt::of(&[7; 1000], "a"));
}

#[test]
fn more_bytes_than_the_limit_are_refused_without_an_announcement_too() {
    let host = Host::start(&["--framing", "eof", "--max-bytes", "1000"]);
    let (_folder, path) = file("a.bin", &[7; 1001]);
    let args = ["client", "--framing", "eof", "--addr", &host.addr(), &path];
    let output = lesson().args(args).assert().code(1).get_output().clone();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("reset") || said.contains("broken pipe"), "{said}");
    assert!(host.server.says("more than 1000 bytes came", LIMIT), "{}", host.server.stderr());
    assert_eq!(host.names(), [""; 0]);
    let (_folder, path) = file("a.bin", &[7; 1000]);
    lesson().args(["client", "--framing", "eof", "--addr", &host.addr(), &path]).assert().success();
    assert_eq!(host.stored("upload.bin"), [7; 1000]);
}

#[rstest]
#[case::nothing(b"", "closed the connection before it sent a header")]
#[case::half_a_length(&[0, 0], "in the middle of a message")]
#[case::half_a_header(&[0, 0, 0, 9, 0, 0], "in the middle of a message")]
#[case::no_room_for_the_length(&[0, 0, 0, 3, 1, 2, 3], "a header of 3 bytes is too short")]
#[case::a_file_without_header(b"Dear Sir or Madam", "is the client using --framing eof?")]
fn a_header_that_is_none_is_refused(#[case] sent: &[u8], #[case] why: &str) {
    let host = Host::start(&[]);
    let mut stream = host.connect();
    stream.write_all(sent).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let reason = read_receipt(&mut stream).reason();
    assert!(reason.contains(why), "{reason}");
    assert_eq!(host.names(), [""; 0]);
}

#[test]
fn the_client_prints_why_it_was_refused_although_it_was_still_sending() {
    let host = Host::start(&["--max-bytes", "1000"]);
    let (_folder, path) = sparse_file(256 << 20);
    lesson().args(["client", "--addr", &host.addr(), &path]).assert().code(1).stderr(
        "the server refused the upload: 268435456 bytes are too many; this server takes 1000\n",
    );
}

// What is cut off

#[rstest]
#[case::closed(false, "the connection ended after 500 of 1000 bytes")]
#[case::reset(true, "connection reset")]
fn a_sized_upload_that_is_cut_off_leaves_nothing(#[case] reset: bool, #[case] why: &str) {
    let host = Host::start(&[]);
    let stream = host.send(1000, b"half.bin", &[7; 500]);
    host.has_received(500);
    netbasics::net::socket::reset_on_close(&stream, reset).unwrap();
    drop(stream);
    assert!(host.server.says(why, LIMIT), "{}", host.server.stderr());
    assert_eq!(host.names(), [""; 0]);
    assert_eq!(host.upload("next", b"still here"), Receipt::of(b"still here", "next"));
}

#[test]
fn a_reset_is_not_taken_for_the_end_of_the_stream() {
    let host = Host::start(&["--framing", "eof"]);
    let mut stream = host.connect();
    stream.write_all(&[7; 500]).unwrap();
    host.has_received(500);
    netbasics::net::socket::reset_on_close(&stream, true).unwrap();
    drop(stream);
    assert!(host.server.says("connection reset", LIMIT), "{}", host.server.stderr());
    assert_eq!(host.names(), [""; 0]);
}

/// The file is a pipe that stays open, so the client is certainly in the middle of it.
#[test]
#[cfg(unix)]
fn a_client_killed_half_way_through_an_eof_upload_leaves_nothing() {
    let host = Host::start(&["--framing", "eof"]);
    let args = ["--framing", "eof", "/dev/stdin"];
    let mut client = client(host.server.address(), &args).spawn().unwrap();
    let mut pipe = client.stdin.take().unwrap();
    pipe.write_all(&random_bytes(6, MIB)).unwrap();
    host.has_received(MIB as u64);
    client.kill().unwrap();
    client.wait().unwrap();
    drop(pipe);
    assert!(host.server.says("connection reset", LIMIT), "{}", host.server.stderr());
    assert_eq!(host.names(), [""; 0]);
}

#[rstest]
#[case::sized("sized")]
#[case::eof("eof")]
#[cfg(unix)]
fn ctrl_c_in_the_middle_of_an_upload_leaves_nothing_and_frees_the_port(#[case] framing: &str) {
    let mut host = Host::start_on_a_free_port(&["--framing", framing]);
    let (_folder, path) = sparse_file(8 << 30);
    let args = ["--framing", framing, &path];
    let client = client(host.server.address(), &args).spawn().unwrap();
    host.has_received(1);
    let status = host.server.interrupt(LIMIT).expect("it ends although an upload is under way");
    assert_eq!(status.code(), Some(0));
    let output = end_of(client);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    if framing == "sized" {
        assert_eq!(said, "the server refused the upload: the server is being stopped\n");
    }
    assert_eq!(host.names(), [""; 0]);
    host.server = server_on(host.folder.path(), &host.addr(), &[]);
    assert_eq!(host.upload("a", b"again"), Receipt::of(b"again", "a"));
}

// What the client does about its server

/// Plays the server for one upload: reads the header, then does as the test says.
fn hostile_server(play: impl FnOnce(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        assert_eq!(read_frame(&mut stream), b"\0\0\0\0\0\0\0\x05a.txt");
        play(stream);
    });
    addr
}

/// A server that takes `hello`, then answers with `receipt` and closes.
fn answers(receipt: Vec<u8>) -> SocketAddr {
    hostile_server(move |mut stream| {
        stream.read_exact(&mut [0; 5]).unwrap();
        stream.write_all(&receipt).unwrap();
    })
}

/// The one line that the lesson's client says before it exits with 1.
fn complaint(addr: SocketAddr, args: &[&str]) -> String {
    let (_folder, path) = file("a.txt", b"hello");
    let output = lesson()
        .args(["client", "--addr", &addr.to_string(), &path])
        .args(args)
        .assert()
        .code(1)
        .stdout("")
        .get_output()
        .clone();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

#[rstest]
#[case::wrong_digest(stored(5, [7; 32], "a.txt"), "the server stored something else: 5 bytes")]
#[case::wrong_length(stored(4, digest(b"hello"), "a.txt"), "stored something else: 4 bytes")]
#[case::half_a_receipt(stored(5, digest(b"hello"), "")[..20].to_vec(), "middle of a message")]
#[case::too_short(common::frame(&[1, 0, 0]), "a receipt is too short")]
#[case::no_receipt(common::frame(b"thanks"), "the server's answer is no receipt")]
#[case::endless(vec![0xff; 10], "too long")]
#[case::refusal(common::frame(b"\0not today"), "the server refused the upload: not today")]
#[case::none(vec![], "nobody knows whether the file is stored (does the server use the same --framing?): the server closed the connection")]
fn a_receipt_that_confirms_nothing_is_a_failure(#[case] receipt: Vec<u8>, #[case] why: &str) {
    let said = complaint(answers(receipt), &[]);
    assert!(said.contains(why), "{said}");
}

#[test]
fn what_a_server_says_cannot_play_with_the_clients_terminal() {
    let refusal = [b"\0", hostile::TEXT.as_bytes()].concat();
    let said = complaint(answers(common::frame(&refusal)), &[]);
    assert_eq!(hostile::complaint(said.as_bytes()), None);
    let addr = answers(stored(5, digest(b"hello"), hostile::TEXT)).to_string();
    let (_folder, path) = file("a.txt", b"hello");
    let client = lesson().args(["client", "--addr", &addr, &path]).assert().success();
    assert_eq!(hostile::complaint(&client.get_output().stdout), None);
}

#[test]
fn the_right_receipt_is_a_success() {
    let addr = answers(stored(5, digest(b"hello"), "a.txt")).to_string();
    let (_folder, path) = file("a.txt", b"hello");
    lesson().args(["client", "--addr", &addr, &path]).assert().success();
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let addr = hostile_server(|mut stream| {
        // It reads, and keeps the connection as long as the client does.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let said = complaint(addr, &["--timeout", "0.2"]);
    assert!(said.contains("timed out"), "{said}");
}

#[test]
fn a_file_that_becomes_shorter_while_it_is_sent_is_a_failure_on_both_sides() {
    let (_folder, path) = sparse_file(512 << 20);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = client(listener.local_addr().unwrap(), &[&path]).spawn().unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    read_frame(&mut stream);
    // The buffers on the way do not hold all of it, so the client is still in the middle.
    fs::File::options().write(true).open(Path::new(&path)).unwrap().set_len(0).unwrap();
    let received = std::io::copy(&mut stream, &mut std::io::sink()).unwrap();
    assert!(received < 512 << 20, "it ends early, which our server would see");
    let output = end_of(client);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "the file became shorter while it was sent, so it is not stored\n");
}

/// Starts a client on a file too large for the buffers on the way, so that it is in the middle of
/// it when `change` is done to the file; what it sent, header included, and how it ended.
fn changed_while_it_is_sent(framing: &str, change: impl FnOnce(&fs::File)) -> (u64, Output) {
    let (_folder, path) = sparse_file(512 << 20);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let args = ["--framing", framing, &path];
    let client = client(listener.local_addr().unwrap(), &args).spawn().unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.read_exact(&mut [0]).unwrap();
    change(&fs::File::options().write(true).open(&path).unwrap());
    let rest = if framing == "sized" {
        // A frame of 17 bytes behind its length of 4, and the first byte is read already.
        std::io::copy(&mut (&stream).take(20 + (512 << 20)), &mut std::io::sink()).unwrap()
    } else {
        std::io::copy(&mut stream, &mut std::io::sink()).unwrap()
    };
    drop(stream);
    (rest + 1, end_of(client))
}

#[test]
fn a_file_that_grows_while_it_is_sent_keeps_its_announced_length() {
    let grow = |file: &fs::File| file.set_len(600 << 20).unwrap();
    let (sent, output) = changed_while_it_is_sent("sized", grow);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(sent, 21 + (512 << 20));
    assert!(said.starts_with("nobody knows whether the file is stored"), "{said}");
}

/// With the end of the stream as the end of the file, the file is what was there while we sent.
#[rstest]
#[case::grows(600 << 20)]
#[case::shrinks(0)]
fn until_the_end_of_stream_a_file_is_sent_as_it_is_by_then(#[case] length: u64) {
    let change = |file: &fs::File| file.set_len(length).unwrap();
    let (sent, output) = changed_while_it_is_sent("eof", change);
    assert!(if length == 0 { sent < 512 << 20 } else { sent == length }, "{sent}");
    let expected = format!("sent {sent} bytes; nobody confirms them (--framing eof)\n");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}

// Wrong arguments

#[rstest]
#[case::no_file(&["client"], "<FILE>")]
#[case::missing_file(&["client", "no-such-file"], "cannot send no-such-file: there is no such")]
#[case::a_folder(&["client", "."], "it is a folder; give one file")]
#[case::no_dir(&["server"], "--dir")]
#[case::port_0(&["client", "--addr", "127.0.0.1:0", "Cargo.toml"], "port 0 is no port to connect to")]
#[case::missing_dir(
    &["server", "--dir", "no-such-folder"],
    "cannot use no-such-folder as the folder for uploads: there is no such folder; create it first: \
     mkdir no-such-folder"
)]
#[case::a_file_as_dir(&["server", "--dir", "Cargo.toml"], "it is not a folder")]
#[case::bad_framing(&["client", "Cargo.toml", "--framing", "lines"], "lines")]
#[case::zero_idle(&["server", "--dir", ".", "--idle", "0"], "more than zero seconds")]
fn wrong_arguments_are_code_2(#[case] args: &[&str], #[case] reason: &str) {
    let output = lesson().args(["--addr", "127.0.0.1:0"]).args(args).assert().code(2);
    let said = String::from_utf8(output.get_output().stderr.clone()).unwrap();
    assert!(said.contains(reason), "{said}");
}

#[test]
fn a_server_prints_exactly_one_line_on_standard_output() {
    let mut host = Host::start(&[]);
    host.upload("a", b"hello");
    host.server.interrupt(LIMIT).unwrap();
    assert_eq!(host.server.stdout(), format!("listening on {}\n", host.addr()));
}
