use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::thread;
use std::time::Duration;

use super::{A_MOMENT, assert_says, case, report_of, serving_once};

#[test]
fn a_reserved_address_refuses_until_the_test_listens_there() {
    let case = case();
    let reserved = case.reserve();
    let address = reserved.address();
    let refused = TcpStream::connect(address).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    let host = reserved.listen();
    assert!(host.accept_within(Duration::ZERO).is_none());
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"here I am").unwrap();
    host.accept_within(Duration::from_secs(10)).unwrap().expect(b"here I am");
}

#[test]
fn an_address_that_did_not_answer_does_once_it_is_lifted() {
    let case = case();
    let Some(address) = case.filtered(Ipv4Addr::LOCALHOST.into()) else { return };
    let connecting = thread::spawn(move || TcpStream::connect(address).unwrap());
    thread::sleep(A_MOMENT);
    let client = case.lift(address).accept();
    assert_eq!(connecting.join().unwrap().peer_addr().unwrap(), client.address());
}

#[test]
fn a_host_may_have_an_address_of_ipv6() {
    let case = case();
    if case.has_ipv6() {
        let host = case.listen_at("::1".parse().unwrap());
        let _stream = TcpStream::connect(host.address()).unwrap();
        assert_eq!(host.accept().address().ip(), host.address().ip());
    }
}

#[cfg(unix)]
#[test]
fn only_who_was_told_a_wildcard_may_listen_on_it() {
    use super::case_of;
    const EVERYWHERE: &str = "echo 'listening on [::]:9'; exec sleep 1000";
    let address = case_of(EVERYWHERE).serve_at(&[], "[::]:0");
    assert_eq!(address, "[::]:9".parse().unwrap());
    for told in ["127.0.0.1:0", "0.0.0.0:0"] {
        let report = report_of(|| {
            let _ = case_of(EVERYWHERE).serve_at(&[], told);
        });
        assert_says(&report, &["not ready: your program says that it listens on [::]:9"]);
    }
}

#[test]
fn the_end_without_a_byte_and_the_bytes_are_told_apart() {
    let case = case();
    let (silent, done) = serving_once(drop);
    assert!(!case.connect(silent).expect_or_end(b"yes"));
    done.join().unwrap();
    let (silent, done) = serving_once(drop);
    case.connect(silent).expect_end_without_a_byte();
    done.join().unwrap();
    let (polite, done) = serving_once(|mut stream| stream.write_all(b"yes").unwrap());
    let mut client = case.connect(polite);
    assert!(client.expect_or_end(b"ye"));
    done.join().unwrap();
    let report = report_of(|| client.expect_end_without_a_byte());
    assert_says(&report, &["something came on this connection", "got  1 byte  \"s\""]);
}

#[test]
fn other_bytes_are_neither() {
    let (strange, done) = serving_once(|mut stream| stream.write_all(b"yo").unwrap());
    let report = report_of(|| _ = case().connect(strange).expect_or_end(b"yes"));
    assert_says(&report, &["fail: the bytes are not the ones expected", "got  2 bytes  \"yo\""]);
    done.join().unwrap();
}

#[test]
fn of_two_connections_the_one_that_is_closed_is_told() {
    let case = case();
    let (open, done) = serving_once(|mut stream| _ = stream.read(&mut [0]));
    let (closed, closing) = serving_once(drop);
    let (mut open, mut closed) = (case.connect(open), case.connect(closed));
    assert!(closed.closes_before(&mut open));
    assert!(!open.closes_before(&mut closed));
    closing.join().unwrap();
    open.vanish();
    done.join().unwrap();
}
