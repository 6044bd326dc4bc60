//! A rate limit: how fast one neighbour's messages are taken.
//!
//! What one node says, every other node has to carry. So nobody may say more than all can bear: a
//! burst is fine, then a fixed number a second. We simply do not read faster; TCP lets the sender
//! wait.

use std::time::{Duration, Instant};

/// How many messages may come at once.
const BURST: u32 = 100;
/// One more each time this has passed: 500 a second.
const EACH: Duration = Duration::from_millis(2);

/// When the next message may be taken, if all came evenly.
pub struct RateLimit(Instant);

impl RateLimit {
    pub fn new(now: Instant) -> Self {
        Self(now)
    }

    /// Counts one message at `now`, and returns how long to wait before it is taken.
    pub fn wait(&mut self, now: Instant) -> Duration {
        self.0 = self.0.max(now) + EACH;
        self.0.saturating_duration_since(now + EACH * BURST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_then_each_message_waits_for_its_time() {
        let start = Instant::now();
        let mut rate_limit = RateLimit::new(start);
        assert!((0..BURST).all(|_| rate_limit.wait(start).is_zero()));
        assert_eq!(rate_limit.wait(start), EACH);
        assert_eq!(rate_limit.wait(start), EACH * 2);
    }

    #[test]
    fn who_was_quiet_may_say_a_burst_again_and_not_more() {
        let start = Instant::now();
        let mut rate_limit = RateLimit::new(start);
        let later = start + Duration::from_secs(3600);
        assert!((0..BURST).all(|_| rate_limit.wait(later).is_zero()));
        assert_eq!(rate_limit.wait(later), EACH);
    }
}
