//! How often a line may be said that strangers cause as often as they like.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::say;

/// How many lines may come at once.
const BURST: u32 = 100;
/// After that, one line in this time.
const PAUSE: Duration = Duration::from_secs(1);

/// A token bucket for the lines of one place in a program.
///
/// A datagram costs its sender nothing, so a log with a line for each fills the disk (a flood of four
/// seconds once wrote 78 MB). The first lines are said, and the rest is counted.
#[derive(Debug)]
pub struct RateLimit {
    left: u32,
    refilled: Option<Instant>,
    /// How many lines were not said since the last one that was.
    unsaid: u64,
}

/// What becomes of a line.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    /// It is said; this many before it were not.
    Said {
        unsaid: u64,
    },
    /// It is the first that is not.
    FirstUnsaid,
    Unsaid,
}

impl RateLimit {
    /// A full bucket.
    #[must_use]
    pub const fn new() -> Self {
        Self { left: BURST, refilled: None, unsaid: 0 }
    }

    fn take(&mut self, now: Instant) -> Fate {
        let since = *self.refilled.get_or_insert(now);
        let pauses = now.saturating_duration_since(since).as_secs() / PAUSE.as_secs();
        let gained = u32::try_from(pauses).unwrap_or(BURST).min(BURST);
        if gained > 0 {
            self.left = (self.left + gained).min(BURST);
            self.refilled = Some(now);
        }
        if let Some(left) = self.left.checked_sub(1) {
            self.left = left;
            return Fate::Said { unsaid: std::mem::take(&mut self.unsaid) };
        }
        self.unsaid += 1;
        if self.unsaid == 1 { Fate::FirstUnsaid } else { Fate::Unsaid }
    }
}

impl Default for RateLimit {
    fn default() -> Self {
        Self::new()
    }
}

/// What [`say_limited!`](crate::say_limited!) calls.
pub fn say_limited(limit: &Mutex<RateLimit>, line: fmt::Arguments<'_>) {
    let fate = limit.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now());
    match fate {
        Fate::Said { unsaid: 0 } => say(line),
        Fate::Said { unsaid } => {
            say(format_args!("({unsaid} lines like the next one were not shown)"));
            say(line);
        }
        Fate::FirstUnsaid => say(format_args!("(more lines like this are counted, not shown)")),
        Fate::Unsaid => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_said_at_first_and_then_counted() {
        let (mut limit, start) = (RateLimit::new(), Instant::now());
        let flood = |limit: &mut RateLimit, at: Duration, lines: u32| {
            let fates: Vec<_> = (0..lines).map(|_| limit.take(start + at)).collect();
            fates.into_iter().filter(|fate| *fate != Fate::Unsaid).collect::<Vec<_>>()
        };
        let first = flood(&mut limit, Duration::ZERO, 1_000_000);
        assert_eq!(first.len(), BURST as usize + 1);
        assert!(first[..100].iter().all(|fate| *fate == Fate::Said { unsaid: 0 }));
        assert_eq!(first[100], Fate::FirstUnsaid);
        let second = flood(&mut limit, PAUSE, 1_000_000);
        assert_eq!(second, [Fate::Said { unsaid: 999_900 }, Fate::FirstUnsaid]);
        assert_eq!(flood(&mut limit, PAUSE, 10), []);
    }

    #[test]
    fn a_conversation_is_never_cut_short() {
        let (mut limit, start) = (RateLimit::new(), Instant::now());
        for second in 0..10_000 {
            let now = start + Duration::from_secs(second);
            assert_eq!(limit.take(now), Fate::Said { unsaid: 0 });
        }
    }

    #[test]
    fn after_a_quiet_while_the_bucket_is_full_again_and_not_fuller() {
        let (mut limit, start) = (RateLimit::new(), Instant::now());
        for _ in 0..500 {
            limit.take(start);
        }
        let later = start + Duration::from_secs(1_000_000);
        let said = (0..500).filter(|_| matches!(limit.take(later), Fate::Said { .. })).count();
        assert_eq!(said, BURST as usize);
    }
}
