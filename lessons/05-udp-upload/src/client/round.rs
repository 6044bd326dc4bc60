//! One round trip, and what it teaches: how fast the path is, and whether there is a queue on it.

use std::time::{Duration, Instant};

/// A queue in which packets wait so long is long enough.
pub const QUEUE: Duration = Duration::from_millis(4);
/// More loss than this is no accident, if packets wait for a quarter of [`QUEUE`] too.
const LOSS: f64 = 0.02;

/// One round trip: from the sending of a packet to the answer to it.
pub struct Round {
    /// It is over when the transmission with this number has arrived.
    pub ends_with: u32,
    began: Instant,
    /// Blocks.
    pub arrived: u32,
    pub lost: u32,
    /// The minimum RTT of this round: what slower answers waited longer may be chance.
    pub lowest_rtt: Duration,
    /// Whether the window was the reason that no more was sent.
    pub was_full: bool,
}

impl Round {
    pub fn new(ends_with: u32, began: Instant) -> Self {
        Self { ends_with, began, arrived: 0, lost: 0, lowest_rtt: Duration::MAX, was_full: false }
    }

    /// In blocks a second.
    pub fn rate(&self, now: Instant) -> f64 {
        let took = now.saturating_duration_since(self.began).max(Duration::from_micros(1));
        f64::from(self.arrived) / took.as_secs_f64()
    }

    /// Whether packets wait for long before the narrowest link, on a path whose minimum RTT is
    /// `min_rtt`.
    pub fn has_queue(&self, min_rtt: Duration) -> bool {
        let queue = self.lowest_rtt.saturating_sub(min_rtt);
        let lost = f64::from(self.lost) / f64::from((self.lost + self.arrived).max(1));
        queue > QUEUE || (queue > QUEUE / 4 && lost > LOSS)
    }
}
