//! What happens because nothing happens: greetings that do not come, silence, the next try.

use std::time::Duration;

use super::links::HandshakeState;
use super::{Action, MAX_LINKS, Node};
use crate::wire::Frame;

/// How long a connection may take to become a neighbour.
const GREETING_WITHIN: Duration = Duration::from_secs(5);
/// How many signs of life fit into the time of silence that the others allow: two may be late.
const SIGNS_OF_LIFE: u32 = 3;

impl Node {
    // listing: begin tick
    /// Drops silent neighbours and sends our keep-alives.
    ///
    /// A program that is killed closes its connections, as the system does it for it. A machine that
    /// loses its power closes nothing: then there is only silence to tell, and TCP itself does not
    /// mind silence at all.
    pub(super) fn tick(&mut self) {
        let silence = self.setup.silence;
        let (mut late, mut silent, mut quiet) = (Vec::new(), Vec::new(), Vec::new());
        for (id, link) in &self.links {
            if !matches!(link.state, HandshakeState::Up(_)) {
                if self.now.duration_since(link.opened) >= GREETING_WITHIN {
                    late.push(*id);
                }
            } else if self.now.duration_since(link.heard) >= silence {
                silent.push(*id);
            } else if self.now.duration_since(link.spoke) >= silence / SIGNS_OF_LIFE {
                quiet.push(*id);
            }
        }
        for id in late {
            self.lose(id, format!("no greeting within {GREETING_WITHIN:?}"));
        }
        for id in silent {
            self.lose(id, format!("it has been silent for {silence:?}"));
        }
        for id in quiet {
            self.send(id, Frame::Alive);
        }
    }
    // listing: end tick

    /// Connects to those whose time has come, as long as there is a place for them.
    pub(super) fn dial_who_is_due(&mut self) {
        let free = MAX_LINKS.saturating_sub(self.count_places());
        let mut book = std::mem::take(&mut self.book);
        let due = book.due(free, self.now, |id| self.knows(id));
        self.book = book;
        self.actions.extend(due.into_iter().map(Action::Dial));
    }
}
