//! `room`: a server that tells its members who comes, who says what, and who is gone.

use std::net::SocketAddr;
use std::time::Duration;

use graded::{Case, Difference, Sender};
use netlab::conditions::Conditions;
use netlab::faults::Fate;
use netlab::record::Transport;
use rstest::rstest;

use super::{A_MOMENT, bad_network, exactly, expect_refused};

/// The largest text that can be passed on: 65,507 bytes less the letter and the number.
const LARGEST: usize = 65_502;
/// So short that a test can wait for it, and so long that nobody is late before.
const EXPIRY: Duration = Duration::from_millis(1500);
const SOON: &[&str] = &["--expiry", "1500"];
/// How much later the second member comes than the first, so that it also leaves later however busy the
/// machine is.
const LATER: Duration = Duration::from_millis(400);

struct Room {
    case: Case,
    server: SocketAddr,
}

/// Somebody who may be in the room.
struct Guest {
    sender: Sender,
    number: u32,
}

fn open(arguments: &[&str]) -> Room {
    let case = Case::of("04", "room");
    let server = case.serve_at(arguments, "127.0.0.1:0");
    if arguments == SOON {
        case.tells_to_wait(EXPIRY);
    }
    Room { case, server }
}

impl Room {
    /// The next guest comes in, and the others, who are all that are in, are told.
    fn enter(&self, others: &[&Guest]) -> Guest {
        self.enter_from(self.server, others)
    }

    /// As `enter`, through the network at `address`.
    fn enter_from(&self, address: SocketAddr, others: &[&Guest]) -> Guest {
        let number = others.iter().map(|other| other.number).max().unwrap_or(0) + 1;
        let guest = Guest { sender: self.case.sender(address), number };
        guest.sender.send(b"");
        guest.is_welcomed(others);
        guest
    }

    fn stranger(&self, number: u32) -> Guest {
        Guest { sender: self.case.sender(self.server), number }
    }

    fn a_moment_passes(&self) {
        self.case.step("a moment passes");
        std::thread::sleep(LATER);
    }

    /// A network before the room in which only the guests' datagrams meet with `fates`.
    fn network<const N: usize>(&self, fates: [(u64, Fate); N]) -> SocketAddr {
        let conditions = Conditions { to_server: exactly(fates), ..Conditions::default() };
        self.case.network(Transport::Udp, self.server, conditions)
    }
}

impl Guest {
    fn is_welcomed(&self, others: &[&Guest]) {
        self.sender.expect(&packet(b'W', self.number, b""));
        for other in others {
            other.sender.expect(&packet(b'J', self.number, b""));
        }
    }

    fn says(&self, text: &[u8]) {
        self.sender.send(&[b"S", text].concat());
    }

    fn is_heard(&self, text: &[u8], others: &[&Guest]) {
        for other in others {
            other.sender.expect(&packet(b'S', self.number, text));
        }
    }

    /// `others` are told that this guest is gone.
    fn is_missed(&self, others: &[&Guest]) {
        for other in others {
            other.sender.expect(&packet(b'L', self.number, b""));
        }
    }

    fn is_refused(&self) {
        self.sender.expect(b"N");
    }
}

fn packet(kind: u8, number: u32, text: &[u8]) -> Vec<u8> {
    [[kind].as_slice(), &number.to_be_bytes(), text].concat()
}

/// Nothing more has come to any of them.
fn silence(guests: &[&Guest]) {
    for guest in guests {
        guest.sender.expect_silence(A_MOMENT / 2);
    }
}

#[rstest]
#[case::that_says_nothing(b"")]
#[case::that_says_something(b"Shello")]
fn the_first_datagram_makes_a_member(#[case] datagram: &[u8]) {
    let room = open(&[]);
    let first = room.enter(&[]);
    let second = room.enter(&[&first]);
    let third = room.stranger(3);
    third.sender.send(datagram);
    third.is_welcomed(&[&first, &second]);
    if let Some(text) = datagram.strip_prefix(b"S") {
        third.is_heard(text, &[&first, &second]);
    }
    third.sender.send(b"S?");
    third.is_heard(b"?", &[&first, &second]);
    silence(&[&first, &second, &third]);
}

#[rstest]
#[case::hello(b"hello")]
#[case::chinese("你好".as_bytes())]
#[case::nothing(b"")]
#[case::zero_bytes(b"\0\0")]
#[case::not_utf8(b"\xff\xc3\x28\xfe")]
#[case::a_letter_of_the_room(b"B")]
fn what_one_says_all_others_hear(#[case] text: &[u8]) {
    let room = open(&[]);
    let a = room.enter(&[]);
    let b = room.enter(&[&a]);
    let c = room.enter(&[&a, &b]);
    let random = room.case.random_bytes(room.case.random_length(1, 1000));
    for (speaker, others) in [(&a, [&b, &c]), (&c, [&a, &b]), (&b, [&a, &c])] {
        for text in [text, &random] {
            speaker.says(text);
            speaker.is_heard(text, &others);
        }
    }
    silence(&[&a, &b, &c]);
}

#[rstest]
#[case::more_than_a_tutorial_receives(1_024)]
#[case::the_largest(LARGEST)]
fn a_large_text_is_passed_on_whole(#[case] length: usize) {
    let room = open(&[]);
    let a = room.enter(&[]);
    let b = room.enter(&[&a]);
    let text = room.case.random_bytes(length);
    a.says(&text);
    a.is_heard(&text, &[&b]);
}

#[rstest]
#[case::by_one_byte(LARGEST + 1)]
#[case::the_largest_datagram(65_506)]
fn a_text_too_large_to_be_passed_on_is_refused(#[case] length: usize) {
    let room = open(&[]);
    let a = room.enter(&[]);
    let b = room.enter(&[&a]);
    a.says(&room.case.random_bytes(length));
    a.is_refused();
    a.says(b"shorter");
    a.is_heard(b"shorter", &[&b]);
    silence(&[&a, &b]);
}

#[rstest]
fn an_empty_datagram_of_a_member_is_not_passed_on() {
    let room = open(&[]);
    let a = room.enter(&[]);
    let b = room.enter(&[&a]);
    a.sender.send(b"");
    a.sender.send(b"");
    a.says(b"I have said nothing so far");
    a.is_heard(b"I have said nothing so far", &[&b]);
    silence(&[&a, &b]);
}

#[rstest]
fn a_bye_is_told_to_the_others() {
    let room = open(&[]);
    let a = room.enter(&[]);
    let b = room.enter(&[&a]);
    let c = room.enter(&[&a, &b]);
    b.sender.send(b"B");
    b.is_missed(&[&a, &c]);
    a.says(b"alone with you");
    a.is_heard(b"alone with you", &[&c]);
    b.sender.send(b"B");
    silence(&[&a, &b, &c]);
    // Back, and somebody else.
    let b = Guest { number: 4, ..b };
    b.says(b"no, wait");
    b.is_welcomed(&[&a, &c]);
    b.is_heard(b"no, wait", &[&a, &c]);
}

/// Without any datagram that could remind the server of it.
#[rstest]
fn who_is_silent_has_left() {
    let room = open(SOON);
    let timed = room.case.must_act_within(EXPIRY);
    let a = room.enter(&[]);
    room.a_moment_passes();
    let b = room.enter(&[&a]);
    drop(timed);
    a.is_missed(&[&b]);
    let timed = room.case.must_act_within(LATER);
    b.says(b"is anybody here?");
    drop(timed);
    a.sender.expect_silence(A_MOMENT);
    a.says(b"I am");
    let welcome = a.sender.receive();
    room.case.step("who comes back is welcomed with a new number");
    let [b'W', number @ ..] = welcome.as_slice() else {
        room.case.fail(Difference::fail("this is no welcome").with(b"W", &welcome));
    };
    if number.len() != 4 || number <= b.number.to_be_bytes().as_slice() {
        room.case.fail(Difference::fail("this number is not a new one"));
    }
}

/// The one who spoke earlier is the first to leave; and it is not the one who came first.
#[rstest]
#[case::that_says_nothing(b"")]
#[case::that_says_something(b"Sone moment")]
fn every_datagram_renews(#[case] datagram: &[u8]) {
    let room = open(SOON);
    let timed = room.case.must_act_within(EXPIRY);
    let a = room.enter(&[]);
    let b = room.enter(&[&a]);
    room.a_moment_passes();
    a.sender.send(datagram);
    if let Some(text) = datagram.strip_prefix(b"S") {
        a.is_heard(text, &[&b]);
    }
    drop(timed);
    b.sender.expect_silence(EXPIRY + 2 * A_MOMENT);
    b.is_missed(&[&a]);
}

/// A member that hears nothing but refusals is silent to the others, and leaves first.
#[rstest]
fn a_refused_datagram_does_not_renew() {
    let room = open(SOON);
    let timed = room.case.must_act_within(EXPIRY);
    let a = room.enter(&[]);
    room.a_moment_passes();
    let b = room.enter(&[&a]);
    a.sender.send(b"?");
    a.is_refused();
    drop(timed);
    a.is_missed(&[&b]);
}

#[rstest]
#[case::an_unknown_letter(b"X")]
#[case::a_small_letter(b"shello")]
#[case::a_letter_of_the_room(b"W\0\0\0\x01")]
#[case::a_bye_and_more(b"Bye")]
#[case::not_utf8(b"\xffS")]
fn what_the_room_does_not_know_is_refused(#[case] datagram: &[u8]) {
    let room = open(&[]);
    let a = room.enter(&[]);
    let b = room.enter(&[&a]);
    a.sender.send(datagram);
    a.is_refused();
    let stranger = room.stranger(3);
    stranger.sender.send(datagram);
    stranger.is_refused();
    // Nobody has left, nobody has joined, no number is used.
    a.says(b"still here");
    a.is_heard(b"still here", &[&b]);
    silence(&[&a, &b, &stranger]);
    stranger.sender.send(b"");
    stranger.is_welcomed(&[&a, &b]);
}

#[rstest]
fn a_full_room_refuses_strangers() {
    let room = open(&["--places", "2"]);
    let a = room.enter(&[]);
    let b = room.enter(&[&a]);
    let c = room.stranger(3);
    for datagram in [b"".as_slice(), b"Slet me in"] {
        c.sender.send(datagram);
        c.is_refused();
    }
    for (speaker, other) in [(&a, &b), (&b, &a)] {
        speaker.says(b"a quiet place");
        speaker.is_heard(b"a quiet place", &[other]);
    }
    silence(&[&a, &b, &c]);
    b.sender.send(b"B");
    b.is_missed(&[&a]);
    c.says(b"at last");
    c.is_welcomed(&[&a]);
    c.is_heard(b"at last", &[&a]);
}

/// What is said to it reaches a host where nobody has the port, and that host says so (ICMP).
#[rstest]
fn a_vanished_member_hurts_nobody() {
    let room = open(&[]);
    let a = room.enter(&[]);
    let b = room.enter(&[&a]);
    let c = room.enter(&[&a, &b]);
    room.case.step(format!("the socket of sender {} is closed", b.sender.address()));
    drop(b);
    for _ in 0..10 {
        let text = room.case.random_bytes(20);
        a.says(&text);
        a.is_heard(&text, &[&c]);
        c.says(&text);
        c.is_heard(&text, &[&a]);
    }
}

/// The network doubles a join, a word and a bye. One can be said twice; the others are done.
#[rstest]
fn a_doubled_datagram_makes_one_member() {
    let room = open(&[]);
    let a = room.enter(&[]);
    let twice = [(0, Fate::Duplicate), (1, Fate::Duplicate), (2, Fate::Duplicate)];
    let b = room.enter_from(room.network(twice), &[&a]);
    b.says(b"echo");
    b.is_heard(b"echo", &[&a]);
    b.is_heard(b"echo", &[&a]);
    b.sender.send(b"B");
    b.is_missed(&[&a]);
    silence(&[&a, &b]);
}

#[rstest]
fn a_lost_bye_is_made_good_by_the_expiry() {
    let room = open(SOON);
    let timed = room.case.must_act_within(EXPIRY);
    let a = room.enter_from(room.network([(1, Fate::Lose)]), &[]);
    room.a_moment_passes();
    let b = room.enter(&[&a]);
    a.sender.send(b"B");
    drop(timed);
    a.is_missed(&[&b]);
}

/// Texts are lost, doubled and overtaken by the seed; what is passed on is what was said.
#[rstest]
fn a_bad_network_changes_no_text() {
    let room = open(&[]);
    let a = room.enter(&[]);
    let conditions = Conditions { to_client: exactly([]), ..bad_network() };
    let network = room.case.network(Transport::Udp, room.server, conditions);
    let b = Guest { sender: room.case.sender(network), number: 2 };
    let said: Vec<Vec<u8>> = (0..30).map(|_| room.case.random_bytes(30)).collect();
    for text in &said {
        b.says(text);
    }
    b.is_welcomed(&[&a]);
    let c = room.stranger(3);
    c.says(b"the end");
    let (joined, end) = (packet(b'J', 3, b""), packet(b'S', 3, b"the end"));
    let expected: Vec<Vec<u8>> = said.iter().map(|text| packet(b'S', 2, text)).collect();
    loop {
        let heard = a.sender.receive();
        if heard == end {
            break;
        }
        if heard != joined && !expected.contains(&heard) {
            room.case.fail(Difference::fail("nobody has said this").with(&end, &heard));
        }
    }
}

#[rstest]
#[case::another_role(&["client", "--addr", "127.0.0.1:0"])]
#[case::no_places(&["server", "--addr", "127.0.0.1:0", "--places", "0"])]
#[case::no_time(&["server", "--addr", "127.0.0.1:0", "--expiry", "0"])]
#[case::a_time_that_is_no_number(&["server", "--addr", "127.0.0.1:0", "--expiry", "soon"])]
#[case::no_address(&["server", "--addr", "nowhere"])]
fn wrong_arguments_are_refused(#[case] arguments: &[&str]) {
    let room = open(&[]);
    expect_refused(&room.case, arguments);
    // The same program takes right ones.
    let a = room.enter(&[]);
    room.enter(&[&a]);
}
