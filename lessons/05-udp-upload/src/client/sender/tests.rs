//! The sender and the real receiver on networks that exist only in memory: time is a number that
//! we move, so that thousands of networks fit into seconds, and each can be had again by its seed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use netbasics::inbox::Inbox;
use sha2::{Digest, Sha256};

use std::time::Duration;

use super::*;
use crate::open::Description;
use crate::server::Receiver;
use crate::server::reliable::ReliableReceiver;
use crate::server::token::Tokens;

const MS: Duration = Duration::from_millis(1);

/// A network: what happens to packets in both directions, and one narrow link to the server.
#[derive(Clone, Copy)]
struct Network {
    seed: u64,
    delay: Duration,
    /// Up to so much is added to the delay of each packet, so that they overtake each other.
    jitter: Duration,
    loss: f64,
    duplicate: f64,
    /// Of the link to the server, in bytes a second, for all clients together.
    rate: f64,
    /// Bytes that can wait before that link.
    queue: f64,
}

const PERFECT: Network = Network {
    seed: 1,
    delay: Duration::from_micros(50),
    jitter: Duration::ZERO,
    loss: 0.0,
    duplicate: 0.0,
    rate: 1e9,
    queue: 1e9,
};

/// `xorshift64*` (Vigna, 2016), a number from 0 up to 1.
struct Chance(u64);

impl Chance {
    #[allow(clippy::cast_precision_loss)]
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

struct Client {
    sender: Sender,
    about: Description,
    content: Vec<u8>,
    wake: Instant,
    end: Option<(Instant, Result<String, Failure>)>,
    sent: u32,
}

impl Client {
    fn payload(&self, outgoing: Outgoing) -> Vec<u8> {
        match outgoing.kind {
            Kind::Open => self.about.encode(),
            Kind::Close => Sha256::digest(&self.content).to_vec(),
            _ => {
                let start = usize::try_from(self.about.offset_of(outgoing.block)).unwrap();
                let length = self.about.length_of(outgoing.block) as usize;
                self.content[start..start + length].to_vec()
            }
        }
    }
}

type Arrival = Reverse<(Instant, u64, bool, usize, Vec<u8>)>;

struct World {
    network: Network,
    chance: Chance,
    now: Instant,
    start: Instant,
    clients: Vec<Client>,
    receiver: ReliableReceiver,
    folder: tempfile::TempDir,
    arrivals: BinaryHeap<Arrival>,
    count: u64,
    /// When the narrow link will have sent what waits before it.
    link_free: Instant,
    overflown: u32,
    carried: f64,
}

fn address(client: usize) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1000 + u16::try_from(client).unwrap())
}

impl World {
    fn new(network: Network) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let inbox = Inbox::open(folder.path()).unwrap();
        let now = Instant::now();
        Self {
            network,
            chance: Chance(network.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            now,
            start: now,
            clients: Vec::new(),
            receiver: ReliableReceiver::new(inbox, u64::MAX, Tokens::new().unwrap()),
            folder,
            arrivals: BinaryHeap::new(),
            count: 0,
            link_free: now,
            overflown: 0,
            carried: 0.0,
        }
    }

    fn add(&mut self, length: usize, settings: Settings, start: Instant) {
        let number = self.clients.len();
        let mut chance = Chance(self.network.seed + 77 + number as u64);
        let content: Vec<u8> = (0..length).map(|_| (chance.next() * 256.0) as u8).collect();
        let about =
            Description { length: length as u64, block_bytes: 1200, name: format!("{number}.bin") };
        let sender = Sender::new(number as u32 + 1, about.blocks(), settings, start);
        self.clients.push(Client { sender, about, content, wake: start, end: None, sent: 0 });
    }

    /// Runs until everybody is done.
    fn run(&mut self) {
        while self.clients.iter().any(|client| client.end.is_none()) {
            let waiting = self.clients.iter().filter(|client| client.end.is_none());
            let wake = waiting.map(|client| client.wake).min().unwrap();
            match self.arrivals.peek() {
                Some(Reverse((at, ..))) if *at <= wake => self.arrive(),
                _ => {
                    self.now = self.now.max(wake);
                    assert!(self.now < self.start + Duration::from_secs(3600), "for ever");
                    for number in 0..self.clients.len() {
                        self.act(number);
                    }
                }
            }
        }
    }

    fn arrive(&mut self) {
        let Some(Reverse((at, _, to_server, number, bytes))) = self.arrivals.pop() else { return };
        self.now = self.now.max(at);
        if to_server {
            if let Some(answer) = self.receiver.receive(&bytes, address(number), self.now) {
                self.transmit(false, number, answer);
            }
            for (_, answer) in self.receiver.answers() {
                self.transmit(false, number, answer);
            }
        } else {
            let now = self.now;
            let packet = Packet::decode(&bytes).unwrap();
            self.clients[number].sender.handle(&packet, now);
            self.act(number);
        }
    }

    fn act(&mut self, number: usize) {
        let now = self.now;
        while self.clients[number].end.is_none() && self.clients[number].wake <= now || true {
            let client = &mut self.clients[number];
            if client.end.is_some() {
                return;
            }
            match client.sender.next(now) {
                Step::Send(outgoing) => {
                    let payload = client.payload(outgoing);
                    let transfer = u32::try_from(number).unwrap() + 1;
                    let Outgoing { kind, token, block, number: n } = outgoing;
                    let packet =
                        Packet { kind, transfer, token, block, number: n, payload: &payload };
                    client.sent += 1;
                    let bytes = packet.encode();
                    self.transmit(true, number, bytes);
                }
                Step::Wait(until) => {
                    assert!(until > now, "busy waiting");
                    client.wake = until;
                    return;
                }
                Step::Late(..) => {}
                Step::Over(end) => {
                    client.end = Some((now, end));
                    return;
                }
            }
        }
    }

    fn transmit(&mut self, to_server: bool, number: usize, bytes: Vec<u8>) {
        let network = self.network;
        let mut at = self.now + network.delay;
        if to_server {
            let length = bytes.len() as f64 + 28.0;
            let waiting = self.link_free.saturating_duration_since(self.now).as_secs_f64();
            if waiting * network.rate > network.queue {
                self.overflown += 1;
                return;
            }
            self.link_free =
                self.link_free.max(self.now) + Duration::from_secs_f64(length / network.rate);
            self.carried += length;
            at = self.link_free + network.delay;
        }
        let copies = if self.chance.next() < network.duplicate { 2 } else { 1 };
        for _ in 0..copies {
            if self.chance.next() >= network.loss {
                let at = at + network.jitter.mul_f64(self.chance.next());
                self.count += 1;
                self.arrivals.push(Reverse((at, self.count, to_server, number, bytes.clone())));
            }
        }
    }

    fn assert_exact(&self) {
        for (number, client) in self.clients.iter().enumerate() {
            match &client.end.as_ref().unwrap().1 {
                Ok(name) => {
                    assert!(fs::read(self.folder.path().join(name)).unwrap() == client.content)
                }
                Err(failure) => panic!("client {number}: {failure:?}"),
            }
        }
    }
}

const SETTINGS: Settings =
    Settings { timeout: Duration::from_millis(200), retries: 8, window: None };

#[test]
fn explore() {
    let seconds = |d: Duration| d.as_secs_f64();
    for (title, network, clients, length) in [
        ("clean", PERFECT, 1, 20_000_000),
        ("10ms", Network { delay: 10 * MS, rate: 170e6, queue: 4e6, ..PERFECT }, 1, 60_000_000),
        (
            "10ms 1%",
            Network { delay: 10 * MS, rate: 170e6, queue: 4e6, loss: 0.01, ..PERFECT },
            1,
            60_000_000,
        ),
        (
            "10ms 5%",
            Network { delay: 10 * MS, rate: 170e6, queue: 4e6, loss: 0.05, ..PERFECT },
            1,
            60_000_000,
        ),
        (
            "10ms 20%",
            Network { delay: 10 * MS, rate: 170e6, queue: 4e6, loss: 0.20, ..PERFECT },
            1,
            20_000_000,
        ),
        (
            "10ms jitter 2ms",
            Network { delay: 10 * MS, rate: 170e6, queue: 4e6, jitter: 2 * MS, ..PERFECT },
            1,
            60_000_000,
        ),
        (
            "fair 10ms",
            Network { delay: 10 * MS, rate: 12.5e6, queue: 625e3, ..PERFECT },
            2,
            30_000_000,
        ),
        (
            "fair 10ms small queue",
            Network { delay: 10 * MS, rate: 12.5e6, queue: 64e3, ..PERFECT },
            2,
            30_000_000,
        ),
        (
            "fair 10ms tiny queue",
            Network { delay: 10 * MS, rate: 12.5e6, queue: 15e3, ..PERFECT },
            2,
            30_000_000,
        ),
        ("fair 0ms", Network { rate: 12.5e6, queue: 625e3, ..PERFECT }, 2, 30_000_000),
        ("fair 0ms small queue", Network { rate: 12.5e6, queue: 64e3, ..PERFECT }, 2, 30_000_000),
        (
            "fair 50ms",
            Network { delay: 50 * MS, rate: 12.5e6, queue: 625e3, ..PERFECT },
            2,
            30_000_000,
        ),
    ]
    .into_iter()
    .filter(|x| std::env::var("ONLY").map_or(true, |o| o == x.0))
    {
        let mut world = World::new(network);
        for n in 0..clients {
            world.add(length, SETTINGS, world.start + n as u32 * 500 * MS);
        }
        world.run();
        world.assert_exact();
        let end = world.clients.iter().map(|c| c.end.as_ref().unwrap().0).min().unwrap();
        let last = world.clients.iter().map(|c| c.end.as_ref().unwrap().0).max().unwrap();
        let took = seconds(last - world.start);
        let times: Vec<_> = world
            .clients
            .iter()
            .enumerate()
            .map(|(n, c)| seconds(c.end.as_ref().unwrap().0 - world.start - n as u32 * 500 * MS))
            .collect();
        let sent: u32 = world.clients.iter().map(|c| c.sent).sum();
        println!(
            "{title:25} {:6.1} MB/s  {times:.2?} use {:.3} overflow {:.4} sent/needed {:.3} first {:.2} of {took:.2}",
            clients as f64 * length as f64 / 1e6 / took,
            world.carried / network.rate / took,
            world.overflown as f64 / sent as f64,
            sent as f64 * 1200.0 / (clients * length) as f64,
            seconds(end - world.start)
        );
    }
}
