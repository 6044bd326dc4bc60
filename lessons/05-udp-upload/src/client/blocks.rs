//! What became of each block: on its way, lost, or arrived.

use std::collections::{BTreeSet, VecDeque};

/// A block that was sent at least once: the number of its latest transmission, and its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    pub number: u32,
    pub state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Flying,
    Lost,
    Arrived,
}
use State::{Arrived, Flying, Lost};

/// The blocks from the first that is not known to have arrived, as far as they were sent.
#[derive(Default)]
pub struct Blocks {
    first: u32,
    sent: VecDeque<Block>,
    lost: BTreeSet<u32>,
    flying: u32,
}

impl Blocks {
    /// The first block that is not known to have arrived.
    pub fn first(&self) -> u32 {
        self.first
    }

    /// The first block that was never sent.
    pub fn end(&self) -> u32 {
        self.first + u32::try_from(self.sent.len()).unwrap_or(u32::MAX)
    }

    /// The first block that must be sent again.
    pub fn first_lost(&self) -> Option<u32> {
        self.lost.first().copied()
    }

    /// How many blocks were sent, are not lost, and have not arrived.
    pub fn flying(&self) -> u32 {
        self.flying
    }

    /// What is known of a block; nothing if it was not sent, or all up to it have arrived.
    pub fn get(&mut self, block: u32) -> Option<&mut Block> {
        self.sent.get_mut(block.checked_sub(self.first)? as usize)
    }

    /// A block that is lost, or the one at [`end`](Self::end), goes out with this number.
    pub fn send(&mut self, block: u32, number: u32) {
        let sent = Block { number, state: Flying };
        match self.get(block) {
            Some(known) => *known = sent,
            None => self.sent.push_back(sent),
        }
        self.lost.remove(&block);
        self.flying += 1;
    }

    /// Notes that a block has arrived; returns what was thought of it, if that was not known.
    pub fn arrive(&mut self, block: u32) -> Option<Block> {
        let known = self.get(block).filter(|known| known.state != Arrived)?;
        let before = *known;
        known.state = Arrived;
        if before.state == Flying {
            self.flying -= 1;
        }
        self.lost.remove(&block);
        Some(before)
    }

    /// Notes that a transmission is lost; whether that means that its block is.
    pub fn lose(&mut self, block: u32, number: u32) -> bool {
        let latest = Block { number, state: Flying };
        let Some(known) = self.get(block).filter(|known| **known == latest) else { return false };
        known.state = Lost;
        self.flying -= 1;
        self.lost.insert(block)
    }

    /// Forgets the blocks that have arrived with all before them.
    pub fn advance(&mut self) {
        while self.sent.front().is_some_and(|block| block.state == Arrived) {
            self.sent.pop_front();
            self.first += 1;
        }
    }
}
