//! What the renderers write, compared byte for byte with files that people have looked at.
//!
//! After a wanted change: `GOLDEN=write cargo test -p netlab --test golden`, and look at them again.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

use std::fs;
use std::path::Path;

use netlab::diagram::{Diagram, Language};
use netlab::transcript::Transcript;

use crate::stories::{Story, UP, streams, troubles, udp};

fn compare(file: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    if std::env::var("GOLDEN").is_ok_and(|value| value == "write") {
        fs::write(&path, found).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap();
    assert!(found == expected, "this is not {}:\n{found}", path.display());
}

fn transcript(story: &Story, times: bool) -> String {
    let transcript = Transcript::new(Vec::new());
    let transcript = if times { transcript.with_times() } else { transcript };
    let mut transcript = story.told_to(transcript);
    transcript.finish().unwrap();
    String::from_utf8(transcript.into_inner()).unwrap()
}

#[test]
fn a_transcript_tells_what_happened_to_each_datagram() {
    compare("troubles.transcript.txt", &transcript(&troubles(), false));
}

#[test]
fn a_transcript_of_streams_names_the_clients() {
    compare("streams.transcript.txt", &transcript(&streams(), true));
}

#[test]
fn a_diagram_shows_every_fate() {
    let diagram = troubles().told_to(Diagram::new());
    compare("troubles.txt", &diagram.to_text());
    compare("troubles.svg", &diagram.to_svg());
}

#[test]
fn a_diagram_speaks_chinese() {
    let in_chinese = |story: &Story| story.told_to(Diagram::new().in_language(Language::Chinese));
    compare("troubles.zh.txt", &in_chinese(&troubles()).to_text());
    compare("troubles.zh.svg", &in_chinese(&troubles()).to_svg());
    compare("streams.zh.txt", &in_chinese(&streams()).to_text());
}

#[test]
fn a_diagram_of_streams_has_a_lifeline_for_each_client() {
    let diagram = streams().told_to(Diagram::new());
    compare("streams.txt", &diagram.to_text());
    compare("streams.svg", &diagram.to_svg());
}

#[test]
fn a_diagram_with_times_shows_how_long_things_were_under_way() {
    let mut story = troubles();
    story.events.truncate(9);
    let late = story.sends(udp(0), UP, b"slow", netlab::faults::Fate::Pass);
    story.wait(25);
    story.arrives(udp(0), UP, late, b"slow");
    let diagram = story.told_to(Diagram::new().with_times());
    compare("times.txt", &diagram.to_text());
    compare("times.svg", &diagram.to_svg());
}

#[test]
fn many_clients_are_drawn_one_after_the_other_and_what_is_too_much_is_counted() {
    let mut story = Story::default();
    for number in [0, 1, 2, 3, 0, 1, 2, 3] {
        story.passes(udp(number), UP, format!("client {number}").as_bytes());
    }
    (0..12_345).for_each(|_| story.passes(udp(0), UP, b"again"));
    let diagram = story.told_to(Diagram::new().with_max_arrows(8));
    compare("many.txt", &diagram.to_text());
    compare("many.svg", &diagram.to_svg());
}
