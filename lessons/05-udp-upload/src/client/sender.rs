//! The second way, the client's side: a machine that is fed answers and times, and says what to
//! send. It has neither a socket nor a clock nor a file, so it can be tried on any network that we
//! can think of, at any speed.
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
//!   ◄─── ack: 1 is missing, 2 3 4 came, newest 5
//!   ── data: block 1, transmission 6 ────────►
//!   ◄──────────────── ack: 5 is missing ──
//!   ── close, SHA-256 ───────────────────────►   compared, published
//!                   lost × ──────── stored ──
//!      … timeout …
//!   ── close, SHA-256 ───────────────────────►   remembered, answered again
//!   ◄─────────────────── stored `poem.txt` ──
//! ```

use std::time::{Duration, Instant};

use crate::ack::Ack;
use crate::client::congestion::Congestion;
use crate::client::flight::Flight;
use crate::client::pacer::Pacer;
use crate::client::round_trip::RoundTrip;
use crate::packet::{Kind, Packet};

/// How an upload is to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long to wait for the first answer.
    pub timeout: Duration,
    /// How often to wait in vain before giving up.
    pub retries: u32,
    /// Blocks on their way at once, whatever the network says.
    pub window: Option<u32>,
}

/// Where an upload is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// Something was asked, and nothing else is sent before it is answered.
    Opening,
    Sending,
    Closing,
    Over(Result<String, Failure>),
}

/// Why an upload failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server's words.
    Refused(String),
    /// No answer to packets of this kind, in so many tries.
    Silence(Kind, u32),
}

/// A packet to send; its payload is the caller's to fill in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outgoing {
    pub kind: Kind,
    pub token: u64,
    pub block: u32,
    pub number: u32,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Send(Outgoing),
    /// Nothing before this time, unless an answer comes.
    Wait(Instant),
    /// A wait was in vain; for the person who watches.
    Late(Kind, Duration),
    Over(Result<String, Failure>),
}

/// One upload, as its sender sees it.
pub struct Sender {
    transfer: u32,
    token: u64,
    blocks: u32,
    settings: Settings,
    phase: Phase,
    flight: Flight,
    round_trip: RoundTrip,
    congestion: Congestion,
    pacer: Pacer,
    /// The server's: no block from here on may be sent yet.
    limit: u32,
    /// When an answer will be overdue; `None` while nothing is asked.
    overdue: Option<Instant>,
    waits_in_vain: u32,
    /// May one block be sent although the window is full?
    is_probing: bool,
}

impl Sender {
    /// An upload of so many blocks, with a random number to tell it from others.
    pub fn new(transfer: u32, blocks: u32, settings: Settings, now: Instant) -> Self {
        Self {
            transfer,
            token: 0,
            blocks,
            settings,
            phase: Phase::Opening,
            flight: Flight::new(),
            round_trip: RoundTrip::new(settings.timeout),
            congestion: Congestion::new(now),
            pacer: Pacer::new(now),
            limit: 0,
            overdue: None,
            waits_in_vain: 0,
            is_probing: false,
        }
    }

    /// How many blocks have arrived for certain.
    pub fn arrived(&self) -> u32 {
        self.flight.first()
    }

    // listing: begin handle
    /// Takes a packet from the server.
    pub fn handle(&mut self, packet: &Packet, now: Instant) {
        // Answers to another upload, or from somebody who only guesses.
        if packet.transfer != self.transfer
            || (packet.token != self.token && packet.kind != Kind::Token)
        {
            return;
        }
        let text = || String::from_utf8_lossy(packet.payload).into_owned();
        match (&self.phase, packet.kind) {
            (Phase::Over(_), _) => {}
            (_, Kind::Refused) => self.phase = Phase::Over(Err(Failure::Refused(text()))),
            (Phase::Closing, Kind::Stored) => self.phase = Phase::Over(Ok(text())),
            (Phase::Opening, Kind::Token) if self.token == 0 => {
                self.token = packet.token;
                self.overdue = None;
            }
            (Phase::Opening | Phase::Sending, Kind::Ack) => {
                let ack = Ack::decode(packet.block, packet.number, packet.payload);
                if let Some(ack) = ack {
                    self.acknowledge(&ack, now);
                }
            }
            _ => {}
        }
    }
    // listing: end handle

    fn acknowledge(&mut self, ack: &Ack, now: Instant) {
        let Some(news) = self.flight.acknowledge(ack, now) else { return };
        if self.phase == Phase::Opening {
            self.phase = Phase::Sending;
            self.overdue = None;
            self.congestion = Congestion::new(now);
        }
        if let Some(time) = news.round_trip {
            self.round_trip.measure(time, now);
        }
        if news.arrived > 0 {
            self.waits_in_vain = 0;
            self.overdue = Some(now + self.round_trip.timeout());
        }
        self.limit = self.limit.max(ack.first_missing.saturating_add(ack.window));
        let lost = self.flight.find_losses(now, self.patience());
        self.congestion.note(news.arrived, lost, news.round_trip);
        let (next, path) = (self.flight.next_number(), self.round_trip.shortest());
        self.congestion.end_round(ack.newest, next, path, now);
        if self.flight.first() == self.blocks {
            self.phase = Phase::Closing;
            self.overdue = None;
        }
    }

    /// How much later than others a packet may be (RFC 9002, section 6.1.2).
    fn patience(&self) -> Duration {
        self.round_trip.mean() * 9 / 8
    }

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

    /// Asks a single question, and waits.
    fn ask(&mut self, kind: Kind, now: Instant) -> Step {
        if let Some(overdue) = self.overdue {
            return Step::Wait(overdue);
        }
        self.overdue = Some(now + self.round_trip.timeout());
        Step::Send(Outgoing { kind, token: self.token, block: 0, number: 0 })
    }

    fn next_block(&mut self, now: Instant) -> Step {
        let lost = self.flight.find_losses(now, self.patience());
        self.congestion.note(0, lost, None);
        let block = self.flight.first_lost().unwrap_or(self.flight.end());
        let window = self.settings.window.map_or(self.congestion.window(), f64::from);
        let is_full = f64::from(self.flight.in_flight()) + 1.0 > window;
        if is_full {
            self.congestion.note_full();
        }
        let may = block < self.blocks.min(self.limit) && (!is_full || self.is_probing);
        let rate = self.congestion.haste() * window / self.round_trip.mean().as_secs_f64().max(1e-6);
        let paced = if self.settings.window.is_none() { self.pacer.ready(rate, now) } else { None };
        match paced {
            _ if !may => Step::Wait(self.next_look(now)),
            Some(later) => Step::Wait(later.min(self.next_look(now))),
            None => {
                self.is_probing = false;
                self.pacer.spend();
                let number = self.flight.send(block, now);
                self.overdue = self.overdue.or(Some(now + self.round_trip.timeout()));
                Step::Send(Outgoing { kind: Kind::Data, token: self.token, block, number })
            }
        }
    }

    fn next_look(&self, now: Instant) -> Instant {
        let overdue = self.overdue.unwrap_or(now + self.round_trip.timeout());
        let loss = self.flight.next_loss(self.patience());
        loss.map_or(overdue, |loss| loss.min(overdue))
    }

    /// No answer came in time.
    fn miss(&mut self, now: Instant) -> Step {
        let waited = self.round_trip.timeout();
        let kind = match self.phase {
            Phase::Sending => Kind::Data,
            Phase::Closing => Kind::Close,
            _ => Kind::Open,
        };
        self.waits_in_vain += 1;
        self.round_trip.back_off();
        self.overdue = None;
        if self.waits_in_vain > self.settings.retries {
            self.phase = Phase::Over(Err(Failure::Silence(kind, self.waits_in_vain)));
        } else if kind == Kind::Data {
            // The first time it is only asked what is going on; the next time, all must be lost.
            let everything = self.waits_in_vain > 1;
            self.flight.give_up(everything);
            self.is_probing = true;
            self.overdue = Some(now + self.round_trip.timeout());
            if everything {
                self.congestion.collapse();
            }
        }
        Step::Late(kind, waited)
    }
}

#[cfg(test)]
mod tests;
