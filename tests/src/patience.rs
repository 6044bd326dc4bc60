//! How long a test waits for the program under test, and how long it listens for nothing.
//!
//! All times are punctual ones (`grader::punctuality`): while the test itself stands still, because the
//! machine was paused or is busy, no wait and no silence goes on. What follows from a standstill for
//! the verdict is said in `grader::disturbance`.

use std::env;
use std::sync::OnceLock;
use std::time::Duration;

use grader::protocol;
use grader::punctuality::{Limit, Stopwatch, queued};
use netlab::program::{Server, poll_while};

use crate::case::Case;
use crate::shared::Shared;

/// The limit of a plain `cargo test`. A thousand times what the solutions need, so that a slow or
/// busy machine fails nobody. (The tests of this package wait for what never comes.)
const USUAL: Duration = Duration::from_secs(if cfg!(test) { 2 } else { 5 });

/// The limit of every single wait: what the grader asks for, or else the usual one.
pub fn patience() -> Duration {
    static PATIENCE: OnceLock<Duration> = OnceLock::new();
    *PATIENCE.get_or_init(|| {
        let wanted = env::var(protocol::PATIENCE).ok();
        wanted.map_or(USUAL, |text| match text.parse() {
            Ok(milliseconds) => Duration::from_millis(milliseconds),
            Err(error) => panic!("{}={text}: {error}", protocol::PATIENCE),
        })
    })
}

/// One wait for the program, until it is dropped. The longest one of the case is told to the
/// grader. (Waiting for silence is none: a correct program is silent however slow the machine.)
#[derive(Debug)]
pub struct Wait<'a> {
    shared: &'a Shared,
    limit: Limit,
    /// The time that the program was told to let pass.
    told: Duration,
}

impl<'a> Wait<'a> {
    pub fn begin(shared: &'a Shared) -> Self {
        let told = shared.told_time();
        Self { shared, limit: Limit::begin(patience() + told), told }
    }

    /// How much patience is left; `None` when it is over.
    pub fn left(&self) -> Option<Duration> {
        self.limit.left()
    }

    /// Looks until there is something; `None` when patience is over.
    pub fn poll<T>(&self, look: impl FnMut() -> Option<T>) -> Option<T> {
        poll_while(|| self.left().is_some(), look)
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.shared.waited(self.limit.watch().punctual().saturating_sub(self.told));
    }
}

/// A time in which the program must not do something, or need not.
#[derive(Debug)]
pub struct Silence<'a> {
    shared: &'a Shared,
    time: Duration,
    limit: Limit,
}

impl<'a> Silence<'a> {
    pub fn begin(shared: &'a Shared, time: Duration) -> Self {
        Self { shared, time, limit: Limit::begin(time) }
    }

    /// How much of it is left; `None` when it is over. A program with a time limit of its own does not
    /// wait for us: then it is over by the clock on the wall.
    pub fn left(&self) -> Option<Duration> {
        if self.shared.is_timed() {
            return self.time.checked_sub(self.watch().wall()).filter(|left| !left.is_zero());
        }
        self.limit.left()
    }

    /// Whether what was seen just now has come too early for certain. If it is only seen after the end
    /// of the silence, because the test stood still, it may have come in time.
    pub fn is_broken(&self) -> bool {
        let is_certain = self.watch().wall() <= self.time;
        if !is_certain {
            self.shared.could_not_hear(self.watch(), self.time);
        }
        is_certain
    }

    fn watch(&self) -> &Stopwatch {
        self.limit.watch()
    }
}

/// How long something may take that a test looks for in its own way, such as a file that must appear.
#[derive(Debug)]
pub struct Deadline {
    limit: Limit,
}

impl Deadline {
    /// Whether it is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.left().is_zero()
    }

    /// How much of it is left.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.limit.left().unwrap_or_default()
    }
}

/// The program was told a time limit, within which the test has to act. As long as this lives, the
/// case counts as disturbed if the test misses that because the machine held it up.
#[derive(Debug)]
pub struct Timed {
    shared: Shared,
}

impl Timed {
    /// The program's time starts again, by what the test is about to do.
    pub fn renew(&self) {
        self.shared.renew_timer(false);
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        self.shared.end_timer();
    }
}

impl Case {
    /// The limit of every single wait: what the grader asks for, in a plain `cargo test` five seconds.
    #[must_use]
    pub fn patience(&self) -> Duration {
        patience()
    }

    /// The usual patience, for something that the test looks for in its own way.
    #[must_use]
    pub fn deadline(&self) -> Deadline {
        Deadline { limit: Limit::begin(patience() + self.0.told_time()) }
    }

    /// For how long the programs of this case that still run, and this test, have waited for a processor
    /// so far, taken together. What has to be fast may take that much longer.
    #[must_use]
    pub fn queued(&self) -> Duration {
        let state = self.0.state();
        let clients = state.clients.iter().map(|client| client.running.id());
        let programs = state.server.iter().map(Server::id).chain(clients);
        queued(&programs.chain([std::process::id()]).collect::<Vec<_>>())
    }

    /// The program was told to let `time` pass before it does something: from now on every wait may
    /// take that much longer.
    pub fn tells_to_wait(&self, time: Duration) {
        self.0.state().told_time = time;
    }

    /// The program was told to give up after `limit`, and the test has to act before: see [`Timed`].
    #[must_use]
    pub fn must_act_within(&self, limit: Duration) -> Timed {
        self.0.begin_timer(limit);
        Timed { shared: self.0.clone() }
    }
}
