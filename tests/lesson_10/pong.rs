//! `pong`: the answering half of ping, in UDP datagrams.

use std::net::SocketAddr;

use graded::{Case, Difference, Sender};
use rstest::rstest;

use super::{A_MOMENT, expect_refused};

/// The most data that fits into a datagram with a header of 8 bytes.
const LARGEST: usize = 65_499;
const REQUEST: u8 = 8;
const REPLY: u8 = 0;

struct Wire {
    case: Case,
    server: SocketAddr,
    sender: Sender,
}

fn start() -> Wire {
    let case = Case::of("10", "pong");
    let server = case.serve();
    let sender = case.sender(server);
    Wire { case, server, sender }
}

/// A message without its checksum: zero stands there.
fn blank(kind: u8, id: u16, sequence: u16, data: &[u8]) -> Vec<u8> {
    let (id, sequence) = (id.to_be_bytes(), sequence.to_be_bytes());
    [&[kind, 0, 0, 0][..], &id, &sequence, data].concat()
}

fn message(kind: u8, id: u16, sequence: u16, data: &[u8]) -> Vec<u8> {
    sealed(blank(kind, id, sequence, data))
}

/// With the right checksum in bytes 2 and 3.
fn sealed(mut message: Vec<u8>) -> Vec<u8> {
    message[2..4].fill(0);
    let checksum = checksum(&message);
    with_checksum(message, checksum)
}

fn with_checksum(mut message: Vec<u8>, checksum: u16) -> Vec<u8> {
    message[2..4].copy_from_slice(&checksum.to_be_bytes());
    message
}

/// Added up in 64 bits, with the carries added at the end: another way than the solution's.
fn checksum(message: &[u8]) -> u16 {
    let byte = |(at, &byte): (usize, &u8)| u64::from(byte) << (8 * ((at + 1) % 2));
    let mut sum: u64 = message.iter().enumerate().map(byte).sum();
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    !u16::try_from(sum).unwrap_or_default()
}

impl Wire {
    /// A request with these in it, and its reply.
    fn ping(&self, id: u16, sequence: u16, data: &[u8]) {
        let of_kind = |kind| message(kind, id, sequence, data);
        self.exchange(&of_kind(REQUEST), &of_kind(REPLY));
    }

    /// A request and its reply. A second request, an easy one, follows at once: if the first one is
    /// not answered, nobody has to wait for that.
    fn exchange(&self, request: &[u8], reply: &[u8]) {
        self.sender.send(request);
        ask(&self.sender, 3, 4);
        let got = self.sender.receive();
        if got.get(4..) == Some(&message(REPLY, 3, 4, b"")[4..]) {
            let what = "the first of these two requests was not answered, but the second was";
            self.case.fail(Difference::fail(what).with(reply, &got));
        }
        if got != reply {
            let what = "the reply is not the one expected";
            self.case.fail(Difference::fail(what).with(reply, &got));
        }
        expect_answer(&self.case, &self.sender, 3, 4);
    }

    fn random_number(&self) -> u16 {
        let bytes = self.case.random_bytes(2);
        u16::from_be_bytes([bytes[0], bytes[1]])
    }

    /// A request with numbers and data of any value, and its reply.
    fn ping_at_random(&self, length: usize) {
        let data = self.case.random_bytes(length);
        self.ping(self.random_number(), self.random_number(), &data);
    }

    /// `nonsense` is not answered; and the next request is.
    fn expect_no_answer_to(&self, nonsense: &[u8]) {
        self.sender.send(nonsense);
        self.sender.expect_silence(A_MOMENT / 2);
        ask(&self.sender, 1, 2);
        expect_answer(&self.case, &self.sender, 1, 2);
    }
}

/// The task's own example, but for the numbers: as long as these are small, no carry is to be made.
fn ask(sender: &Sender, id: u16, sequence: u16) {
    sender.send(&message(REQUEST, id, sequence, b""));
}

/// A reply to that. Its checksum is the business of other checks.
fn expect_answer(case: &Case, sender: &Sender, id: u16, sequence: u16) {
    let expected = message(REPLY, id, sequence, b"");
    let mut got = sender.receive();
    if let Some(checksum) = got.get_mut(2..4) {
        checksum.copy_from_slice(&expected[2..4]);
    }
    if got != expected {
        let what = "this is not the reply to the request";
        case.fail(Difference::fail(what).with(&expected, &got));
    }
}

/// The task's own example is the first.
#[rstest]
#[case::without_data(1, 2, b"")]
#[case::with_a_text(0x1234, 0, "你好, pong".as_bytes())]
#[case::with_the_highest_numbers(0xffff, 0xfffe, b"\0\0")]
#[case::with_bytes_that_are_no_text(0, 1, b"\xff\xfe\xc3\x28")]
fn an_echo_request_is_answered(#[case] id: u16, #[case] sequence: u16, #[case] data: &[u8]) {
    let wire = start();
    wire.ping(id, sequence, data);
    for _ in 0..10 {
        // An even number of bytes: odd ones are a check of their own.
        wire.ping_at_random(2 * wire.case.random_length(0, 500));
    }
    wire.sender.expect_silence(A_MOMENT / 2);
}

#[rstest]
#[case::of_ping(56)]
#[case::more_than_a_tutorial_receives(1_024)]
#[case::more_than_a_packet(9_000)]
#[case::as_long_as_can_be_but_even(LARGEST - 1)]
fn large_data_comes_back_whole(#[case] length: usize) {
    start().ping_at_random(length);
}

#[rstest]
#[case::one(1)]
#[case::three(3)]
#[case::some(57)]
#[case::as_many_as_can_be(LARGEST)]
fn an_odd_number_of_bytes_is_padded_with_a_zero(#[case] length: usize) {
    let wire = start();
    let mut data = wire.case.random_bytes(length);
    // Nobody who leaves the last byte out, or takes it for the low one, has the right sum.
    data[length - 1] = 0x9a;
    wire.ping(wire.random_number(), wire.random_number(), &data);
}

/// What the reply's sum is before the carries are added, and the checksum that follows.
#[rstest]
#[case::that_is_0x10000(0xffff, 0x0001, &[], 0xfffe)]
#[case::that_carries_once_more(0xffff, 0xffff, &[0x0001], 0xfffe)]
#[case::that_carries_again_and_again(0x8000, 0x8000, &[0x8000, 0x8000, 0xffff], 0xfffd)]
#[case::of_all_ones(0xffff, 0xffff, &[0xffff; 8_000], 0x0000)]
fn the_carry_goes_around(
    #[case] id: u16,
    #[case] sequence: u16,
    #[case] words: &[u16],
    #[case] expected: u16,
) {
    let wire = start();
    let data: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    let reply = with_checksum(blank(REPLY, id, sequence, &data), expected);
    wire.exchange(&message(REQUEST, id, sequence, &data), &reply);
}

/// 0x0000 and 0xffff are both zero in one's complement: which one is sent follows from the rule, and
/// which one comes does not matter.
#[rstest]
#[case::reply_of_zeros(0, 0, b"\0\0\0", message(REQUEST, 0, 0, b"\0\0\0"), 0xffff)]
#[case::reply_of_a_sum_of_ones(0xffff, 0, b"", message(REQUEST, 0xffff, 0, b""), 0x0000)]
#[case::request_with_0x0000(
    0xf7ff,
    0,
    b"",
    with_checksum(blank(REQUEST, 0xf7ff, 0, b""), 0),
    0x0800
)]
#[case::request_with_0xffff(
    0xf7ff,
    0,
    b"",
    with_checksum(blank(REQUEST, 0xf7ff, 0, b""), 0xffff),
    0x0800
)]
fn zero_has_two_forms(
    #[case] id: u16,
    #[case] sequence: u16,
    #[case] data: &[u8],
    #[case] request: Vec<u8>,
    #[case] expected: u16,
) {
    let reply = with_checksum(blank(REPLY, id, sequence, data), expected);
    start().exchange(&request, &reply);
}

/// What has become of a message on its way: one bit of one byte is another.
#[rstest]
#[case::in_the_checksum(2)]
#[case::in_the_identifier(5)]
#[case::in_the_sequence_number(6)]
#[case::in_the_data(20)]
#[case::in_the_last_byte(48)]
fn what_was_damaged_is_not_answered(#[case] at: usize) {
    let wire = start();
    let data = wire.case.random_bytes(41);
    let mut damaged = message(REQUEST, wire.random_number(), wire.random_number(), &data);
    damaged[at] ^= 1 << wire.case.random_length(0, 7);
    wire.expect_no_answer_to(&damaged);
}

#[rstest]
#[case::zero(|_| 0)]
#[case::that_of_the_reply(|right: u16| right.wrapping_add(0x0800))]
#[case::in_the_other_byte_order(u16::swap_bytes)]
#[case::the_sum_and_not_its_complement(|right: u16| !right)]
fn a_wrong_checksum_is_not_answered(#[case] wrong: fn(u16) -> u16) {
    let wire = start();
    let request = blank(REQUEST, 0x1234, 0x0042, b"checked");
    let right = checksum(&request);
    wire.expect_no_answer_to(&with_checksum(request, wrong(right)));
}

/// All of them with the right checksum.
#[rstest]
#[case::an_echo_reply(REPLY, 0)]
#[case::destination_unreachable(3, 1)]
#[case::time_exceeded(11, 0)]
#[case::a_timestamp_request(13, 0)]
#[case::an_echo_request_of_ipv6(128, 0)]
#[case::an_echo_request_with_a_code(REQUEST, 1)]
#[case::the_highest_code(REQUEST, 255)]
fn only_echo_requests_are_answered(#[case] kind: u8, #[case] code: u8) {
    let wire = start();
    let mut other = blank(kind, wire.random_number(), wire.random_number(), b"other data");
    other[1] = code;
    wire.expect_no_answer_to(&sealed(other));
}

/// Their checksums are right, as far as there are any.
#[rstest]
#[case::nothing(b"")]
#[case::a_byte(b"\x08")]
#[case::type_and_code(b"\x08\0")]
#[case::half_a_checksum(b"\x08\0\xf7")]
#[case::no_identifier(b"\x08\0\xf7\xff")]
#[case::no_sequence_number(b"\x08\0\xf7\xfe\0\x01")]
#[case::half_a_sequence_number(b"\x08\0\xf6\xfe\0\x01\x01")]
fn what_is_too_short_is_not_answered(#[case] short: &[u8]) {
    start().expect_no_answer_to(short);
}

#[rstest]
fn each_sender_gets_the_replies_to_its_own_requests() {
    let wire = start();
    let senders: Vec<Sender> = (0..8).map(|_| wire.case.sender(wire.server)).collect();
    // All ask twice, before anybody hears something.
    for (id, sender) in (0..8).zip(&senders) {
        (0..2).for_each(|sequence| ask(sender, id, sequence));
    }
    for (id, sender) in (0..8).zip(&senders).rev() {
        (0..2).for_each(|sequence| expect_answer(&wire.case, sender, id, sequence));
    }
    for sender in &senders {
        sender.expect_silence(A_MOMENT / 10);
    }
}

/// The host says that nobody has the port any more (ICMP itself, and in earnest).
#[rstest]
fn a_vanished_sender_does_not_stop_the_server() {
    let wire = start();
    for _ in 0..5 {
        let sender = wire.case.sender(wire.server);
        (0..4).for_each(|sequence| ask(&sender, 7, sequence));
        drop(sender);
        ask(&wire.sender, 8, 9);
        expect_answer(&wire.case, &wire.sender, 8, 9);
    }
}

#[rstest]
#[case::another_role(&["client", "--addr", "127.0.0.1:0"])]
#[case::an_unknown_option(&["server", "--addr", "127.0.0.1:0", "--loud"])]
#[case::no_address(&["server", "--addr", "nowhere"])]
fn wrong_arguments_are_refused(#[case] arguments: &[&str]) {
    let wire = start();
    expect_refused(&wire.case, arguments);
    // The same program takes right ones.
    ask(&wire.sender, 1, 2);
    expect_answer(&wire.case, &wire.sender, 1, 2);
}
