//! Lesson 4's exercises, graded over the wire. Each test is a check of `lesson.toml`.

use std::net::SocketAddr;

use graded::{Exam, Sender};
use rstest::rstest;

mod reply {
    use super::*;

    fn start() -> (Exam, SocketAddr) {
        let exam = Exam::of("04", "reply");
        let server = exam.serve();
        (exam, server)
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
    #[case::not_utf8(b"\xff\0\xfe")]
    fn every_datagram_is_answered_in_reverse(#[case] first: &[u8]) {
        let (exam, server) = start();
        let sender = exam.sender(server);
        converse(&sender, first);
        for _ in 0..10 {
            converse(&sender, &exam.random_bytes(exam.random_length(1, 1000)));
        }
    }

    #[rstest]
    #[case::more_than_a_tutorial_receives(1_025)]
    #[case::more_than_a_packet(9_000)]
    #[case::the_largest(65_507)]
    fn a_large_datagram_comes_back_whole(#[case] length: usize) {
        let (exam, server) = start();
        converse(&exam.sender(server), &exam.random_bytes(length));
    }

    #[rstest]
    fn an_empty_datagram_is_answered_with_an_empty_one() {
        let (exam, server) = start();
        let sender = exam.sender(server);
        converse(&sender, b"");
        converse(&sender, b"and on it goes");
    }

    #[rstest]
    fn each_sender_gets_the_answers_to_its_own_datagrams() {
        let (exam, server) = start();
        let senders: Vec<Sender> = (0..5).map(|_| exam.sender(server)).collect();
        let payloads: Vec<Vec<u8>> = senders.iter().map(|_| exam.random_bytes(100)).collect();
        for (sender, payload) in senders.iter().zip(&payloads) {
            sender.send(payload);
        }
        for (sender, payload) in senders.iter().zip(&payloads).rev() {
            sender.expect(&reversed(payload));
        }
    }

    #[rstest]
    fn a_vanished_sender_does_not_stop_the_server() {
        let (exam, server) = start();
        for _ in 0..5 {
            let vanishing = exam.sender(server);
            vanishing.send(b"you will not find me");
            exam.step("its socket is closed before the answer comes");
        }
        converse(&exam.sender(server), b"still there?");
    }
}
