//! What is on its way: which blocks were sent when, which have arrived, which are lost.
//!
//! ```text
//!   block          0   1   2   3   4   5   6   7   8   9 …
//!   state          ✓   ✓   ✓   ~   ✓   ✓   ✓   ~   ~   not sent yet
//!   transmission   1   2   3   4   5   6   7   8   9
//!                              │           └ newest that has arrived
//!                              └ lost: three that were sent after it have arrived
//! ```
//!
//! When a block is sent again, it gets a new number, so an answer always says which transmission it
//! answers, and a retransmission that is lost too is noticed in the same way (RFC 9002, section 2).

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use super::history::History;
use crate::ack::Ack;

/// So many later transmissions must have arrived before one that has not is taken for lost, and not
/// just for late: the "reordering threshold" (RFC 9002, section 6.1.1; RFC 5681's three duplicates).
const FIRST_TOLERANCE: u32 = 3;
/// On a network that shuffles a lot we learn to be patient, up to this.
const MAX_TOLERANCE: u32 = 1024;

/// A block that was sent at least once: the number of its latest transmission, and its state.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Block {
    number: u32,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Flying,
    Lost,
    Arrived,
}
use State::{Arrived, Flying, Lost};

/// The sender's view of the network.
pub struct Flight {
    /// The first block that is not known to have arrived.
    first: u32,
    /// The blocks from `first` on, as far as they were sent.
    blocks: VecDeque<Block>,
    /// Lost and not sent again yet.
    lost: BTreeSet<u32>,
    in_flight: u32,
    /// The transmissions about which a doubt is left.
    history: History,
    /// The highest number of one that has arrived.
    newest: u32,
    tolerance: u32,
}

/// What an acknowledgement told us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// How many blocks have arrived that we had not known of.
    pub arrived: u32,
    /// The round trip of the newest transmission, if that is news.
    pub round_trip: Option<Duration>,
}

impl Flight {
    pub fn new() -> Self {
        let (blocks, lost, history) = (VecDeque::new(), BTreeSet::new(), History::new());
        let (first, in_flight, newest, tolerance) = (0, 0, 0, FIRST_TOLERANCE);
        Self { first, blocks, lost, in_flight, history, newest, tolerance }
    }

    /// The first block that is not known to have arrived.
    pub fn first(&self) -> u32 {
        self.first
    }

    /// The first block that was never sent.
    pub fn end(&self) -> u32 {
        self.first + u32::try_from(self.blocks.len()).unwrap_or(u32::MAX)
    }

    /// How many blocks were sent, are not lost, and have not arrived.
    pub fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// The number that the next transmission gets.
    pub fn next_number(&self) -> u32 {
        self.history.next_number()
    }

    /// The first block that must be sent again.
    pub fn first_lost(&self) -> Option<u32> {
        self.lost.first().copied()
    }

    /// Notes that `block` (lost, or the one at [`end`](Self::end)) is sent; returns its number.
    pub fn send(&mut self, block: u32, now: Instant) -> u32 {
        let number = self.history.add(block, now);
        let sent = Block { number, state: Flying };
        match self.known(block) {
            Some(known) => *known = sent,
            None => self.blocks.push_back(sent),
        }
        self.lost.remove(&block);
        self.in_flight += 1;
        number
    }

    // listing: begin acknowledge
    /// Takes what the server says. `None` if it speaks of what was never sent: then it is not our
    /// server, or one that wants us to send faster than the network can bear.
    pub fn acknowledge(&mut self, ack: &Ack, now: Instant) -> Option<News> {
        if ack.newest >= self.next_number() || ack.first_missing > self.end() {
            return None;
        }
        let mut news = News::default();
        for block in (self.first..ack.first_missing).chain(ack.blocks()) {
            news.arrived += u32::from(self.mark_arrived(block, ack.newest));
        }
        while self.blocks.front().is_some_and(|block| block.state == Arrived) {
            self.blocks.pop_front();
            self.first += 1;
        }
        if ack.newest > self.newest {
            self.newest = ack.newest;
            let sent = self.history.sent_at(ack.newest);
            news.round_trip = sent.map(|sent| now.saturating_duration_since(sent));
        }
        Some(news)
    }
    // listing: end acknowledge

    /// Whether that was news.
    fn mark_arrived(&mut self, block: u32, newest: u32) -> bool {
        let Some(known) = self.known(block) else { return false };
        let Block { number, state } = std::mem::replace(known, Block { state: Arrived, ..*known });
        match state {
            Arrived => return false,
            Flying => self.in_flight -= 1,
            Lost => _ = self.lost.remove(&block),
        }
        // Its latest transmission has not arrived yet, or there was none since it was taken for
        // lost: an earlier one was only late.
        if state == Lost || number > newest {
            self.tolerance = (2 * self.tolerance).min(MAX_TOLERANCE);
        }
        true
    }

    /// A block that was sent, and is not known to have arrived with all that were before it.
    fn known(&mut self, block: u32) -> Option<&mut Block> {
        self.blocks.get_mut(block.checked_sub(self.first)? as usize)
    }

    // listing: begin lose
    /// Finds what must be lost: enough that was sent later has arrived, or something that was sent
    /// later has arrived and `patience` is over. Returns how many blocks that are.
    pub fn find_losses(&mut self, now: Instant, patience: Duration) -> u32 {
        let mut losses = 0;
        while let Some(oldest) = self.history.oldest() {
            let later = self.newest.saturating_sub(oldest.number);
            let is_overdue = later > 0 && now.saturating_duration_since(oldest.at) >= patience;
            if later < self.tolerance && !is_overdue {
                break;
            }
            losses += u32::from(self.mark_lost(oldest.block, oldest.number));
            self.history.forget_oldest();
        }
        losses
    }
    // listing: end lose

    /// Whether `number` was the latest transmission of that block, and is lost.
    fn mark_lost(&mut self, block: u32, number: u32) -> bool {
        let latest = Block { number, state: Flying };
        let Some(known) = self.known(block).filter(|known| **known == latest) else { return false };
        known.state = Lost;
        self.in_flight -= 1;
        self.lost.insert(block)
    }

    /// When to look for losses again: something sent later has arrived, but not enough of it.
    pub fn next_loss(&self, patience: Duration) -> Option<Instant> {
        let oldest = self.history.oldest().filter(|oldest| self.newest > oldest.number)?;
        Some(oldest.at + patience)
    }

    /// No answer came for long: the first block is sent again, whatever became of it, and if
    /// `everything`, all the others too.
    pub fn give_up(&mut self, everything: bool) {
        let end = if everything { self.end() } else { self.end().min(self.first + 1) };
        for block in self.first..end {
            if let Some(Block { number, .. }) = self.known(block).copied() {
                self.mark_lost(block, number);
            }
        }
    }
}

#[cfg(test)]
mod tests;
