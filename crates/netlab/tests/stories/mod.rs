//! Runs that never took place, as a relay would have told them.
#![allow(dead_code)] // each test tells only some of them
#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed step is a failed test

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use netlab::faults::{Direction, Fate};
use netlab::record::{Connection, Event, Happening, Recorder, Transport};

pub const UP: Direction = Direction::ToServer;
pub const DOWN: Direction = Direction::ToClient;

/// Events in order, one every 500 µs if nobody says otherwise.
#[derive(Default)]
pub struct Story {
    pub events: Vec<Event>,
    indices: [u64; 2],
    now: Duration,
}

pub fn udp(number: u32) -> Connection {
    connection(number, Transport::Udp, "127.0.0.1")
}

pub fn tcp(number: u32) -> Connection {
    connection(number, Transport::Tcp, "127.0.0.1")
}

pub fn connection(number: u32, transport: Transport, host: &str) -> Connection {
    let ip = host.parse().unwrap();
    let port = 50_000 + u16::try_from(number).unwrap();
    let (client, server) = (SocketAddr::new(ip, port), SocketAddr::new(ip, 8888));
    Connection { number, transport, client, server }
}

impl Story {
    pub fn wait(&mut self, milliseconds: u64) {
        self.now += Duration::from_millis(milliseconds);
    }

    pub fn happens(&mut self, connection: Connection, direction: Direction, happening: Happening) {
        self.now += Duration::from_micros(500);
        self.events.push(Event { at: self.now, connection, direction, happening });
    }

    /// Something is sent; its index.
    pub fn sends(&mut self, who: Connection, way: Direction, payload: &[u8], fate: Fate) -> u64 {
        let counter = &mut self.indices[usize::from(way == DOWN)];
        let index = *counter;
        *counter += 1;
        self.happens(who, way, Happening::Sent { index, fate, payload: Arc::from(payload) });
        index
    }

    pub fn arrives(&mut self, who: Connection, way: Direction, index: u64, payload: &[u8]) {
        self.happens(who, way, Happening::Delivered { index, payload: Arc::from(payload) });
    }

    /// Something is sent and arrives.
    pub fn passes(&mut self, who: Connection, way: Direction, payload: &[u8]) {
        let index = self.sends(who, way, payload, Fate::Pass);
        self.arrives(who, way, index, payload);
    }

    pub fn told_to<R: Recorder>(&self, mut recorder: R) -> R {
        self.events.iter().for_each(|event| recorder.record(event));
        recorder
    }
}

/// One client over UDP, and everything that can happen to a datagram.
pub fn troubles() -> Story {
    let (mut story, client) = (Story::default(), udp(0));
    story.happens(client, UP, Happening::Opened);
    story.passes(client, UP, b"hello\n");
    story.passes(client, DOWN, "你好，世界\n".as_bytes());
    story.sends(client, UP, b"is anybody there?", Fate::Lose);
    story.wait(200);
    let twice = story.sends(client, UP, b"is anybody there?", Fate::Duplicate);
    story.arrives(client, UP, twice, b"is anybody there?");
    story.arrives(client, UP, twice, b"is anybody there?");
    let late = story.sends(client, UP, b"one", Fate::Reorder(2));
    story.passes(client, UP, b"two");
    story.passes(client, UP, b"three");
    story.arrives(client, UP, late, b"one");
    let damaged = story.sends(client, DOWN, b"PK\x03\x04\x00\xff", Fate::Corrupt);
    story.arrives(client, DOWN, damaged, b"PK\x03\x05\x00\xff");
    let late = story.sends(client, DOWN, b"<1>", Fate::Reorder(1));
    let twice = story.sends(client, DOWN, b"<2>", Fate::Duplicate);
    story.arrives(client, DOWN, twice, b"<2>");
    story.arrives(client, DOWN, twice, b"<2>");
    story.arrives(client, DOWN, late, b"<1>");
    story.sends(client, UP, &[b'x'; 9000], Fate::TooLarge);
    story.sends(client, DOWN, b"\x1b[31mred & \"quoted\" <tag>", Fate::QueueFull);
    story.sends(client, DOWN, b"", Fate::Lose);
    story.sends(client, UP, b"last", Fate::Pass);
    story
}

/// Three clients over TCP: one talks, one is reset, one refused.
pub fn streams() -> Story {
    let mut story = Story::default();
    let clients = [tcp(0), tcp(1), tcp(2)];
    story.happens(clients[0], UP, Happening::Opened);
    story.passes(clients[0], UP, b"hel");
    story.happens(clients[1], UP, Happening::Opened);
    story.passes(clients[0], UP, b"lo\n");
    story.passes(clients[0], DOWN, "你好\n".as_bytes());
    story.passes(clients[1], UP, &[7; 5000]);
    story.happens(clients[2], UP, Happening::Refused);
    story.happens(clients[0], UP, Happening::Ended);
    story.happens(clients[1], DOWN, Happening::Reset);
    story.happens(clients[0], DOWN, Happening::Ended);
    story
}
