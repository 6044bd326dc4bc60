//! What the outcome of a connect means, case by case.

use super::*;
use rstest::rstest;
use socket2::{Domain, Socket, Type};

const LONG: Duration = Duration::from_secs(20);

#[rstest]
#[case::refused(ErrorKind::ConnectionRefused, "closed: a reset (RST) came after 1.500 ms")]
#[case::silence(ErrorKind::TimedOut, "filtered: nothing came for 0.0 s")]
#[case::host(ErrorKind::HostUnreachable, "filtered: host unreachable; ")]
#[case::network(ErrorKind::NetworkUnreachable, "filtered: network unreachable; ")]
#[case::rule(ErrorKind::PermissionDenied, "filtered: not permitted; ")]
fn each_outcome_has_its_verdict_and_its_evidence(#[case] kind: ErrorKind, #[case] says: &str) {
    let verdict = judge(Err(kind.into()), Duration::from_micros(1500), LONG).unwrap();
    assert!(verdict.to_string().starts_with(says), "{verdict}");
}

#[test]
fn what_says_nothing_about_the_port_is_no_verdict() {
    judge(Err(ErrorKind::AddrNotAvailable.into()), Duration::ZERO, LONG).unwrap_err();
}

#[test]
fn a_connection_with_ourselves_is_not_an_open_port() {
    // Bound first, so that the port we knock at is the one we knock from.
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let any: SocketAddr = ([127, 0, 0, 1], 0).into();
    socket.bind(&any.into()).unwrap();
    let own = socket.local_addr().unwrap();
    socket.connect_timeout(&own, LONG).unwrap();
    assert!(is_ourselves(&socket.into()).unwrap());
}
