//! How much may be on its way at once, so that neither we nor the others on the path suffer.
//!
//! ```text
//!            window
//!              │          queue noticed                      ╱│
//!              │      ╱│         ╱│         ╱│             ╱  │ …
//!              │    ╱  │       ╱  │       ╱  │
//!              │  ╱    │     ╱    │     ╱    │
//!              │ ╱      `- ╱       `- ╱        drained
//!              └──────────────────────────────────► round trips
//! ```
//!
//! A path holds so much: its rate times its round trip without a queue. What we send beyond that
//! does not arrive sooner, it waits in a queue before the narrowest link, and the round trip gets
//! longer. So the signal is not loss, as it is for classic TCP (RFC 5681), since radio links lose
//! packets at random, but *delay*: as long as the queue is short, the window grows, by the same
//! amount for everybody; when it is longer than [`QUEUE`], everybody shrinks the window in proportion to its own rate. That
//! is what makes two uploads equal in the end (Chiu and Jain, 1989). Loss counts where it comes
//! with a queue, or where it becomes less when we send less.

use std::time::{Duration, Instant};

/// Before anything is known (RFC 6928), in blocks.
const FIRST_WINDOW: f64 = 10.0;
/// Less than this would make evidence of losses impossible.
const LEAST_WINDOW: f64 = 4.0;
/// A queue that keeps packets waiting so long is long enough.
const QUEUE: Duration = Duration::from_millis(4);
/// For one round trip after a queue was noticed, the window is this part of what the path holds.
const DRAIN: f64 = 0.75;
/// What the systems at both ends keep in their buffers anyway, in blocks.
const SLACK: f64 = 200.0;

/// What one round trip has taught.
struct Round {
    /// It is over when a transmission with this number arrives.
    ends_with: u32,
    began: Instant,
    arrived: u32,
    lost: u32,
    shortest: Duration,
    /// Whether the window was the reason that no more was sent.
    was_full: bool,
}

pub struct Congestion {
    window: f64,
    is_starting: bool,
    round: Round,
    best_rate: f64,
    plateau: u32,
    rest: u32,
    after_rest: f64,
}

impl Congestion {
    pub fn new(now: Instant) -> Self {
        let round = Round::new(1, now);
        Self {
            window: FIRST_WINDOW,
            is_starting: true,
            round,
            best_rate: 0.0,
            plateau: 0,
            rest: 0,
            after_rest: 0.0,
        }
    }

    /// How many blocks may be on their way.
    pub fn window(&self) -> f64 {
        self.window
    }

    /// How many times a window is sent in a round trip: a little more than once, so that it can fill.
    pub fn haste(&self) -> f64 {
        if self.is_starting { 2.0 } else { 1.25 }
    }

    pub fn note_full(&mut self) {
        self.round.was_full = true;
    }

    pub fn note(&mut self, arrived: u32, lost: u32, round_trip: Option<Duration>) {
        self.round.arrived += arrived;
        self.round.lost += lost;
        if let Some(time) = round_trip {
            self.round.shortest = self.round.shortest.min(time);
        }
        if self.is_starting {
            self.window += f64::from(arrived);
        }
    }

    pub fn end_round(&mut self, newest: u32, next: u32, path: Duration, now: Instant) {
        if newest < self.round.ends_with {
            return;
        }
        let round = std::mem::replace(&mut self.round, Round::new(next, now));
        self.decide(&round, path, now);
    }

    fn decide(&mut self, round: &Round, path: Duration, now: Instant) {
        let rate = f64::from(round.arrived) / now.duration_since(round.began).as_secs_f64().max(1e-6);
        let queue = round.shortest.saturating_sub(path);
        let lost = f64::from(round.lost) / f64::from((round.lost + round.arrived).max(1));
        if std::env::var("TRACE").is_ok() {
            println!("  window {:.0} rate {rate:.0} queue {queue:?} lost {lost:.3} start {} full {} rest {} arrived {} took {:?} path {path:?}", self.window, self.is_starting, round.was_full, self.rest, round.arrived, now - round.began);
        }
        if self.rest > 0 {
            self.rest -= 1;
            if self.rest == 0 {
                self.window = self.after_rest;
            }
            return;
        }
        let holds = rate * path.as_secs_f64();
        if queue > QUEUE || (lost > 0.02 && queue > QUEUE / 4) {
            self.is_starting = false;
            self.window = (DRAIN * holds).max(LEAST_WINDOW);
            self.after_rest = holds.max(LEAST_WINDOW);
            self.rest = 2;
            self.best_rate = rate;
            return;
        }
        if self.is_starting {
            if rate > 1.25 * self.best_rate {
                self.plateau = 0;
            } else if round.was_full {
                self.plateau += 1;
            }
            if self.plateau >= 3 {
                self.is_starting = false;
            }
        } else if round.was_full {
            self.window += (self.window.sqrt() / 2.0).max(1.0);
        }
        self.best_rate = rate.max(self.best_rate * 0.98);
        let limit = self.best_rate * (path + 2 * QUEUE).as_secs_f64().min(2.0 * path.as_secs_f64()) + SLACK;
        self.window = self.window.min(limit.max(FIRST_WINDOW));
    }

    pub fn collapse(&mut self) {
        self.window = LEAST_WINDOW;
        self.is_starting = true;
        self.best_rate = 0.0;
        self.plateau = 0;
    }
}

impl Round {
    fn new(ends_with: u32, began: Instant) -> Self {
        Self { ends_with, began, arrived: 0, lost: 0, shortest: Duration::MAX, was_full: false }
    }
}
