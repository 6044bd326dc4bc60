//! Delay, jitter and bandwidth: when does what comes in now come out?
//!
//! ```text
//! in ──► queue (bounded) ──► bottleneck (rate) ──► line (delay ± jitter) ──► out
//! ```
//!
//! There is one bottleneck in each direction, shared by all connections, as there is one cable
//! behind which they all live. Nothing here opens a socket or looks at a clock: times come in and
//! times go out, so that it can be tested to the microsecond.
//!
//! Jitter never reorders: what would overtake waits, as in one cable. A caller that wants another
//! order asks for it.

use std::time::Duration;

use crate::faults::{Dice, Draw};

/// What the queue holds at least, whatever the rate.
const QUEUE_BYTES: u64 = 64 * 1024;
/// How much of the rate the queue holds, if that is more.
const QUEUE_TIME: Duration = Duration::from_millis(50);

/// How one direction is shaped; by default not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// How long it takes from here to there, one way.
    pub delay: Duration,
    /// How much longer or shorter that may be: evenly spread from `delay - jitter` to
    /// `delay + jitter`.
    pub jitter: Duration,
    /// The bandwidth of the bottleneck in bits a second.
    pub rate: Option<u64>,
    /// What the queue before the bottleneck holds, in bytes; the larger of 64 KiB and 50 ms at
    /// the rate if nothing is said. A full queue drops datagrams; a stream waits.
    pub queue: Option<u64>,
}

impl Shape {
    fn queue_bytes(&self, rate: u64) -> u64 {
        let default = QUEUE_BYTES.max(bytes_in(QUEUE_TIME, rate));
        self.queue.unwrap_or(default)
    }
}

/// One direction's queue, bottleneck and line. Times are since some beginning.
#[derive(Clone, Debug)]
pub struct Shaper {
    shape: Shape,
    dice: Dice,
    /// When the bottleneck will have sent all that is in the queue.
    idle_at: Duration,
    /// When the last one leaves the line; none overtakes it.
    last: Duration,
}

impl Shaper {
    /// A shaper whose queue is empty.
    #[must_use]
    pub fn new(shape: Shape, dice: Dice) -> Self {
        Self { shape, dice, idle_at: Duration::ZERO, last: Duration::ZERO }
    }

    /// Takes in `bytes` at `now` and says when they come out at the other end; `None` if the
    /// queue is full. What is larger than the queue passes when the queue is empty.
    pub fn admit(&mut self, now: Duration, bytes: usize, index: u64) -> Option<Duration> {
        if self.waiting(now) > 0 && bytes as u64 > self.room(now) {
            return None;
        }
        let sent = match self.shape.rate {
            Some(rate) => self.idle_at.max(now) + time_of(bytes as u64, rate),
            None => now,
        };
        self.idle_at = sent;
        self.last = self.last.max(sent + self.travel(index));
        Some(self.last)
    }

    /// How many bytes the queue would take at `now`.
    #[must_use]
    pub fn room(&self, now: Duration) -> u64 {
        let Some(rate) = self.shape.rate else { return u64::MAX };
        self.shape.queue_bytes(rate).saturating_sub(self.waiting(now))
    }

    /// When the queue will take `bytes`.
    #[must_use]
    pub fn room_at(&self, bytes: u64) -> Duration {
        let Some(rate) = self.shape.rate else { return Duration::ZERO };
        let before = self.shape.queue_bytes(rate).saturating_sub(bytes);
        self.idle_at.saturating_sub(time_of(before, rate))
    }

    /// How much of a stream is taken in at a time, so that streams that share the bottleneck
    /// take turns: a millisecond's worth.
    #[must_use]
    pub fn turn_bytes(&self, most: usize) -> usize {
        let Some(rate) = self.shape.rate else { return most };
        let turn =
            bytes_in(Duration::from_millis(1), rate).max(1500).min(self.shape.queue_bytes(rate));
        usize::try_from(turn).map_or(most, |turn| turn.clamp(1, most))
    }

    fn waiting(&self, now: Duration) -> u64 {
        self.shape.rate.map_or(0, |rate| bytes_in(self.idle_at.saturating_sub(now), rate))
    }

    fn travel(&self, index: u64) -> Duration {
        if self.shape.jitter.is_zero() {
            return self.shape.delay;
        }
        let spread = self.shape.jitter.mul_f64(2.0 * self.dice.chance(Draw::Jitter, index));
        (self.shape.delay + spread).saturating_sub(self.shape.jitter)
    }
}

/// How long `bytes` take at `rate` bits a second.
fn time_of(bytes: u64, rate: u64) -> Duration {
    let nanos = u128::from(bytes) * 8 * 1_000_000_000 / u128::from(rate.max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// How many bytes `rate` bits a second send in `time`.
fn bytes_in(time: Duration, rate: u64) -> u64 {
    u64::try_from(time.as_nanos() * u128::from(rate) / 8_000_000_000).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::Direction;

    const MS: Duration = Duration::from_millis(1);

    fn shaper(shape: Shape) -> Shaper {
        Shaper::new(shape, Dice::new(7, Direction::ToServer))
    }

    #[test]
    fn without_a_shape_everything_passes_at_once() {
        let mut shaper = shaper(Shape::default());
        assert_eq!(shaper.admit(5 * MS, 1 << 30, 0), Some(5 * MS));
        assert_eq!(shaper.room(5 * MS), u64::MAX);
    }

    #[test]
    fn the_bottleneck_sends_one_after_the_other() {
        // 8 Mbit/s are 1,000 bytes a millisecond.
        let mut shaper =
            shaper(Shape { rate: Some(8_000_000), delay: 10 * MS, ..Shape::default() });
        assert_eq!(shaper.admit(Duration::ZERO, 1000, 0), Some(11 * MS));
        assert_eq!(shaper.admit(Duration::ZERO, 2000, 1), Some(13 * MS));
        assert_eq!(shaper.admit(20 * MS, 1000, 2), Some(31 * MS), "an idle one starts at once");
    }

    #[test]
    fn a_full_queue_takes_nothing_until_it_has_room() {
        let shape = Shape { rate: Some(8_000_000), queue: Some(3000), ..Shape::default() };
        let mut shaper = shaper(shape);
        for index in 0..3 {
            assert!(shaper.admit(Duration::ZERO, 1000, index).is_some());
        }
        assert_eq!(shaper.admit(Duration::ZERO, 1000, 3), None);
        assert_eq!(shaper.room_at(1000), MS);
        assert_eq!(shaper.room(MS), 1000);
        assert_eq!(shaper.admit(MS, 1000, 4), Some(4 * MS));
    }

    #[test]
    fn what_is_larger_than_the_queue_passes_an_empty_one() {
        let shape = Shape { rate: Some(8_000_000), queue: Some(100), ..Shape::default() };
        let mut shaper = shaper(shape);
        assert_eq!(shaper.admit(Duration::ZERO, 1000, 0), Some(MS));
        assert_eq!(shaper.admit(Duration::ZERO, 1000, 1), None);
    }

    #[test]
    fn the_default_queue_is_64_kib_or_50_ms() {
        let queue = |rate| Shape::default().queue_bytes(rate);
        assert_eq!(queue(1_000_000), 64 * 1024);
        assert_eq!(queue(100_000_000), 625_000);
    }

    #[test]
    fn jitter_stays_within_bounds_is_replayed_and_never_reorders() {
        let shape = Shape { delay: 10 * MS, jitter: 2 * MS, ..Shape::default() };
        let (mut one, mut two) = (shaper(shape.clone()), shaper(shape));
        let (mut last, mut seen) = (Duration::ZERO, std::collections::BTreeSet::new());
        for index in 0..1000 {
            let now = MS * 10 * u32::try_from(index).unwrap();
            let out = one.admit(now, 100, index).unwrap();
            assert_eq!(two.admit(now, 100, index), Some(out));
            let travelled = out.checked_sub(now).unwrap();
            assert!((8 * MS..=12 * MS).contains(&travelled), "{travelled:?}");
            assert!(out >= last);
            last = out;
            seen.insert(travelled);
        }
        assert!(seen.len() > 900, "{}", seen.len());
        let close: Vec<_> = (0..100).map(|i| one.admit(last, 100, i).unwrap()).collect();
        assert!(close.is_sorted());
    }
}
