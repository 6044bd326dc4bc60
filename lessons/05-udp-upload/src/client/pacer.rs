//! Not all at once: a window is spread over its round trip, so that no queue on the path has to
//! take it in one gulp.

use std::time::{Duration, Instant};

/// Largest burst, as time: how late the system may wake us and still be caught up with.
const BURST: Duration = Duration::from_millis(1);
/// Least and most blocks in one go.
const LEAST_BURST: f64 = 2.0;

/// A token bucket: it fills at a rate, and each block takes a token out of it.
pub struct Pacer {
    tokens: f64,
    since: Instant,
}

impl Pacer {
    pub fn new(now: Instant) -> Self {
        Self { tokens: 0.0, since: now }
    }

    /// Takes a token for one block out of the bucket, which fills at `rate` tokens a second; if
    /// there is none, returns the time to come again.
    pub fn turn(&mut self, rate: f64, now: Instant) -> Option<Instant> {
        let burst = (rate * BURST.as_secs_f64()).max(LEAST_BURST);
        let passed = now.saturating_duration_since(self.since).as_secs_f64();
        self.tokens = (self.tokens + rate * passed).min(burst);
        self.since = now;
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return None;
        }
        // Half full, so that several go together: one by one they would cost a wake-up each.
        let missing = Duration::from_secs_f64((burst / 2.0 - self.tokens) / rate);
        Some(now + missing.max(Duration::from_micros(1)))
    }
}
