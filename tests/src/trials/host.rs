use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use super::{A_MOMENT, assert_says, case, report_of};

#[test]
fn a_client_is_accepted_heard_and_answered() {
    let case = case();
    let host = case.listen();
    let mut stream = TcpStream::connect(host.address()).unwrap();
    stream.write_all(b"a question").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut client = host.accept();
    client.expect(b"a question");
    client.expect_close();
    client.send_slowly(b"an answer", 2, Duration::ZERO);
    client.half_close();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, b"an answer");
    host.expect_nobody(A_MOMENT);
}

#[test]
fn a_client_sees_a_reset() {
    let case = case();
    let host = case.listen();
    let mut stream = TcpStream::connect(host.address()).unwrap();
    host.accept().reset();
    let error = stream.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_wrong_message_is_told_with_the_wire_of_the_client() {
    let report = report_of(|| {
        let case = case();
        let host = case.listen();
        let mut stream = TcpStream::connect(host.address()).unwrap();
        stream.write_all(b"HELLO").unwrap();
        host.accept().expect(b"hello");
    });
    assert_says(&report, &["the test's server listens on 127.0.0.1:", "accepts a connection"]);
    assert_says(&report, &["the test's server (connection 1) expects 5 bytes  \"hello\""]);
    assert_says(&report, &["client 1 connects", "client 1 → server: 5 bytes \"HELLO\""]);
}

/// Once with all that the buffers in between hold, and not at all without them.
#[test]
fn a_small_buffer_takes_little_of_what_nobody_reads() {
    let taken_by = |host: &crate::Host| {
        let stream = TcpStream::connect(host.address()).unwrap();
        let _unread = host.accept();
        stream.set_nonblocking(true).unwrap();
        let mut taken = 0;
        // Bytes still travel from the sender's buffer to the receiver's for a moment.
        for _ in 0..20 {
            while let Ok(length) = (&stream).write(&[0; 8 * 1024]) {
                taken += length;
            }
            thread::sleep(Duration::from_millis(5));
        }
        taken
    };
    let case = case();
    let (small, usual) = (taken_by(&case.listen_with_buffer(4096)), taken_by(&case.listen()));
    assert!(small < usual, "{small} bytes of {usual}");
}

#[test]
fn whoever_has_heard_enough_and_leaves_is_seen() {
    let case = case();
    let host = case.listen();
    let mut stream = TcpStream::connect(host.address()).unwrap();
    let listening = thread::spawn(move || stream.read_exact(&mut [0; 3]).unwrap());
    host.accept().send_until_gone(b".", Duration::from_millis(5));
    listening.join().unwrap();
}

#[test]
fn whoever_never_has_enough_is_told_as_a_timeout() {
    let report = report_of(|| {
        let case = case();
        let host = case.listen();
        let _stream = TcpStream::connect(host.address()).unwrap();
        host.accept().send_until_gone(b".", Duration::from_millis(100));
    });
    assert_says(&report, &["timeout: your program still listens after", "until it is alone"]);
}
