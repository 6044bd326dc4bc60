//! What all TCP connections share in one direction: the bottleneck, and the memory for what is on
//! its way.

use std::collections::VecDeque;
use std::time::Duration;

use crate::conditions::{Path, StreamFaults};
use crate::faults::{Dice, Direction};
use crate::shape::Shaper;

/// What all streams of one direction may have on their way together: 64 MiB. A stream that has
/// nothing on its way may always add a chunk, so that none starves.
const MAX_LINK_BYTES: usize = 64 << 20;
/// What one read takes at most.
const READ_BYTES: usize = 64 << 10;

/// Both directions.
pub(super) struct SharedLinks {
    pub(super) to_server: SharedLink,
    pub(super) to_client: SharedLink,
}

pub(super) struct SharedLink {
    pub(super) faults: StreamFaults,
    shaper: Shaper,
    /// Chunks so far.
    count: u64,
    /// Bytes on their way.
    pub(super) bytes: usize,
    /// Connections that wait for room before the bottleneck, in the order in which they came.
    parked: VecDeque<u32>,
    buffer: Vec<u8>,
}

impl SharedLink {
    pub(super) fn new(seed: u64, direction: Direction, path: &Path) -> Self {
        let shaper = Shaper::new(path.shape.clone(), Dice::new(seed, direction));
        let buffer = vec![0; shaper.turn_bytes(READ_BYTES)];
        let faults = path.stream.clone();
        Self { faults, shaper, count: 0, bytes: 0, parked: VecDeque::new(), buffer }
    }

    /// Where to read to, as much as is granted at a time.
    pub(super) fn buffer(&mut self) -> &mut [u8] {
        &mut self.buffer
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes >= MAX_LINK_BYTES
    }

    /// Whether a connection may read one chunk now; if not, it has been parked, and
    /// [`SharedLink::unpark`] will name it. Who comes first reads first, so all get the same.
    pub(super) fn grants(&mut self, connection: u32, now: Duration) -> bool {
        let granted = self.parked.is_empty() && self.has_room(now);
        if !granted {
            self.parked.push_back(connection);
        }
        granted
    }

    fn has_room(&self, now: Duration) -> bool {
        self.shaper.room(now) >= self.buffer.len() as u64
    }

    /// The connection that may read now, if there is room.
    pub(super) fn unpark(&mut self, now: Duration) -> Option<u32> {
        if self.has_room(now) { self.parked.pop_front() } else { None }
    }

    /// A connection that does not want to read any more.
    pub(super) fn forget(&mut self, connection: u32) {
        self.parked.retain(|parked| *parked != connection);
    }

    /// When [`SharedLink::unpark`] will have an answer.
    pub(super) fn next_at(&self) -> Option<Duration> {
        self.parked.front().map(|_| self.shaper.room_at(self.buffer.len() as u64))
    }

    /// The number of a chunk, and when it comes out.
    pub(super) fn admit(&mut self, now: Duration, bytes: usize) -> (u64, Duration) {
        let index = self.count;
        self.count += u64::from(bytes > 0);
        // There is room: it was asked for before reading.
        let at = self.shaper.admit(now, bytes, index).unwrap_or(now);
        (index, at)
    }
}
