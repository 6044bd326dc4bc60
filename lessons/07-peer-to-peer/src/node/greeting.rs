//! Greeting: from a new connection to a neighbour, and to one connection with each.
//!
//! Every node connects to every node it hears of, so two that hear of each other connect to each
//! other at the same time, and then there are two connections where one would do. If both now drop
//! the one that they like less, they may drop both, or none. So *one* of them decides for both: the
//! one with the smaller id. The other one waits for its word and sends nothing before, and so
//! nothing can be lost with a connection that is not kept.
//!
//! ```text
//!   smaller id                 larger id
//!       │ ─── HELLO ─────────────► │         both at once, whoever has dialled
//!       │ ◄──────────── HELLO ──── │
//!       │ ─── WELCOME ───────────► │         the first connection: from here on messages
//!       │ ─── REFUSE (second) ───► │         any further one: closed
//! ```

use std::net::SocketAddr;

use super::{Action, Frame, Link, LinkId, MAX_LINKS, MAX_STRANGERS, News, Node, Peer, Stage};
use crate::wire::{Contact, Hello, NodeId, Reason};

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
        let (now, stage) = (self.now, Stage::Greeting);
        let new = Link { with, dialled, stage, opened: now, heard: now, spoke: now };
        self.links.insert(link, new);
        self.send(link, self.hello());
    }

    /// Whoever connects and says nothing has a place only until somebody else wants it: a node
    /// greets at once, so those who are turned away in a crowd are those who never would.
    fn make_room_for_a_stranger(&mut self) {
        let is_stranger = |link: &Link| !link.dialled && !matches!(link.stage, Stage::Up(_));
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
        match (link.stage.clone(), frame) {
            (Stage::Greeting, Frame::Hello(hello)) => self.greeted(id, hello),
            (Stage::Waiting(peer), Frame::Welcome) => self.welcomed(id, peer),
            (Stage::Waiting(_) | Stage::Up(_), Frame::Refuse(reason)) => self.refused(id, reason),
            (Stage::Waiting(_) | Stage::Up(_), Frame::Peers(contacts)) => self.learn(id, contacts),
            (Stage::Up(_), Frame::Text(text)) => self.pass_on(id, text),
            (Stage::Up(peer), Frame::Leave) => self.bid_farewell(id, peer),
            (Stage::Waiting(_) | Stage::Up(_), Frame::Alive) => {}
            _ => self.lose(id, "it does not keep to the order of the protocol".to_owned()),
        }
    }

    // listing: begin greeted
    /// The other side has said who it is.
    fn greeted(&mut self, id: LinkId, hello: Hello) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let (with, dialled) = (link.with, link.dialled);
        if hello.id == self.setup.id {
            return self.found_myself(id, with, dialled);
        }
        if dialled {
            self.book.identify(with, hello.id);
        }
        // The port on which it listens it must tell. The address is the one it has come from, so
        // nobody can make us tell the others an address of somebody else.
        let contact = Contact { id: hello.id, address: SocketAddr::new(with.ip(), hello.port) };
        let peer = Peer { name: hello.name, contact };
        if hello.id < self.setup.id {
            link.stage = Stage::Waiting(peer);
            self.tell_if_joined(hello.id);
        } else if self.is_neighbour(hello.id) {
            self.refuse(id, Reason::Second);
            self.tell_if_joined(hello.id);
        } else if self.count_neighbours() >= MAX_LINKS {
            self.refuse(id, Reason::NoPlace);
        } else {
            self.send(id, Frame::Welcome);
            self.become_neighbours(id, peer);
        }
    }

    /// The word of the node that decides.
    fn welcomed(&mut self, id: LinkId, peer: Peer) {
        if self.is_neighbour(peer.contact.id) {
            // It has welcomed us twice, so it is not what it says, or the first one was not.
            self.lose(id, "it says that it is somebody who is here already".to_owned());
        } else if self.count_neighbours() >= MAX_LINKS {
            self.refuse(id, Reason::NoPlace);
        } else {
            self.become_neighbours(id, peer);
        }
    }
    // listing: end greeted

    fn become_neighbours(&mut self, id: LinkId, peer: Peer) {
        let Contact { id: node, address } = peer.contact;
        let others = self.contacts();
        let Some(link) = self.links.get_mut(&id) else { return };
        link.stage = Stage::Up(peer.clone());
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
