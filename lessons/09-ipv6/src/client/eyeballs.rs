//! Happy eyeballs (RFC 8305): which address to try when. No sockets and no clock in here.
//!
//! A name may have an address that nobody answers at, because the way to it ends at a firewall that
//! says nothing, and connect(2) gives up only after a minute or two. So a client does not wait for the
//! end of an attempt, but starts the next beside it, a little later:
//!
//! ```text
//!   0 ms  ├─ attempt 1, IPv6 ─ no answer ──────────┤ closed: it has lost
//! 250 ms  │                 ├─ attempt 2, IPv4 ────┤ connected: it has won
//! ```
//!
//! Code that has sockets and a clock asks [`Eyeballs`] for the next [`Step`], does that, and tells
//! it what came of it. All times count from the beginning.

mod settings;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use crate::family::Family;

pub use settings::{CLOSEST_STARTS, Settings};

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Start connecting to this address; this is attempt number …, counted from 0.
    Start(usize, SocketAddr),
    /// Nothing until then, unless something happens.
    WaitUntil(Duration),
    /// This attempt has won. Close all others.
    Won(usize),
    /// No attempt has worked, and none is left; [`Eyeballs::attempts`] tells why.
    Failed,
}

/// An address that has been tried.
#[derive(Debug)]
pub struct Attempt {
    pub address: SocketAddr,
    pub started: Duration,
    /// Why it has failed; `None` while nothing has come back.
    pub failure: Option<String>,
}

/// What the resolver has said about one family.
#[derive(Default)]
struct Answer {
    /// When it came, with addresses or without.
    came: Option<Duration>,
    /// Those that have not been tried yet.
    waiting: VecDeque<SocketAddr>,
}

/// The state of one search for a connection.
pub struct Eyeballs {
    settings: Settings,
    preferred: Family,
    v6: Answer,
    v4: Answer,
    attempts: Vec<Attempt>,
    winner: Option<usize>,
}

impl Eyeballs {
    /// Begins with addresses of `preferred`, where there are any.
    pub fn new(preferred: Family, settings: Settings) -> Self {
        let (v6, v4) = (Answer::default(), Answer::default());
        Self { settings, preferred, v6, v4, attempts: Vec::new(), winner: None }
    }

    /// The resolver has answered about one family, with addresses in the order of preference or with
    /// none. This may come late: then they are tried after what has been tried by then.
    pub fn answered(&mut self, family: Family, addresses: Vec<SocketAddr>, now: Duration) {
        let answer = self.answer(family);
        answer.came.get_or_insert(now);
        answer.waiting.extend(addresses);
    }

    fn answer(&mut self, family: Family) -> &mut Answer {
        match family {
            Family::V6 => &mut self.v6,
            Family::V4 => &mut self.v4,
        }
    }

    /// The handshake of an attempt is complete. The first one wins.
    pub fn connected(&mut self, attempt: usize) {
        self.winner.get_or_insert(attempt);
    }

    /// An attempt has failed, and why.
    pub fn failed(&mut self, attempt: usize, why: String) {
        self.attempts[attempt].failure = Some(why);
    }

    /// All attempts so far, in the order in which they were started.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    // listing: begin step
    /// What to do now. Ask again after a start, after a wait, and when something has happened.
    pub fn step(&mut self, now: Duration) -> Step {
        if let Some(winner) = self.winner {
            return Step::Won(winner);
        }
        if now >= self.settings.give_up || self.is_exhausted() {
            return Step::Failed;
        }
        match self.next_start() {
            Some(start) if start <= now => self.start(now),
            Some(start) => Step::WaitUntil(start.min(self.settings.give_up)),
            None => Step::WaitUntil(self.settings.give_up),
        }
    }

    /// When the next attempt may start; `None` if there is no address for it.
    fn next_start(&self) -> Option<Duration> {
        if self.v6.waiting.is_empty() && self.v4.waiting.is_empty() {
            return None;
        }
        match self.attempts.last() {
            // An attempt that has failed needs no more time to itself.
            Some(last) if last.failure.is_some() => Some(last.started + CLOSEST_STARTS),
            Some(last) => Some(last.started + self.settings.attempt_delay),
            // IPv4's answer came first: IPv6's gets a moment to catch up (section 3).
            None if self.v6.came.is_none() => {
                self.v4.came.map(|came| came + self.settings.resolution_delay)
            }
            None => Some(Duration::ZERO),
        }
    }
    // listing: end step

    fn start(&mut self, now: Duration) -> Step {
        let Some(address) = self.pick() else { return Step::Failed };
        self.attempts.push(Attempt { address, started: now, failure: None });
        Step::Start(self.attempts.len() - 1, address)
    }

    // listing: begin pick
    /// The next address. The families take turns (section 4), so that one that does not work at all,
    /// however many addresses it has, costs one delay and not one for each of them.
    fn pick(&mut self) -> Option<SocketAddr> {
        let family = match self.attempts.last() {
            Some(last) if self.attempts.len() >= self.settings.first_family_count => {
                Family::of(last.address).other()
            }
            _ => self.preferred,
        };
        let turn = self.answer(family).waiting.pop_front();
        turn.or_else(|| self.answer(family.other()).waiting.pop_front())
    }
    // listing: end pick

    /// Whether nothing is left to wait for: both answers are there, and every address has failed.
    fn is_exhausted(&self) -> bool {
        self.v6.came.is_some()
            && self.v4.came.is_some()
            && self.next_start().is_none()
            && self.attempts.iter().all(|attempt| attempt.failure.is_some())
    }
}

#[cfg(test)]
mod tests;
