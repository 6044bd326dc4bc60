//! The lesson's program where something goes wrong, or where there is a lot of it.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed step is a failed test

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::common::{
    Host, LIMIT, Receipt, client, end_of, file, frame, header, lesson, random_bytes, read_frame,
    read_receipt, server_on, sparse_file,
};
use netlab::program::{peak_memory, uninterrupted};
use netlab::rounds::few_or_all;
use rstest::rstest;
use sha2::{Digest, Sha256};

const MIB: usize = 1024 * 1024;
const GIB: u64 = 1 << 30;
/// What neither side may ever need more of, in bytes, however large the file is.
const MODEST_MEMORY: u64 = 16 * MIB as u64;

/// The pace is what this client is about: it is faster than the limit between two bytes and
/// slower than the limit in all. Where the machine has stood still for longer than the limit, so that
/// it was not, the server may also have given up.
#[test]
fn a_client_that_sends_slowly_but_steadily_is_served() {
    let limit = Duration::from_secs(1);
    let host = Host::start(&["--idle", "1"]);
    let (mut before, mut longest) = (Instant::now(), Duration::ZERO);
    let mut stream = host.send(8, b"slow", b"");
    for byte in b"patience" {
        thread::sleep(Duration::from_millis(300));
        // A server that has given up no longer takes what comes.
        let sent = stream.write_all(&[*byte]);
        longest = longest.max(before.elapsed());
        assert!(sent.is_ok() || longest >= limit, "{sent:?}");
        before = Instant::now();
    }
    match read_receipt(&mut stream) {
        Receipt::Refused(reason) if longest >= limit => {
            assert!(reason.starts_with("timed out; the peer is silent"), "{reason}");
        }
        receipt => {
            assert_eq!(receipt, Receipt::of(b"patience", "slow"));
            assert_eq!(host.stored("slow"), b"patience");
        }
    }
}

#[rstest]
#[case::before_the_header(b"")]
#[case::in_the_header(b"\0\0\0\x09\0\0")]
#[case::in_the_file(&[&[0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 5, b'a'], &b"he"[..]].concat())]
fn a_client_that_falls_silent_is_given_up_with_nothing_left(#[case] sent: &[u8]) {
    let host = Host::start(&["--idle", "0.2"]);
    let mut silent = host.connect();
    silent.write_all(sent).unwrap();
    let reason = read_receipt(&mut silent).reason();
    assert!(reason.starts_with("timed out; the peer is silent"), "{reason}");
    assert_eq!(host.names(), [""; 0]);
}

#[test]
fn a_client_that_falls_silent_before_the_end_of_stream_is_given_up_with_nothing_left() {
    let host = Host::start(&["--framing", "eof", "--idle", "0.2"]);
    let mut silent = host.connect();
    silent.write_all(b"half of it").unwrap();
    let error = uninterrupted(|| silent.read(&mut [0])).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    let why = "timed out; the peer is silent";
    assert!(host.server.says(why, LIMIT), "{}", host.server.stderr());
    assert_eq!(host.names(), [""; 0]);
}

/// On Linux even that makes a system call with a time limit return early (signal(7), EINTR).
#[rstest]
#[case::sized("sized", "a.bin")]
#[case::eof("eof", "upload.bin")]
#[cfg(unix)]
fn both_sides_can_be_stopped_and_continued_in_the_middle(
    #[case] framing: &str,
    #[case] name: &str,
) {
    let host = Host::start(&["--framing", framing]);
    let content = random_bytes(14, 64 * MIB);
    let (_folder, path) = file("a.bin", &content);
    let client = client(host.server.address(), &["--framing", framing, &path]).spawn().unwrap();
    host.has_received(1);
    for id in [host.server.id(), client.id(), client.id(), host.server.id()] {
        for name in ["-STOP", "-CONT"] {
            // A client that is done already cannot be stopped any more.
            let _ = netlab::program::signal(name, id);
        }
    }
    let output = end_of(client);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(host.stored(name) == content);
}

#[test]
fn two_hundred_uploads_of_one_name_at_once_are_all_exact_and_none_is_mixed() {
    let host = Host::start(&[]);
    let contents: Vec<_> =
        (0..200).zip(20_000..).map(|(seed, length)| random_bytes(seed, length)).collect();
    let half_way = contents
        .iter()
        .map(|content| host.send(content.len() as u64, b"same.bin", &content[..content.len() / 2]));
    // All are half way at this point: the last one goes on before the first one does.
    let streams: Vec<_> = half_way.collect();
    let mut names = Vec::new();
    for (mut stream, content) in streams.into_iter().zip(&contents).rev() {
        stream.write_all(&content[content.len() / 2..]).unwrap();
        let Receipt::Stored { name, .. } = read_receipt(&mut stream) else { panic!("refused") };
        assert!(host.stored(&name) == *content, "{name} is not what was sent");
        names.push(name);
    }
    names.sort();
    assert_eq!(host.names(), names);
    names.dedup();
    assert_eq!(names.len(), 200);
}

#[test]
fn both_killed_half_way_and_started_again_at_once_bring_the_file_whole() {
    let mut host = Host::start_on_a_free_port(&[]);
    let addr = host.addr();
    let (_large_folder, large) = sparse_file(8 * GIB);
    let mut first_client = client(host.server.address(), &[&large]).spawn().unwrap();
    host.has_received(1);
    host.server.kill();
    first_client.kill().unwrap();
    first_client.wait().unwrap();
    // A killed server cannot clean up, so its remains are there, and old when they are found.
    let remains = host.names();
    assert_eq!(remains.len(), 1, "{remains:?}");
    let part = File::options().write(true).open(host.folder.path().join(&remains[0])).unwrap();
    part.set_modified(SystemTime::now() - Duration::from_secs(120)).unwrap();
    drop(part);
    host.server = server_on(host.folder.path(), &addr, &[]);
    assert_eq!(host.names(), [""; 0], "the remains are gone once the new server is ready");
    let content = random_bytes(8, MIB);
    let (_folder, path) = file("a.bin", &content);
    lesson().args(["client", "--addr", &addr, &path]).assert().success();
    assert!(host.stored("a.bin") == content);
    assert_eq!(host.names(), ["a.bin"]);
}

#[test]
fn a_server_that_is_killed_half_way_is_one_clear_line() {
    let mut host = Host::start(&[]);
    let (_folder, path) = sparse_file(8 * GIB);
    let client = client(host.server.address(), &[&path]).spawn().unwrap();
    host.has_received(1);
    host.server.kill();
    let output = end_of(client);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.starts_with("cannot send the file: "), "{said}");
}

/// The file is made on the way, so that the test needs no more memory than the server may.
#[test]
fn a_large_file_is_stored_in_constant_memory() {
    let large = few_or_all(128 * MIB as u64, GIB);
    let host = Host::start(&[]);
    let mut block = random_bytes(9, MIB);
    let mut hash = Sha256::new();
    let mut stream = host.connect();
    stream.write_all(&header(large, b"large.bin")).unwrap();
    for number in 0..large / MIB as u64 {
        block[..8].copy_from_slice(&number.to_be_bytes());
        hash.update(&block);
        stream.write_all(&block).unwrap();
    }
    let expected =
        Receipt::Stored { length: large, digest: hash.finalize().into(), name: "large.bin".into() };
    assert_eq!(read_receipt(&mut stream), expected);
    assert_eq!(fs::metadata(host.folder.path().join("large.bin")).unwrap().len(), large);
    assert_modest(host.server.peak_memory());
}

/// The test plays the server, and looks at the client while that waits for its receipt.
#[test]
fn a_large_file_is_sent_in_constant_memory() {
    let large = few_or_all(128 * MIB as u64, GIB);
    let (_folder, path) = sparse_file(large);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = client(listener.local_addr().unwrap(), &[&path]).spawn().unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    read_frame(&mut stream);
    let received = std::io::copy(&mut (&stream).take(large), &mut std::io::sink()).unwrap();
    assert_eq!(received, large);
    assert_modest(peak_memory(client.id()));
    stream.write_all(&frame(b"\0that was all we wanted to know")).unwrap();
    assert_eq!(end_of(client).status.code(), Some(1));
}

/// The same without a header: here the kernel may move the bytes by itself.
#[test]
fn a_large_file_until_the_end_of_stream_takes_constant_memory_on_both_sides() {
    let large = few_or_all(128 * MIB as u64, GIB);
    let host = Host::start(&["--framing", "eof"]);
    let (_folder, path) = sparse_file(large);
    let args = ["--framing", "eof", &path];
    let client = client(host.server.address(), &args).spawn().unwrap();
    let mut memory = None;
    let done = netlab::program::poll(2 * LIMIT, || {
        memory = peak_memory(client.id()).max(memory);
        host.names().contains(&"upload.bin".to_owned()).then_some(())
    });
    assert!(done.is_some(), "{}", host.server.stderr());
    assert_eq!(end_of(client).status.code(), Some(0));
    assert_eq!(fs::metadata(host.folder.path().join("upload.bin")).unwrap().len(), large);
    assert_modest(host.server.peak_memory());
    assert_modest(memory);
}

/// Where the system does not tell, there is nothing to compare.
fn assert_modest(memory: Option<u64>) {
    assert!(memory.is_some() || !Path::new("/proc/self/status").exists());
    assert!(memory.is_none_or(|bytes| bytes < MODEST_MEMORY), "{memory:?} bytes");
}
