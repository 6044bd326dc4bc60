//! One direction of a TCP connection: reads on one side, delays and breaks, writes on the other.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use mio::net::TcpStream;

use super::gate::{Gate, Step};
use super::lane::Lane;
use super::splice::Splice;
use super::watch::Watch;
use crate::faults::{Direction, Fate};
use crate::record::{Connection, Happening};

/// What one stream may have on its way.
const MAX_FLOW_BYTES: usize = 16 << 20;
/// What one turn writes at most, so that others get theirs.
const TURN_BYTES: usize = 1 << 20;
/// Pieces in one write.
const MAX_SLICES: usize = 64;

/// A socket and what the poll last said about it.
pub(super) struct Side {
    pub(super) stream: TcpStream,
    pub(super) readable: bool,
    pub(super) writable: bool,
}

pub(super) struct Flow {
    direction: Direction,
    gate: Gate,
    pieces: VecDeque<Piece>,
    /// Bytes in `pieces`.
    bytes: usize,
    /// The sender sends no more, or is not listened to any more.
    ended: bool,
    /// The receiver has been told so.
    told: bool,
    /// It waits in its lane for room before the bottleneck,
    parked: bool,
    /// or has been told that there is room.
    granted: bool,
    splice: Option<Splice>,
}

/// What is on its way: bytes, or the end.
struct Piece {
    at: Duration,
    index: u64,
    what: What,
}

enum What {
    /// Bytes, of which so many have been delivered.
    Bytes(Vec<u8>, usize),
    Fin,
    Rst,
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
    pub(super) fn new(direction: Direction, lane: &Lane, splice: Option<Splice>) -> Self {
        Self {
            direction,
            gate: Gate::new(lane.faults.clone()),
            pieces: VecDeque::new(),
            bytes: 0,
            ended: false,
            told: false,
            parked: false,
            granted: false,
            splice,
        }
    }

    /// Whether there is nothing left to do.
    pub(super) fn is_over(&self) -> bool {
        self.ended && self.told
    }

    /// Carries what can be carried without waiting.
    pub(super) fn turn(
        &mut self,
        (from, to): (&mut Side, &mut Side),
        connection: Connection,
        lane: &mut Lane,
        watch: &mut Watch,
    ) -> Outcome {
        if let Some(splice) = &mut self.splice {
            match splice.turn(from, to, self.direction, watch) {
                Ok(outcome) => return self.spliced(outcome, to, connection, lane, watch),
                Err(_) => self.splice = None, // no pipe: copy instead
            }
        }
        let mut outcome = self.deliver(to, connection, lane, watch);
        if !outcome.reset && !outcome.refused && self.take_in(from, connection, lane, watch) {
            let after = self.deliver(to, connection, lane, watch);
            outcome = Outcome { more: !self.parked, ..after };
        }
        outcome
    }

    fn spliced(
        &mut self,
        (mut outcome, ended): (Outcome, bool),
        to: &mut Side,
        connection: Connection,
        lane: &mut Lane,
        watch: &mut Watch,
    ) -> Outcome {
        if ended && !self.told {
            self.ended = true;
            outcome.refused |= self.end(to, connection, lane, watch).is_err();
        }
        outcome
    }

    /// Reads one piece if there is room for it; `true` if it did.
    fn take_in(
        &mut self,
        from: &mut Side,
        connection: Connection,
        lane: &mut Lane,
        watch: &mut Watch,
    ) -> bool {
        if self.ended || self.parked || !from.readable || self.is_full(lane) {
            return false;
        }
        let now = watch.now();
        self.parked = !self.granted && !lane.grants(connection.number, now);
        self.granted = false;
        if self.parked {
            return false;
        }
        let what = match from.stream.read(lane.buffer()) {
            Ok(0) => What::Fin,
            Ok(length) => What::Bytes(lane.buffer()[..length].to_vec(), 0),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                from.readable = false;
                return false;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => return true,
            Err(_) => What::Rst,
        };
        self.enqueue(what, now, connection, lane, watch);
        true
    }

    fn enqueue(
        &mut self,
        what: What,
        now: Duration,
        connection: Connection,
        lane: &mut Lane,
        watch: &mut Watch,
    ) {
        let length = if let What::Bytes(bytes, _) = &what { bytes.len() } else { 0 };
        let (index, at) = lane.admit(now, length);
        if let What::Bytes(bytes, _) = &what {
            let fate = if self.told { Fate::Lose } else { Fate::Pass };
            watch.sent((connection, self.direction), index, fate, bytes);
        } else {
            self.ended = true;
        }
        if self.told && length > 0 {
            return;
        }
        self.bytes += length;
        lane.bytes += length;
        self.pieces.push_back(Piece { at, index, what });
    }

    fn is_full(&self, lane: &Lane) -> bool {
        self.bytes >= MAX_FLOW_BYTES || (self.bytes > 0 && lane.is_full())
    }

    /// Writes what has waited long enough.
    fn deliver(
        &mut self,
        to: &mut Side,
        connection: Connection,
        lane: &mut Lane,
        watch: &mut Watch,
    ) -> Outcome {
        let mut left = TURN_BYTES;
        let done = Outcome::default();
        loop {
            let now = watch.now();
            let (ready, last) = self.ready(now);
            let step = if self.told { Step::End } else { self.gate.next(ready, last, now) };
            let written = match step {
                Step::Reset => return Outcome { reset: true, ..done },
                Step::End if self.told || self.meets_rst(now) => {
                    return Outcome { reset: self.meets_rst(now), ..done };
                }
                Step::End | Step::Cut => self.end(to, connection, lane, watch).map(|()| 0),
                Step::More => return Outcome { at: self.next_at(), ..done },
                Step::Wait(at) => return Outcome { at: Some(at), ..done },
                Step::Write(_) if left == 0 => return Outcome { more: true, ..done },
                Step::Write(_) if !to.writable => return done,
                Step::Write(most) => self.write(most.min(left), to, connection, watch),
            };
            match written {
                Ok(written) => {
                    left = left.saturating_sub(written);
                    self.release(written, lane);
                    self.gate.wrote(written, now);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => to.writable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Outcome { refused: true, ..done },
            }
        }
    }

    fn next_at(&self) -> Option<Duration> {
        self.pieces.front().map(|piece| piece.at)
    }

    fn release(&mut self, bytes: usize, lane: &mut Lane) {
        lane.bytes -= bytes;
        self.bytes -= bytes;
    }

    /// How many bytes may leave now, and whether the stream ends after them.
    fn ready(&self, now: Duration) -> (usize, bool) {
        let mut ready = 0;
        for piece in self.pieces.iter().take_while(|piece| piece.at <= now).take(MAX_SLICES) {
            match &piece.what {
                What::Bytes(bytes, gone) => ready += bytes.len() - gone,
                What::Fin | What::Rst => return (ready, true),
            }
        }
        (ready, false)
    }

    fn meets_rst(&self, now: Duration) -> bool {
        let rst = |piece: &Piece| piece.at <= now && matches!(piece.what, What::Rst);
        self.pieces.iter().find(|piece| !matches!(piece.what, What::Bytes(..))).is_some_and(rst)
    }

    fn write(
        &mut self,
        most: usize,
        to: &mut Side,
        connection: Connection,
        watch: &mut Watch,
    ) -> io::Result<usize> {
        let mut slices = Vec::with_capacity(self.pieces.len().min(MAX_SLICES));
        let mut left = most;
        for piece in self.pieces.iter().take(MAX_SLICES) {
            let What::Bytes(bytes, gone) = &piece.what else { break };
            let part = &bytes[*gone..bytes.len().min(gone + left)];
            left -= part.len();
            slices.push(IoSlice::new(part));
            if left == 0 {
                break;
            }
        }
        let written = to.stream.write_vectored(&slices)?;
        watch.counters.went_out(self.direction, 1, written);
        self.advance(written, connection, watch);
        Ok(written)
    }

    /// Notes that so many bytes have gone; each piece that they belonged to is told for itself.
    fn advance(&mut self, mut written: usize, connection: Connection, watch: &mut Watch) {
        while written > 0 {
            let Some(Piece { index, what: What::Bytes(bytes, gone), .. }) = self.pieces.front_mut()
            else {
                return;
            };
            let part = written.min(bytes.len() - *gone);
            let payload = &bytes[*gone..*gone + part];
            watch.delivered((connection, self.direction), *index, payload);
            *gone += part;
            written -= part;
            if *gone == bytes.len() {
                self.pieces.pop_front();
            }
        }
    }

    /// Tells the receiver that no more will come.
    fn end(
        &mut self,
        to: &mut Side,
        connection: Connection,
        lane: &mut Lane,
        watch: &mut Watch,
    ) -> io::Result<()> {
        self.told = true;
        self.release(self.bytes, lane);
        self.pieces.retain(|piece| matches!(piece.what, What::Rst));
        to.stream.shutdown(Shutdown::Write)?;
        watch.record(connection, self.direction, || Happening::Ended);
        Ok(())
    }

    /// It is its turn to read.
    pub(super) fn grant(&mut self) {
        (self.parked, self.granted) = (false, true);
    }

    /// Its sender has reset the connection; `false` if the stream was at its end already.
    pub(super) fn sender_reset(&mut self, lane: &mut Lane, now: Duration) -> bool {
        if self.ended {
            return false;
        }
        self.ended = true;
        self.splice = None;
        let (index, at) = lane.admit(now, 0);
        self.pieces.push_back(Piece { at, index, what: What::Rst });
        true
    }

    /// Its receiver has: nobody wants what is on the way.
    pub(super) fn receiver_reset(&mut self, lane: &mut Lane) {
        self.release(self.bytes, lane);
        self.pieces.clear();
        (self.ended, self.told) = (true, true);
    }

    /// Gives back what it holds of the lane.
    pub(super) fn close(&mut self, lane: &mut Lane, connection: u32) {
        self.release(self.bytes, lane);
        if self.parked {
            lane.forget(connection);
        }
    }
}
