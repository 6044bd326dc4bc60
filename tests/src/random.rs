//! Payloads that nobody can know beforehand, and that come again with the same seed.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use grader::protocol;

/// A source of numbers by `SplitMix64`: good enough to be unpredictable for a program that has
/// never seen the seed, and small enough to be read.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// The source for one case: the same case and seed give the same numbers, and two cases of one
    /// run do not share them.
    pub fn of(seed: u64, case: &str) -> Self {
        let mix = |state: u64, byte: u8| (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(case.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, mix))
    }

    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length.next_multiple_of(8));
        while bytes.len() < length {
            bytes.extend_from_slice(&self.number().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }
}

/// `SEED`, or else one number for the whole process, taken from the clock.
pub fn seed() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    let from_clock = || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.map_or(0, |now| u64::from(now.subsec_micros()))
    };
    *SEED.get_or_init(|| {
        let wanted = std::env::var(protocol::SEED).ok();
        wanted.map_or_else(from_clock, |text| match text.parse() {
            Ok(seed) => seed,
            Err(error) => panic!("SEED={text}: {error}"),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_bytes_again_and_another_case_gives_others() {
        let bytes = |seed, case| Random::of(seed, case).bytes(32);
        assert_eq!(bytes(1, "a"), bytes(1, "a"));
        assert_ne!(bytes(1, "a"), bytes(1, "b"));
        assert_ne!(bytes(1, "a"), bytes(2, "a"));
    }
}
