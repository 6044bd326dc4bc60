//! The relay's clock, its numbers and its memory: what every part of it tells.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::counts::Counters;
use crate::faults::{Direction, Fate};
use crate::record::{Connection, Event, Happening, Recorder};

pub(super) struct Monitor {
    started: Instant,
    pub(super) counters: Arc<Counters>,
    recorder: Option<Box<dyn Recorder>>,
}

impl Monitor {
    pub(super) fn new(counters: Arc<Counters>, recorder: Option<Box<dyn Recorder>>) -> Self {
        Self { started: Instant::now(), counters, recorder }
    }

    /// Time since the relay was started.
    pub(super) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    pub(super) fn records(&self) -> bool {
        self.recorder.is_some()
    }

    pub(super) fn opened(&mut self, connection: Connection) {
        self.counters.opened();
        self.record(connection, Direction::ToServer, || Happening::Opened);
    }

    pub(super) fn refused(&mut self, connection: Connection) {
        self.counters.refused();
        self.record(connection, Direction::ToServer, || Happening::Refused);
    }

    pub(super) fn sent(
        &mut self,
        (connection, direction): (Connection, Direction),
        index: u64,
        fate: Fate,
        payload: &[u8],
    ) {
        self.counters.came_in(direction, fate, payload.len());
        let sent = || Happening::Sent { index, fate, payload: payload.into() };
        self.record(connection, direction, sent);
    }

    /// Bytes left the relay; `pieces` is how many datagrams or writes that was, for the numbers.
    pub(super) fn delivered(
        &mut self,
        (connection, direction): (Connection, Direction),
        index: u64,
        payload: &[u8],
    ) {
        let delivered = || Happening::Delivered { index, payload: payload.into() };
        self.record(connection, direction, delivered);
    }

    pub(super) fn record(
        &mut self,
        connection: Connection,
        direction: Direction,
        happening: impl FnOnce() -> Happening,
    ) {
        let at = self.now();
        if let Some(recorder) = &mut self.recorder {
            recorder.record(&Event { at, connection, direction, happening: happening() });
        }
    }
}
