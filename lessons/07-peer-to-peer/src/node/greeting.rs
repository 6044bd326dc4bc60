//! Greeting: from a new connection to a neighbour, and to one connection with each.
//!
//! Every node connects to every node it hears of, so two that hear of each other connect to each
//! other at the same time, and then there are two connections where one would do. If both now drop
//! the one that they like less, they may drop both, or none. So *one* of them decides for both: the
//! one with the smaller id. The other one agrees, or has no place. Nothing else is sent before both
//! have said WELCOME, and so nothing can be lost with a connection that is not kept.
//!
//! ```text
//!   smaller id                 larger id
//!       │ ─── HELLO ─────────────► │         both at once, whichever has dialled
//!       │ ◄──────────── HELLO ──── │
//!       │ ─── WELCOME ───────────► │         the first connection …
//!       │ ◄────────── WELCOME ──── │         … is kept: from here on messages
//!       │ ─── REFUSE (second) ───► │         any further one: closed
//! ```

use std::net::SocketAddr;

use super::links::{HandshakeState, Link, Peer};
use super::{Action, LinkId, MAX_LINKS, MAX_STRANGERS, News, Node};
use crate::wire::{Contact, Frame, Hello, NodeId, Reason};

impl Node {
    // listing: begin open
    /// A connection is there, and nobody has said anything. Both sides begin with a greeting.
    pub(super) fn open(&mut self, link: LinkId, with: SocketAddr, dialled: bool) {
        if self.farewell.is_some() {
            return self.actions.push(Action::Close(link));
        }
        if !dialled {
            self.make_room_for_a_stranger();
        }
        let (now, state) = (self.now, HandshakeState::Greeting);
        let new = Link { with, dialled, state, opened: now, heard: now, spoke: now };
        self.links.insert(link, new);
        self.send(link, self.hello());
    }

    /// A peer that connects and says nothing has a place only until somebody else wants it: a node
    /// greets at once, so those who are turned away in a crowd are those who never would.
    fn make_room_for_a_stranger(&mut self) {
        let is_stranger =
            |link: &Link| !link.dialled && !matches!(link.state, HandshakeState::Up(_));
        let mut strangers = self.links.iter().filter(|(_, link)| is_stranger(link));
        let oldest = strangers.next().map(|(id, _)| *id);
        if strangers.count() + 1 >= MAX_STRANGERS
            && let Some(oldest) = oldest
        {
            self.close(oldest);
        }
    }
    // listing: end open

    /// Each frame has its time; one that comes at another ends the connection.
    pub(super) fn hear(&mut self, id: LinkId, frame: Frame) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.heard = self.now;
        match (link.state.clone(), frame) {
            (HandshakeState::Greeting, Frame::Hello(hello)) => self.greeted(id, hello),
            (HandshakeState::Waiting(peer), Frame::Welcome) => self.welcomed(id, peer),
            (HandshakeState::Waiting(_), Frame::Refuse(reason)) => self.refused(id, reason),
            (HandshakeState::Waiting(_) | HandshakeState::Up(_), Frame::Peers(contacts)) => {
                self.learn(id, contacts);
            }
            (HandshakeState::Up(_), Frame::Text(text)) => self.pass_on(id, text),
            (HandshakeState::Up(peer), Frame::Leave) => self.bid_farewell(id, peer),
            (HandshakeState::Waiting(_) | HandshakeState::Up(_), Frame::Alive) => {}
            _ => self.lose(id, "it does not keep to the order of the protocol".to_owned()),
        }
    }

    // listing: begin greeted
    /// The other side has said who it is.
    fn greeted(&mut self, id: LinkId, hello: Hello) {
        let Some((with, dialled)) = self.links.get(&id).map(|link| (link.with, link.dialled))
        else {
            return;
        };
        if hello.id == self.setup.id {
            return self.found_myself(id, with, dialled);
        }
        if dialled {
            self.book.identify(with, hello.id);
        }
        let we_decide = self.setup.id < hello.id;
        if we_decide && self.knows(hello.id) {
            self.refuse(id, Reason::Second);
        } else if we_decide && self.count_places() >= MAX_LINKS {
            self.refuse(id, Reason::NoPlace);
        } else {
            // The port on which it listens it must tell. The address is the one it has come from,
            // so nobody can make us tell the others an address of somebody else.
            let contact = Contact { id: hello.id, address: SocketAddr::new(with.ip(), hello.port) };
            self.wait_for(id, Peer { name: hello.name, contact });
            if we_decide {
                self.send(id, Frame::Welcome);
            }
        }
        self.tell_if_joined(hello.id);
    }

    fn wait_for(&mut self, id: LinkId, peer: Peer) {
        if let Some(link) = self.links.get_mut(&id) {
            link.state = HandshakeState::Waiting(peer);
        }
    }

    /// The word of the node that decides, or the answer to ours.
    fn welcomed(&mut self, id: LinkId, peer: Peer) {
        if peer.contact.id > self.setup.id {
            self.become_neighbours(id, peer);
        } else if self.is_neighbour(peer.contact.id) {
            // It has welcomed us twice, so it is not what it says, or the first one was not.
            self.lose(id, "it says that it is somebody who is here already".to_owned());
        } else if self.count_places() >= MAX_LINKS {
            self.refuse(id, Reason::NoPlace);
        } else {
            self.send(id, Frame::Welcome);
            self.become_neighbours(id, peer);
        }
    }
    // listing: end greeted

    fn become_neighbours(&mut self, id: LinkId, peer: Peer) {
        let Contact { id: node, address } = peer.contact;
        let others = self.contacts();
        let Some(link) = self.links.get_mut(&id) else { return };
        link.state = HandshakeState::Up(peer.clone());
        if link.dialled {
            self.book.succeeded(link.with);
        }
        self.tell(News::Here { name: peer.name, address });
        if !others.is_empty() {
            self.send(id, Frame::Peers(others));
        }
        self.tell_if_joined(node);
    }

    /// Turns it away, but not without telling where else it might ask.
    fn refuse(&mut self, id: LinkId, reason: Reason) {
        if reason == Reason::NoPlace {
            self.send(id, Frame::Peers(self.contacts()));
        }
        self.send(id, Frame::Refuse(reason));
        self.close(id);
    }

    fn tell_if_joined(&mut self, id: NodeId) {
        if self.is_neighbour(id) {
            for address in self.book.named_as(id) {
                self.book.succeeded(address);
                self.tell(News::Joined(address));
            }
        }
    }
}
