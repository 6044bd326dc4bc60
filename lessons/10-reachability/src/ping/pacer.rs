//! When the next probe may leave. It is told what time it is, so that it can be tested without
//! waiting.

use std::time::{Duration, Instant};

// listing: begin pacer
/// Lets a bounded number of probes go, with at least an interval between any two.
pub struct Pacer {
    interval: Duration,
    left: u16,
    next: Instant,
}

impl Pacer {
    /// `count` probes, the first at once.
    pub fn new(count: u16, interval: Duration, now: Instant) -> Self {
        Self { interval, left: count, next: now }
    }

    /// Whether a probe may leave now; if so, it is counted as gone.
    ///
    /// The interval starts again with each one. A program that was suspended for a minute does not
    /// make up for it: that would be a burst, and the rate is a promise.
    pub fn lets_go(&mut self, now: Instant) -> bool {
        let go = self.left > 0 && now >= self.next;
        if go {
            self.left -= 1;
            self.next = now + self.interval;
        }
        go
    }

    /// When to ask again; `None` if all have gone.
    pub fn next(&self) -> Option<Instant> {
        (self.left > 0).then_some(self.next)
    }
}
// listing: end pacer
