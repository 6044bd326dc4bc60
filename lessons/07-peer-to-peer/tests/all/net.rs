//! Nets of several nodes: who meets whom, what is shown how often, who leaves and who is killed.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests end at the first thing that is wrong

use std::io::{ErrorKind, Read};
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::common::{
    LARGE, LIMIT, PROGRAM, Raw, SMALL, addr, assert_says, client, end_all, have_met, hello, node,
    node_at, text, times, visit, watched_node, words,
};
use netlab::peers::{Peer, Transport};
use netlab::port::{free_address, free_port};
use netlab::program::{CAN_INTERRUPT, Server, poll};
use rstest::rstest;

const NAMES: [&str; 5] = ["ann", "bob", "cid", "dora", "emil"];

/// `count` nodes of which all but the first are told of the first, and that all have met.
fn mesh(count: usize) -> Vec<Server> {
    let mut nodes = vec![node(NAMES[0], &[])];
    for name in &NAMES[1..count] {
        let first = addr(&nodes[0]);
        nodes.push(node(name, &["--peer", &first]));
    }
    have_met(&nodes, &NAMES[..count]);
    nodes
}

/// A visitor at each of `nodes` says something; all of them show it.
fn visit_each(nodes: &[Server]) {
    for (number, node) in nodes.iter().enumerate() {
        client(node.address(), &["--name", "eve", "--discover", "none", &format!("at {number}")])
            .assert()
            .success();
    }
    for node in nodes {
        for number in 0..nodes.len() {
            assert_says(node, &format!("eve says: at {number}\n"));
        }
    }
}

/// After the end of all `nodes`: each has shown each of the visitors' words once.
fn assert_each_once(nodes: &[Server]) {
    for node in nodes {
        for number in 0..nodes.len() {
            let line = format!("eve says: at {number}");
            assert_eq!(times(node, &line), 1, "{line} in:\n{}", node.stderr());
        }
    }
}

#[rstest]
#[case(3)]
#[case(5)]
fn in_a_full_mesh_each_message_is_shown_once(#[case] count: usize) {
    let mut nodes = mesh(count);
    visit_each(&nodes);
    if CAN_INTERRUPT {
        end_all(&mut nodes);
    }
    assert_each_once(&nodes);
    for (node, own) in nodes.iter().zip(NAMES) {
        for name in NAMES[..count].iter().filter(|name| **name != own) {
            let here = format!("{name} is here, at ");
            assert_eq!(node.stderr().matches(&here).count(), 1, "{}", node.stderr());
        }
        assert!(!node.stderr().contains("is gone"), "{}", node.stderr());
    }
}

#[test]
fn in_a_ring_each_message_is_shown_once_and_a_killed_node_makes_it_a_line() {
    // The first is told of the last, which there is not yet: so it begins with a port that is free.
    let first = free_address(Transport::Tcp).to_string();
    let ring = ["--discover", "none", "--peer"];
    let mut nodes: Vec<Server> = Vec::new();
    for name in &NAMES[1..] {
        let before = nodes.last().map_or(first.clone(), addr);
        nodes.push(node(name, &[ring[0], ring[1], ring[2], &before]));
    }
    let last = addr(nodes.last().unwrap());
    nodes.insert(0, node_at(&first, NAMES[0], &[ring[0], ring[1], ring[2], &last]));
    for place in 0..5 {
        assert_says(&nodes[place], &format!("{} is here", NAMES[(place + 1) % 5]));
        assert_says(&nodes[place], &format!("{} is here", NAMES[(place + 4) % 5]));
    }
    visit_each(&nodes);

    nodes.remove(2).kill();
    for node in &nodes[1..3] {
        assert_says(node, "cid is gone: ");
    }
    visit(&nodes[1], "zoe", "the long way round");
    for node in &nodes {
        assert_says(node, "zoe says: the long way round\n");
    }
    if CAN_INTERRUPT {
        end_all(&mut nodes);
    }
    for node in &nodes {
        assert_eq!(times(node, "zoe says: the long way round"), 1);
        for number in 0..5 {
            assert_eq!(times(node, &format!("eve says: at {number}")), 1, "{}", node.stderr());
        }
    }
}

#[test]
fn nodes_join_leave_and_are_killed_and_the_others_go_on() {
    let mut nodes = mesh(4);
    // The one that the others were told of is killed. They do not need it any more.
    nodes.remove(0).kill();
    for node in &nodes {
        assert_says(node, "ann is gone: ");
    }
    let late = node("late", &["--peer", &addr(&nodes[0])]);
    for (node, name) in nodes.iter().zip(&NAMES[1..4]) {
        assert_says(node, "late is here");
        assert_says(&late, &format!("{name} is here"));
    }
    if CAN_INTERRUPT {
        let mut left = nodes.remove(0);
        assert_eq!(left.interrupt(LIMIT).expect("it ends").code(), Some(0));
        for node in nodes.iter().chain([&late]) {
            assert_says(node, "bob has left");
        }
    }
    visit(&late, "eve", "who is left?");
    for node in nodes.iter().chain([&late]) {
        assert_says(node, "eve says: who is left?\n");
    }
}

/// Two processes that are told of each other, and start at the same time.
#[test]
fn two_nodes_that_connect_at_once_have_one_connection_and_lose_nothing() {
    for _ in 0..12 {
        let [ann, bob] = [(); 2].map(|()| free_address(Transport::Tcp).to_string());
        let (ann, bob) = thread::scope(|threads| {
            let starting = threads.spawn(|| node_at(&ann, "ann", &["--peer", &bob]));
            let bob = node_at(&bob, "bob", &["--peer", &ann]);
            (starting.join().unwrap(), bob)
        });
        assert_says(&ann, "bob is here");
        assert_says(&bob, "ann is here");
        let visitor = ["--discover", "none", "--name", "eve"];
        client(ann.address(), &[&visitor[..], &["to ann"]].concat()).assert().success();
        client(bob.address(), &[&visitor[..], &["to bob"]].concat()).assert().success();
        for node in [&ann, &bob] {
            for line in ["eve says: to ann", "eve says: to bob"] {
                assert_says(node, &format!("{line}\n"));
                assert_eq!(times(node, line), 1, "{}", node.stderr());
            }
            assert_eq!(node.stderr().matches(" is here").count(), 2, "{}", node.stderr());
            assert!(!node.stderr().contains("is gone"), "{}", node.stderr());
        }
    }
}

/// The test is a node that connects to the node which connects to the test: many times, in both
/// orders of the ids, with the greetings crossing as they like.
#[rstest]
fn of_two_connections_at_once_one_is_welcome_and_carries_everything(
    #[values(SMALL, LARGE)] id: u64,
) {
    for trial in 0..20_u32 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let ann = node("ann", &["--peer", &format!("127.0.0.1:{port}")]);
        let mut ways = [Raw::connect(&ann), Raw::accept(&listener)];
        if trial % 2 == 0 {
            ways.reverse();
        }
        for way in &mut ways {
            way.send(&hello(id, port, "twin"));
            assert_eq!(way.next()[0], 1);
        }
        let [mut kept, mut other] = ways;
        if id == SMALL {
            kept.send(&[2]);
            assert_eq!(kept.next(), [2], "ann agrees");
            other.send(&[3, 1]);
        } else {
            let first = kept.next();
            if first == [3, 1] {
                std::mem::swap(&mut kept, &mut other);
                assert_eq!(kept.next(), [2]);
            } else {
                assert_eq!(first, [2]);
                assert_eq!(other.next(), [3, 1], "the second one is refused");
            }
            kept.send(&[2]);
        }
        other.assert_closed();
        kept.send(&text(id, 1, 9, "twin", b"here I am"));
        assert_says(&ann, "twin says: here I am\n");
        let visit = ["--discover", "none", "--name", "eve", "hello, twin"];
        client(ann.address(), &visit).assert().success();
        assert_eq!(words(&kept.next_of(5)), "hello, twin");
        assert_eq!(ann.stderr().matches("twin is here").count(), 1);
    }
}

#[test]
fn a_node_that_stands_still_counts_as_crashed_and_who_is_quiet_does_not() {
    let ann = node("ann", &["--silence", "5"]);
    let quiet = node("quiet", &["--silence", "5", "--peer", &addr(&ann)]);
    assert_says(&ann, "quiet is here");
    // It has greeted, and then its machine has lost its power, as far as ann can tell.
    let mut still = Raw::join(&ann, "still");
    assert_says(&ann, "still is gone: it has been silent for 5s");
    still.assert_closed();
    assert!(!ann.stderr().contains("quiet is gone"), "{}", ann.stderr());
    assert!(!quiet.stderr().contains("ann is gone"), "{}", quiet.stderr());
}

#[test]
fn a_neighbour_who_takes_nothing_stops_nobody_and_is_let_go() {
    // What is said of it would be lost among all that is said otherwise.
    let (tell, told) = mpsc::channel();
    let watch = move |line: &str| _ = line.contains("deaf").then(|| tell.send(line.to_owned()));
    let ann = watched_node("ann", &["--silence", "600"], watch);
    let bob = node("bob", &["--peer", &addr(&ann)]);
    assert_says(&ann, "bob is here");
    let deaf = Raw::join_with_little_room(&ann, "deaf");
    let line = "x".repeat(1000) + "\n";
    let mut eve = client(ann.address(), &["--name", "eve", "--silence", "600"]);
    eve.timeout(3 * LIMIT).write_stdin(line.repeat(1500) + "the last one").assert().success();
    for node in [&ann, &bob] {
        assert_says(node, "eve says: the last one\n");
    }
    assert!(told.recv_timeout(LIMIT).unwrap().starts_with("deaf is here"));
    assert_eq!(
        told.recv_timeout(LIMIT).unwrap(),
        "deaf is gone: it does not take what it is sent; 512 messages wait for it"
    );
    if let Some(peak) = ann.peak_memory() {
        assert!(peak < 64 * 1024 * 1024, "{peak}");
    }
    drop(deaf);
}

// Discovery

fn own_group() -> String {
    format!("239.255.77.7:{}", free_port(Transport::Udp))
}

#[test]
fn nodes_find_each_other_by_multicast_or_say_that_it_does_not_work() {
    let group = own_group();
    let args = ["--discover", "multicast", "--group", &group];
    let mut nodes: Vec<_> = NAMES[..3].iter().map(|name| node(name, &args)).collect();
    if nodes[0].says("bob is here", LIMIT) {
        have_met(&nodes, &NAMES[..3]);
        visit(&nodes[2], "eve", "by multicast");
        for (node, own) in nodes.iter().zip(NAMES) {
            assert_says(node, "eve says: by multicast\n");
            for name in NAMES[..3].iter().filter(|name| **name != own) {
                let here = format!("{name} is here");
                assert_eq!(node.stderr().matches(&here).count(), 1, "{}", node.stderr());
            }
        }
    } else {
        for node in &nodes {
            assert_says(node, "multicast does not work here (");
            assert_says(node, "): name the others with --peer HOST:PORT");
        }
    }
    if CAN_INTERRUPT {
        end_all(&mut nodes);
    }
}

#[test]
fn another_group_is_another_chat() {
    let (ours, theirs) = (own_group(), own_group());
    let ann = node("ann", &["--discover", "multicast", "--group", &ours]);
    let eve = node("eve", &["--discover", "multicast", "--group", &theirs]);
    let bob = node("bob", &["--discover", "multicast", "--group", &ours, "--peer", &addr(&ann)]);
    assert_says(&bob, "ann is here");
    assert!(!eve.stderr().contains("is here"), "{}", eve.stderr());
}

#[test]
fn a_node_of_ipv6_says_that_multicast_is_not_for_it() {
    let mut command = Command::new(PROGRAM);
    let mut ann =
        Peer::start(command.args(["server", "--addr", "[::1]:0", "--group", &own_group()]));
    let said = "multicast does not work here (it is for nodes that listen on IPv4's loopback)";
    assert!(poll(LIMIT, || ann.stderr().contains(said).then_some(())).is_some(), "{ann:?}");
    assert!(ann.ends(Duration::ZERO).is_none(), "it goes on");
}

/// Datagrams that anybody on this machine can send.
#[test]
fn forged_announcements_make_a_node_call_and_nothing_else() {
    let group = own_group();
    let mut ann = node("ann", &["--discover", "multicast", "--group", &group]);
    let forger = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None).unwrap();
    forger.set_multicast_if_v4(&Ipv4Addr::LOCALHOST).unwrap();
    forger.set_multicast_ttl_v4(0).unwrap();
    let group: std::net::SocketAddrV4 = group.parse().unwrap();
    let target = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = target.local_addr().unwrap().port();
    let announcement = |magic: &[u8], version: u8, port: u16| {
        [magic, &[version], &7_u64.to_be_bytes(), &port.to_be_bytes()].concat()
    };
    let truth = announcement(b"PEER", 1, port);
    for datagram in [
        vec![],
        b"PEER".to_vec(),
        vec![0xff; 1400],
        truth[..14].to_vec(),
        [&truth[..], &[0]].concat(),
        announcement(b"PEAR", 1, port),
        announcement(b"PEER", 2, port),
        announcement(b"PEER", 1, 0),
    ] {
        let _ = forger.send_to(&datagram, &group.into());
    }
    target.set_nonblocking(true).unwrap();
    let called = || {
        let _ = forger.send_to(&truth, &group.into());
        target.accept().ok()
    };
    let works = !ann.says("multicast does not work here", Duration::ZERO);
    let Some(mut call) = works.then(|| poll(LIMIT, called)).flatten() else {
        assert_says(&ann, "multicast does not work here");
        return;
    };
    // One call at a time, however often it is announced; and thousands of others stop nobody.
    for port in 1..3000 {
        let _ = forger.send_to(&announcement(b"PEER", 1, port), &group.into());
    }
    visit(&ann, "bob", "hello");
    assert_says(&ann, "bob says: hello");
    assert!(ann.ended().is_none());
    // A call without a greeting ends after a while, and then another is made.
    let is_second = target.accept().is_ok();
    call.0.set_nonblocking(true).unwrap();
    let end = call.0.read_to_end(&mut Vec::new());
    let is_open = end.is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
    assert!(!is_second || !is_open, "the first call is still open, so there is no second one");
}
