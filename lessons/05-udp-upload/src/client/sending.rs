//! The time between `open` and `close`: blocks go out as the window, the pace and the server allow,
//! and what is lost goes out again.

use std::time::{Duration, Instant};

use super::congestion::Congestion;
use super::flight::Flight;
use super::pacer::Pacer;
use super::round_trip::RoundTrip;
use super::step::Settings;
use crate::packet::ack::Ack;

/// The blocks of a file on their way.
pub struct Sending {
    blocks: u32,
    /// Blocks on their way at once, whatever the network says.
    fixed_window: Option<u32>,
    /// The server's word: no block from here on may be sent yet.
    limit: u32,
    flight: Flight,
    congestion: Congestion,
    pacer: Pacer,
    pub round_trip: RoundTrip,
    /// One block may be sent although the window is full.
    may_probe: bool,
}

impl Sending {
    pub fn new(blocks: u32, settings: Settings, now: Instant) -> Self {
        Self {
            blocks,
            fixed_window: settings.window,
            limit: 0,
            flight: Flight::new(),
            congestion: Congestion::new(now),
            pacer: Pacer::new(now),
            round_trip: RoundTrip::new(settings.timeout),
            may_probe: false,
        }
    }

    /// The server has agreed: from here on time counts.
    pub fn begin(&mut self, now: Instant) {
        self.congestion = Congestion::new(now);
    }

    /// How many blocks from the beginning have arrived for certain.
    pub fn arrived(&self) -> u32 {
        self.flight.blocks.first()
    }

    pub fn is_complete(&self) -> bool {
        self.arrived() == self.blocks
    }

    // listing: begin acknowledge
    /// Takes an acknowledgement; whether it had any news.
    pub fn acknowledge(&mut self, ack: &Ack, now: Instant) -> bool {
        let Some(news) = self.flight.acknowledge(ack, now) else { return false };
        self.limit = self.limit.max(ack.first_missing.saturating_add(ack.window));
        if let Some(time) = news.round_trip {
            self.round_trip.measure(time, now);
        }
        let (min_rtt, next) = (self.round_trip.min_rtt(), self.flight.next_number());
        self.congestion.note_lost(self.flight.find_losses(now, self.patience()));
        self.congestion.on_ack(news.arrived, news.round_trip, min_rtt, now);
        self.congestion.end_round(ack.largest_acked, next, min_rtt, now);
        news.arrived > 0
    }
    // listing: end acknowledge

    /// How much later than others a packet may come before it is taken for lost (RFC 9002, section
    /// 6.1.2).
    fn patience(&self) -> Duration {
        self.round_trip.smoothed_rtt() * 9 / 8
    }

    // listing: begin next
    /// The next block to send and its number, or the time until which there is none.
    pub fn next(&mut self, now: Instant) -> Result<(u32, u32), Option<Instant>> {
        self.congestion.note_lost(self.flight.find_losses(now, self.patience()));
        let block = self.flight.blocks.first_lost().unwrap_or(self.flight.blocks.end());
        let is_full = f64::from(self.flight.blocks.flying()) + 1.0 > self.window();
        if is_full {
            self.congestion.note_full();
        }
        let is_allowed = block < self.blocks.min(self.limit) && (!is_full || self.may_probe);
        let next_loss = self.flight.next_loss(self.patience());
        if !is_allowed {
            return Err(next_loss);
        }
        if let Some(turn) = self.turn(now) {
            return Err(Some(next_loss.map_or(turn, |loss| loss.min(turn))));
        }
        self.may_probe = false;
        Ok((block, self.flight.send(block, now)))
    }
    // listing: end next

    fn window(&self) -> f64 {
        self.fixed_window.map_or(self.congestion.window(), f64::from)
    }

    /// When it is our turn, if that is not now. A window that a person has fixed is not paced.
    fn turn(&mut self, now: Instant) -> Option<Instant> {
        let round_trip = self.round_trip.smoothed_rtt().max(Duration::from_micros(1)).as_secs_f64();
        let rate = self.congestion.pace() * self.window() / round_trip;
        if self.fixed_window.is_some() { None } else { self.pacer.turn(rate, now) }
    }

    /// After `waits` consecutive timeouts. A first one may be due to the loss of a single packet, or of
    /// its acknowledgement. So one block is sent as a probe, however full the window is, and the window
    /// stays as it is (RFC 9002, sections 6.2.4 and 7.5, but for one thing: the probe is not new data,
    /// as the server waits for the first block). After a second one nothing has arrived for three times
    /// the probe timeout: persistent congestion (section 7.6.1), and all blocks count as lost.
    pub fn miss(&mut self, timeouts: u32, now: Instant) {
        let everything = timeouts > 1;
        self.flight.give_up(everything);
        self.may_probe = true;
        if everything {
            self.congestion.on_persistent_congestion(self.flight.next_number(), now);
        }
    }
}
