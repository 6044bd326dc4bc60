//! Departure: nodes that leave say so, and nodes that crash do not.

use std::io;
use std::net::SocketAddr;

use super::links::{HandshakeState, Link, Peer};
use super::{Action, LinkId, News, Node};
use crate::wire::{Frame, Reason};

impl Node {
    // listing: begin leave
    /// Takes leave of everybody. Frames arrive in order, so a neighbour that hears the farewell has
    /// heard all that we said before, and closes its side: then we know.
    pub(super) fn leave(&mut self) {
        if self.farewell.is_some() {
            return;
        }
        let neighbours = self.neighbours();
        for link in &neighbours {
            self.send(*link, Frame::Leave);
        }
        for link in std::mem::take(&mut self.links).into_keys() {
            self.actions.push(Action::Close(link));
        }
        self.farewell = Some(neighbours.into_iter().collect());
    }

    /// A neighbour goes, and says so: nobody looks for it.
    pub(super) fn bid_farewell(&mut self, id: LinkId, peer: Peer) {
        self.close(id);
        self.book.left(peer.contact.address);
        self.tell(News::Left { name: peer.name });
    }

    /// The other side has ended the connection.
    pub(super) fn closed(&mut self, id: LinkId, end: Result<(), String>) {
        if self.farewell.as_mut().is_some_and(|waiting| waiting.remove(&id)) {
            self.farewells_taken += usize::from(end.is_ok());
        }
        let why = end.err();
        let is_up = |link: &Link| matches!(link.state, HandshakeState::Up(_));
        if why.is_none() && self.links.get(&id).is_some_and(|link| !link.dialled && !is_up(link)) {
            // A stranger who looked in and went is no news.
            return self.close(id);
        }
        self.lose(id, why.unwrap_or("its connection ended without a farewell".to_owned()));
    }
    // listing: end leave

    /// Gives up a connection, and tells why.
    pub(super) fn lose(&mut self, id: LinkId, why: String) {
        let Some(Link { with, dialled, state, .. }) = self.links.remove(&id) else { return };
        self.actions.push(Action::Close(id));
        let is_first = dialled && self.book.failed(with, self.now);
        match state {
            HandshakeState::Up(peer) => self.tell(News::Gone { name: peer.name, why }),
            _ if is_first => {
                self.tell(News::NotJoined { address: with, error: io::Error::other(why) });
            }
            _ if dialled => {}
            _ => self.tell(News::Stranger { address: with, why }),
        }
    }

    /// Ends a connection that is not wanted, without a word about it.
    pub(super) fn close(&mut self, id: LinkId) {
        let Some(link) = self.links.remove(&id) else { return };
        if link.dialled {
            self.book.was_second(link.with, self.now);
        }
        self.actions.push(Action::Close(id));
    }

    pub(super) fn refused(&mut self, id: LinkId, reason: Reason) {
        match reason {
            Reason::Second => self.close(id),
            Reason::NoPlace => self.lose(id, "it has no place for one more".to_owned()),
        }
    }

    pub(super) fn not_joined(&mut self, address: SocketAddr, error: io::Error) {
        if self.book.failed(address, self.now) {
            self.tell(News::NotJoined { address, error });
        }
    }

    /// We were told to connect to ourselves. (Our own address may have many forms.)
    pub(super) fn found_myself(&mut self, id: LinkId, with: SocketAddr, dialled: bool) {
        self.close(id);
        if dialled {
            self.book.forget(with);
            self.tell(News::Myself(with));
        }
    }
}
