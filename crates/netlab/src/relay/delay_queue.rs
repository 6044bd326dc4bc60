//! Datagrams on their way: each waits until its time has come, and some until others have
//! overtaken them.
//!
//! Neighbours of one client that leave together lie in one buffer (a [`Run`]), so that the system
//! can be asked to send them with one call.

use std::collections::VecDeque;
use std::time::Duration;

use crate::faults::Fate;

/// What one direction's queue holds at most, waiting and delayed: 64 MiB.
const MAX_QUEUE_BYTES: usize = 64 << 20;
/// Datagrams in a run, and its bytes: what one system call can send (`UDP_SEGMENT` in `udp(7)`).
const MAX_RUN: usize = 64;
const MAX_RUN_BYTES: usize = 65_000;
/// Datagrams that leave within so short a time leave together.
const TOGETHER: Duration = Duration::from_micros(100);
/// How long a datagram waits to be overtaken, after its time has come.
const HOLD: Duration = Duration::from_millis(20);

/// Datagrams of one client in one buffer: all of `segment` bytes, but the last, which may be
/// shorter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// When the first may leave.
    at: Duration,
    pub(super) client: u32,
    /// The first one's index; the others follow.
    pub(super) index: u64,
    pub(super) segment: usize,
    pub(super) bytes: Vec<u8>,
    pub(super) datagrams: usize,
    /// Whether it has been counted and recorded as delivered; it is offered to the system again
    /// if that takes no more at the moment.
    pub(super) told: bool,
    fate: Fate,
}

/// One direction's queue.
#[derive(Debug, Default)]
pub(super) struct DelayQueue {
    waiting: VecDeque<Run>,
    held: Vec<Held>,
    /// Their time has come.
    leaving: VecDeque<Run>,
    bytes: usize,
}

#[derive(Debug)]
struct Held {
    run: Run,
    /// How many have yet to overtake it.
    left: usize,
    until: Duration,
}

impl Run {
    /// The datagrams one by one. An empty one has no bytes and is a datagram all the same.
    pub(super) fn each(&self) -> impl Iterator<Item = &[u8]> {
        let segment = self.segment;
        (0..self.datagrams).map(move |number| {
            let end = self.bytes.len().min((number + 1) * segment);
            &self.bytes[number * segment..end]
        })
    }

    /// Whether another datagram of `length` bytes may follow in the same buffer.
    fn takes(&self, at: Duration, client: u32, index: u64, length: usize) -> bool {
        let full = self.datagrams * self.segment == self.bytes.len();
        self.client == client
            && matches!(self.fate, Fate::Pass | Fate::Corrupt)
            && self.index + self.datagrams as u64 == index
            && at <= self.at + TOGETHER
            && self.datagrams < MAX_RUN
            && self.bytes.len() + length <= MAX_RUN_BYTES
            && (1..=self.segment).contains(&length)
            && full
    }

    /// Takes the first `datagrams` away.
    pub(super) fn split_front(&mut self, datagrams: usize) -> Self {
        let rest = self.bytes.split_off(self.bytes.len().min(datagrams * self.segment));
        let front = Self { bytes: std::mem::replace(&mut self.bytes, rest), datagrams, ..*self };
        self.index += datagrams as u64;
        self.datagrams -= datagrams;
        front
    }
}

impl DelayQueue {
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.bytes + bytes <= MAX_QUEUE_BYTES
    }

    /// Puts a datagram into the queue and returns its bytes there; times never go back. `ahead`
    /// is how many bytes, with this datagram's, will probably follow at once.
    pub(super) fn push(
        &mut self,
        at: Duration,
        (client, index): (u32, u64),
        (payload, ahead): (&[u8], usize),
        fate: Fate,
    ) -> &mut [u8] {
        self.bytes += payload.len();
        let alone = !matches!(fate, Fate::Pass | Fate::Corrupt);
        let last = self.waiting.back();
        if alone || !last.is_some_and(|run| run.takes(at, client, index, payload.len())) {
            let bytes =
                Vec::with_capacity(ahead.clamp(payload.len(), payload.len().max(MAX_RUN_BYTES)));
            let run = Run {
                at,
                client,
                index,
                segment: payload.len(),
                bytes,
                datagrams: 0,
                told: false,
                fate,
            };
            self.waiting.push_back(run);
        }
        let Some(run) = self.waiting.back_mut() else { return &mut [] };
        run.datagrams += 1;
        let start = run.bytes.len();
        run.bytes.extend_from_slice(payload);
        &mut run.bytes[start..]
    }

    /// Moves everything whose time has come to where [`DelayQueue::next`] finds it.
    pub(super) fn release(&mut self, now: Duration) {
        while self.waiting.front().is_some_and(|run| run.at <= now) {
            match self.waiting.pop_front() {
                Some(run) => self.overtake(run),
                None => return,
            }
        }
        for held in self.held.extract_if(.., |held| held.until <= now) {
            self.leaving.push_back(held.run);
        }
    }

    fn overtake(&mut self, mut run: Run) {
        if let Fate::Reorder(depth) = run.fate {
            let until = run.at + HOLD;
            return self.held.push(Held { run, left: depth as usize, until });
        }
        let copy = (run.fate == Fate::Duplicate).then(|| run.clone());
        self.bytes += copy.as_ref().map_or(0, |copy| copy.bytes.len());
        while run.datagrams > 0 {
            let waits = |held: &&Held| held.run.client == run.client;
            let next = self.held.iter().filter(waits).map(|held| held.left).min();
            let pass = next.unwrap_or(run.datagrams).clamp(1, run.datagrams);
            self.leaving.push_back(run.split_front(pass));
            self.leaving.extend(copy.clone());
            self.count_overtaken(run.client, pass);
        }
    }

    fn count_overtaken(&mut self, client: u32, pass: usize) {
        for held in self.held.iter_mut().filter(|held| held.run.client == client) {
            held.left = held.left.saturating_sub(pass);
        }
        let released = self.held.extract_if(.., |held| held.left == 0);
        self.leaving.extend(released.map(|held| held.run));
    }

    /// What leaves next.
    pub(super) fn next(&mut self) -> Option<Run> {
        let run = self.leaving.pop_front()?;
        self.bytes -= run.bytes.len();
        Some(run)
    }

    /// The system did not take it now: it leaves first when asked again.
    pub(super) fn put_back(&mut self, run: Run) {
        self.bytes += run.bytes.len();
        self.leaving.push_front(run);
    }

    /// When [`DelayQueue::release`] will have something to do.
    pub(super) fn next_at(&self) -> Option<Duration> {
        let held = self.held.iter().map(|held| held.until);
        self.waiting.front().map(|run| run.at).into_iter().chain(held).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Datagrams of client 0, one for each fate, all leaving after one millisecond; each is as
    /// many bytes of its index.
    fn queue_with(fates: &[Fate]) -> DelayQueue {
        let mut queue = DelayQueue::default();
        for (index, fate) in (0_u8..).zip(fates) {
            queue.push(MS, (0, index.into()), (&[index; 10], 10), *fate);
        }
        queue
    }

    /// Which datagrams leave now, grouped as they leave.
    fn leaving(queue: &mut DelayQueue, now: Duration) -> Vec<Vec<u8>> {
        queue.release(now);
        let runs = std::iter::from_fn(|| queue.next());
        runs.map(|run| run.each().map(|datagram| datagram[0]).collect()).collect()
    }

    #[test]
    fn nothing_leaves_before_its_time_and_neighbours_leave_together() {
        let mut queue = queue_with(&[Fate::Pass, Fate::Corrupt, Fate::Pass]);
        assert_eq!(queue.next_at(), Some(MS));
        assert_eq!(leaving(&mut queue, Duration::ZERO), [[0; 0]; 0]);
        assert_eq!(leaving(&mut queue, MS), [[0, 1, 2]]);
        assert_eq!((queue.next_at(), queue.bytes), (None, 0));
    }

    #[test]
    fn a_duplicate_leaves_twice() {
        let mut queue = queue_with(&[Fate::Pass, Fate::Duplicate, Fate::Pass]);
        assert_eq!(leaving(&mut queue, MS), [[0], [1], [1], [2]]);
        assert_eq!(queue.bytes, 0);
    }

    #[test]
    fn a_reordered_one_is_overtaken_by_exactly_as_many_as_it_says() {
        let pass = Fate::Pass;
        let mut queue = queue_with(&[Fate::Reorder(2), pass, pass, pass]);
        assert_eq!(leaving(&mut queue, MS), [vec![1, 2], vec![0], vec![3]]);
    }

    #[test]
    fn nobody_waits_for_ever_to_be_overtaken() {
        let mut queue = queue_with(&[Fate::Reorder(9)]);
        assert_eq!(leaving(&mut queue, MS), [[0; 0]; 0]);
        assert_eq!(queue.next_at(), Some(MS + HOLD));
        assert_eq!(leaving(&mut queue, MS + HOLD), [[0]]);
    }

    #[test]
    fn other_clients_do_not_overtake() {
        let mut queue = queue_with(&[Fate::Reorder(1)]);
        queue.push(MS, (1, 1), (&[1; 10], 10), Fate::Pass);
        assert_eq!(leaving(&mut queue, MS), [[1]]);
        queue.push(2 * MS, (0, 2), (&[2; 10], 10), Fate::Pass);
        assert_eq!(leaving(&mut queue, 2 * MS), [[2], [0]]);
    }

    #[test]
    fn only_the_last_of_a_run_is_shorter_and_an_empty_one_goes_alone() {
        let mut queue = DelayQueue::default();
        for (index, length) in [(0, 10), (1, 10), (2, 4), (3, 4), (4, 0), (5, 4)] {
            queue.push(MS, (0, index), (&[0; 10][..length], 10), Fate::Pass);
        }
        queue.release(MS);
        let runs: Vec<_> = std::iter::from_fn(|| queue.next()).collect();
        let shapes: Vec<_> = runs.iter().map(|run| (run.datagrams, run.bytes.len())).collect();
        assert_eq!(shapes, [(3, 24), (1, 4), (1, 0), (1, 4)]);
    }

    #[test]
    fn what_the_system_did_not_take_leaves_first() {
        let mut queue = queue_with(&[Fate::Pass, Fate::Pass, Fate::Pass]);
        queue.release(MS);
        let mut run = queue.next().unwrap();
        let first = run.split_front(1);
        assert_eq!((first.bytes.len(), first.datagrams, run.index), (10, 1, 1));
        queue.put_back(run);
        assert_eq!(leaving(&mut queue, MS), [[1, 2]]);
        assert_eq!(queue.bytes, 0);
    }
}
