//! The relay: what a client talks to in place of the server.
//!
//! ```text
//! client ──► front socket ── fate? ──► back socket (one for each client) ──► server
//!        ◄──              ◄── fate? ──                                   ◄──
//! ```
//!
//! The server sees one address for each client, as it would without the relay. What happens to a
//! datagram, its [`Fate`], is a function of the seed, the direction and the datagram's number in
//! that direction: the same seed on the same traffic does the same again.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How often an idle relay looks whether it should end; also how long a datagram that is to
/// change places waits for one that overtakes it.
const TICK: Duration = Duration::from_millis(20);
/// Larger than any UDP datagram.
const BUFFER_BYTES: usize = 65_536;

/// Which way a datagram goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From a client to the server.
    ToServer,
    /// From the server to a client.
    ToClient,
}

/// What the relay does with one datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It passes.
    Pass,
    /// It is lost.
    Lose,
    /// It arrives twice.
    Duplicate,
    /// It waits until the next one has overtaken it.
    Swap,
}

/// What can happen between the two sides: probabilities from 0 to 1, and single datagrams by
/// number, counted from 0 in each direction over all clients.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Another seed, another run; the same seed, the same run.
    pub seed: u64,
    /// The probability that a datagram is lost.
    pub lose: f64,
    /// The probability that a datagram arrives twice.
    pub duplicate: f64,
    /// The probability that a datagram changes places with the next one.
    pub swap: f64,
    /// Fates of single datagrams, which go before the probabilities.
    pub exactly: Vec<(Direction, u64, Fate)>,
}

impl Faults {
    /// The fate of datagram `index` in `direction`.
    #[must_use]
    pub fn fate(&self, direction: Direction, index: u64) -> Fate {
        let single = self.exactly.iter().find(|(d, i, _)| (*d, *i) == (direction, index));
        if let Some((_, _, fate)) = single {
            return *fate;
        }
        let chance = self.chance(direction, index);
        if chance < self.lose {
            Fate::Lose
        } else if chance < self.lose + self.duplicate {
            Fate::Duplicate
        } else if chance < self.lose + self.duplicate + self.swap {
            Fate::Swap
        } else {
            Fate::Pass
        }
    }

    /// A number from 0 up to 1 that depends on nothing but seed, direction and index.
    #[allow(clippy::cast_precision_loss)] // 53 bits fit a double exactly
    fn chance(&self, direction: Direction, index: u64) -> f64 {
        let lane = match direction {
            Direction::ToServer => 0x5e72_0000,
            Direction::ToClient => 0xc11e_0000,
        };
        let bits = mix(mix(self.seed ^ lane).wrapping_add(index));
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The finaliser of `SplitMix64` (Steele, Lea and Flood, 2014): neighbouring inputs give outputs
/// that look independent.
fn mix(input: u64) -> u64 {
    let mut z = input.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// One datagram that came to the relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Which way it went.
    pub direction: Direction,
    /// What happened to it.
    pub fate: Fate,
    /// What was in it.
    pub payload: Vec<u8>,
}

/// A running UDP relay; dropping it ends it.
pub struct UdpRelay {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    faults: Faults,
    ended: AtomicBool,
    record: Mutex<Record>,
}

#[derive(Default)]
struct Record {
    passages: Vec<Passage>,
    to_server: u64,
    to_client: u64,
}

impl UdpRelay {
    /// Starts a relay in front of `server`, on a port of the system's choice.
    pub fn start(server: SocketAddr, faults: Faults) -> io::Result<Self> {
        let front = UdpSocket::bind((server.ip(), 0))?;
        front.set_read_timeout(Some(TICK))?;
        let address = front.local_addr()?;
        let ended = AtomicBool::new(false);
        let shared = Arc::new(Shared { faults, ended, record: Mutex::default() });
        let relay = Self { address, shared: Arc::clone(&shared) };
        thread::spawn(move || carry_to_server(&front, server, &shared));
        Ok(relay)
    }

    /// Where clients send to in place of the server.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Everything that has come by so far, in order.
    #[must_use]
    pub fn passages(&self) -> Vec<Passage> {
        self.shared.record().passages.clone()
    }
}

impl Drop for UdpRelay {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
    }
}

impl Shared {
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Decides the fate of a datagram and remembers it.
    fn decide(&self, direction: Direction, payload: &[u8]) -> Fate {
        let mut record = self.record();
        let count = match direction {
            Direction::ToServer => &mut record.to_server,
            Direction::ToClient => &mut record.to_client,
        };
        let fate = self.faults.fate(direction, *count);
        *count += 1;
        record.passages.push(Passage { direction, fate, payload: payload.to_vec() });
        fate
    }
}

/// One way through the relay: sends datagrams on according to their fate.
struct Lane<'a> {
    direction: Direction,
    shared: &'a Shared,
    waiting: Vec<(Vec<u8>, SocketAddr)>,
}

impl Lane<'_> {
    /// Errors of `send_to` are the network's: the datagram is lost, as it might be anywhere.
    fn pass(&mut self, socket: &UdpSocket, payload: &[u8], to: SocketAddr) {
        match self.shared.decide(self.direction, payload) {
            Fate::Lose => return,
            Fate::Swap => return self.waiting.push((payload.to_vec(), to)),
            Fate::Duplicate => _ = socket.send_to(payload, to),
            Fate::Pass => {}
        }
        let _ = socket.send_to(payload, to);
        self.release(socket);
    }

    fn release(&mut self, socket: &UdpSocket) {
        for (payload, to) in self.waiting.drain(..) {
            let _ = socket.send_to(&payload, to);
        }
    }
}

fn carry_to_server(front: &UdpSocket, server: SocketAddr, shared: &Arc<Shared>) {
    let mut clients: HashMap<SocketAddr, (UdpSocket, Lane<'_>)> = HashMap::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    while !shared.has_ended() {
        let Ok((length, client)) = front.recv_from(&mut buffer) else {
            for (back, lane) in clients.values_mut() {
                lane.release(back);
            }
            continue;
        };
        let (back, lane) = match clients.entry(client) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let Ok(back) = open_back(front, server, client, shared) else { continue };
                new.insert((back, Lane { direction: Direction::ToServer, shared, waiting: vec![] }))
            }
        };
        lane.pass(back, &buffer[..length], server);
    }
}

/// Opens the socket that stands for `client` before the server, and carries its answers back.
fn open_back(
    front: &UdpSocket,
    server: SocketAddr,
    client: SocketAddr,
    shared: &Arc<Shared>,
) -> io::Result<UdpSocket> {
    let back = UdpSocket::bind((server.ip(), 0))?;
    back.set_read_timeout(Some(TICK))?;
    let (front, reading, shared) = (front.try_clone()?, back.try_clone()?, Arc::clone(shared));
    thread::spawn(move || carry_to_client(&reading, &front, client, &shared));
    Ok(back)
}

fn carry_to_client(back: &UdpSocket, front: &UdpSocket, client: SocketAddr, shared: &Shared) {
    let mut lane = Lane { direction: Direction::ToClient, shared, waiting: Vec::new() };
    let mut buffer = vec![0; BUFFER_BYTES];
    while !shared.has_ended() {
        match back.recv(&mut buffer) {
            Ok(length) => lane.pass(front, &buffer[..length], client),
            Err(_) => lane.release(front),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(seed: u64) -> Faults {
        Faults { seed, lose: 0.2, duplicate: 0.1, swap: 0.1, exactly: Vec::new() }
    }

    fn fates(seed: u64) -> Vec<Fate> {
        (0..1000).map(|index| faults(seed).fate(Direction::ToServer, index)).collect()
    }

    #[test]
    fn a_seed_replays_and_another_one_does_not() {
        assert_eq!(fates(7), fates(7));
        assert_ne!(fates(7), fates(8));
    }

    #[test]
    fn the_directions_do_not_share_their_fates() {
        let back: Vec<_> = (0..1000).map(|i| faults(7).fate(Direction::ToClient, i)).collect();
        assert_ne!(fates(7), back);
    }

    #[test]
    fn fates_come_as_often_as_asked_for() {
        let count = |fate| fates(7).iter().filter(|f| **f == fate).count();
        assert!((150..250).contains(&count(Fate::Lose)), "{}", count(Fate::Lose));
        assert!((60..140).contains(&count(Fate::Duplicate)), "{}", count(Fate::Duplicate));
        assert!((60..140).contains(&count(Fate::Swap)), "{}", count(Fate::Swap));
    }

    #[test]
    fn single_datagrams_are_lost_repeated_and_swapped_on_the_wire() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        server.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let exactly = [(1, Fate::Lose), (2, Fate::Duplicate), (3, Fate::Swap)];
        let exactly = exactly.map(|(index, fate)| (Direction::ToServer, index, fate)).to_vec();
        let faults = Faults { exactly, ..Faults::default() };
        let relay = UdpRelay::start(server.local_addr().unwrap(), faults).unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        for number in 0..5_u8 {
            client.send_to(&[number], relay.address()).unwrap();
        }
        let mut got = Vec::new();
        for _ in 0..5 {
            let mut byte = [0];
            server.recv(&mut byte).unwrap();
            got.push(byte[0]);
        }
        assert_eq!(got, [0, 2, 2, 4, 3]);
        assert_eq!(relay.passages().len(), 5);
    }

    #[test]
    fn answers_find_the_client_that_asked() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        server.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let relay = UdpRelay::start(server.local_addr().unwrap(), Faults::default()).unwrap();
        let clients = [(); 3].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
        for (number, client) in (0_u8..).zip(&clients) {
            client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            client.send_to(&[number], relay.address()).unwrap();
        }
        for _ in &clients {
            let mut byte = [0];
            let (_, from) = server.recv_from(&mut byte).unwrap();
            server.send_to(&byte, from).unwrap();
        }
        for (number, client) in (0_u8..).zip(&clients) {
            let mut byte = [9];
            client.recv(&mut byte).unwrap();
            assert_eq!(byte, [number]);
        }
    }
}
