//! The connections of a node, and what they make of its neighbours.

use std::net::SocketAddr;
use std::time::Instant;

use super::{LinkId, Node};
use crate::wire::{Contact, MAX_CONTACTS, NodeId};

/// A neighbour: a node at the other end of a connection.
#[derive(Clone, Debug)]
pub struct Peer {
    pub name: String,
    /// Its id, and where it listens.
    pub contact: Contact,
}

/// How far the handshake of a connection has come.
#[derive(Clone, Debug)]
pub enum HandshakeState {
    /// We have greeted and wait for its greeting.
    Greeting,
    /// Both have greeted, and we wait for its WELCOME: its decision, or its answer to ours.
    Waiting(Peer),
    /// Messages go over it.
    Up(Peer),
}

/// A connection.
pub struct Link {
    /// The address at the other end.
    pub with: SocketAddr,
    /// Whether we have made it.
    pub dialled: bool,
    pub state: HandshakeState,
    pub opened: Instant,
    /// When the last frame came, and when we sent one.
    pub heard: Instant,
    pub spoke: Instant,
}

impl Node {
    /// The neighbours, each with the connection over which messages go.
    fn up(&self) -> impl Iterator<Item = (LinkId, &Peer)> {
        self.links.iter().filter_map(|(id, link)| match &link.state {
            HandshakeState::Up(peer) => Some((*id, peer)),
            _ => None,
        })
    }

    pub(super) fn neighbours(&self) -> Vec<LinkId> {
        self.up().map(|(link, _)| link).collect()
    }

    /// How many places are taken: by neighbours, and by those to whom we have offered one.
    pub(super) fn count_places(&self) -> usize {
        let is_taken = |link: &&Link| match &link.state {
            HandshakeState::Greeting => false,
            HandshakeState::Waiting(peer) => peer.contact.id > self.setup.id,
            HandshakeState::Up(_) => true,
        };
        self.links.values().filter(is_taken).count()
    }

    pub(super) fn is_neighbour(&self, id: NodeId) -> bool {
        self.up().any(|(_, peer)| peer.contact.id == id)
    }

    /// Whether it is a neighbour, or about to become one.
    pub(super) fn knows(&self, id: NodeId) -> bool {
        self.links.values().any(|link| match &link.state {
            HandshakeState::Greeting => false,
            HandshakeState::Waiting(peer) | HandshakeState::Up(peer) => peer.contact.id == id,
        })
    }

    /// Where the neighbours listen, for somebody who does not know them.
    pub(super) fn contacts(&self) -> Vec<Contact> {
        self.up().map(|(_, peer)| peer.contact).take(MAX_CONTACTS).collect()
    }

    /// The neighbours and their connections, for tests.
    #[cfg(test)]
    pub(super) fn table(&self) -> Vec<(NodeId, LinkId)> {
        self.up().map(|(link, peer)| (peer.contact.id, link)).collect()
    }
}
