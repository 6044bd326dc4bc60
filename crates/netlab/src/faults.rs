//! What can happen to bytes between two programs, and who decides it: a seed.
//!
//! A fault is a pure function of (seed, direction, index): the same seed on the same traffic does
//! the same again, whatever the clock says. Each kind of fault draws for itself, so that asking for
//! more duplicates does not change which datagrams are lost. A datagram has one fate; when several
//! draws hit, the first in this order counts: what was named by index, too large, lost, corrupted,
//! duplicated, reordered.

use std::collections::BTreeMap;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From a client to the server.
    ToServer,
    /// From the server to a client.
    ToClient,
}

/// What the relay does with one datagram (or, where it makes sense, one piece of a stream).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It passes.
    Pass,
    /// It is lost.
    Lose,
    /// It arrives twice.
    Duplicate,
    /// It waits until this many later ones have overtaken it.
    Reorder(u32),
    /// One of its bytes arrives changed.
    Corrupt,
    /// It is larger than the network carries (MTU), and is dropped.
    TooLarge,
    /// The queue before the bottleneck is full, and it is dropped.
    QueueFull,
}

/// What happens to the datagrams of one direction: probabilities from 0 to 1, and single datagrams
/// by index, counted from 0 over all clients.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DatagramFaults {
    /// The probability that a datagram is lost.
    pub lose: f64,
    /// The probability that a datagram arrives twice.
    pub duplicate: f64,
    /// The probability that a datagram is overtaken by `depth` later ones.
    pub reorder: f64,
    /// How many later datagrams of the same client overtake a reordered one; 0 means 1.
    pub depth: u32,
    /// The probability that one byte of a datagram arrives changed.
    pub corrupt: f64,
    /// The largest IP packet that passes, in bytes: 20 (IPv4) or 40 (IPv6) bytes of IP header
    /// and 8 bytes of UDP header count.
    pub mtu: Option<usize>,
    /// Fates of single datagrams, which go before all others.
    pub exactly: BTreeMap<u64, Fate>,
}

impl DatagramFaults {
    /// Whether every datagram passes unchanged.
    #[must_use]
    pub fn none(&self) -> bool {
        let chances = [self.lose, self.duplicate, self.reorder, self.corrupt];
        chances.iter().all(|chance| *chance <= 0.0) && self.mtu.is_none() && self.exactly.is_empty()
    }

    /// The fate of datagram `index`, whose IP packet has `packet_bytes` bytes.
    #[must_use]
    pub fn fate(&self, dice: &Dice, index: u64, packet_bytes: usize) -> Fate {
        if let Some(fate) = self.exactly.get(&index) {
            return *fate;
        }
        let hits = |draw, chance: f64| chance > 0.0 && dice.chance(draw, index) < chance;
        if self.mtu.is_some_and(|mtu| packet_bytes > mtu) {
            Fate::TooLarge
        } else if hits(Draw::Lose, self.lose) {
            Fate::Lose
        } else if hits(Draw::Corrupt, self.corrupt) {
            Fate::Corrupt
        } else if hits(Draw::Duplicate, self.duplicate) {
            Fate::Duplicate
        } else if hits(Draw::Reorder, self.reorder) {
            Fate::Reorder(self.depth.max(1))
        } else {
            Fate::Pass
        }
    }
}

/// What is drawn; each kind has numbers of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    /// Whether it is lost.
    Lose = 1,
    /// Whether it arrives twice.
    Duplicate,
    /// Whether it is overtaken.
    Reorder,
    /// Whether it is changed.
    Corrupt,
    /// Which of its bytes is changed, and how.
    Byte,
    /// How much earlier or later than usual it comes.
    Jitter,
}

/// Numbers that look random and depend on nothing but seed, direction, kind and index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dice {
    root: u64,
}

impl Dice {
    /// The dice of one direction.
    #[must_use]
    pub fn new(seed: u64, direction: Direction) -> Self {
        let lane = match direction {
            Direction::ToServer => 0x5e72_0000,
            Direction::ToClient => 0xc11e_0000,
        };
        Self { root: mix(seed ^ lane) }
    }

    /// 64 bits.
    #[must_use]
    pub fn bits(&self, draw: Draw, index: u64) -> u64 {
        mix(mix(self.root.wrapping_add(draw as u64)).wrapping_add(index))
    }

    /// A number from 0 up to 1, 1 excluded.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // 53 bits fit a double exactly
    pub fn chance(&self, draw: Draw, index: u64) -> f64 {
        (self.bits(draw, index) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Changes one byte of datagram `index`; an empty one stays empty.
    pub fn corrupt(&self, index: u64, payload: &mut [u8]) {
        let bits = self.bits(Draw::Byte, index);
        let [flip, ..] = bits.to_be_bytes();
        let length = payload.len().max(1) as u64;
        let place = usize::try_from((bits & 0x00ff_ffff_ffff_ffff) % length).unwrap_or(0);
        if let Some(byte) = payload.get_mut(place) {
            *byte ^= flip.max(1);
        }
    }
}

/// The finaliser of `SplitMix64` (Steele, Lea and Flood, 2014): neighbouring inputs give outputs
/// that look independent.
fn mix(input: u64) -> u64 {
    let mut z = input.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATAGRAMS: u64 = 100_000;

    fn faults() -> DatagramFaults {
        let (lose, duplicate, reorder, corrupt) = (0.05, 0.02, 0.1, 0.01);
        DatagramFaults { lose, duplicate, reorder, corrupt, depth: 3, ..DatagramFaults::default() }
    }

    fn fates(seed: u64, direction: Direction) -> Vec<Fate> {
        let dice = Dice::new(seed, direction);
        (0..DATAGRAMS).map(|index| faults().fate(&dice, index, 1000)).collect()
    }

    #[test]
    fn a_seed_replays_and_another_one_does_not() {
        assert_eq!(fates(7, Direction::ToServer), fates(7, Direction::ToServer));
        assert_ne!(fates(7, Direction::ToServer), fates(8, Direction::ToServer));
    }

    /// Pearson's statistic: the sum of (seen - expected)² / expected.
    fn chi_square(seen: &[usize], expected: &[f64]) -> f64 {
        let term = |(seen, expected): (&usize, &f64)| {
            let seen = f64::from(u32::try_from(*seen).unwrap());
            (seen - expected).powi(2) / expected
        };
        seen.iter().zip(expected).map(term).sum()
    }

    #[test]
    fn the_fates_of_100_000_datagrams_fit_the_probabilities() {
        // The draws are independent and the first hit counts, so a later kind only gets what the
        // earlier ones left.
        let order = [Fate::Lose, Fate::Corrupt, Fate::Duplicate, Fate::Reorder(3)];
        let mut left = 100_000.0;
        let mut expected = [0.05, 0.01, 0.02, 0.1]
            .map(|chance| {
                left *= 1.0 - chance;
                left / (1.0 - chance) * chance
            })
            .to_vec();
        expected.push(left);
        for seed in 0..20 {
            for direction in [Direction::ToServer, Direction::ToClient] {
                let fates = fates(seed, direction);
                let count = |fate| fates.iter().filter(|other| **other == fate).count();
                let mut seen = order.map(count).to_vec();
                seen.push(count(Fate::Pass));
                // Four degrees of freedom: exceeded once in 100,000 runs of true chance.
                let statistic = chi_square(&seen, &expected);
                assert!(statistic < 28.5, "seed {seed}, {direction:?}: {statistic}, {seen:?}");
            }
        }
    }

    #[test]
    fn the_directions_are_independent() {
        let (there, back) = (fates(7, Direction::ToServer), fates(7, Direction::ToClient));
        let lost = |fate: &Fate| *fate == Fate::Lose;
        let both = there.iter().zip(&back).filter(|(a, b)| lost(a) && lost(b)).count();
        // 0.05 x 0.05 of 100,000 are 250, with a standard deviation of 16.
        assert!((170..330).contains(&both), "{both}");
    }

    #[test]
    fn more_duplicates_do_not_change_which_are_lost() {
        let dice = Dice::new(7, Direction::ToServer);
        let more = DatagramFaults { duplicate: 0.5, ..faults() };
        for index in 0..10_000 {
            let lost = |faults: &DatagramFaults| faults.fate(&dice, index, 1000) == Fate::Lose;
            assert_eq!(lost(&faults()), lost(&more), "{index}");
        }
    }

    #[test]
    fn what_is_named_by_index_goes_before_all_chances() {
        let dice = Dice::new(7, Direction::ToServer);
        let exactly = BTreeMap::from([(3, Fate::Pass), (4, Fate::Duplicate)]);
        let faults = DatagramFaults { lose: 1.0, mtu: Some(100), exactly, ..Default::default() };
        let fates = [2, 3, 4].map(|index| faults.fate(&dice, index, 50));
        assert_eq!(fates, [Fate::Lose, Fate::Pass, Fate::Duplicate]);
        assert_eq!(faults.fate(&dice, 5, 101), Fate::TooLarge);
    }

    #[test]
    fn corruption_changes_exactly_one_byte_and_always_the_same() {
        let dice = Dice::new(7, Direction::ToServer);
        let mut places = std::collections::BTreeSet::new();
        for index in 0..1000 {
            let (mut once, mut again) = ([0xaa; 10], [0xaa; 10]);
            dice.corrupt(index, &mut once);
            dice.corrupt(index, &mut again);
            assert_eq!(once, again);
            assert_eq!(once.iter().filter(|byte| **byte != 0xaa).count(), 1);
            places.extend(once.iter().position(|byte| *byte != 0xaa));
        }
        assert_eq!(places.len(), 10);
        dice.corrupt(0, &mut []);
    }
}
