//! Gossip: what is said goes to all neighbours, and each passes it on to all of its own.

use super::{LinkId, News, Node};
use crate::wire::{Contact, Frame, MessageId, Text};

/// How often a message is passed on at most. A net of neighbours in which somebody is farther away
/// than that is larger than this lesson.
const MAX_HOPS: u8 = 16;

impl Node {
    // listing: begin gossip
    /// Says something to everybody: to the neighbours, and they pass it on.
    pub(super) fn say(&mut self, words: String) {
        self.said += 1;
        let id = MessageId { origin: self.setup.id, number: self.said };
        self.tell(News::Said { text: words.clone(), to: self.neighbours().len() });
        let name = self.setup.name.clone();
        self.flood(None, &Text { id, hops: MAX_HOPS, name, words });
    }

    /// Shows what came and passes it on, once.
    pub(super) fn pass_on(&mut self, from: LinkId, mut text: Text) {
        // What we have said ourselves comes back to us on every circle of the net.
        if text.id.origin == self.setup.id || !self.seen.is_new(text.id) {
            return;
        }
        self.tell(News::Heard { name: text.name.clone(), text: text.words.clone() });
        if let Some(hops) = text.hops.checked_sub(1) {
            text.hops = hops;
            self.flood(Some(from), &text);
        }
    }

    /// Sends `text` to all neighbours but the one from whom it came.
    fn flood(&mut self, from: Option<LinkId>, text: &Text) {
        for link in self.neighbours() {
            if Some(link) != from {
                self.send(link, Frame::Text(text.clone()));
            }
        }
    }
    // listing: end gossip

    // listing: begin peers
    /// What a neighbour tells of its own neighbours. (None of it need be true.)
    pub(super) fn learn(&mut self, from: LinkId, contacts: Vec<Contact>) {
        let Some(teller) = self.links.get(&from).map(|link| link.with.ip()) else { return };
        for contact in contacts {
            // Somebody out there must not send us to the programs of this machine, and what
            // 127.0.0.1 is to another machine, it is not to us.
            let ip = contact.address.ip();
            if self.setup.follow && ip.is_loopback() == teller.is_loopback() {
                self.hear_of(contact);
            }
        }
    }

    /// Somebody is said to be there: worth a try, unless it is us or somebody whom we know.
    pub(super) fn hear_of(&mut self, contact: Contact) {
        if contact.id != self.setup.id && !self.knows(contact.id) {
            self.book.note(contact, self.now);
        }
    }
    // listing: end peers
}
