//! The clients of a UDP relay. UDP has no connection and no end: a client is an address from which
//! something came, until nothing has come by for a while.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use mio::{Registry, Token};

use super::event_loop::FIRST;
use super::monitor::Monitor;
use super::port::{Arrival, Port};
use crate::record::{Connection, Transport};

/// A client whose datagrams and answers have ceased for so long is forgotten.
const IDLE: Duration = Duration::from_secs(300);
/// How many clients there may be at once, each with a socket of its own before the server.
const MAX_CLIENTS: usize = 4096;

pub(super) struct Clients {
    server: SocketAddr,
    registry: Registry,
    by_address: HashMap<SocketAddr, u32>,
    by_number: HashMap<u32, Client>,
    next: u32,
    sweep_at: Duration,
}

pub(super) struct Client {
    pub(super) connection: Connection,
    /// What stands for the client before the server.
    pub(super) port: Port,
    /// Which of the relay's addresses the client sent to: answers come from there.
    pub(super) reached: Option<IpAddr>,
    heard: Duration,
}

impl Clients {
    pub(super) fn new(server: SocketAddr, registry: Registry) -> Self {
        let (by_address, by_number) = (HashMap::new(), HashMap::new());
        Self { server, registry, by_address, by_number, next: 0, sweep_at: IDLE }
    }

    pub(super) fn of(&self, number: u32) -> Option<&Client> {
        self.by_number.get(&number)
    }

    /// Who sent this; a new client if nobody known. `None` if there is no room for another.
    pub(super) fn coming_from(
        &mut self,
        arrival: &Arrival,
        now: Duration,
        monitor: &mut Monitor,
    ) -> Option<Connection> {
        let number = match self.by_address.get(&arrival.from) {
            Some(number) => *number,
            None => self.open(arrival, monitor)?,
        };
        let client = self.by_number.get_mut(&number)?;
        client.heard = now;
        Some(client.connection)
    }

    /// Whom an answer is for; `None` if it does not come from the server.
    pub(super) fn answered(
        &mut self,
        number: u32,
        from: SocketAddr,
        now: Duration,
    ) -> Option<Connection> {
        let client = self.by_number.get_mut(&number)?;
        client.heard = now;
        let server = client.connection.server;
        ((from.ip(), from.port()) == (server.ip(), server.port())).then_some(client.connection)
    }

    fn open(&mut self, arrival: &Arrival, monitor: &mut Monitor) -> Option<u32> {
        let (client, server) = (arrival.from, self.server);
        let connection =
            Connection { number: self.next, transport: Transport::Udp, client, server };
        let token = Token(FIRST + self.next as usize);
        let any: IpAddr = match server {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let room = self.by_number.len() < MAX_CLIENTS;
        let port = room.then(|| Port::open((any, 0).into(), &self.registry, token).ok()).flatten();
        let Some(port) = port else {
            monitor.refused(connection);
            return None;
        };
        self.next += 1;
        let client = Client { connection, port, reached: arrival.to, heard: Duration::ZERO };
        self.by_address.insert(arrival.from, connection.number);
        self.by_number.insert(connection.number, client);
        monitor.opened(connection);
        Some(connection.number)
    }

    /// Forgets clients that have been silent for long; says when to look again.
    pub(super) fn forget_idle(&mut self, now: Duration, monitor: &Monitor) -> Option<Duration> {
        if now >= self.sweep_at {
            self.sweep_at = now + IDLE / 4;
            let idle = |_: &u32, client: &mut Client| now.saturating_sub(client.heard) > IDLE;
            for (_, mut client) in self.by_number.extract_if(idle) {
                self.by_address.remove(&client.connection.client);
                client.port.close(&self.registry);
                monitor.counters.closed();
            }
        }
        (!self.by_number.is_empty()).then_some(self.sweep_at)
    }
}
