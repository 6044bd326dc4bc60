//! One TCP connection through the relay: two sockets, and a flow each way.

use std::io::{self, ErrorKind};
use std::time::Duration;

use mio::net::TcpStream;
use socket2::SockRef;

use super::event_loop::Next;
use super::flow::{Flow, Side};
use super::monitor::Monitor;
use super::shared_link::{SharedLink, SharedLinks};
use crate::faults::Direction;
use crate::record::{Connection, Happening};

pub(super) struct Pair {
    connection: Connection,
    client: Side,
    server: Side,
    to_server: Flow,
    to_client: Flow,
    /// Whether the server has accepted.
    open: bool,
    /// Whether it is in the queue of those that have something to do.
    pub(super) runnable: bool,
    /// When it will have something to do.
    pub(super) timer: Option<Duration>,
}

impl Pair {
    pub(super) fn new(
        connection: Connection,
        (client, server): (Side, Side),
        (to_server, to_client): (Flow, Flow),
    ) -> Self {
        let (open, runnable, timer) = (false, false, None);
        Self { connection, client, server, to_server, to_client, open, runnable, timer }
    }

    /// Something may have happened to one of the sockets.
    pub(super) fn ready(&mut self, server: bool) {
        let side = if server { &mut self.server } else { &mut self.client };
        (side.readable, side.writable) = (true, true);
    }

    /// It is this connection's turn to read.
    pub(super) fn grant(&mut self, direction: Direction) {
        match direction {
            Direction::ToServer => self.to_server.grant(),
            Direction::ToClient => self.to_client.grant(),
        }
    }

    /// Carries what can be carried without waiting; `None` when the connection is over.
    pub(super) fn turn(&mut self, links: &mut SharedLinks, monitor: &mut Monitor) -> Option<Next> {
        if !self.open {
            match is_connected(&self.server.stream) {
                Ok(true) => monitor.opened(self.connection),
                Ok(false) => return Some(Next::Ready),
                Err(_) => {
                    reset_on_close(&self.client.stream);
                    monitor.refused(self.connection);
                    return None;
                }
            }
            self.open = true;
        }
        self.carry(links, monitor)
    }

    fn carry(&mut self, links: &mut SharedLinks, monitor: &mut Monitor) -> Option<Next> {
        let Self { connection, client, server, to_server, to_client, .. } = self;
        let SharedLinks { to_server: link_there, to_client: link_back } = links;
        let there = to_server.turn((client, server), *connection, link_there, monitor);
        let back = to_client.turn((server, client), *connection, link_back, monitor);
        let mut reset = there.reset.then_some(Direction::ToServer);
        reset = reset.or(back.reset.then_some(Direction::ToClient));
        let now = monitor.now();
        if there.refused && !sender_reset(to_client, to_server, (link_back, link_there), now) {
            reset = Some(Direction::ToClient);
        }
        if back.refused && !sender_reset(to_server, to_client, (link_there, link_back), now) {
            reset = Some(Direction::ToServer);
        }
        if let Some(direction) = reset {
            self.reset(direction, monitor);
            return None;
        }
        if self.to_server.is_over() && self.to_client.is_over() {
            return None;
        }
        if there.more || back.more || there.refused || back.refused {
            return Some(Next::Now);
        }
        Some(Next::earliest([there.at, back.at]))
    }

    fn reset(&mut self, direction: Direction, monitor: &mut Monitor) {
        reset_on_close(&self.client.stream);
        reset_on_close(&self.server.stream);
        monitor.record(self.connection, direction, || Happening::Reset);
    }

    /// Gives back what it held.
    pub(super) fn close(mut self, links: &mut SharedLinks, monitor: &Monitor) {
        self.to_server.close(&mut links.to_server, self.connection.number);
        self.to_client.close(&mut links.to_client, self.connection.number);
        if self.open {
            monitor.counters.closed();
        }
    }
}

/// One side has reset the connection, as was found out by writing to it. What it sent before is
/// still on its way, and the reset goes after that; `false` if there is nothing to go after.
fn sender_reset(
    its_flow: &mut Flow,
    other: &mut Flow,
    (its_link, other_link): (&mut SharedLink, &mut SharedLink),
    now: Duration,
) -> bool {
    other.receiver_reset(other_link);
    its_flow.sender_reset(its_link, now)
}

/// Whether a connection that was begun has been accepted.
fn is_connected(stream: &TcpStream) -> io::Result<bool> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    match stream.peer_addr() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotConnected => Ok(false),
        Err(error) => Err(error),
    }
}

/// Makes closing send a reset: an "abort" (RFC 9293, section 3.10.5).
pub(super) fn reset_on_close(stream: &TcpStream) {
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}
