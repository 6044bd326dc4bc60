//! Peers that keep to nothing. Each of them ends its own connection, and no other.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests end at the first thing that is wrong

use std::net::{Shutdown, TcpStream};
use std::sync::mpsc;

use crate::common::{
    LARGE, LIMIT, Raw, SMALL, addr, assert_says, framed, hello, node, text, times, visit,
    watched_node,
};
use netlab::hostile;
use netlab::program::{CAN_INTERRUPT, Server, poll};
use rstest::rstest;

/// The kind of frame that is a farewell.
const LEAVE: u8 = 6;

/// Two nodes that know each other.
fn pair() -> [Server; 2] {
    let ann = node("ann", &[]);
    let bob = node("bob", &["--peer", &addr(&ann)]);
    assert_says(&ann, "bob is here");
    assert_says(&bob, "ann is here");
    [ann, bob]
}

/// All is well between them, and always was.
fn assert_unharmed([ann, bob]: &mut [Server; 2]) {
    visit(bob, "eve", "is all well?");
    for node in [ann, bob] {
        assert_says(node, "eve says: is all well?\n");
        assert!(!node.stderr().contains("ann is gone"), "{}", node.stderr());
        assert!(!node.stderr().contains("bob is gone"), "{}", node.stderr());
        assert!(node.ended().is_none());
    }
}

#[rstest]
#[case::another_protocol(
    b"GET / HTTP/1.1\r\n\r\n",
    "a message of 1195725856 bytes is too long; the limit is 1071"
)]
#[case::huge_length(b"\xff\xff\xff\xff", "a message of 4294967295 bytes is too long")]
#[case::empty_frame(b"\0\0\0\0", "it sent a frame of kind 0, which does not exist")]
#[case::unknown_kind(b"\0\0\0\x01\x63", "it sent a frame of kind 99, which does not exist")]
#[case::other_version(b"\0\0\0\x13\x01PEER\x02\0\0\0\0\0\0\0\x01\0\x09eve", "it speaks version 2")]
#[case::other_greeting(b"\0\0\0\x06\x01HELLO", "its greeting is none of this protocol")]
#[case::port_zero(
    b"\0\0\0\x13\x01PEER\x01\0\0\0\0\0\0\0\x01\0\0eve",
    "a frame of kind 1 with a wrong content"
)]
#[case::nameless(
    b"\0\0\0\x10\x01PEER\x01\0\0\0\0\0\0\0\x01\0\x09",
    "a frame of kind 1 with a wrong content"
)]
#[case::name_that_clears_the_screen(
    b"\0\0\0\x14\x01PEER\x01\0\0\0\0\0\0\0\x01\0\x09\x1b[2J",
    "a frame of kind 1 with a wrong content"
)]
#[case::name_that_turns_the_line_around(
    "\0\0\0\x14\x01PEER\x01\0\0\0\0\0\0\0\x01\0\x09a\u{202e}".as_bytes(),
    "a frame of kind 1 with a wrong content"
)]
#[case::text_before_the_greeting(
    b"\0\0\0\x10\x05\0\0\0\0\0\0\0\x01\0\0\0\x01\x01\x01n",
    "the order of the protocol"
)]
#[case::welcome_before_the_greeting(b"\0\0\0\x01\x02", "the order of the protocol")]
fn what_is_no_greeting_is_turned_away_with_a_reason(#[case] bytes: &[u8], #[case] why: &str) {
    let mut pair = pair();
    let mut stranger = Raw::connect(&pair[0]);
    stranger.bytes(bytes);
    stranger.assert_closed();
    let peer = stranger.0.local_addr().unwrap();
    assert_says(&pair[0], &format!("{peer} is turned away: "));
    assert_says(&pair[0], why);
    assert_unharmed(&mut pair);
}

#[rstest]
#[case::second_greeting(&hello(LARGE, 9, "eve"))]
#[case::unknown_kind(&[8])]
#[case::not_utf8(&text(LARGE, 1, 1, "eve", b"\xff\xfe"))]
#[case::name_longer_than_the_frame(&[5, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 9, 200, b'x'])]
#[case::half_a_contact(&[4, 1, 2, 3])]
#[case::contact_of_port_zero(&[&[4][..], &[1; 24], &[0, 0]].concat())]
#[case::too_many_contacts(&[&[4][..], &[1; 26 * 33]].concat())]
#[case::farewell_with_words(&[6, 6])]
fn a_neighbour_that_breaks_the_rules_is_lost_and_nobody_else(#[case] payload: &[u8]) {
    let mut pair = pair();
    let mut eve = Raw::join(&pair[0], "eve");
    eve.send(payload);
    eve.assert_closed();
    assert_says(&pair[0], "eve is gone: it ");
    assert_unharmed(&mut pair);
}

#[test]
fn who_never_greets_is_let_go() {
    let mut pair = pair();
    let mut silent = Raw::connect(&pair[0]);
    let mut slow = Raw::connect(&pair[0]);
    // A byte at a time is no greeting either: the time counts from the beginning.
    slow.bytes(b"\0");
    silent.assert_closed();
    slow.assert_closed();
    assert_says(&pair[0], "is turned away: no greeting within 5s");
    assert_unharmed(&mut pair);
}

#[test]
fn who_looks_in_and_goes_is_no_news() {
    let mut pair = pair();
    let said = pair[0].stderr();
    let looker = Raw::connect(&pair[0]);
    looker.0.shutdown(Shutdown::Write).unwrap();
    let mut looker = looker;
    looker.assert_closed();
    assert_eq!(pair[0].stderr(), said);
    assert_unharmed(&mut pair);
}

#[test]
fn a_message_that_comes_again_is_shown_once_whoever_brings_it() {
    let mut pair = pair();
    let mut brings = [Raw::join(&pair[0], "eve"), Raw::connect(&pair[0])];
    brings[1].send(&hello(LARGE - 1, 9, "zoe"));
    brings[1].next_of(2);
    brings[1].send(&[2]);
    for _ in 0..50 {
        for raw in &mut brings {
            raw.send(&text(77, 1, 16, "far", b"once"));
        }
    }
    for raw in &mut brings {
        raw.send(&text(77, 2, 16, "far", b"and done"));
        raw.send(&[6]);
        raw.assert_closed();
    }
    assert_unharmed(&mut pair);
    for node in &pair {
        assert_says(node, "far says: and done\n");
        assert_eq!([times(node, "far says: once"), times(node, "far says: and done")], [1, 1]);
    }
}

#[test]
fn a_node_hears_nothing_in_its_own_name_and_is_not_connected_with_itself() {
    let mut pair = pair();
    let mut mirror = Raw::connect(&pair[0]);
    let greeting = mirror.next();
    let id = u64::from_be_bytes(greeting[6..14].try_into().unwrap());
    mirror.send(&greeting);
    mirror.assert_closed();
    let mut eve = Raw::join(&pair[0], "eve");
    eve.send(&text(id, 1000, 16, "ann", b"I am not ann"));
    eve.send(&[6]);
    eve.assert_closed();
    assert_unharmed(&mut pair);
    assert_eq!(times(&pair[0], "ann says: I am not ann"), 0);
    assert!(!pair[0].stderr().contains("ann is here"), "{}", pair[0].stderr());
}

#[test]
fn nobody_takes_the_place_of_a_neighbour_by_its_id() {
    let mut pair = pair();
    let mut bob = Raw::connect(&pair[1]);
    let id: [u8; 8] = bob.next()[6..14].try_into().unwrap();
    let mut eve = Raw::connect(&pair[0]);
    eve.send(&hello(u64::from_be_bytes(id), 9, "bob"));
    assert_eq!(eve.next()[0], 1);
    // If ann's id is the smaller one, she refuses; else eve may say what she likes.
    eve.send(&[2]);
    eve.assert_closed();
    bob.0.shutdown(Shutdown::Both).unwrap();
    assert_unharmed(&mut pair);
    assert_eq!(pair[0].stderr().matches("bob is here").count(), 1);
}

#[test]
fn a_flood_of_connections_leaves_room_for_a_node_and_costs_a_bounded_number_of_descriptors() {
    let mut pair = pair();
    let before = pair[0].descriptors();
    let flood: Vec<TcpStream> =
        (0..300).map(|_| TcpStream::connect(pair[0].address()).unwrap()).collect();
    visit(&pair[0], "late", "is there a place?");
    assert_says(&pair[0], "late says: is there a place?\n");
    if let (Some(before), Some(now)) = (before, pair[0].descriptors()) {
        // Three for each of 32 strangers, and for each of 64 whose time to close is not over yet.
        assert!(now <= before + 3 * 110, "{now} descriptors, and {before} before");
        let is_small = || (pair[0].descriptors()? <= before + 3 * 40).then_some(());
        assert!(poll(LIMIT, is_small).is_some(), "{:?}", pair[0].descriptors());
    }
    drop(flood);
    assert_unharmed(&mut pair);
}

/// Only the end of what a node says is kept, and the flood fills that: so each line is looked at as it
/// comes, but for the flood's own.
#[test]
fn who_talks_without_end_is_slowed_down_and_the_others_are_heard() {
    let (tell, told) = mpsc::channel();
    let watch = move |line: &str| {
        if !line.ends_with("xxx") {
            let _ = tell.send(line.to_owned());
        }
    };
    let mut ann = watched_node("ann", &[], watch.clone());
    let mut bob = watched_node("bob", &["--peer", &addr(&ann)], watch);
    assert_says(&ann, "bob is here");
    assert_says(&bob, "ann is here");
    let eve = Raw::join(&ann, "eve");
    let mut writing = eve.0.try_clone().unwrap();
    let flood = std::thread::spawn(move || {
        let frames =
            (0..200_000).map(|number| framed(&text(SMALL, number, 16, "eve", &[b'x'; 900])));
        for frame in frames {
            if std::io::Write::write_all(&mut writing, &frame).is_err() {
                return;
            }
        }
    });
    assert_says(&bob, "eve says: ");
    visit(&bob, "zoe", "is all well?");
    let mut heard = 0;
    while heard < 2 {
        let line = told.recv_timeout(LIMIT).expect("both nodes show what the visitor says");
        assert!(!line.starts_with("ann is gone") && !line.starts_with("bob is gone"), "{line}");
        heard += u32::from(line == "zoe says: is all well?");
    }
    assert!(ann.ended().is_none() && bob.ended().is_none());
    eve.0.shutdown(Shutdown::Both).unwrap();
    flood.join().unwrap();
    if let Some(peak) = ann.peak_memory() {
        assert!(peak < 64 * 1024 * 1024, "{peak}");
    }
}

#[test]
fn what_a_neighbour_says_cannot_play_with_the_terminal() {
    let mut pair = pair();
    let mut eve = Raw::join(&pair[0], "eve");
    eve.send(&text(LARGE, 1, 4, "eve", format!("{}\nend", hostile::TEXT).as_bytes()));
    for node in &pair {
        assert_says(node, "\\nend\n");
        assert_eq!(hostile::complaint(node.stderr().as_bytes()), None);
        assert_eq!(node.stdout().lines().count(), 1, "the readiness line is all");
    }
    assert_unharmed(&mut pair);
}

/// It is told that the node leaves, and need not answer.
#[test]
fn ctrl_c_does_not_wait_for_a_neighbour_that_neither_speaks_nor_closes() {
    let mut ann = node("ann", &["--discover", "none"]);
    let mut silent = Raw::join(&ann, "silent");
    assert_says(&ann, "silent is here");
    let status = ann.interrupt(LIMIT).expect("it ends");
    if CAN_INTERRUPT {
        assert_eq!(status.code(), Some(0), "{}", ann.stderr());
        assert_eq!(silent.next_of(LEAVE), [LEAVE]);
        silent.assert_closed();
    }
}
