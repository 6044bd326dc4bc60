//! `reply`: a server that sends every datagram back, backwards.

use std::net::SocketAddr;

use graded::{Case, Sender};
use netlab::conditions::Conditions;
use netlab::faults::Fate;
use netlab::record::Transport;
use rstest::rstest;

use super::{A_MOMENT, exactly, expect_refused};

fn start() -> (Case, SocketAddr) {
    let case = Case::of("04", "reply");
    let server = case.serve();
    (case, server)
}

fn reversed(payload: &[u8]) -> Vec<u8> {
    payload.iter().rev().copied().collect()
}

fn converse(sender: &Sender, payload: &[u8]) {
    sender.send(payload);
    sender.expect(&reversed(payload));
}

#[rstest]
#[case::hello(b"hello")]
#[case::chinese("你好".as_bytes())]
#[case::zero_bytes(b"\0a\0\0")]
#[case::not_utf8(b"\xff\xc3\x28\xfe")]
fn every_datagram_is_answered_in_reverse(#[case] first: &[u8]) {
    let (case, server) = start();
    let sender = case.sender(server);
    converse(&sender, first);
    for _ in 0..10 {
        converse(&sender, &case.random_bytes(case.random_length(1, 1000)));
    }
    sender.expect_silence(A_MOMENT);
}

#[rstest]
#[case::more_than_a_tutorial_receives(1_025)]
#[case::more_than_a_packet(9_000)]
#[case::the_largest(65_507)]
fn a_large_datagram_comes_back_whole(#[case] length: usize) {
    let (case, server) = start();
    converse(&case.sender(server), &case.random_bytes(length));
}

#[rstest]
fn an_empty_datagram_is_answered_with_an_empty_one() {
    let (case, server) = start();
    let sender = case.sender(server);
    converse(&sender, b"");
    converse(&sender, b"and on it goes");
}

#[rstest]
fn each_sender_gets_the_answers_to_its_own_datagrams() {
    let (case, server) = start();
    let senders: Vec<Sender> = (0..5).map(|_| case.sender(server)).collect();
    let payloads: Vec<Vec<u8>> = senders.iter().map(|_| case.random_bytes(100)).collect();
    for (sender, payload) in senders.iter().zip(&payloads) {
        sender.send(payload);
    }
    for (sender, payload) in senders.iter().zip(&payloads).rev() {
        sender.expect(&reversed(payload));
    }
}

/// Lost before it arrives, it is not there; doubled, it is two datagrams.
#[rstest]
fn what_arrives_is_answered_and_nothing_else() {
    let (case, server) = start();
    let to_server = exactly([(1, Fate::Lose), (2, Fate::Duplicate), (3, Fate::Reorder(1))]);
    let conditions = Conditions { to_server, ..Conditions::default() };
    let sender = case.sender(case.network(Transport::Udp, server, conditions));
    let sent: Vec<Vec<u8>> = (0..5).map(|_| case.random_bytes(50)).collect();
    for payload in &sent {
        sender.send(payload);
    }
    // The fifth overtakes the fourth.
    for arrived in [0, 2, 2, 4, 3] {
        sender.expect(&reversed(&sent[arrived]));
    }
    sender.expect_silence(A_MOMENT);
}

/// The server's answers reach a host where nobody has the port, and that host says so (ICMP).
#[rstest]
fn a_vanished_sender_does_not_stop_the_server() {
    let (case, server) = start();
    for _ in 0..5 {
        let vanishing = case.sender(server);
        vanishing.send(b"you will not find me");
        case.step("its socket is closed before the answer comes");
    }
    converse(&case.sender(server), b"still there?");
}

#[rstest]
#[case::another_role(&["client", "--addr", "127.0.0.1:0"])]
#[case::no_role(&["--addr", "127.0.0.1:0"])]
#[case::no_address(&["server", "--addr", "nowhere"])]
#[case::an_unknown_option(&["server", "--addr", "127.0.0.1:0", "--reverse"])]
fn wrong_arguments_are_refused(#[case] arguments: &[&str]) {
    let case = Case::of("04", "reply");
    expect_refused(&case, arguments);
    // The same program takes right ones.
    converse(&case.sender(case.serve()), b"hello");
}
