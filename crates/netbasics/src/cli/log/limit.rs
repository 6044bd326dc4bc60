//! A limit for lines of the log that strangers cause as often as they like.

use std::time::{Duration, Instant};

/// How many lines may come at once.
const BURST: u32 = 100;
/// After that, one line in this time.
const PAUSE: Duration = Duration::from_secs(1);

/// A token bucket for the lines of one place in a program.
///
/// A datagram costs its sender nothing, so a log with a line for each fills the disk (a flood of four
/// seconds once wrote 78 MB). The first lines are logged, and the rest is counted.
#[derive(Debug)]
pub struct RateLimit {
    left: u32,
    refilled: Option<Instant>,
    /// How many lines were suppressed since the last one that was logged.
    suppressed: u64,
}

/// What becomes of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is logged, after this many suppressed ones.
    Logged {
        suppressed: u64,
    },
    /// It is the first one that is suppressed.
    FirstSuppressed,
    Suppressed,
}

impl RateLimit {
    /// A full bucket.
    #[must_use]
    pub const fn new() -> Self {
        Self { left: BURST, refilled: None, suppressed: 0 }
    }

    pub(super) fn take(&mut self, now: Instant) -> Fate {
        let since = *self.refilled.get_or_insert(now);
        let pauses = now.saturating_duration_since(since).as_secs() / PAUSE.as_secs();
        let gained = u32::try_from(pauses).unwrap_or(BURST).min(BURST);
        if gained > 0 {
            self.left = (self.left + gained).min(BURST);
            self.refilled = Some(now);
        }
        if let Some(left) = self.left.checked_sub(1) {
            self.left = left;
            return Fate::Logged { suppressed: std::mem::take(&mut self.suppressed) };
        }
        self.suppressed += 1;
        if self.suppressed == 1 { Fate::FirstSuppressed } else { Fate::Suppressed }
    }
}

impl Default for RateLimit {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_logged_at_first_and_then_counted() {
        let (mut limit, start) = (RateLimit::new(), Instant::now());
        let flood = |limit: &mut RateLimit, at: Duration, lines: u32| {
            let fates: Vec<_> = (0..lines).map(|_| limit.take(start + at)).collect();
            fates.into_iter().filter(|fate| *fate != Fate::Suppressed).collect::<Vec<_>>()
        };
        let first = flood(&mut limit, Duration::ZERO, 1_000_000);
        assert_eq!(first.len(), BURST as usize + 1);
        assert!(first[..100].iter().all(|fate| *fate == Fate::Logged { suppressed: 0 }));
        assert_eq!(first[100], Fate::FirstSuppressed);
        let second = flood(&mut limit, PAUSE, 1_000_000);
        assert_eq!(second, [Fate::Logged { suppressed: 999_900 }, Fate::FirstSuppressed]);
        assert_eq!(flood(&mut limit, PAUSE, 10), []);
    }

    #[test]
    fn a_conversation_is_never_cut_short() {
        let (mut limit, start) = (RateLimit::new(), Instant::now());
        for second in 0..10_000 {
            let now = start + Duration::from_secs(second);
            assert_eq!(limit.take(now), Fate::Logged { suppressed: 0 });
        }
    }

    #[test]
    fn after_a_quiet_while_the_bucket_is_full_again_and_not_fuller() {
        let (mut limit, start) = (RateLimit::new(), Instant::now());
        for _ in 0..500 {
            limit.take(start);
        }
        let later = start + Duration::from_secs(1_000_000);
        let logged = (0..500).filter(|_| matches!(limit.take(later), Fate::Logged { .. })).count();
        assert_eq!(logged, BURST as usize);
    }
}
