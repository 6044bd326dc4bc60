//! The relay with byte streams, seen from its two sides.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed step is a failed test

use crate::common;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use netlab::conditions::{Coalesce, Conditions, Path, Stall, StreamFaults};
use netlab::faults::Direction;
use netlab::port::free_address;
use netlab::program::{poll, uninterrupted, write_until_stuck};
use netlab::record::{Happening, Recording, Transport};
use netlab::relay::Relay;
use netlab::shape::Shape;
use socket2::SockRef;

const LIMIT: Duration = Duration::from_secs(20);

struct Scene {
    listener: TcpListener,
    relay: Relay,
}

impl Scene {
    fn new(conditions: Conditions) -> Self {
        Self::on("127.0.0.1:0", conditions)
    }

    fn on(address: &str, conditions: Conditions) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let server = listener.local_addr().unwrap();
        let relay = Relay::start(Transport::Tcp, server, conditions, None).unwrap();
        Self { listener, relay }
    }

    /// A client and the server's side of its connection.
    fn connect(&self) -> (TcpStream, TcpStream) {
        let client = TcpStream::connect(self.relay.address()).unwrap();
        let (server, _) = self.listener.accept().unwrap();
        for stream in [&client, &server] {
            stream.set_read_timeout(Some(LIMIT)).unwrap();
            stream.set_write_timeout(Some(LIMIT)).unwrap();
        }
        (client, server)
    }
}

fn broken(stream: StreamFaults) -> Conditions {
    Conditions::both_ways(7, Path { stream, ..Path::default() })
}

fn shaped(shape: Shape) -> Conditions {
    Conditions::both_ways(7, Path { shape, ..Path::default() })
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|i| u8::try_from((i * 7 + i / 251) % 256).unwrap()).collect()
}

fn read_all(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    all
}

/// A server with a relay before it that tells everything.
fn recorded(conditions: Conditions) -> (Scene, Arc<Mutex<Recording>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let recording = Arc::new(Mutex::new(Recording::default()));
    let recorder = Box::new(Arc::clone(&recording));
    let server = listener.local_addr().unwrap();
    let relay = Relay::start(Transport::Tcp, server, conditions, Some(recorder)).unwrap();
    (Scene { listener, relay }, recording)
}

/// Sends `length` bytes each way at once, with half-closes, and compares.
fn both_ways(scene: &Scene, length: usize) {
    let (mut client, mut server) = scene.connect();
    let (mut reading, sent) = (server.try_clone().unwrap(), content(length));
    let reader = thread::spawn(move || read_all(&mut reading));
    let expected = sent.clone();
    let writer = thread::spawn(move || {
        server.write_all(&sent).unwrap();
        server.shutdown(Shutdown::Write).unwrap();
    });
    let mut sending = client.try_clone().unwrap();
    let copy = expected.clone();
    let sender = thread::spawn(move || {
        sending.write_all(&copy).unwrap();
        sending.shutdown(Shutdown::Write).unwrap();
    });
    assert!(read_all(&mut client) == expected);
    assert!(reader.join().unwrap() == expected);
    writer.join().unwrap();
    sender.join().unwrap();
}

#[test]
fn bytes_pass_both_ways_whatever_the_network_is_like() {
    let coalesce = Some(Coalesce { bytes: 100_000, wait: millis(1) });
    let stall = Some(Stall { after: 70_000, time: millis(10) });
    for conditions in [
        Conditions::default(),
        shaped(Shape { delay: millis(2), jitter: millis(1), ..Shape::default() }),
        shaped(Shape { rate: Some(400_000_000), queue: Some(3000), ..Shape::default() }),
        broken(StreamFaults { slice: Some(1000), coalesce, stall, ..StreamFaults::default() }),
    ] {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let scene = Scene::on(address, conditions.clone());
            both_ways(&scene, 3_000_000);
            let counts = scene.relay.counts();
            assert_eq!((counts.connections, counts.to_server.bytes_in), (1, 3_000_000));
            assert_eq!(
                (counts.to_server.bytes_out, counts.to_client.bytes_out),
                (3_000_000, 3_000_000)
            );
        }
    }
}

#[test]
fn a_recorder_sees_every_byte_and_the_ends() {
    let (scene, recording) = recorded(Conditions::default());
    both_ways(&scene, 1_000_000);
    drop(scene);
    let recording = recording.lock().unwrap();
    for direction in [Direction::ToServer, Direction::ToClient] {
        let (mut sent, mut delivered, mut ended) = (Vec::new(), Vec::new(), 0);
        for event in recording.events.iter().filter(|event| event.direction == direction) {
            match &event.happening {
                Happening::Sent { payload, .. } => sent.extend_from_slice(payload),
                Happening::Delivered { payload, .. } => delivered.extend_from_slice(payload),
                Happening::Ended => ended += 1,
                _ => {}
            }
        }
        assert!(sent == content(1_000_000) && delivered == sent);
        assert_eq!(ended, 1);
    }
    assert_eq!(recording.events[0].happening, Happening::Opened);
}

#[test]
fn the_first_slices_are_seen_one_by_one() {
    let scene = Scene::new(broken(StreamFaults { slice: Some(2), ..StreamFaults::default() }));
    let (mut client, mut server) = scene.connect();
    client.write_all(b"hello!").unwrap();
    let mut buffer = [0; 100];
    let mut lengths = Vec::new();
    while lengths.iter().sum::<usize>() < 6 {
        lengths.push(uninterrupted(|| server.read(&mut buffer)).unwrap());
    }
    assert!(lengths.iter().all(|length| length % 2 == 0), "{lengths:?}");
    let written = || scene.relay.counts().to_server.pieces_out == 3;
    assert!(poll(LIMIT, || written().then_some(())).is_some(), "{:?}", scene.relay.counts());
}

#[test]
fn coalesced_pieces_arrive_as_one() {
    let coalesce = Some(Coalesce { bytes: 6, wait: LIMIT });
    let scene = Scene::new(broken(StreamFaults { coalesce, ..StreamFaults::default() }));
    let (mut client, mut server) = scene.connect();
    client.set_nodelay(true).unwrap();
    for (number, byte) in (1..).zip(b"hello!") {
        client.write_all(&[*byte]).unwrap();
        while scene.relay.counts().to_server.bytes_in < number {
            thread::yield_now();
        }
    }
    let mut buffer = [0; 100];
    assert_eq!(uninterrupted(|| server.read(&mut buffer)).unwrap(), 6);
    client.write_all(b"rest").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_all(&mut server), b"rest", "the end releases what is held");
}

#[test]
fn a_reset_after_some_bytes_reaches_both_sides_and_no_byte_more_arrives() {
    let scene =
        Scene::new(broken(StreamFaults { reset_after: Some(5), ..StreamFaults::default() }));
    let (mut client, mut server) = scene.connect();
    client.write_all(b"hello!").unwrap();
    let mut got = Vec::new();
    let error = server.read_to_end(&mut got).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert!(got.is_empty() || got == b"hello", "{got:?}");
    let error = uninterrupted(|| client.read(&mut [0])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn one_half_is_closed_after_some_bytes_and_the_other_lives() {
    let mut conditions = Conditions::default();
    conditions.to_server.stream.close_after = Some(5);
    let scene = Scene::new(conditions);
    let (mut client, mut server) = scene.connect();
    client.write_all(b"hello world").unwrap();
    assert_eq!(read_all(&mut server), b"hello");
    client.write_all(b"nobody hears this").unwrap();
    server.write_all(b"answer").unwrap();
    drop(server);
    assert_eq!(read_all(&mut client), b"answer");
}

#[test]
fn a_reset_is_passed_on_even_after_an_early_close() {
    let mut conditions = shaped(Shape { delay: millis(5), ..Shape::default() });
    conditions.to_server.stream.close_after = Some(5);
    let scene = Scene::new(conditions);
    let (mut client, mut server) = scene.connect();
    client.write_all(b"hello world").unwrap();
    assert_eq!(read_all(&mut server), b"hello");
    SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
    drop(client);
    let closed = || (scene.relay.counts().open == 0).then_some(());
    assert!(poll(LIMIT, closed).is_some(), "{:?}", scene.relay.counts());
    // The relay counts a connection as closed just before it closes it.
    let reset = poll(LIMIT, || server.take_error().unwrap());
    assert!(reset.is_some(), "a reset, not another end");
}

#[test]
fn a_reset_by_either_side_is_a_reset_for_the_other() {
    for conditions in
        [Conditions::default(), shaped(Shape { delay: millis(1), ..Shape::default() })]
    {
        for client_resets in [true, false] {
            let scene = Scene::new(conditions.clone());
            let (client, server) = scene.connect();
            let (resets, mut other) =
                if client_resets { (client, server) } else { (server, client) };
            SockRef::from(&resets).set_linger(Some(Duration::ZERO)).unwrap();
            drop(resets);
            let error = uninterrupted(|| other.read(&mut [0])).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        }
    }
}

#[test]
fn a_relay_that_refuses_is_refused_by_the_system() {
    let scene = Scene::new(Conditions { refuse: true, ..Conditions::default() });
    let error = TcpStream::connect(scene.relay.address()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn a_client_is_reset_when_the_server_is_not_there() {
    let gone = free_address(Transport::Tcp);
    let relay = Relay::start(Transport::Tcp, gone, Conditions::default(), None).unwrap();
    let mut client = TcpStream::connect(relay.address()).unwrap();
    client.set_read_timeout(Some(LIMIT)).unwrap();
    assert_eq!(
        uninterrupted(|| client.read(&mut [0])).unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
    assert_eq!(relay.counts().refused, 1);
}

#[test]
fn dropping_the_relay_closes_its_connections() {
    let scene = Scene::new(Conditions::default());
    let (mut client, mut server) = scene.connect();
    drop(scene);
    assert_eq!(uninterrupted(|| client.read(&mut [0])).unwrap(), 0);
    assert_eq!(uninterrupted(|| server.read(&mut [0])).unwrap(), 0);
}

#[test]
fn a_receiver_that_does_not_read_stops_the_sender() {
    for conditions in
        [Conditions::default(), shaped(Shape { delay: millis(1), ..Shape::default() })]
    {
        let scene = Scene::new(conditions);
        let (client, mut server) = scene.connect();
        let sent = write_until_stuck(&client, &content(1 << 20), 200 << 20).unwrap();
        assert!(sent < 200 << 20, "the relay takes it all");
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_all(&mut server).len(), sent);
    }
}

/// What the relay has delivered of each of two streams since both of them had something to send.
fn delivered_of_each(recording: &Mutex<Recording>) -> [usize; 2] {
    let mut delivered = [0; 2];
    for event in &recording.lock().unwrap().events {
        if let Happening::Delivered { payload, .. } = &event.happening {
            let number = event.connection.number as usize;
            delivered[number] += payload.len();
            // The one that began first had the bottleneck for itself.
            if delivered[1 - number] == 0 {
                delivered[number] = 1;
            }
        }
    }
    delivered
}

/// What the relay says that it delivered is compared, as it does not depend on when that is read.
#[test]
fn two_streams_share_one_bottleneck_evenly() {
    let (scene, recording) = recorded(shaped(Shape { rate: Some(40_000_000), ..Shape::default() }));
    let began = Instant::now();
    for (mut client, mut server) in [scene.connect(), scene.connect()] {
        thread::spawn(move || while client.write_all(&[0; 10_000]).is_ok() {});
        thread::spawn(move || std::io::copy(&mut server, &mut std::io::sink()));
    }
    let enough = || (delivered_of_each(&recording).iter().sum::<usize>() > 2_000_000).then_some(());
    assert!(poll(LIMIT, enough).is_some(), "{:?}", delivered_of_each(&recording));
    let got = delivered_of_each(&recording);
    let share = got[0] * 100 / (got[0] + got[1]);
    assert!((40..=60).contains(&share), "{got:?}");
    let all = u128::from(scene.relay.counts().to_server.bytes_out);
    let most = 40_000_000 / 8 * began.elapsed().as_millis() / 1000;
    assert!(all <= most + 100_000, "{all} of {most}");
}

#[test]
fn two_thousand_connections_are_served_at_once() {
    let scene = Scene::new(Conditions::default());
    let count = common::as_many_as(2000, 4);
    let mut pairs: Vec<_> = (0..count).map(|_| scene.connect()).collect();
    for (number, (client, server)) in (0_u32..).zip(&mut pairs) {
        let mut buffer = [0; 4];
        client.write_all(&number.to_be_bytes()).unwrap();
        server.read_exact(&mut buffer).unwrap();
        server.write_all(&buffer).unwrap();
    }
    for (number, (client, _)) in (0_u32..).zip(&mut pairs) {
        let mut buffer = [0; 4];
        client.read_exact(&mut buffer).unwrap();
        assert_eq!(buffer, number.to_be_bytes());
    }
    assert_eq!(scene.relay.counts().open, count as u64);
}
