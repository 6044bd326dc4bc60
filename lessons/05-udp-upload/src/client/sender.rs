//! The second way, the client's side: a machine that is fed answers and times, and says what to send.
//! It has no socket, clock or file, so it can be tried on any network that we can think of.
//!
//! ```text
//! client                                     server
//!   ── open, length 6000, `poem.txt` ────────►
//!   ◄────────────────────────────── token ──
//!   ── open, with the token ─────────────────►
//!   ◄──────────── ack: 0 is missing, window ──
//!   ── data: block 0, transmission 1 ────────►
//!   ── data: block 1, transmission 2 ── × lost
//!   ── data: block 2, transmission 3 ────────►
//!   ── data: block 3, transmission 4 ────────►
//!   ── data: block 4, transmission 5 ────────►
//!   ◄── ack: 1 is missing, 2 3 4 came, largest 5
//!   ── data: block 1, transmission 6 ────────►
//!   ◄──────────────── ack: 5 is missing ──
//!   ── close, SHA-256 ───────────────────────►   compared, published
//!                   lost × ──────── stored ──
//!   ── close, after a timeout ───────────────►   remembered, answered again
//!   ◄─────────────────── stored `poem.txt` ──
//! ```

use std::time::Instant;

use super::sending::Sending;
use super::step::{Failure, Outgoing, Settings, Step};
use crate::packet::ack::Ack;
use crate::packet::{Kind, Packet};

/// Where an upload is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    Opening,
    Sending,
    Closing,
    Over(Result<String, Failure>),
}

/// One upload, as its sender sees it.
pub struct Sender {
    transfer: u32,
    /// The server's proof that our address is ours; 0 as long as we have none.
    token: u64,
    phase: Phase,
    sending: Sending,
    retries: u32,
    /// When an answer will be overdue; `None` while nothing is asked.
    overdue: Option<Instant>,
    consecutive_timeouts: u32,
}

impl Sender {
    /// An upload of `blocks` blocks, with a random number to tell it from others.
    pub fn new(transfer: u32, blocks: u32, settings: Settings, now: Instant) -> Self {
        let (sending, retries) = (Sending::new(blocks, settings, now), settings.retries);
        let (token, phase, overdue, consecutive_timeouts) = (0, Phase::Opening, None, 0);
        Self { transfer, token, phase, sending, retries, overdue, consecutive_timeouts }
    }

    /// How many blocks from the beginning have arrived for certain.
    pub fn arrived(&self) -> u32 {
        self.sending.arrived()
    }

    // listing: begin handle
    /// Takes a packet from the server.
    pub fn handle(&mut self, packet: &Packet, now: Instant) {
        // Answers to another upload, or from somebody who only guesses.
        let is_ours = packet.token == self.token || packet.kind == Kind::Token;
        if packet.transfer != self.transfer || !is_ours {
            return;
        }
        let text = || String::from_utf8_lossy(packet.payload).into_owned();
        match (&self.phase, packet.kind) {
            (Phase::Over(_), _) => {}
            (_, Kind::Refused) => self.phase = Phase::Over(Err(Failure::Refused(text()))),
            (Phase::Closing, Kind::Stored) => self.phase = Phase::Over(Ok(text())),
            (Phase::Opening, Kind::Token) if self.token == 0 => {
                self.token = packet.token;
                self.sending.round_trip.estimate(now);
                self.overdue = None;
            }
            (Phase::Opening | Phase::Sending, Kind::Ack) => {
                if let Some(ack) = Ack::decode(packet.block, packet.number, packet.payload) {
                    self.acknowledge(&ack, now);
                }
            }
            _ => {}
        }
    }
    // listing: end handle

    fn acknowledge(&mut self, ack: &Ack, now: Instant) {
        let is_opened = self.phase == Phase::Opening;
        if self.sending.acknowledge(ack, now) || is_opened {
            self.consecutive_timeouts = 0;
            self.overdue = Some(now + self.sending.round_trip.rto());
        }
        if is_opened {
            self.phase = Phase::Sending;
            self.sending.begin(now);
        }
        if self.sending.is_complete() {
            self.phase = Phase::Closing;
            self.overdue = None;
        }
    }

    // listing: begin next
    /// What to do next: call it again after each step, and after each packet.
    pub fn next(&mut self, now: Instant) -> Step {
        if let Phase::Over(end) = &self.phase {
            return Step::Over(end.clone());
        }
        if self.overdue.is_some_and(|overdue| overdue <= now) {
            return self.miss(now);
        }
        match self.phase {
            Phase::Sending => self.next_block(now),
            Phase::Closing => self.ask(Kind::Close, now),
            _ => self.ask(Kind::Open, now),
        }
    }

    /// Asks a question, and waits. A repeated one goes twice, so that another loss does not cost
    /// another and longer wait (two probes: RFC 9002, section 6.2.4).
    fn ask(&mut self, kind: Kind, now: Instant) -> Step {
        if let Some(overdue) = self.overdue {
            return Step::Wait(overdue);
        }
        self.overdue = Some(self.sending.round_trip.ask(now));
        let copies = if self.consecutive_timeouts > 0 { 2 } else { 1 };
        Step::Send(Outgoing { kind, token: self.token, block: 0, number: 0, copies })
    }

    fn next_block(&mut self, now: Instant) -> Step {
        let (next, token) = (self.sending.next(now), self.token);
        let overdue = *self.overdue.get_or_insert(now + self.sending.round_trip.rto());
        match next {
            Err(time) => Step::Wait(time.map_or(overdue, |time| time.min(overdue))),
            Ok((block, number)) => {
                Step::Send(Outgoing { kind: Kind::Data, token, block, number, copies: 1 })
            }
        }
    }
    // listing: end next

    /// No answer came in time.
    fn miss(&mut self, now: Instant) -> Step {
        let round_trip = &mut self.sending.round_trip;
        let (kind, waited) = match self.phase {
            Phase::Sending => (Kind::Data, round_trip.rto()),
            Phase::Closing => (Kind::Close, round_trip.request_timeout()),
            _ => (Kind::Open, round_trip.request_timeout()),
        };
        self.consecutive_timeouts += 1;
        round_trip.back_off();
        self.overdue = None;
        if self.consecutive_timeouts > self.retries {
            self.phase = Phase::Over(Err(Failure::Silence(kind, self.consecutive_timeouts)));
        } else if kind == Kind::Data {
            self.sending.miss(self.consecutive_timeouts, now);
        }
        Step::Late(kind, waited)
    }
}

#[cfg(test)]
mod tests;
