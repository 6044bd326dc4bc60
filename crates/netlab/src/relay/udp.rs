//! The relay for datagrams.
//!
//! ```text
//! client ──► front port ──► queue to the server ──► back port (one for each client) ──► server
//!        ◄──            ◄── queue to the client ◄──                                 ◄──
//! ```
//!
//! The server sees one address for each client, as it would without the relay. Only what comes
//! from the server's address is taken for an answer.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use mio::{Registry, Token};

use super::clients::{Client, Clients};
use super::delay_queue::{DelayQueue, Run};
use super::event_loop::{Carrier, FIRST, FRONT, Next};
use super::monitor::Monitor;
use super::port::{Arrival, Inbox, PAUSE, Port};
use crate::conditions::{Conditions, Path};
use crate::faults::{DatagramFaults, Dice, Direction, Fate};
use crate::record::Connection;
use crate::shape::Shaper;

pub(super) struct UdpCarrier {
    front: Port,
    clients: Clients,
    to_server: OneWay,
    to_client: OneWay,
    inbox: Inbox,
    /// Ports that may have more for us.
    ready: BTreeSet<Token>,
    monitor: Monitor,
}

/// One direction.
struct OneWay {
    direction: Direction,
    dice: Dice,
    faults: DatagramFaults,
    shaper: Shaper,
    queue: DelayQueue,
    /// How many came so far.
    count: u64,
    /// When the system will be asked again, after it took no more.
    again: Option<Duration>,
}

impl UdpCarrier {
    pub(super) fn open(
        listen: SocketAddr,
        server: SocketAddr,
        conditions: &Conditions,
        registry: Registry,
        monitor: Monitor,
    ) -> io::Result<Self> {
        Ok(Self {
            front: Port::open(listen, &registry, FRONT)?,
            clients: Clients::new(server, registry),
            to_server: OneWay::new(conditions.seed, Direction::ToServer, &conditions.to_server),
            to_client: OneWay::new(conditions.seed, Direction::ToClient, &conditions.to_client),
            inbox: Inbox::new(),
            ready: BTreeSet::new(),
            monitor,
        })
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.front.address()
    }

    /// Takes in one batch; `false` if the port is empty.
    fn receive(&mut self, token: Token) -> bool {
        let number = token.0.checked_sub(FIRST).and_then(|number| u32::try_from(number).ok());
        let port = match number {
            None => Some(&self.front),
            Some(number) => self.clients.of(number).map(|client| &client.port),
        };
        let count = match port.map(|port| port.receive(&mut self.inbox)) {
            Some(Ok(count)) => count,
            // One datagram's misfortune; there may be others behind it.
            Some(Err(error)) if error.kind() != io::ErrorKind::WouldBlock => return true,
            _ => return false,
        };
        let now = self.monitor.now();
        for arrival in self.inbox.arrivals(count) {
            match number {
                None => {
                    let Some(client) = self.clients.coming_from(&arrival, now, &mut self.monitor)
                    else {
                        continue;
                    };
                    self.to_server.take_in(client, &arrival, now, &mut self.monitor);
                }
                Some(number) => {
                    let Some(client) = self.clients.answered(number, arrival.from, now) else {
                        continue;
                    };
                    self.to_client.take_in(client, &arrival, now, &mut self.monitor);
                }
            }
        }
        true
    }

    /// Sends what has waited long enough.
    fn send(&mut self) {
        let now = self.monitor.now();
        let (front, clients, monitor) = (&self.front, &self.clients, &mut self.monitor);
        self.to_server.send(now, clients, monitor, |client, run| {
            client.port.send(run, client.connection.server, None)
        });
        self.to_client.send(now, clients, monitor, |client, run| {
            front.send(run, client.connection.client, client.reached)
        });
    }
}

impl Carrier for UdpCarrier {
    fn now(&self) -> Duration {
        self.monitor.now()
    }

    fn ready(&mut self, token: Token) {
        self.ready.insert(token);
    }

    fn turn(&mut self) -> Next {
        for token in self.ready.clone() {
            if !self.receive(token) {
                self.ready.remove(&token);
            }
            self.send();
        }
        self.send();
        let forget_at = self.clients.forget_idle(self.monitor.now(), &self.monitor);
        if !self.ready.is_empty() {
            return Next::Now;
        }
        Next::earliest([forget_at, self.to_server.next_at(), self.to_client.next_at()])
    }
}

impl OneWay {
    fn new(seed: u64, direction: Direction, path: &Path) -> Self {
        let dice = Dice::new(seed, direction);
        Self {
            direction,
            shaper: Shaper::new(path.shape.clone(), dice.clone()),
            dice,
            faults: path.datagrams.clone(),
            queue: DelayQueue::default(),
            count: 0,
            again: None,
        }
    }

    fn take_in(&mut self, to: Connection, arrival: &Arrival, now: Duration, monitor: &mut Monitor) {
        for (payload, ahead) in arrival.datagrams() {
            let index = self.count;
            self.count += 1;
            let (fate, at) = self.decide(to, index, payload.len(), now);
            monitor.sent((to, self.direction), index, fate, payload);
            let Some(at) = at else { continue };
            let bytes = self.queue.push(at, (to.number, index), (payload, ahead), fate);
            if fate == Fate::Corrupt {
                self.dice.corrupt(index, bytes);
            }
        }
    }

    /// What happens to a datagram, and when it leaves if it does. What is lost does not burden
    /// the bottleneck; what arrives twice does so once: it doubles behind it.
    fn decide(
        &mut self,
        to: Connection,
        index: u64,
        bytes: usize,
        now: Duration,
    ) -> (Fate, Option<Duration>) {
        let headers = if to.server.is_ipv4() { 20 + 8 } else { 40 + 8 };
        let fate = self.faults.fate(&self.dice, index, bytes + headers);
        if matches!(fate, Fate::Lose | Fate::TooLarge | Fate::QueueFull) {
            return (fate, None);
        }
        let room = self.queue.has_room(bytes);
        match room.then(|| self.shaper.admit(now, bytes + headers, index)).flatten() {
            Some(at) => (fate, Some(at)),
            None => (Fate::QueueFull, None),
        }
    }

    fn send(
        &mut self,
        now: Duration,
        clients: &Clients,
        monitor: &mut Monitor,
        give: impl Fn(&Client, &mut Run) -> io::Result<()>,
    ) {
        self.again = None;
        self.queue.release(now);
        while let Some(mut run) = self.queue.next() {
            let Some(client) = clients.of(run.client) else { continue }; // it has been forgotten
            if !run.told {
                run.told = true;
                self.tell(&run, client.connection, monitor);
            }
            if give(client, &mut run).is_err() {
                self.again = Some(now + PAUSE);
                return self.queue.put_back(run);
            }
        }
    }

    fn tell(&self, run: &Run, connection: Connection, monitor: &mut Monitor) {
        monitor.counters.went_out(self.direction, run.datagrams, run.bytes.len());
        if monitor.records() {
            for (index, payload) in (run.index..).zip(run.each()) {
                monitor.delivered((connection, self.direction), index, payload);
            }
        }
    }

    fn next_at(&self) -> Option<Duration> {
        self.again.or_else(|| self.queue.next_at())
    }
}
