//! One direction of a TCP connection: reads on one side, delays and breaks, writes on the other.

use std::io::{self, ErrorKind, Read};
use std::net::Shutdown;
use std::time::Duration;

use mio::net::TcpStream;

use super::chunks::{Chunks, What};
use super::monitor::Monitor;
use super::shared_link::SharedLink;
use super::splice::{Shortcut, Splice};
use super::stream_faults::{FaultInjector, Step};
use crate::faults::{Direction, Fate};
use crate::record::{Connection, Happening};

/// What one stream may have on its way.
const MAX_FLOW_BYTES: usize = 16 << 20;
/// What one turn writes at most, so that others get theirs.
const TURN_BYTES: usize = 1 << 20;

/// A socket and what the poll last said about it.
pub(super) struct Side {
    pub(super) stream: TcpStream,
    pub(super) readable: bool,
    pub(super) writable: bool,
}

pub(super) struct Flow {
    direction: Direction,
    injector: FaultInjector,
    chunks: Chunks,
    /// The sender sends no more, or is not listened to any more.
    ended: bool,
    /// The receiver has been told so.
    told: bool,
    position: QueuePosition,
    splice: Option<Splice>,
}

/// The place of a flow in the queue for room before the bottleneck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum QueuePosition {
    /// It has not asked.
    Free,
    /// It waits for room on its link.
    Parked,
    /// It has been told that there is room.
    Granted,
}

/// What a turn of a flow led to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// There is more to do at once.
    pub(super) more: bool,
    /// There will be more to do at this time.
    pub(super) at: Option<Duration>,
    /// The connection is to be reset on both sides.
    pub(super) reset: bool,
    /// The receiver has reset the connection.
    pub(super) refused: bool,
}

impl Flow {
    pub(super) fn new(direction: Direction, link: &SharedLink, splice: Option<Splice>) -> Self {
        Self {
            direction,
            injector: FaultInjector::new(link.faults.clone()),
            chunks: Chunks::default(),
            ended: false,
            told: false,
            position: QueuePosition::Free,
            splice,
        }
    }

    /// Whether there is nothing left to do.
    pub(super) fn is_over(&self) -> bool {
        self.ended && self.told && self.chunks.next_at().is_none()
    }

    /// Carries what can be carried without waiting.
    pub(super) fn turn(
        &mut self,
        (from, to): (&mut Side, &mut Side),
        connection: Connection,
        link: &mut SharedLink,
        monitor: &mut Monitor,
    ) -> Outcome {
        if let Some(splice) = &mut self.splice {
            match splice.turn(from, to, self.direction, monitor) {
                Ok(outcome) => return self.spliced(outcome, to, connection, link, monitor),
                Err(_) => self.splice = None, // no pipe: copy instead
            }
        }
        let mut outcome = self.deliver(to, connection, link, monitor);
        if !outcome.reset && !outcome.refused && self.take_in(from, connection, link, monitor) {
            let after = self.deliver(to, connection, link, monitor);
            outcome = Outcome { more: self.position != QueuePosition::Parked, ..after };
        }
        outcome
    }

    fn spliced(
        &mut self,
        (mut outcome, ended): (Outcome, bool),
        to: &mut Side,
        connection: Connection,
        link: &mut SharedLink,
        monitor: &mut Monitor,
    ) -> Outcome {
        if ended && !self.told {
            self.ended = true;
            outcome.refused |= self.end(to, connection, link, monitor).is_err();
        }
        outcome
    }

    /// Reads one chunk if there is room for it; `true` if it did.
    fn take_in(
        &mut self,
        from: &mut Side,
        connection: Connection,
        link: &mut SharedLink,
        monitor: &mut Monitor,
    ) -> bool {
        if self.ended
            || self.position == QueuePosition::Parked
            || !from.readable
            || self.is_full(link)
        {
            return false;
        }
        let now = monitor.now();
        if self.position == QueuePosition::Free && !link.grants(connection.number, now) {
            self.position = QueuePosition::Parked;
            return false;
        }
        self.position = QueuePosition::Free;
        let what = match from.stream.read(link.buffer()) {
            Ok(0) => What::Fin,
            Ok(length) => What::Bytes(link.buffer()[..length].to_vec()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                from.readable = false;
                return false;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => return true,
            Err(_) => What::Rst,
        };
        self.enqueue(what, now, connection, link, monitor);
        true
    }

    fn enqueue(
        &mut self,
        what: What,
        now: Duration,
        connection: Connection,
        link: &mut SharedLink,
        monitor: &mut Monitor,
    ) {
        let length = if let What::Bytes(bytes) = &what { bytes.len() } else { 0 };
        let (index, at) = link.admit(now, length);
        if let What::Bytes(bytes) = &what {
            let fate = if self.told { Fate::Lose } else { Fate::Pass };
            monitor.sent((connection, self.direction), index, fate, bytes);
        } else {
            self.ended = true;
        }
        if self.told && !matches!(what, What::Rst) {
            return; // the receiver has seen the end
        }
        link.bytes += length;
        self.chunks.push(at, index, what);
    }

    fn is_full(&self, link: &SharedLink) -> bool {
        self.chunks.bytes() >= MAX_FLOW_BYTES || (self.chunks.bytes() > 0 && link.is_full())
    }

    /// Writes what has waited long enough.
    fn deliver(
        &mut self,
        to: &mut Side,
        connection: Connection,
        link: &mut SharedLink,
        monitor: &mut Monitor,
    ) -> Outcome {
        let mut left = TURN_BYTES;
        let done = Outcome::default();
        loop {
            let now = monitor.now();
            let (ready, last) = self.chunks.ready(now);
            let step = if self.told { Step::End } else { self.injector.next(ready, last, now) };
            let written = match step {
                Step::Reset => return Outcome { reset: true, ..done },
                Step::End if self.told || self.chunks.meet_rst(now) => {
                    let reset = self.chunks.meet_rst(now);
                    return Outcome { reset, at: self.chunks.next_at(), ..done };
                }
                Step::End | Step::Cut => self.end(to, connection, link, monitor).map(|()| 0),
                Step::More => return Outcome { at: self.chunks.next_at(), ..done },
                Step::Wait(at) => return Outcome { at: Some(at), ..done },
                Step::Write(_) if left == 0 => return Outcome { more: true, ..done },
                Step::Write(_) if !to.writable => return done,
                Step::Write(most) => self.write(most.min(left), to, connection, monitor),
            };
            match written {
                Ok(written) => {
                    left = left.saturating_sub(written);
                    link.bytes -= written;
                    self.injector.wrote(written, now);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => to.writable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Outcome { refused: true, ..done },
            }
        }
    }

    fn write(
        &mut self,
        most: usize,
        to: &mut Side,
        connection: Connection,
        monitor: &mut Monitor,
    ) -> io::Result<usize> {
        let written = self.chunks.write(most, &mut to.stream)?;
        monitor.counters.went_out(self.direction, 1, written);
        self.chunks.advance(written, |index, payload| {
            monitor.delivered((connection, self.direction), index, payload);
        });
        Ok(written)
    }

    /// Tells the receiver that no more will come.
    fn end(
        &mut self,
        to: &mut Side,
        connection: Connection,
        link: &mut SharedLink,
        monitor: &mut Monitor,
    ) -> io::Result<()> {
        self.told = true;
        link.bytes -= self.chunks.forget();
        to.stream.shutdown(Shutdown::Write)?;
        monitor.record(connection, self.direction, || Happening::Ended);
        Ok(())
    }

    /// It is its turn to read.
    pub(super) fn grant(&mut self) {
        self.position = QueuePosition::Granted;
    }

    /// Its sender has reset the connection; `false` if the stream was at its end already.
    pub(super) fn sender_reset(&mut self, link: &mut SharedLink, now: Duration) -> bool {
        if self.ended {
            return false;
        }
        self.ended = true;
        self.splice = None;
        let (index, at) = link.admit(now, 0);
        self.chunks.push(at, index, What::Rst);
        true
    }

    /// Its receiver has: nobody wants what is on the way.
    pub(super) fn receiver_reset(&mut self, link: &mut SharedLink) {
        link.bytes -= self.chunks.forget();
        (self.ended, self.told) = (true, true);
    }

    /// Gives back what it holds of the link.
    pub(super) fn close(&mut self, link: &mut SharedLink, connection: u32) {
        link.bytes -= self.chunks.forget();
        if self.position == QueuePosition::Parked {
            link.forget(connection);
        }
    }
}
