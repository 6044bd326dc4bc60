//! Happy eyeballs (RFC 8305): which address to try when. No sockets and no clock in here.
//!
//! A name with addresses of both families is a promise that the network may not keep: the server is
//! fine, but the way to it over IPv6 ends at some firewall that says nothing. A client that tries one
//! address after the other then waits a minute or two for connect(2) to give up. So it does not wait
//! for the end of an attempt, but starts the next beside it, a little later:
//!
//! ```text
//!   0 ms  ├─ attempt 1, IPv6 ─ no answer ──────────┤ closed: it has lost
//! 250 ms  │                 ├─ attempt 2, IPv4 ────┤ connected: it has won
//! ```
//!
//! [`Eyeballs`] decides. Whoever has sockets and a clock asks it for the next [`Step`], does that,
//! and tells it what came of it. All times count from the beginning.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use crate::family::Family;

/// Whatever has failed, two attempts never start closer together than this (section 5).
const CLOSEST_STARTS: Duration = Duration::from_millis(10);

/// The times and counts that RFC 8305 calls configurable (section 8).
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long an answer with IPv4 addresses waits for one with IPv6 addresses.
    pub resolution_delay: Duration,
    /// How long an attempt is alone before the next one starts beside it.
    pub attempt_delay: Duration,
    /// How many addresses of the preferred family are tried before the first of the other.
    pub first_family_count: usize,
    /// When to give up. (RFC 8305 leaves that to the program.)
    pub give_up: Duration,
}

impl Default for Settings {
    /// What section 8 recommends.
    fn default() -> Self {
        Self {
            resolution_delay: Duration::from_millis(50),
            attempt_delay: Duration::from_millis(250),
            first_family_count: 1,
            give_up: Duration::from_secs(10),
        }
    }
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Start connecting to this address; this is attempt number …, counted from 0.
    Start(usize, SocketAddr),
    /// Nothing until then, unless something happens before.
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

/// The state of one search for a connection.
pub struct Eyeballs {
    settings: Settings,
    preferred: Family,
    /// Addresses not tried yet.
    waiting_v6: VecDeque<SocketAddr>,
    waiting_v4: VecDeque<SocketAddr>,
    /// When the resolver has answered about a family, with addresses or without.
    answered_v6: Option<Duration>,
    answered_v4: Option<Duration>,
    attempts: Vec<Attempt>,
    winner: Option<usize>,
}

impl Eyeballs {
    /// Begins with addresses of `preferred`, where there are any.
    pub fn new(preferred: Family, settings: Settings) -> Self {
        Self {
            settings,
            preferred,
            waiting_v6: VecDeque::new(),
            waiting_v4: VecDeque::new(),
            answered_v6: None,
            answered_v4: None,
            attempts: Vec::new(),
            winner: None,
        }
    }

    /// The resolver has answered about one family, with addresses in the order of preference or with
    /// none. This may come late: then they are tried after what has been tried by then.
    pub fn answered(&mut self, family: Family, addresses: Vec<SocketAddr>, now: Duration) {
        let (waiting, answered) = match family {
            Family::V6 => (&mut self.waiting_v6, &mut self.answered_v6),
            Family::V4 => (&mut self.waiting_v4, &mut self.answered_v4),
        };
        waiting.extend(addresses);
        answered.get_or_insert(now);
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
    /// What to do now. Ask again after each `Start`, when something has happened, and when a wait is
    /// over.
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
        if self.waiting_v6.is_empty() && self.waiting_v4.is_empty() {
            return None;
        }
        match self.attempts.last() {
            // An attempt that has failed needs no more time to itself.
            Some(last) if last.failure.is_some() => Some(last.started + CLOSEST_STARTS),
            Some(last) => Some(last.started + self.settings.attempt_delay),
            // IPv4's answer came first: IPv6's gets a moment to catch up (section 3).
            None if self.answered_v6.is_none() => {
                self.answered_v4.map(|answered| answered + self.settings.resolution_delay)
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
        let (turn, other) = match family {
            Family::V6 => (&mut self.waiting_v6, &mut self.waiting_v4),
            Family::V4 => (&mut self.waiting_v4, &mut self.waiting_v6),
        };
        turn.pop_front().or_else(|| other.pop_front())
    }
    // listing: end pick

    /// Whether nothing is left to wait for: both answers are there, and every address has failed.
    fn is_exhausted(&self) -> bool {
        self.answered_v6.is_some()
            && self.answered_v4.is_some()
            && self.next_start().is_none()
            && self.attempts.iter().all(|attempt| attempt.failure.is_some())
    }
}

#[cfg(test)]
mod tests;
