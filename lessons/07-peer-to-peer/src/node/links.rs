//! The connections of a node, and what they make of its neighbours.

use super::{LinkId, Node, Peer, Stage};
use crate::wire::{Contact, MAX_CONTACTS, NodeId};

impl Node {
    /// The neighbours, each with the connection over which messages go.
    fn up(&self) -> impl Iterator<Item = (LinkId, &Peer)> {
        self.links.iter().filter_map(|(id, link)| match &link.stage {
            Stage::Up(peer) => Some((*id, peer)),
            _ => None,
        })
    }

    pub(super) fn neighbours(&self) -> Vec<LinkId> {
        self.up().map(|(link, _)| link).collect()
    }

    pub(super) fn count_neighbours(&self) -> usize {
        self.up().count()
    }

    pub(super) fn is_neighbour(&self, id: NodeId) -> bool {
        self.up().any(|(_, peer)| peer.contact.id == id)
    }

    /// Whether it is a neighbour, or about to become one.
    pub(super) fn knows(&self, id: NodeId) -> bool {
        self.links.values().any(|link| match &link.stage {
            Stage::Greeting => false,
            Stage::Waiting(peer) | Stage::Up(peer) => peer.contact.id == id,
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
