//! Files and connections between which the kernel copies, and others that it refuses.

use super::*;
use crate::system::stop::Stop;
use rstest::rstest;
use std::io::{self, Read, Seek, Write};
use std::net::{Shutdown, TcpListener};
use std::thread;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);
/// More than a pipe and the socket buffers hold.
const LARGE: usize = 20 * 1024 * 1024 + 7;

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let one = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (two, _) = listener.accept().unwrap();
    for stream in [&one, &two] {
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.set_write_timeout(Some(LIMIT)).unwrap();
    }
    (one, two)
}

fn some_bytes(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length.next_multiple_of(8)];
    for (number, piece) in (1_u64..).zip(bytes.chunks_exact_mut(8)) {
        piece.copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn file_with(content: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    file.rewind().unwrap();
    file
}

fn content_of(mut file: &File) -> Vec<u8> {
    let mut content = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut content).unwrap();
    content
}

fn receive_within(
    time: Duration,
    stream: &TcpStream,
    file: &File,
    limit: u64,
) -> Result<u64, CopyError> {
    receive(&Stoppable::new(stream, &Stop::new(), time).unwrap(), file, limit)
}

/// Sends `content` from one end of a connection, in pieces, and receives it into `file` at the
/// other.
fn receive_into(file: &File, content: &[u8], piece: usize, limit: u64) -> Result<u64, CopyError> {
    let (mut client, server) = pair();
    client.set_nodelay(true).unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            // A receiver that refuses is gone before the last byte.
            content.chunks(piece).try_for_each(|piece| client.write_all(piece)).unwrap_or_default();
            let _ = client.shutdown(Shutdown::Write);
        });
        let received = receive_within(LIMIT, &server, file, limit);
        drop(server);
        received
    })
}

#[rstest]
#[case::nothing(0, 1)]
#[case::byte_by_byte(3000, 1)]
#[case::large(LARGE, LARGE)]
fn what_comes_is_in_the_file(#[case] length: usize, #[case] piece: usize) {
    let content = some_bytes(length);
    let file = tempfile::tempfile().unwrap();
    assert_eq!(receive_into(&file, &content, piece, u64::MAX).unwrap(), length as u64);
    assert!(content_of(&file) == content);
}

#[rstest]
#[case::small(1000)]
#[case::larger_than_the_pipe(3 * 1024 * 1024)]
fn the_limit_itself_is_taken_and_one_byte_more_is_not(#[case] limit: usize) {
    let content = some_bytes(limit + 1);
    let take = |content: &[u8]| {
        receive_into(&tempfile::tempfile().unwrap(), content, content.len(), limit as u64)
    };
    assert_eq!(take(&content[..limit]).unwrap(), limit as u64);
    let refused = take(&content);
    assert!(matches!(refused, Err(CopyError::TooLong)), "{refused:?}");
}

/// The kernel moves nothing into a file that is open for appending (splice(2), EINVAL); by then
/// bytes are in the pipe already.
#[test]
fn a_file_that_the_kernel_refuses_is_written_all_the_same() {
    let content = some_bytes(LARGE);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let file = File::options().append(true).create(true).open(&path).unwrap();
    assert_eq!(receive_into(&file, &content, LARGE, u64::MAX).unwrap(), LARGE as u64);
    assert!(std::fs::read(&path).unwrap() == content);
}

#[test]
fn a_silent_sender_is_a_read_that_times_out() {
    let (_silent, server) = pair();
    let time = Duration::from_millis(50);
    let result = receive_within(time, &server, &tempfile::tempfile().unwrap(), 10);
    let Err(CopyError::Read(error)) = result else { panic!("{result:?}") };
    assert!(crate::net::socket_error::is_timeout(&error), "{error:?}");
}

#[test]
fn the_stop_ends_a_wait_for_a_silent_sender_and_leaves_what_a_busy_one_sends() {
    let (mut client, server) = pair();
    let stop = Stop::new();
    let stream = Stoppable::new(&server, &stop, LIMIT).unwrap();
    let receive = || receive(&stream, &tempfile::tempfile().unwrap(), u64::MAX);
    let is_stopped = |result| match result {
        Err(CopyError::Read(error)) => crate::system::wait::is_stopped(&error),
        _ => false,
    };
    thread::scope(|scope| {
        let receiving = scope.spawn(receive);
        stop.raise();
        assert!(is_stopped(receiving.join().unwrap()));
    });
    client.write_all(b"more").unwrap();
    assert!(is_stopped(receive()));
}

#[test]
fn a_reset_is_a_read_that_failed() {
    let (client, server) = pair();
    crate::net::socket::reset_on_close(&client, true).unwrap();
    drop(client);
    let result = receive_within(LIMIT, &server, &tempfile::tempfile().unwrap(), 10);
    let Err(CopyError::Read(error)) = result else { panic!("{result:?}") };
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[test]
fn a_file_that_cannot_be_written_is_a_write_that_failed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    std::fs::write(&path, "").unwrap();
    let result = receive_into(&File::open(&path).unwrap(), b"hello", 5, 10);
    assert!(matches!(result, Err(CopyError::Write(_))), "{result:?}");
}

/// Sends `file`, and returns what arrives and the last length that `progress` was told.
fn sent_from(file: &File) -> (Vec<u8>, u64) {
    let (client, mut server) = pair();
    thread::scope(|scope| {
        let sending = scope.spawn(move || {
            let mut told = 0;
            let length = send(file, &client, |length| told = length).unwrap();
            assert_eq!(length, told);
            told
        });
        let mut received = Vec::new();
        server.read_to_end(&mut received).unwrap();
        (received, sending.join().unwrap())
    })
}

#[rstest]
#[case::nothing(0)]
#[case::one_byte(1)]
#[case::large(LARGE)]
fn what_the_file_has_is_sent(#[case] length: usize) {
    let content = some_bytes(length);
    let (received, told) = sent_from(&file_with(&content));
    assert_eq!(told, length as u64);
    assert!(received == content);
}

/// A file is sent from where it stands.
#[test]
fn what_was_read_before_is_not_sent() {
    let mut file = file_with(b"0123456789");
    file.read_exact(&mut [0; 4]).unwrap();
    assert_eq!(sent_from(&file).0, b"456789");
}

#[test]
#[cfg(target_os = "linux")]
fn a_pipe_is_sent_although_the_kernel_refuses_it() {
    let content = some_bytes(LARGE);
    let (reader, mut writer) = io::pipe().unwrap();
    thread::scope(|scope| {
        let writing = content.clone();
        scope.spawn(move || writer.write_all(&writing).unwrap());
        let (received, _) = sent_from(&File::from(std::os::fd::OwnedFd::from(reader)));
        assert!(received == content);
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_that_says_it_is_empty_and_is_not_is_sent() {
    let file = File::open("/proc/self/limits").unwrap();
    assert_eq!(file.metadata().unwrap().len(), 0);
    let (received, _) = sent_from(&file);
    assert!(received.starts_with(b"Limit "), "{received:?}");
}

#[test]
fn a_receiver_that_takes_nothing_is_a_write_that_times_out() {
    let (client, _deaf) = pair();
    client.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
    let result = send(&file_with(&some_bytes(LARGE)), &client, |_| {});
    let Err(CopyError::Write(error)) = result else { panic!("{result:?}") };
    assert!(crate::net::socket_error::is_timeout(&error), "{error:?}");
}

#[test]
fn a_receiver_that_is_gone_is_a_write_that_failed() {
    let (client, server) = pair();
    crate::net::socket::reset_on_close(&server, true).unwrap();
    drop(server);
    let result = send(&file_with(&some_bytes(LARGE)), &client, |_| {});
    assert!(matches!(result, Err(CopyError::Write(_))), "{result:?}");
}
