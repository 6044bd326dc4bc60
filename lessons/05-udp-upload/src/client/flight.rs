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

use crate::ack::Ack;

/// So many later transmissions must have arrived before one that has not is taken for lost, and not
/// just for late: the "reordering threshold" (RFC 9002, section 6.1.1; RFC 5681's three duplicates).
const FIRST_TOLERANCE: u32 = 3;
/// On a network that shuffles a lot we learn to be patient, up to this.
const MAX_TOLERANCE: u32 = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Flying,
    Lost,
    Arrived,
}

/// A block that was sent at least once.
struct Block {
    /// The number of its latest transmission.
    number: u32,
    state: State,
}

/// One transmission.
struct Sent {
    block: u32,
    at: Instant,
}

/// The sender's view of the network.
pub struct Flight {
    /// The first block that is not known to have arrived.
    first: u32,
    /// The blocks from `first` on, as far as they were sent.
    blocks: VecDeque<Block>,
    /// Lost and not sent again yet.
    lost: BTreeSet<u32>,
    in_flight: u32,
    /// Transmissions about which a doubt is left; the number of the first of them.
    sent: VecDeque<Sent>,
    sent_from: u32,
    newest_arrived: u32,
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
        let (blocks, lost, sent) = (VecDeque::new(), BTreeSet::new(), VecDeque::new());
        let tolerance = FIRST_TOLERANCE;
        let (first, in_flight, sent_from, newest_arrived) = (0, 0, 1, 0);
        Self { first, blocks, lost, in_flight, sent, sent_from, newest_arrived, tolerance }
    }

    /// The first block that is not known to have arrived.
    pub fn first(&self) -> u32 {
        self.first
    }

    /// The first block that was never sent.
    pub fn end(&self) -> u32 {
        self.first + count(&self.blocks)
    }

    /// How many blocks were sent, are not lost, and have not arrived.
    pub fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// The number that the next transmission gets.
    pub fn next_number(&self) -> u32 {
        self.sent_from + count(&self.sent)
    }

    /// The first block that must be sent again.
    pub fn first_lost(&self) -> Option<u32> {
        self.lost.first().copied()
    }

    /// Notes that `block` (lost, or the one at [`end`](Self::end)) is sent; returns its number.
    pub fn send(&mut self, block: u32, now: Instant) -> u32 {
        let number = self.next_number();
        self.sent.push_back(Sent { block, at: now });
        self.in_flight += 1;
        if block == self.end() {
            self.blocks.push_back(Block { number, state: State::Flying });
        } else {
            self.lost.remove(&block);
            let index = (block - self.first) as usize;
            self.blocks[index] = Block { number, state: State::Flying };
        }
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
        while self.blocks.front().is_some_and(|block| block.state == State::Arrived) {
            self.blocks.pop_front();
            self.first += 1;
        }
        if ack.newest > self.newest_arrived {
            self.newest_arrived = ack.newest;
            let sent = self.sent.get((ack.newest - self.sent_from) as usize);
            news.round_trip = sent.map(|sent| now.saturating_duration_since(sent.at));
        }
        Some(news)
    }
    // listing: end acknowledge

    /// Whether that was news.
    fn mark_arrived(&mut self, number: u32, newest: u32) -> bool {
        let Some(index) = number.checked_sub(self.first) else { return false };
        let Some(block) = self.blocks.get_mut(index as usize) else { return false };
        match block.state {
            State::Arrived => return false,
            State::Flying => self.in_flight -= 1,
            State::Lost => _ = self.lost.remove(&number),
        }
        // Its latest transmission has not arrived yet, or there was none: an earlier one was late,
        // and not lost.
        if block.state == State::Lost || block.number > newest {
            self.tolerance = (2 * self.tolerance).min(MAX_TOLERANCE);
        }
        block.state = State::Arrived;
        true
    }

    // listing: begin lose
    /// Finds what must be lost: enough that was sent later has arrived, or something that was sent
    /// later has arrived and `patience` is over. Returns how many blocks that are.
    pub fn find_losses(&mut self, now: Instant, patience: Duration) -> u32 {
        let mut losses = 0;
        while let Some(sent) = self.sent.front() {
            let later = self.newest_arrived.saturating_sub(self.sent_from);
            let is_late = later > 0 && now.saturating_duration_since(sent.at) >= patience;
            if later < self.tolerance && !is_late {
                break;
            }
            losses += u32::from(self.mark_lost(sent.block, self.sent_from));
            self.sent.pop_front();
            self.sent_from += 1;
        }
        losses
    }
    // listing: end lose

    /// Whether `number` was the latest transmission of that block, and is lost.
    fn mark_lost(&mut self, block: u32, number: u32) -> bool {
        let Some(index) = block.checked_sub(self.first) else { return false };
        let Some(known) = self.blocks.get_mut(index as usize) else { return false };
        if known.state != State::Flying || known.number != number {
            return false;
        }
        known.state = State::Lost;
        self.in_flight -= 1;
        self.lost.insert(block);
        true
    }

    /// When to look for losses again: something sent later has arrived, but not enough of it.
    pub fn next_loss(&self, patience: Duration) -> Option<Instant> {
        let sent = self.sent.front().filter(|_| self.newest_arrived > self.sent_from)?;
        Some(sent.at + patience)
    }

    /// No answer came for long: the first block is sent again, whatever became of it, and if
    /// `everything`, all the others too.
    pub fn give_up(&mut self, everything: bool) {
        let end = if everything { self.end() } else { self.first + 1 };
        for block in self.first..end.min(self.end()) {
            let number = self.blocks[(block - self.first) as usize].number;
            self.mark_lost(block, number);
        }
    }
}

/// Blocks are numbered with 32 bits, and there are never more of them than that.
fn count<T>(queue: &VecDeque<T>) -> u32 {
    u32::try_from(queue.len()).unwrap_or(u32::MAX)
}
