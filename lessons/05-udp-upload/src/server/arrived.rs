//! Which blocks have come: one bit for each, from the first that is missing on.

use std::collections::VecDeque;

use crate::packet::ack::WORD_BITS;

/// The blocks that have come. All before the first word have.
#[derive(Default)]
pub struct Arrived {
    first_missing: u32,
    /// The first of them begins at the last multiple of 64 that is not after `first_missing`.
    words: VecDeque<u64>,
}

impl Arrived {
    /// The first block that has not come.
    pub fn first_missing(&self) -> u32 {
        self.first_missing
    }

    /// Notes that a block has come; whether that is news.
    pub fn insert(&mut self, block: u32) -> bool {
        let base = self.first_missing / WORD_BITS;
        let Some(word) = (block / WORD_BITS).checked_sub(base) else { return false };
        let (word, bit) = (word as usize, 1 << (block % WORD_BITS));
        self.words.resize(self.words.len().max(word + 1), 0);
        let is_news = self.words[word] & bit == 0;
        self.words[word] |= bit;
        self.advance();
        is_news
    }

    fn advance(&mut self) {
        let mut base = self.first_missing - self.first_missing % WORD_BITS;
        while self.words.front() == Some(&u64::MAX) {
            self.words.pop_front();
            base += WORD_BITS;
        }
        self.first_missing = base + self.words.front().map_or(0, |word| word.trailing_ones());
    }

    /// The bits as bytes, eight blocks each.
    pub fn bytes(&self) -> Vec<u8> {
        self.words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }
}
