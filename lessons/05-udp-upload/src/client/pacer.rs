//! Not all at once: a window is spread over its round trip, so that no queue on the path has to
//! take it in one gulp.

use std::time::{Duration, Instant};

/// Largest burst, as time: how late the system may wake us and still be caught up with.
const BURST: Duration = Duration::from_millis(1);
/// Least and most blocks in one go.
const LEAST_BURST: f64 = 2.0;

/// A purse that is filled at a rate, and out of which each block is paid.
pub struct Pacer {
    blocks: f64,
    since: Instant,
}

impl Pacer {
    pub fn new(now: Instant) -> Self {
        Self { blocks: 0.0, since: now }
    }

    /// Takes a block's worth out of the purse, at `rate` blocks a second; if there is not enough in
    /// it, returns the time to come again.
    pub fn turn(&mut self, rate: f64, now: Instant) -> Option<Instant> {
        let burst = (rate * BURST.as_secs_f64()).max(LEAST_BURST);
        let passed = now.saturating_duration_since(self.since).as_secs_f64();
        self.blocks = (self.blocks + rate * passed).min(burst);
        self.since = now;
        if self.blocks >= 1.0 {
            self.blocks -= 1.0;
            return None;
        }
        // Half full, so that several go together: one by one they would cost a wake-up each.
        let missing = Duration::from_secs_f64((burst / 2.0 - self.blocks) / rate);
        Some(now + missing.max(Duration::from_micros(1)))
    }
}
