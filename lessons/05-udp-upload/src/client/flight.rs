//! What is on its way: which blocks were sent when, which have arrived, which are lost.
//!
//! ```text
//!   block          0   1   2   3   4   5   6   7   8   9 …
//!   state          ✓   ✓   ✓   ~   ✓   ✓   ✓   ~   ~   not sent yet
//!   transmission   1   2   3   4   5   6   7   8   9
//!                              │           └ largest_acked
//!                              └ lost: number 7 has arrived, and it was sent three later
//! ```
//!
//! When a block is sent again, it gets a new number, so an answer always says which transmission it
//! answers, and a retransmission that is lost too is noticed in the same way (RFC 9002, section 4.2).

use std::time::{Duration, Instant};

use super::blocks::{Blocks, State};
use super::history::History;
use crate::packet::ack::Ack;

/// When the number of one that has arrived is this much higher, a transmission that has not arrived
/// is taken for lost, and not just for late: the "packet threshold" (RFC 9002, section 6.1.1; TCP's
/// three duplicate acknowledgements, RFC 5681, section 3.2).
const INITIAL_REORDER_THRESHOLD: u32 = 3;
/// On a network that shuffles a lot we learn to be patient, up to this.
const MAX_REORDER_THRESHOLD: u32 = 1024;

/// The sender's view of the network.
pub struct Flight {
    pub blocks: Blocks,
    /// The transmissions that may be lost or on their way still.
    history: History,
    /// The highest number of one that has arrived.
    largest_acked: u32,
    reorder_threshold: u32,
}

/// What an acknowledgement told us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// How many blocks have arrived that we had not known of.
    pub arrived: u32,
    /// The round trip of the transmission with the largest number, if that is news.
    pub round_trip: Option<Duration>,
}

impl Flight {
    pub fn new() -> Self {
        let (blocks, history) = (Blocks::default(), History::new());
        Self { blocks, history, largest_acked: 0, reorder_threshold: INITIAL_REORDER_THRESHOLD }
    }

    /// The number that the next transmission gets.
    pub fn next_number(&self) -> u32 {
        self.history.next_number()
    }

    /// Notes that `block` (a lost one, or the first that was never sent) is sent; returns its number.
    pub fn send(&mut self, block: u32, now: Instant) -> u32 {
        let number = self.history.add(block, now);
        self.blocks.send(block, number);
        number
    }

    // listing: begin acknowledge
    /// Takes what the server says. `None` if it speaks of what was never sent: then it is not our
    /// server, or one that wants us to send faster than the network can bear.
    pub fn acknowledge(&mut self, ack: &Ack, now: Instant) -> Option<News> {
        if ack.largest_acked >= self.next_number() || ack.first_missing > self.blocks.end() {
            return None;
        }
        let mut news = News::default();
        let answered = self.history.up_to(ack.largest_acked).filter(|block| ack.has(*block));
        for block in (self.blocks.first()..ack.first_missing).chain(answered) {
            let Some(before) = self.blocks.arrive(block) else { continue };
            news.arrived += 1;
            // Its latest transmission has not arrived yet, or there was none since we took it for
            // lost. So an earlier one was only late, and we must be more patient.
            if before.state == State::Lost || before.number > ack.largest_acked {
                self.reorder_threshold = (2 * self.reorder_threshold).min(MAX_REORDER_THRESHOLD);
            }
        }
        self.blocks.advance();
        if ack.largest_acked > self.largest_acked {
            self.largest_acked = ack.largest_acked;
            let sent = self.history.sent_at(ack.largest_acked);
            news.round_trip = sent.map(|sent| now.saturating_duration_since(sent));
        }
        Some(news)
    }
    // listing: end acknowledge

    // listing: begin lose
    /// Finds what must be lost: something that was sent later has arrived, and it was sent later by
    /// the reordering threshold, or `patience` is over. Returns how many blocks that are.
    pub fn find_losses(&mut self, now: Instant, patience: Duration) -> u32 {
        let mut losses = 0;
        while let Some(oldest) = self.history.oldest() {
            let later = self.largest_acked.saturating_sub(oldest.number);
            let is_overdue = later > 0 && now.saturating_duration_since(oldest.at) >= patience;
            if later < self.reorder_threshold && !is_overdue {
                break;
            }
            losses += u32::from(self.blocks.lose(oldest.block, oldest.number));
            self.history.forget_oldest();
        }
        losses
    }
    // listing: end lose

    /// When to look for losses again: something sent later has arrived, but not that much later.
    pub fn next_loss(&self, patience: Duration) -> Option<Instant> {
        let oldest = self.history.oldest().filter(|oldest| self.largest_acked > oldest.number)?;
        Some(oldest.at + patience)
    }

    /// No answer came for long: the first block is sent again, whatever became of it, and if
    /// `everything`, all the others too.
    pub fn give_up(&mut self, everything: bool) {
        let (first, end) = (self.blocks.first(), self.blocks.end());
        for block in first..if everything { end } else { end.min(first + 1) } {
            if let Some(number) = self.blocks.get(block).map(|known| known.number) {
                self.blocks.lose(block, number);
            }
        }
    }
}

#[cfg(test)]
mod tests;
