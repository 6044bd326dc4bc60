//! How much may be on its way at once, so that neither we nor the others on the path suffer.
//!
//! ```text
//!   window │    slow start: twice
//!          │    as much each time   ╱╲        ╱╲        ╱╲        the queue is long enough
//!          │                      ╱   │     ╱   │     ╱   │
//!          │       │            ╱     │   ╱     │   ╱     │  ╱
//!   path ··│·······│··········╱·······│·╱·······│·╱·······│╱····  what the path holds
//!          │      ╱ ╲       ╱         ▼         ▼         ▼       drained for a moment
//!          │   __╱   ╲____╱
//!          └─────────────────────────────────────────────────► round trips
//! ```
//!
//! A path holds its rate times its round trip. What is sent beyond that does not arrive sooner: it
//! waits in a queue before the narrowest link, and everybody's round trip gets longer. Classic TCP
//! (RFC 5681) notices when that queue overflows and packets are lost; but radio links lose packets
//! at random, and then it slows down for nothing. So our signal is *delay*. While the queue is
//! short, the window grows. When packets wait longer than [`QUEUE`], it becomes what the path holds,
//! and less than that for a moment: then the queue is empty, and everybody sees how long the path
//! really is. Uploads that share a link become equal in time: all grow by the same number of
//! blocks, and all shrink by the same part, so the larger gives up more (Chiu and Jain, 1989).
//!
//! The signal is that of TCP Vegas (Brakmo and Peterson, 1995), the measured rate that of BBR
//! (Cardwell and others, 2016). Lost packets count only where there is a queue too; so a narrow
//! link with hardly any queue is treated worse than TCP would treat it.

use std::time::{Duration, Instant};

use super::round::{QUEUE, Round};

/// The initial congestion window, in blocks (RFC 6928).
const INITIAL_CWND: f64 = 10.0;
/// With less than this a loss could not be told from a delay.
const MIN_CWND: f64 = 4.0;
/// This many late answers in a row end slow start, in the midst of a round.
const LATE_ANSWERS: u32 = 8;
/// A slow start whose rate has not grown by a quarter for this many rounds has reached its end.
const PLATEAU: u32 = 3;
/// The fraction of what the path holds that is sent while a queue drains, and for how many rounds.
const DRAIN: f64 = 0.75;
const DRAIN_ROUNDS: u32 = 2;
/// And the fraction after that: those who share a link must give up a part of it to become equal.
const REFILL: f64 = 0.88;
/// By how many blocks more than in the round before the window grows in each round.
const STEP: f64 = 0.5;
/// What the systems at both ends keep in their buffers in any case, in blocks.
const BUFFERS: f64 = 400.0;

/// The window, and what it follows from.
pub struct Congestion {
    window: f64,
    in_slow_start: bool,
    round: Round,
    /// The best recent rate, in blocks a second.
    rate: f64,
    plateau: u32,
    late_answers: u32,
    /// For how many rounds the queue is still drained, and the window after that.
    draining: u32,
    refill: f64,
    /// By how much the window has grown in the last round.
    step: f64,
}

impl Congestion {
    pub fn new(now: Instant) -> Self {
        let round = Round::new(1, now);
        let (window, in_slow_start, rate, refill, step) = (INITIAL_CWND, true, 0.0, 0.0, 0.0);
        let (plateau, late_answers, draining) = (0, 0, 0);
        Self { window, in_slow_start, round, rate, plateau, late_answers, draining, refill, step }
    }

    /// How many blocks may be on their way.
    pub fn window(&self) -> f64 {
        self.window
    }

    /// How often a window goes out in a round trip: more than once, or it could never become full.
    pub fn pace(&self) -> f64 {
        if self.in_slow_start { 2.0 } else { 1.25 }
    }

    /// More could have been sent, if the window were larger.
    pub fn note_full(&mut self) {
        self.round.was_full = true;
    }

    pub fn note_lost(&mut self, blocks: u32) {
        self.round.lost += blocks;
    }

    // listing: begin note
    /// On an ACK: newly acknowledged blocks, the RTT sample and the minimum RTT.
    pub fn on_ack(
        &mut self,
        blocks: u32,
        answer: Option<Duration>,
        min_rtt: Duration,
        now: Instant,
    ) {
        self.round.arrived += blocks;
        if self.in_slow_start {
            self.window += f64::from(blocks);
        }
        let Some(time) = answer else { return };
        self.round.lowest_rtt = self.round.lowest_rtt.min(time);
        self.late_answers = if time > min_rtt + QUEUE { self.late_answers + 1 } else { 0 };
        if self.in_slow_start && self.late_answers >= LATE_ANSWERS {
            self.rate = self.rate.max(self.round.rate(now));
            self.drain(min_rtt);
        }
    }

    /// Ends the round if its last transmission has arrived, and draws the conclusions.
    pub fn end_round(&mut self, largest_acked: u32, next: u32, min_rtt: Duration, now: Instant) {
        if largest_acked < self.round.ends_with {
            return;
        }
        let round = std::mem::replace(&mut self.round, Round::new(next, now));
        let rate = round.rate(now);
        if self.draining > 0 {
            self.draining -= 1;
            if self.draining == 0 {
                self.window = self.refill;
            }
        } else if round.has_queue(min_rtt) {
            // At least nearly the rate of before: a round in which we had to wait says little.
            self.rate = rate.max(0.9 * self.rate);
            self.drain(min_rtt);
        } else {
            self.grow(&round, rate, min_rtt);
        }
    }
    // listing: end note

    // listing: begin window
    /// There is a queue: only as much as the path holds without one, and less for a moment.
    fn drain(&mut self, min_rtt: Duration) {
        let holds = self.rate * min_rtt.as_secs_f64();
        self.in_slow_start = false;
        self.window = (DRAIN * holds).max(MIN_CWND);
        self.refill = (REFILL * holds).max(MIN_CWND);
        self.step = 0.0;
        self.draining = DRAIN_ROUNDS;
    }

    /// There is none: a little more. But nobody needs more than twice what the path holds.
    fn grow(&mut self, round: &Round, rate: f64, min_rtt: Duration) {
        if self.in_slow_start {
            let has_grown = rate > 1.25 * self.rate || !round.was_full;
            self.plateau = if has_grown { 0 } else { self.plateau + 1 };
            self.in_slow_start = self.plateau < PLATEAU;
        } else if round.was_full {
            self.step = (self.step + STEP).min((self.window / 16.0).max(1.0));
            self.window += self.step;
        }
        // An old best rate fades: the path may have become slower.
        self.rate = rate.max(0.98 * self.rate);
        let enough =
            self.rate * min_rtt.min(2 * QUEUE).saturating_add(min_rtt).as_secs_f64() + BUFFERS;
        self.window = self.window.min(enough);
    }
    // listing: end window

    /// Persistent congestion: nothing came back for long. As at the beginning, and more carefully.
    pub fn on_persistent_congestion(&mut self, next: u32, now: Instant) {
        let round = Round::new(next, now);
        *self = Self { window: MIN_CWND, round, ..Self::new(now) };
    }
}
