//! A node: what it knows, and what it decides. It opens no socket and looks at no clock: it is told
//! what has happened and when, and answers with what is to be done (`driver` does it). So a hundred
//! thousand networks can be made up and tried (`node/tests.rs`).
//!
//! Read on in `node/greeting.rs` (who keeps which connection), `node/gossip.rs` (each message once),
//! `node/book.rs` (whom to connect to), `node/departure.rs` (who leaves, and who is lost) and
//! `node/clock.rs` (who is silent).

mod book;
mod clock;
mod departure;
mod events;
mod gossip;
mod greeting;
mod links;
mod news;
mod seen;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::wire::{Frame, Hello, NodeId};
use book::Book;
pub use events::{Action, Event, LinkId};
use links::Link;
pub use news::News;
use seen::Seen;

/// How many neighbours a node has at most. What is said still reaches the others, through them.
pub const MAX_LINKS: usize = 16;
/// How many strangers may be about to greet us at one moment.
const MAX_STRANGERS: usize = 32;

/// What a node is told before it begins.
pub struct Setup {
    pub id: NodeId,
    pub name: String,
    /// The port on which it listens.
    pub port: u16,
    /// How long a neighbour may be silent.
    pub silence: Duration,
    /// Whether it also connects to nodes that its neighbours tell it of.
    pub follow: bool,
    /// The nodes to connect to, and to try again.
    pub named: Vec<SocketAddr>,
}

pub struct Node {
    setup: Setup,
    links: BTreeMap<LinkId, Link>,
    book: Book,
    seen: Seen,
    /// The number of the last message that we have said.
    said: u32,
    /// After our farewell: the connections on which it has not been taken yet.
    farewell: Option<BTreeSet<LinkId>>,
    farewells_taken: usize,
    now: Instant,
    actions: Vec<Action>,
}

impl Node {
    pub fn new(setup: Setup, now: Instant) -> Self {
        Self {
            links: BTreeMap::new(),
            book: Book::new(&setup.named, now),
            seen: Seen::default(),
            said: 0,
            farewell: None,
            farewells_taken: 0,
            now,
            actions: Vec::new(),
            setup,
        }
    }

    // listing: begin handle
    /// Takes note of an event, and returns what is to be done.
    pub fn handle(&mut self, event: Event, now: Instant) -> Vec<Action> {
        self.now = now;
        match event {
            Event::Opened { link, with, dialled } => self.open(link, with, dialled),
            Event::Heard { link, frame } => self.hear(link, frame),
            Event::Closed { link, end } => self.closed(link, end),
            Event::CannotDial { address, error } => self.not_joined(address, error),
            Event::Announced(contact) => self.hear_of(contact),
            Event::Say(text) => self.say(text),
            Event::Leave => self.leave(),
            Event::Tick => self.tick(),
        }
        if self.farewell.is_none() {
            self.dial_who_is_due();
        }
        std::mem::take(&mut self.actions)
    }
    // listing: end handle

    /// Whether it has taken its leave, and every neighbour has heard it.
    pub fn has_left(&self) -> bool {
        self.farewell.as_ref().is_some_and(BTreeSet::is_empty)
    }

    /// How many neighbours have taken our farewell, and so everything that we said before.
    pub fn farewells_taken(&self) -> usize {
        self.farewells_taken
    }

    fn send(&mut self, link: LinkId, frame: Frame) {
        if let Some(link) = self.links.get_mut(&link) {
            link.spoke = self.now;
        }
        self.actions.push(Action::Send(link, frame));
    }

    fn tell(&mut self, news: News) {
        self.actions.push(Action::Tell(news));
    }

    fn hello(&self) -> Frame {
        let Setup { id, port, name, .. } = &self.setup;
        Frame::Hello(Hello { id: *id, port: *port, name: name.clone() })
    }
}

#[cfg(test)]
mod tests;
