//! The relay with datagrams, seen from its two sides.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed step is a failed test

use crate::common;
use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use netlab::conditions::{Conditions, Path};
use netlab::faults::{DatagramFaults, Direction, Fate};
use netlab::program::uninterrupted;
use netlab::record::{Event, Happening, Recorder, Recording, Transport};
use netlab::relay::Relay;
use netlab::shape::Shape;

const LIMIT: Duration = Duration::from_secs(20);
/// How long the relay lets a datagram wait to be overtaken.
const HOLD: Duration = Duration::from_millis(20);

fn socket(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    socket
}

fn start(server: &UdpSocket, conditions: Conditions) -> Relay {
    Relay::start(Transport::Udp, server.local_addr().unwrap(), conditions, None).unwrap()
}

fn broken(datagrams: DatagramFaults) -> Conditions {
    Conditions::both_ways(7, Path { datagrams, ..Path::default() })
}

fn exactly<const N: usize>(fates: [(u64, Fate); N]) -> Conditions {
    broken(DatagramFaults { exactly: BTreeMap::from(fates), ..DatagramFaults::default() })
}

fn send(client: &UdpSocket, to: SocketAddr, numbers: std::ops::Range<u8>) {
    for number in numbers {
        client.send_to(&[number; 100], to).unwrap();
    }
}

/// What comes, by its first byte.
fn receive(socket: &UdpSocket, count: usize) -> Vec<u8> {
    let mut buffer = [0; 2000];
    (0..count)
        .map(|_| uninterrupted(|| socket.recv(&mut buffer)).map(|_| buffer[0]).unwrap())
        .collect()
}

#[test]
fn single_datagrams_are_lost_repeated_and_reordered() {
    let (server, client) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
    let fates = [(1, Fate::Lose), (2, Fate::Duplicate), (3, Fate::Reorder(2)), (7, Fate::Lose)];
    let recording = Arc::new(Mutex::new(Recording::default()));
    let recorder: Box<dyn Recorder> = Box::new(Arc::clone(&recording));
    let address = server.local_addr().unwrap();
    let relay = Relay::start(Transport::Udp, address, exactly(fates), Some(recorder)).unwrap();
    send(&client, relay.address(), 0..8);
    let mut got = receive(&server, 7);
    let came_at = |number: u64| {
        let at = |event: &Event| match event.happening {
            Happening::Sent { index, .. } if index == number => Some(event.at),
            _ => None,
        };
        recording.lock().unwrap().events.iter().find_map(at).unwrap()
    };
    // A datagram is overtaken by what comes while it waits. On a machine that stood still, the others
    // came later than that, and the place of the waiting one says nothing.
    if came_at(5) > came_at(3) + HOLD / 2 {
        let waiting = got.iter().position(|number| *number == 3).unwrap();
        got.remove(waiting);
        got.insert(5, 3);
    }
    assert_eq!(got, [0, 2, 2, 4, 5, 3, 6]);
    let counts = relay.counts().to_server;
    assert_eq!((counts.pieces_in, counts.pieces_out), (8, 7));
    assert_eq!((counts.lost, counts.duplicated, counts.reordered), (2, 1, 1));
    assert_eq!((counts.bytes_in, counts.bytes_out), (800, 700));
}

#[test]
fn a_reordered_datagram_that_nobody_overtakes_comes_all_the_same() {
    let (server, client) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
    let relay = start(&server, exactly([(0, Fate::Reorder(1000))]));
    send(&client, relay.address(), 0..1);
    assert_eq!(receive(&server, 1), [0]);
}

#[test]
fn answers_find_the_client_that_asked_over_ipv4_and_ipv6() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let server = socket(address);
        let relay = start(&server, Conditions::default());
        let clients = [(); 3].map(|()| socket(address));
        for (number, client) in (0_u8..).zip(&clients) {
            client.send_to(&[number], relay.address()).unwrap();
        }
        let mut seen = Vec::new();
        for _ in &clients {
            let mut byte = [0];
            let (_, from) = uninterrupted(|| server.recv_from(&mut byte)).unwrap();
            server.send_to(&byte, from).unwrap();
            seen.push(from);
        }
        for (number, client) in (0_u8..).zip(&clients) {
            let mut byte = [9];
            let (_, from) = uninterrupted(|| client.recv_from(&mut byte)).unwrap();
            assert_eq!((byte, from), ([number], relay.address()));
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 3, "each client has an address of its own");
        assert_eq!(relay.counts().connections, 3);
    }
}

#[test]
fn datagrams_of_every_size_pass_unchanged() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let (server, client) = (socket(address), socket(address));
        let relay = start(&server, Conditions::default());
        let mut buffer = vec![0; 70_000];
        for length in [0, 1, 1400, 1400, 1472, 1473, 9000, 65_507] {
            let payload: Vec<u8> = (0..length).map(|i| u8::try_from(i % 251).unwrap()).collect();
            client.send_to(&payload, relay.address()).unwrap();
            let got = uninterrupted(|| server.recv(&mut buffer)).unwrap();
            assert!(buffer[..got] == payload, "{length} bytes over {address}");
        }
    }
}

#[test]
fn a_corrupted_datagram_differs_in_one_byte_and_a_large_one_is_dropped() {
    let (server, client) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
    let relay = start(
        &server,
        broken(DatagramFaults { corrupt: 1.0, mtu: Some(128), ..DatagramFaults::default() }),
    );
    client.send_to(&[5; 101], relay.address()).unwrap();
    client.send_to(&[5; 100], relay.address()).unwrap();
    let mut buffer = [0; 200];
    assert_eq!(uninterrupted(|| server.recv(&mut buffer)).unwrap(), 100);
    assert_eq!(buffer[..100].iter().filter(|byte| **byte != 5).count(), 1);
    let counts = relay.counts().to_server;
    assert_eq!((counts.too_large, counts.corrupted), (1, 1));
}

#[test]
fn a_full_queue_drops_and_what_was_queued_arrives() {
    let (server, client) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
    let shape = Shape { rate: Some(1_000_000), queue: Some(1280), ..Shape::default() };
    let relay = start(&server, Conditions::both_ways(1, Path { shape, ..Path::default() }));
    send(&client, relay.address(), 0..100);
    let first = receive(&server, 10);
    assert_eq!(first[..9], [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    let counts = relay.counts().to_server;
    assert!(counts.queue_full > 0, "{counts:?}");
}

#[test]
fn one_seed_loses_the_same_datagrams_again() {
    let lost = || {
        let (server, client) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
        let recording = Arc::new(Mutex::new(Recording::default()));
        let recorder: Box<dyn Recorder> = Box::new(Arc::clone(&recording));
        let faults = DatagramFaults { lose: 0.3, ..DatagramFaults::default() };
        let address = server.local_addr().unwrap();
        let relay = Relay::start(Transport::Udp, address, broken(faults), Some(recorder)).unwrap();
        for number in 0..100 {
            send(&client, relay.address(), number..number + 1);
            while relay.counts().to_server.pieces_in <= u64::from(number) {
                std::thread::yield_now();
            }
        }
        drop(relay);
        let recording = recording.lock().unwrap();
        let fates = recording.events.iter().filter_map(|event| match &event.happening {
            Happening::Sent { index, fate, payload } => Some((*index, *fate, payload.clone())),
            _ => None,
        });
        fates.collect::<Vec<_>>()
    };
    let once = lost();
    assert_eq!(once.len(), 100);
    assert!((10..60).contains(&once.iter().filter(|(_, fate, _)| *fate == Fate::Lose).count()));
    assert_eq!(once, lost());
}

#[test]
fn a_recording_tells_what_was_sent_and_what_arrived() {
    let (server, client) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
    let recording = Arc::new(Mutex::new(Recording::default()));
    let relay = Relay::start(
        Transport::Udp,
        server.local_addr().unwrap(),
        exactly([(0, Fate::Duplicate)]),
        Some(Box::new(Arc::clone(&recording))),
    )
    .unwrap();
    client.send_to(b"hello", relay.address()).unwrap();
    assert_eq!(receive(&server, 2), [b'h', b'h']);
    drop(relay);
    let recording = recording.lock().unwrap();
    let payload: Arc<[u8]> = b"hello".as_slice().into();
    let happenings: Vec<_> = recording.events.iter().map(|e| e.happening.clone()).collect();
    let delivered = Happening::Delivered { index: 0, payload: payload.clone() };
    assert_eq!(
        happenings,
        [
            Happening::Opened,
            Happening::Sent { index: 0, fate: Fate::Duplicate, payload },
            delivered.clone(),
            delivered
        ]
    );
    let connection = recording.events[0].connection;
    assert_eq!(connection.client, client.local_addr().unwrap());
    assert_eq!(connection.server, server.local_addr().unwrap());
    assert!(recording.events.iter().all(|event| event.direction == Direction::ToServer));
}

#[test]
fn a_stranger_cannot_answer_in_place_of_the_server() {
    let (server, client) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
    let relay = start(&server, Conditions::default());
    send(&client, relay.address(), 1..2);
    let (_, customer) = uninterrupted(|| server.recv_from(&mut [0; 200])).unwrap();
    socket("127.0.0.1:0").send_to(b"lie", customer).unwrap();
    server.send_to(b"truth", customer).unwrap();
    assert_eq!(receive(&client, 1), [b't']);
}

#[test]
fn two_thousand_clients_are_served_at_once() {
    let (server, address) = (socket("127.0.0.1:0"), "127.0.0.1:0");
    let relay = start(&server, Conditions::default());
    let count = common::as_many_as(2000, 2);
    let clients: Vec<_> = (0..count).map(|_| socket(address)).collect();
    let mut buffer = [0; 8];
    for round in 0..2 {
        for (number, client) in (0_u32..).zip(&clients) {
            client.send_to(&number.to_be_bytes(), relay.address()).unwrap();
            let (length, from) = uninterrupted(|| server.recv_from(&mut buffer)).unwrap();
            server.send_to(&buffer[..length], from).unwrap();
        }
        for (number, client) in (0_u32..).zip(&clients) {
            let length = uninterrupted(|| client.recv(&mut buffer)).unwrap();
            assert_eq!(buffer[..length], number.to_be_bytes(), "round {round}");
        }
    }
    assert_eq!(relay.counts().open, count as u64);
}
