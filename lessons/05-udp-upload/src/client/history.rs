//! Every transmission, by its number: which block it carried, and when.

use std::collections::VecDeque;
use std::time::Instant;

/// One transmission.
#[derive(Clone, Copy)]
pub struct Transmission {
    pub number: u32,
    pub block: u32,
    pub at: Instant,
}

/// Transmissions with numbers that follow each other: 1, 2, 3, … The oldest are forgotten when
/// nothing can be learnt from them any more.
pub struct History {
    transmissions: VecDeque<Transmission>,
    next_number: u32,
}

impl History {
    pub fn new() -> Self {
        Self { transmissions: VecDeque::new(), next_number: 1 }
    }

    pub fn next_number(&self) -> u32 {
        self.next_number
    }

    /// Adds a transmission and returns its number.
    pub fn add(&mut self, block: u32, at: Instant) -> u32 {
        let number = self.next_number;
        self.transmissions.push_back(Transmission { number, block, at });
        self.next_number += 1;
        number
    }

    pub fn oldest(&self) -> Option<Transmission> {
        self.transmissions.front().copied()
    }

    pub fn forget_oldest(&mut self) {
        self.transmissions.pop_front();
    }

    /// The blocks of the transmissions that are not forgotten, up to that number.
    pub fn up_to(&self, number: u32) -> impl Iterator<Item = u32> {
        let those = self.transmissions.iter().take_while(move |sent| sent.number <= number);
        those.map(|sent| sent.block)
    }

    /// When that transmission was sent, unless it is forgotten.
    pub fn sent_at(&self, number: u32) -> Option<Instant> {
        let place = number.checked_sub(self.oldest()?.number)?;
        Some(self.transmissions.get(place as usize)?.at)
    }
}
