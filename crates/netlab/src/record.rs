//! What the laboratory remembers of a run: one [`Event`] after the other, in the order in which
//! the relay saw them.
//!
//! A relay tells a [`Recorder`] what happens while it happens, so that a recorder that writes to a
//! file holds nothing in memory, however long the run. [`Recording`] is the one that keeps all.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::faults::{Direction, Fate};

/// What a relay carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// A byte stream (RFC 9293).
    Tcp,
    /// Datagrams (RFC 768).
    Udp,
}

/// Two sides that talk through the relay. A UDP "connection" is a client's address: all its
/// datagrams and the answers to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Connection {
    /// Counted from 0 in the order in which clients came.
    pub number: u32,
    /// What it is made of.
    pub transport: Transport,
    /// The client's address.
    pub client: SocketAddr,
    /// The server's address; not the relay's.
    pub server: SocketAddr,
}

/// One thing that happened to one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Time since the relay was started.
    pub at: Duration,
    /// Where it happened.
    pub connection: Connection,
    /// Whose doing it was: [`Direction::ToServer`] when the client sent, ended or reset.
    pub direction: Direction,
    /// What it was.
    pub happening: Happening,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// TCP: the client connected, and so did we to the server. UDP: a client's first datagram.
    Opened,
    /// TCP: the server could not be reached. (Whom the laboratory was told to refuse it never
    /// sees: the system does that.)
    Refused,
    /// The sender's bytes reached the relay: one datagram, or one piece of a stream.
    Sent {
        /// Counted from 0 in this direction over all connections.
        index: u64,
        /// What is going to happen to it.
        fate: Fate,
        /// The bytes as they were sent.
        payload: Arc<[u8]>,
    },
    /// The relay gave bytes to the receiver.
    Delivered {
        /// The `index` of what was sent; twice the same for a duplicate.
        index: u64,
        /// The bytes as they were given: other ones if they were corrupted.
        payload: Arc<[u8]>,
    },
    /// TCP: the sender will send no more (FIN), and the receiver was told so.
    Ended,
    /// TCP: the connection was reset (RST), by that side or by the laboratory.
    Reset,
}

/// Whom a relay tells what happens, in the order in which it happens.
pub trait Recorder: Send {
    /// Takes note of one event.
    fn record(&mut self, event: &Event);
}

/// A recorder that keeps every event in memory: for tests, and for diagrams of short runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// All events so far.
    pub events: Vec<Event>,
}

impl Recorder for Recording {
    fn record(&mut self, event: &Event) {
        self.events.push(event.clone());
    }
}

/// A recorder that others may look at while the relay still runs.
impl<R: Recorder> Recorder for Arc<Mutex<R>> {
    fn record(&mut self, event: &Event) {
        self.lock().unwrap_or_else(PoisonError::into_inner).record(event);
    }
}
