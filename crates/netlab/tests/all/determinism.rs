//! What is chance in a run does not show in its diagram.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

use netlab::diagram::Diagram;
use netlab::faults::Fate;
use netlab::record::{Connection, Happening};

use crate::stories::{DOWN, Story, UP, tcp, udp};

fn drawn(story: &Story) -> [String; 2] {
    let diagram = story.told_to(Diagram::new());
    [diagram.to_text(), diagram.to_svg()]
}

/// A TCP conversation whose stream falls into the given pieces.
fn in_pieces(pieces: &[&[u8]]) -> Story {
    let mut story = Story::default();
    story.happens(tcp(0), UP, Happening::Opened);
    for piece in pieces {
        story.passes(tcp(0), UP, piece);
    }
    story.passes(tcp(0), DOWN, b"thank you");
    story.happens(tcp(0), UP, Happening::Ended);
    story
}

#[test]
fn how_a_stream_falls_into_pieces_does_not_show() {
    let whole = drawn(&in_pieces(&[b"hello world"]));
    assert_eq!(whole, drawn(&in_pieces(&[b"hel", b"lo", b" world"])));
    assert!(whole[0].contains(r#"11 bytes  "hello world""#), "{}", whole[0]);
}

#[test]
fn datagrams_are_not_merged() {
    let mut story = Story::default();
    story.passes(udp(0), UP, b"hel");
    story.passes(udp(0), UP, b"lo");
    let [text, _] = drawn(&story);
    assert!(text.contains(r#"3 bytes  "hel""#) && text.contains(r#"2 bytes  "lo""#), "{text}");
}

#[test]
fn bytes_with_an_answer_between_them_are_two_arrows() {
    let mut story = Story::default();
    story.passes(tcp(0), UP, b"hel");
    story.passes(tcp(0), DOWN, b"what?");
    story.passes(tcp(0), UP, b"lo");
    assert!(drawn(&story)[0].contains(r#"3 bytes  "hel""#));
}

#[test]
fn ports_and_times_do_not_show() {
    let told = |port: u16, pause: u64| {
        let client = Connection { client: ([127, 0, 0, 1], port).into(), ..udp(0) };
        let mut story = Story::default();
        story.passes(client, UP, b"hello");
        story.wait(pause);
        story.passes(client, DOWN, b"hello");
        drawn(&story)
    };
    assert_eq!(told(40_000, 0), told(60_000, 700));
}

/// Whether a datagram arrives before or after the relay has seen the next one is chance.
#[test]
fn what_is_under_way_at_the_same_time_is_drawn_the_same() {
    let (mut slow, mut fast) = (Story::default(), Story::default());
    for text in [b"one", b"two", b"six"] {
        fast.passes(udp(0), UP, text);
    }
    let sent =
        [b"one", b"two", b"six"].map(|text| (slow.sends(udp(0), UP, text, Fate::Pass), text));
    for (index, text) in sent {
        slow.arrives(udp(0), UP, index, text);
    }
    assert_eq!(drawn(&slow), drawn(&fast));
}

#[test]
fn an_overtaken_datagram_is_drawn_the_same_whenever_the_relay_sees_the_next() {
    let told = |sees_the_next_at_once: bool| {
        let mut story = Story::default();
        let late = story.sends(udp(0), UP, b"late", Fate::Reorder(1));
        let second = story.sends(udp(0), UP, b"second", Fate::Pass);
        let mut third = None;
        if sees_the_next_at_once {
            third = Some(story.sends(udp(0), UP, b"third", Fate::Pass));
        }
        story.arrives(udp(0), UP, second, b"second");
        story.arrives(udp(0), UP, late, b"late");
        let third = third.unwrap_or_else(|| story.sends(udp(0), UP, b"third", Fate::Pass));
        story.arrives(udp(0), UP, third, b"third");
        drawn(&story)
    };
    assert_eq!(told(true), told(false));
    assert!(told(true)[0].contains('╰'), "{}", told(true)[0]);
}

#[test]
fn an_answer_that_overtakes_is_seen_to_do_so() {
    let mut story = Story::default();
    let slow = story.sends(udp(0), UP, b"slow", Fate::Pass);
    story.passes(udp(0), DOWN, b"unasked");
    story.arrives(udp(0), UP, slow, b"slow");
    assert!(drawn(&story)[0].contains('╰'), "{}", drawn(&story)[0]);
}

/// Stream pieces beyond the limit are counted as the arrows they would have been.
#[test]
fn the_number_of_arrows_that_are_left_out_is_no_chance_either() {
    let told = |pieces: &[&[u8]]| in_pieces(pieces).told_to(Diagram::new().with_max_arrows(1));
    let (whole, cut) = (told(&[b"hello world"]), told(&[b"hello ", b"wor", b"ld"]));
    assert!(whole.to_text().contains("… 3 more"), "{}", whole.to_text());
    assert_eq!(whole.to_text(), cut.to_text());
}

#[test]
fn what_of_a_stream_was_lost_is_an_arrow_of_its_own() {
    let mut story = Story::default();
    story.passes(tcp(0), UP, b"hello");
    story.sends(tcp(0), UP, b" wor", Fate::Lose);
    story.sends(tcp(0), UP, b"ld", Fate::Lose);
    let [text, _] = drawn(&story);
    assert!(text.contains(r#"5 bytes  "hello" "#), "{text}");
    assert!(text.contains(r#"6 bytes  " world"  lost "#), "{text}");
}
