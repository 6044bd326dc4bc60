//! What happens to a byte stream at its far end: when may how much of it leave?
//!
//! Pure: fed with how much is ready and what time it is.

use std::time::Duration;

use crate::conditions::StreamFaults;

/// This many slices at the beginning of a stream lie a moment apart,
const SEEN_ALONE: u32 = 100;
/// which is so long: a receiver that waits sees each for itself.
const MOMENT: Duration = Duration::from_millis(1);

/// What is to be done with a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Write at most this many bytes.
    Write(usize),
    /// Come again at this time.
    Wait(Duration),
    /// Come again when there is more.
    More,
    /// All has been written: tell the receiver that the sender ended.
    End,
    /// Tell the receiver that it ended, although it did not; lose the rest.
    Cut,
    /// Reset the connection.
    Reset,
}

#[derive(Clone, Debug, Default)]
pub(super) struct FaultInjector {
    faults: StreamFaults,
    /// Bytes written so far.
    passed: u64,
    slices: u32,
    /// No slice before this time.
    next_slice: Duration,
    /// Since when bytes wait for more of them.
    gathering: Option<Duration>,
    /// When the stall ends, once it has begun.
    resume: Option<Duration>,
}

impl FaultInjector {
    pub(super) fn new(faults: StreamFaults) -> Self {
        Self { faults, ..Self::default() }
    }

    /// What to do when `ready` bytes could leave now, and whether they are the `last`.
    pub(super) fn next(&mut self, ready: usize, last: bool, now: Duration) -> Step {
        if self.faults.reset_after == Some(self.passed) {
            return Step::Reset;
        }
        if self.faults.close_after == Some(self.passed) {
            return Step::Cut;
        }
        match (self.wait(ready, last, now), ready) {
            (Some(until), _) if until > now => Step::Wait(until),
            (_, 0) if last => Step::End,
            (_, 0) => Step::More,
            _ => Step::Write(ready.min(self.limit())),
        }
    }

    /// Until when nothing may leave.
    fn wait(&mut self, ready: usize, last: bool, now: Duration) -> Option<Duration> {
        if let Some(stall) = self.faults.stall
            && stall.after == self.passed
        {
            let resume = *self.resume.get_or_insert(now + stall.time);
            if resume > now {
                return Some(resume);
            }
        }
        if ready == 0 {
            return None;
        }
        let full = |bytes| last || ready >= bytes;
        match self.faults.coalesce {
            Some(coalesce) if !full(coalesce.bytes) => {
                Some(*self.gathering.get_or_insert(now) + coalesce.wait)
            }
            _ => Some(self.next_slice),
        }
    }

    /// How many bytes may leave at once.
    fn limit(&self) -> usize {
        let until = |place: Option<u64>| place.and_then(|place| place.checked_sub(self.passed));
        let stall = self.faults.stall.map(|stall| stall.after);
        let places = [stall, self.faults.reset_after, self.faults.close_after];
        let next = places.into_iter().filter_map(until).filter(|left| *left > 0).min();
        let next = next.and_then(|left| usize::try_from(left).ok()).unwrap_or(usize::MAX);
        next.min(self.faults.slice.unwrap_or(usize::MAX))
    }

    /// This many bytes were written.
    pub(super) fn wrote(&mut self, bytes: usize, now: Duration) {
        self.passed += bytes as u64;
        self.gathering = None;
        if self.faults.slice.is_some() && self.slices < SEEN_ALONE {
            self.slices += 1;
            self.next_slice = now + MOMENT;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conditions::{Coalesce, Stall};

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_plain_stream_passes_as_it_comes() {
        let mut injector = FaultInjector::default();
        assert_eq!(injector.next(0, false, MS), Step::More);
        assert_eq!(injector.next(10, false, MS), Step::Write(10));
        injector.wrote(10, MS);
        assert_eq!(injector.next(0, true, MS), Step::End);
    }

    #[test]
    fn slices_are_small_and_the_first_lie_apart() {
        let mut injector =
            FaultInjector::new(StreamFaults { slice: Some(3), ..StreamFaults::default() });
        assert_eq!(injector.next(10, true, MS), Step::Write(3));
        injector.wrote(3, MS);
        assert_eq!(injector.next(7, true, MS), Step::Wait(2 * MS));
        for number in 1..SEEN_ALONE {
            assert_eq!(injector.next(7, true, MS * (number + 1)), Step::Write(3));
            injector.wrote(3, MS * (number + 1));
        }
        injector.next_slice = MS;
        injector.wrote(3, 200 * MS);
        assert_eq!(injector.next(7, true, 200 * MS), Step::Write(3), "later ones do not wait");
    }

    #[test]
    fn small_pieces_wait_for_more_for_time_or_for_the_end() {
        let coalesce = Some(Coalesce { bytes: 10, wait: 5 * MS });
        let mut injector = FaultInjector::new(StreamFaults { coalesce, ..StreamFaults::default() });
        assert_eq!(injector.next(4, false, MS), Step::Wait(6 * MS));
        assert_eq!(injector.next(9, false, 2 * MS), Step::Wait(6 * MS));
        assert_eq!(injector.next(12, false, 2 * MS), Step::Write(12));
        injector.wrote(12, 2 * MS);
        assert_eq!(injector.next(1, false, 3 * MS), Step::Wait(8 * MS));
        assert_eq!(injector.next(1, false, 8 * MS), Step::Write(1));
        assert_eq!(injector.next(1, true, 3 * MS), Step::Write(1));
    }

    #[test]
    fn a_stall_begins_at_its_byte_and_ends_once() {
        let stall = Some(Stall { after: 4, time: 10 * MS });
        let mut injector = FaultInjector::new(StreamFaults { stall, ..StreamFaults::default() });
        assert_eq!(injector.next(6, false, MS), Step::Write(4));
        injector.wrote(4, MS);
        assert_eq!(injector.next(2, false, MS), Step::Wait(11 * MS));
        assert_eq!(injector.next(2, true, 11 * MS), Step::Write(2));
    }

    #[test]
    fn a_stream_is_reset_or_cut_exactly_after_its_bytes() {
        for (faults, end) in [
            (StreamFaults { reset_after: Some(5), ..StreamFaults::default() }, Step::Reset),
            (StreamFaults { close_after: Some(5), ..StreamFaults::default() }, Step::Cut),
        ] {
            let mut injector = FaultInjector::new(faults);
            assert_eq!(injector.next(6, true, MS), Step::Write(5));
            injector.wrote(5, MS);
            assert_eq!(injector.next(1, true, MS), end);
        }
    }
}
