//! A program that serves, from its readiness line on.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::{Running, poll, poll_while, resources, wait_for};
use crate::port;

/// What a readiness line begins with; the rest is `HOST:PORT`.
const READY: &str = "listening on ";
/// How often, while waiting, to look whether there is time left.
const LOOK: Duration = Duration::from_millis(50);
/// How long the remains of a program that never got ready may take: its exit, its last words.
const WINDING_UP: Duration = Duration::from_millis(200);

/// Why a server never became one.
#[derive(Debug)]
pub enum StartError {
    /// The system could not start the program at all.
    NotStarted(String, io::Error),
    /// It ended before it printed its readiness line; its exit status and what it said.
    Ended(ExitStatus, String),
    /// It printed no readiness line within the limit; what it said instead.
    NotReady(Duration, String),
    /// It printed one where, or in a way in which, nobody finds it; all that it said.
    Misprinted(Misprint, String),
    /// It has neither printed one nor bound the port that it was told; what it said instead.
    NotBound(u16, Duration, String),
}

/// What is wrong with a line that was meant to be the readiness line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misprint {
    /// It stands on standard error.
    OnStandardError,
    /// No newline ends it.
    Unended,
    /// What stands behind `listening on` is no address and port in figures.
    NoAddress,
    /// The words stand in a line that has more in it.
    NotAlone,
}

impl fmt::Display for Misprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnStandardError => {
                write!(
                    f,
                    "the line `{READY}HOST:PORT` came on standard error: print it on standard output"
                )
            }
            Self::Unended => write!(
                f,
                "`{READY}HOST:PORT` came without a newline, so nobody knows that it is complete: end \
                 the line, and flush standard output"
            ),
            Self::NoAddress => write!(
                f,
                "behind `{READY}` comes no HOST:PORT in figures: print the address that the socket \
                 has, such as 127.0.0.1:8888"
            ),
            Self::NotAlone => write!(
                f,
                "`{READY}HOST:PORT` came with something else in its line: it must be a line of its own"
            ),
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStarted(program, error) => write!(f, "cannot start {program}: {error}"),
            Self::Ended(status, said) => {
                write!(f, "the server ended ({status}) before it said `{READY}HOST:PORT`")?;
                if said.is_empty() { Ok(()) } else { write!(f, "; it said:\n{said}") }
            }
            Self::NotReady(limit, said) => {
                write!(f, "the server printed no line `{READY}HOST:PORT` within {limit:?}")?;
                if said.is_empty() { Ok(()) } else { write!(f, "; it printed:\n{said}") }
            }
            Self::Misprinted(misprint, said) => {
                write!(f, "{misprint}; the server printed:\n{said}")
            }
            Self::NotBound(port, limit, said) => {
                write!(f, "the server did not listen on port {port} within {limit:?}")?;
                if said.is_empty() { Ok(()) } else { write!(f, "; it printed:\n{said}") }
            }
        }
    }
}

impl std::error::Error for StartError {}

/// How somebody waits for a server to get ready.
pub struct Wait<'a> {
    /// What a failure says: for how long it was waited.
    pub limit: Duration,
    /// Whether there is time left, by whatever clock.
    pub there_is_time: &'a dyn Fn() -> bool,
    /// Is told the id of the new process and of its group: for somebody who can end the group even if
    /// we cannot any more.
    pub note: &'a dyn Fn(u32),
}

impl Wait<'_> {
    /// What comes through the channel. It is looked at once more when there is no time left, as who
    /// reads for us may have slept as long as we have; `None`
    /// also when nothing can come any more.
    fn receive<T>(&self, channel: &Receiver<T>) -> Option<T> {
        loop {
            let is_last = !(self.there_is_time)();
            match channel.recv_timeout(if is_last { WINDING_UP } else { LOOK }) {
                Err(RecvTimeoutError::Timeout) if !is_last => {}
                received => return received.ok(),
            }
        }
    }
}

/// A running server. Dropping it kills its whole process group.
#[derive(Debug)]
pub struct Server {
    running: Running,
    address: SocketAddr,
}

impl Server {
    /// Starts `command` and waits at most `limit` for its readiness line.
    pub fn start(command: &mut Command, limit: Duration) -> Result<Self, StartError> {
        Self::start_watched(command, limit, |_| {})
    }

    /// As [`start`](Self::start); and `watch` is told each line it prints on either stream, as it
    /// comes, the readiness line among them.
    pub fn start_watched(
        command: &mut Command,
        limit: Duration,
        watch: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Self, StartError> {
        let until = Instant::now() + limit;
        let there_is_time = || Instant::now() < until;
        let wait = Wait { limit, there_is_time: &there_is_time, note: &|_| {} };
        Self::start_with(command, &wait, watch)
    }

    /// Starts `command` and waits in this way for its readiness line.
    pub fn start_within(command: &mut Command, wait: &Wait) -> Result<Self, StartError> {
        Self::start_with(command, wait, |_| {})
    }

    /// Starts a program that was told by its own command line to listen on `address`, and may
    /// never print a readiness line: it is ready when it prints one, or when its port is bound.
    pub fn start_at(
        command: &mut Command,
        address: SocketAddr,
        wait: &Wait,
    ) -> Result<Self, StartError> {
        let (mut running, ready) = run(command, |_| {})?;
        (wait.note)(running.child.id());
        let found = poll_while(wait.there_is_time, || match ready.try_recv() {
            Ok(told) => Some(Some(told)),
            Err(_) if port::is_taken(address.port()) => Some(Some(address)),
            Err(_) => running.ended().map(|_| None),
        });
        match found.flatten() {
            Some(address) => Ok(Self { running, address }),
            None => Err(never_ready(running, |said| {
                StartError::NotBound(address.port(), wait.limit, said)
            })),
        }
    }

    fn start_with(
        command: &mut Command,
        wait: &Wait,
        watch: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Self, StartError> {
        let (running, ready) = run(command, watch)?;
        (wait.note)(running.child.id());
        if let Some(address) = wait.receive(&ready) {
            return Ok(Self { running, address });
        }
        let misprint = misprint(&running.stdout(), &running.stderr());
        Err(never_ready(running, |said| match misprint {
            Some(misprint) => StartError::Misprinted(misprint, said),
            None => StartError::NotReady(wait.limit, said),
        }))
    }

    /// Where it listens, by its own word (or as it was told, if it says nothing).
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.running.child.id()
    }

    /// The end of what it has said so far on standard error.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.running.stderr()
    }

    /// The end of what it has said so far on standard output.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.running.stdout()
    }

    /// Waits until standard error contains `text`; `false` if it has not within `limit`.
    #[must_use]
    pub fn says(&self, text: &str, limit: Duration) -> bool {
        poll(limit, || self.running.stderr.text().contains(text).then_some(())).is_some()
    }

    /// Asks it to end as Ctrl-C would; see [`Running::interrupt`].
    pub fn interrupt(&mut self, limit: Duration) -> Option<ExitStatus> {
        self.running.interrupt(limit)
    }

    /// Kills it at once, with everything it has started.
    pub fn kill(&mut self) {
        self.running.kill();
    }

    /// Its exit status if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.running.ended()
    }

    /// Waits until all that it printed before it ended was read and told; see [`Running::drain`].
    pub fn drain(&self, limit: Duration) {
        self.running.drain(limit);
    }

    /// As [`drain`](Self::drain); see [`Running::drain_while`].
    pub fn drain_while(&self, there_is_time: impl FnMut() -> bool) {
        self.running.drain_while(there_is_time);
    }

    /// The most memory it has held so far, in bytes (`VmHWM` of proc(5)); `None` where the system
    /// does not tell.
    #[must_use]
    pub fn peak_memory(&self) -> Option<u64> {
        resources::peak_memory(self.id())
    }

    /// How many descriptors (open files, sockets, pipes) it has now; `None` where the system does
    /// not tell.
    #[must_use]
    pub fn descriptors(&self) -> Option<u64> {
        resources::descriptors(self.id())
    }

    /// How many threads it has now; `None` where the system does not tell.
    #[must_use]
    pub fn threads(&self) -> Option<u64> {
        resources::threads(self.id())
    }
}

/// Starts `command`. What it prints as readiness lines comes through the channel; reading its
/// standard output owns the other end, so a program that ends first closes the channel.
fn run(
    command: &mut Command,
    watch: impl Fn(&str) + Send + Sync + 'static,
) -> Result<(Running, Receiver<SocketAddr>), StartError> {
    let (found, ready) = mpsc::channel();
    let watch = Arc::new(watch);
    let watch_errors = Arc::clone(&watch);
    let find = move |line: &str| {
        watch(line);
        if let Some(address) = readiness(line) {
            let _ = found.send(address);
        }
    };
    let running = Running::read(command, find, move |line| watch_errors(line))?;
    Ok((running, ready))
}

/// Why: it has ended, or `otherwise`.
fn never_ready(mut running: Running, otherwise: impl FnOnce(String) -> StartError) -> StartError {
    let ended = wait_for(&mut running.child, WINDING_UP);
    // A killed program's pipes close, and then its last words are complete.
    running.kill();
    running.drain(WINDING_UP);
    match ended {
        Some(status) => StartError::Ended(status, running.said()),
        None => otherwise(running.said()),
    }
}

/// What is wrong with the readiness line that was meant to be in this, if there is such a line.
fn misprint(stdout: &str, stderr: &str) -> Option<Misprint> {
    let (complete, last) = stdout.rsplit_once('\n').unwrap_or(("", stdout));
    let mut lines = complete.lines().chain([last]);
    if readiness(last).is_some() {
        Some(Misprint::Unended)
    } else if stderr.lines().any(|line| readiness(line).is_some()) {
        Some(Misprint::OnStandardError)
    } else if lines.clone().any(|line| line.starts_with(READY)) {
        Some(Misprint::NoAddress)
    } else {
        let is_inside = |line: &str| line.to_lowercase().contains(READY.trim_end());
        lines.any(is_inside).then_some(Misprint::NotAlone)
    }
}

fn readiness(line: &str) -> Option<SocketAddr> {
    line.trim_end().strip_prefix(READY)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_readiness_line_that_nobody_finds_is_told_by_what_is_wrong_with_it() {
        let line = "listening on 127.0.0.1:8888";
        for (stdout, stderr, expected) in [
            ("", line, Some(Misprint::OnStandardError)),
            ("ready\n", "listening on 127.0.0.1:8888\n", Some(Misprint::OnStandardError)),
            (line, "", Some(Misprint::Unended)),
            ("hello\nlistening on [::1]:8888", "", Some(Misprint::Unended)),
            ("listening on localhost:8888\n", "", Some(Misprint::NoAddress)),
            ("listening on port 8888\n", "", Some(Misprint::NoAddress)),
            ("Listening on 127.0.0.1:8888\n", "", Some(Misprint::NotAlone)),
            ("server is listening on 127.0.0.1:8888\n", "", Some(Misprint::NotAlone)),
            ("hello\n", "warning: nobody is listening on it\n", None),
            ("", "", None),
        ] {
            assert_eq!(misprint(stdout, stderr), expected, "{stdout:?}, {stderr:?}");
        }
    }

    /// Who wakes from a pause finds the end of his time, and what has come meanwhile.
    #[test]
    fn what_has_come_before_the_last_look_counts() {
        let wait = Wait { limit: Duration::ZERO, there_is_time: &|| false, note: &|_| {} };
        let (tell, told) = mpsc::channel();
        tell.send(7).unwrap();
        assert_eq!(wait.receive(&told), Some(7));
        assert_eq!(wait.receive(&told), None);
        assert_eq!(poll_while(|| false, || Some(7)), Some(7));
    }
}
