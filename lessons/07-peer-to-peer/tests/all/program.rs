//! The program from outside: the demo, the two ways to start a node, and what a person reads.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests end at the first thing that is wrong

use std::net::TcpListener;
use std::process::Command;
use std::thread;

use crate::common::{
    LARGE, LIMIT, PROGRAM, Raw, addr, assert_says, client, hello, node, node_at, times, visit,
};
use netlab::conditions::{Conditions, Path, StreamFaults};
use netlab::peers::{Peer, Transport};
use netlab::port::free_address;
use netlab::program::{CAN_INTERRUPT, poll, uninterrupted};
use netlab::relay::Relay;
use rstest::rstest;

fn lesson(args: &[&str]) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(PROGRAM);
    command.args(args).timeout(2 * LIMIT);
    command
}

/// Waits until the node that `peer` is has said `text`.
fn assert_hears(peer: &Peer, text: &str) {
    let heard = poll(LIMIT, || peer.stderr().contains(text).then_some(()));
    assert!(heard.is_some(), "no `{text}` in {peer:?}");
}

// The demo

#[test]
fn in_the_demo_three_nodes_talk_one_crashes_and_the_others_go_on() {
    let output = lesson(&["--addr", "127.0.0.1:0"]).assert().success().get_output().clone();
    let stdout = String::from_utf8(output.stdout).unwrap();
    for line in [
        "[ann] said to 2: good evening",
        "[bob] ann says: good evening",
        "[cid] ann says: good evening",
        "[ann] bob says: hello, ann",
        "[cid] bob says: hello, ann",
        "[ann] cid says: 你好",
        "[bob] cid says: 你好",
        "[cid] crashes: its connections end without a word",
        "[ann] said to 1: is cid still there?",
        "[bob] ann says: is cid still there?",
        "[ann] bob says: no, but we are",
        "[ann] bob has left",
    ] {
        assert_eq!(stdout.lines().filter(|said| *said == line).count(), 1, "{line} in:\n{stdout}");
    }
    for start in ["[ann] listening on 127.0.0.1:", "[ann] cid is gone: ", "[bob] cid is gone: "] {
        assert_eq!(stdout.lines().filter(|said| said.starts_with(start)).count(), 1, "{stdout}");
    }
    let labels = ["[ann] ", "[bob] ", "[cid] "];
    assert!(stdout.lines().all(|line| labels.iter().any(|label| line.starts_with(label))));
}

#[test]
fn the_demo_works_twice_in_a_row_on_one_port() {
    let addr = free_address(Transport::Tcp).to_string();
    for run in 1..=2 {
        let output = lesson(&["--addr", &addr]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "run {run} of 2: {said}");
    }
}

#[test]
fn over_ipv6_it_is_the_same() {
    lesson(&["--addr", "[::1]:0"]).assert().success();
    let ann = node_at("[::1]:0", "ann", &[]);
    visit(&ann, "bob", "hello");
    assert_says(&ann, "bob is here, at [::1]:");
    assert_says(&ann, "bob says: hello");
}

// A node that stays

#[test]
fn a_node_prints_exactly_one_line_on_standard_output() {
    let mut ann = node("ann", &[]);
    visit(&ann, "bob", "hello");
    assert_says(&ann, "bob has left");
    ann.interrupt(LIMIT).expect("it ends");
    ann.drain(LIMIT);
    assert_eq!(ann.stdout(), format!("listening on {}\n", ann.address()));
}

#[test]
fn ctrl_c_is_a_farewell_and_the_port_is_free_at_once() {
    let addr = free_address(Transport::Tcp).to_string();
    let mut ann = node_at(&addr, "ann", &[]);
    let bob = node("bob", &["--peer", &addr]);
    assert_says(&bob, "ann is here");
    // She takes leave of those whom she has met, and he may have met her a moment earlier.
    assert_says(&ann, "bob is here");
    let status = ann.interrupt(LIMIT).expect("it ends");
    if cfg!(unix) {
        assert_eq!(status.code(), Some(0), "{}", ann.stderr());
        assert_says(&bob, "ann has left");
    }
    // bob was told of ann by a person, and so he finds her again.
    let again = node_at(&addr, "ann-again", &[]);
    assert_says(&again, "bob is here");
}

#[test]
fn a_person_at_a_node_says_what_the_others_show() {
    let ann = node("ann", &[]);
    let mut command = Command::new(PROGRAM);
    command.args(["server", "--addr", "127.0.0.1:0", "--name", "bob", "--discover", "peers"]);
    let mut bob = Peer::start(command.args(["--stdin", "--peer", &addr(&ann)]));
    assert_hears(&bob, "ann is here");
    bob.tell("one\r\ntwo\n\n你好\n");
    for line in ["bob says: one\n", "bob says: two\n", "bob says: \n", "bob says: 你好\n"] {
        assert_says(&ann, line);
    }
    // Nor is a line that is too long the end of the input, and that not the end of the node.
    bob.tell(&("x".repeat(3000) + "\nshorter\n"));
    assert_hears(&bob, "not said: a line has at most 1024 bytes\n");
    assert_says(&ann, "bob says: shorter\n");
    assert!(!ann.stderr().contains("xxx"), "{}", ann.stderr());
    bob.close_input();
    visit(&ann, "cid", "still there?");
    assert_hears(&bob, "cid says: still there?");
}

#[test]
fn a_port_in_use_is_one_clear_line_and_code_1() {
    let ann = node("ann", &[]);
    let taken = addr(&ann);
    let expected = format!(
        "cannot listen on {taken}: address already in use; another program has it: try --addr \
         127.0.0.1:0 (cargo xtask doctor tells more)\n"
    );
    lesson(&["server", "--addr", &taken]).assert().code(1).stdout("").stderr(expected.clone());
    lesson(&["--addr", &taken]).assert().code(1).stdout("").stderr(expected);
}

#[rstest]
#[case::bad_port(&["server", "--addr", "127.0.0.1:99999"], "a port is at most 65535")]
#[case::port_0(&["client", "--addr", "127.0.0.1:0", "hi"], "port 0 is no port to connect to")]
#[case::port_0_of_a_peer(&["server", "--peer", "127.0.0.1:0"], "port 0 is no port to connect to")]
#[case::no_port(&["server", "--peer", "127.0.0.1"], "no port; write HOST:PORT")]
#[case::name_too_long(&["server", "--name", &"n".repeat(33)], "a name has 1 to 32 bytes")]
#[case::no_name(&["client", "--name", "", "hi"], "a name has 1 to 32 bytes")]
#[case::other_group(&["server", "--group", "224.0.0.1:7707"], "is in 239.0.0.0/8")]
#[case::group_without_port(&["server", "--group", "239.255.77.7:0"], "cannot be 0")]
#[case::unknown_way(&["server", "--discover", "magic"], "multicast")]
#[case::zero_silence(&["server", "--silence", "0"], "more than zero seconds")]
fn wrong_arguments_are_code_2(#[case] args: &[&str], #[case] reason: &str) {
    let output = lesson(args).assert().code(2).get_output().clone();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(reason), "{said}");
}

#[test]
fn a_named_node_that_is_not_there_yet_is_told_once_and_tried_again() {
    let late = free_address(Transport::Tcp);
    let ann = node("ann", &["--peer", &late.to_string()]);
    assert_says(&ann, &format!("not connected to {late}: connection refused; trying again"));
    let _bob = node_at(&late.to_string(), "bob", &[]);
    assert_says(&ann, "bob is here");
    assert_eq!(ann.stderr().matches("not connected").count(), 1);
}

#[test]
fn a_node_that_is_named_itself_notices_and_goes_on() {
    let own = free_address(Transport::Tcp).to_string();
    let ann = node_at(&own, "ann", &["--peer", &own]);
    assert_says(&ann, &format!("{own} is this node itself"));
    visit(&ann, "bob", "hello");
    assert_says(&ann, "bob says: hello");
    assert!(!ann.stderr().contains("ann is here"), "{}", ann.stderr());
}

// A node that visits

#[test]
fn a_visitor_listens_says_everything_and_leaves() {
    let ann = node("ann", &[]);
    let output = client(ann.address(), &["--name", "bob", "hello", "你好", ""]).assert().success();
    let said = String::from_utf8(output.get_output().stderr.clone()).unwrap();
    assert!(output.get_output().stdout.is_empty());
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("listening on 127.0.0.1:"), "{said}");
    assert_eq!(lines[1], format!("ann is here, at {}", ann.address()));
    assert_eq!(lines[2..], ["said to 1: hello", "said to 1: 你好", "said to 1: "]);
    assert_says(&ann, "bob has left");
    assert_eq!([times(&ann, "bob says: hello"), times(&ann, "bob says: 你好")], [1, 1]);
}

#[test]
fn a_visitor_says_lines_of_standard_input_until_they_end() {
    let ann = node("ann", &[]);
    let mut bob = client(ann.address(), &["--name", "bob"]);
    bob.write_stdin("one\r\ntwo").assert().success();
    assert_says(&ann, "bob has left");
    assert_eq!([times(&ann, "bob says: one"), times(&ann, "bob says: two")], [1, 1]);
}

#[test]
fn a_thousand_lines_arrive_in_their_order() {
    // Along a line of nodes. (If the visitor met bob as well, what it says from then on would come
    // to him the short way, and overtake what it said before.)
    let ann = node("ann", &[]);
    let bob = node("bob", &["--discover", "none", "--peer", &addr(&ann)]);
    assert_says(&ann, "bob is here");
    let said: Vec<String> = (0..1000).map(|number| format!("line {number}")).collect();
    client(ann.address(), &["--name", "cid", "--discover", "none"])
        .write_stdin(said.join("\n"))
        .assert()
        .success();
    for node in [&ann, &bob] {
        assert_says(node, "cid says: line 999\n");
        let stderr = node.stderr();
        let heard = stderr.lines().filter_map(|line| line.strip_prefix("cid says: "));
        assert!(heard.eq(said.iter()), "{stderr}");
    }
}

#[test]
fn frames_arrive_whole_however_the_stream_is_cut() {
    let ann = node("ann", &[]);
    let stream = StreamFaults { slice: Some(1), ..StreamFaults::default() };
    let cut = Conditions::both_ways(1, Path { stream, ..Path::default() });
    let relay = Relay::start(Transport::Tcp, ann.address(), cut, None).unwrap();
    client(relay.address(), &["--name", "bob", "hello", "你好"]).assert().success();
    assert_says(&ann, "bob has left");
    assert_eq!([times(&ann, "bob says: hello"), times(&ann, "bob says: 你好")], [1, 1]);
}

#[test]
fn the_longest_message_is_said_and_one_byte_more_is_refused() {
    let ann = node("ann", &[]);
    let longest = "x".repeat(1024);
    visit(&ann, "bob", &longest);
    assert_says(&ann, &format!("bob says: {longest}\n"));
    let refused = "a message has at most 1024 bytes; this one has 1025\n";
    client(ann.address(), &[&"x".repeat(1025)]).assert().code(2).stderr(refused);
    let output = client(ann.address(), &[]).write_stdin("x".repeat(1025)).assert().code(2);
    let said = String::from_utf8(output.get_output().stderr.clone()).unwrap();
    assert!(said.ends_with("\nnot said: a line has at most 1024 bytes\n"), "{said}");
}

#[test]
fn nobody_there_is_one_clear_line_and_code_1() {
    let gone = free_address(Transport::Tcp);
    let output = client(gone, &["hello"]).assert().code(1).stdout("").get_output().clone();
    let said = String::from_utf8(output.stderr).unwrap();
    let expected = format!(
        "cannot connect to {gone}: connection refused; no program listens there: start the server \
         first, or check --addr"
    );
    assert_eq!(said.lines().last(), Some(expected.as_str()));
    assert_eq!(said.lines().count(), 2, "beside the line that says where it listens: {said}");
}

#[rstest]
#[case::another_protocol(b"HTTP/1.1 400 Bad Request\r\n\r\n", "is too long; the limit is")]
#[case::another_version(
    b"\0\0\0\x06\x01PEER\x02",
    "it speaks version 2 of the protocol, we speak 1"
)]
#[case::another_greeting(b"\0\0\0\x04\x01abc", "its greeting is none of this protocol")]
#[case::the_end(b"", "its connection ended without a farewell")]
#[case::half_a_greeting(b"\0\0\0\x14\x01PEER", "the stream ended in the middle of a message")]
fn a_program_that_is_no_node_is_told_as_such(#[case] answer: &'static [u8], #[case] why: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serving = thread::spawn(move || {
        let mut visitor = Raw::accept(&listener);
        assert_eq!(visitor.next()[0], 1);
        visitor.bytes(answer);
    });
    let output = client(address, &["hello"]).assert().code(1).get_output().clone();
    serving.join().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let last = said.lines().last().unwrap();
    assert!(last.starts_with(&format!("cannot connect to {address}: ")), "{said}");
    assert!(last.contains(why), "{said}");
}

#[test]
fn a_program_that_says_nothing_is_waited_for_and_not_for_ever() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let output = client(address, &["hello"]).assert().code(1).get_output().clone();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.ends_with(&format!("cannot connect to {address}: no greeting within 5s\n")),
        "{said}"
    );
}

#[test]
fn a_node_that_is_gone_before_it_has_taken_everything_is_a_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serving = thread::spawn(move || {
        let mut visitor = Raw::accept(&listener);
        visitor.send(&hello(0, address.port(), "rude"));
        visitor.send(&[2]);
        // It reads nothing more, so the end of its connection is a reset.
        assert_eq!(visitor.next()[0], 1);
        uninterrupted(|| visitor.0.peek(&mut [0])).unwrap();
    });
    let output = client(address, &["hello"]).assert().code(1).get_output().clone();
    serving.join().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let expected =
        format!("nobody has taken what was said: the connection with {address} ended before\n");
    assert!(said.ends_with(&expected), "{said}");
}

#[test]
fn a_full_node_turns_a_visitor_away_and_says_so() {
    let ann = node("ann", &["--discover", "none"]);
    let members: Vec<Raw> = (0..16_u64)
        .map(|number| {
            let mut raw = Raw::connect(&ann);
            raw.send(&hello(LARGE - number, 9, "member"));
            assert_eq!([raw.next()[0], raw.next()[0]], [1, 2]);
            raw.send(&[2]);
            raw
        })
        .collect();
    // Sometimes the visitor's id is the smaller one, and sometimes ann's: both say the same.
    for _ in 0..8 {
        let output = client(ann.address(), &["--discover", "none", "hi"]).assert().code(1);
        let said = String::from_utf8(output.get_output().stderr.clone()).unwrap();
        assert!(said.ends_with("it has no place for one more\n"), "{said}");
    }
    drop(members);
}

#[test]
fn a_visitor_stays_when_the_node_leaves_at_which_it_joined() {
    let mut ann = node("ann", &[]);
    let bob = node("bob", &["--peer", &addr(&ann)]);
    assert_says(&ann, "bob is here");
    let mut command = Command::new(PROGRAM);
    let mut cid = Peer::start(command.args(["client", "--addr", &addr(&ann), "--name", "cid"]));
    assert_hears(&cid, "bob is here");
    ann.interrupt(LIMIT).expect("it ends");
    if CAN_INTERRUPT {
        assert_hears(&cid, "ann has left");
        assert_hears(&cid, &format!("not connected to {}", ann.address()));
    }
    cid.tell("who is left?\n");
    assert_says(&bob, "cid says: who is left?");
    cid.close_input();
    assert_eq!(cid.ends(LIMIT).expect("it ends").code(), Some(0), "{cid:?}");
}

#[test]
fn ctrl_c_ends_a_visitor_that_waits_for_a_line() {
    let ann = node("ann", &[]);
    let mut command = Command::new(PROGRAM);
    command.args(["client", "--addr", &addr(&ann), "--name", "bob"]);
    let mut bob = Peer::start(&mut command);
    bob.tell("hello\n");
    assert_says(&ann, "bob says: hello");
    drop(command);
    bob.close_input();
    assert_eq!(bob.ends(LIMIT).expect("it ends").code(), Some(0));
    assert_says(&ann, "bob has left");
}
