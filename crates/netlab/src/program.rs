//! Starting a program of the contract, and ending it whatever it does.
//!
//! A server is started in a process group of its own, so that killing the group reaches what it
//! has started itself. Its standard output is read until the readiness line, and then on, so that
//! a talkative program never blocks on a full pipe; the last part of what it says is kept.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What a readiness line begins with; the rest is `HOST:PORT`.
const READY: &str = "listening on ";
/// How much of what a program prints is kept, in bytes for each stream.
const KEPT_BYTES: usize = 64 * 1024;
/// How often a process is asked whether it has ended. (There is no portable wait with a limit.)
const POLL: Duration = Duration::from_millis(5);
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
        }
    }
}

impl std::error::Error for StartError {}

/// A running server. Dropping it kills its whole process group.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
    stdout: Kept,
    stderr: Kept,
}

impl Server {
    /// Starts `command` and waits at most `limit` for its readiness line.
    pub fn start(command: &mut Command, limit: Duration) -> Result<Self, StartError> {
        let mut child = spawn(command)?;
        let stdout = Kept::default();
        let stderr = Kept::default();
        let errors = child.stderr.take().map(|pipe| keep_reading(pipe, &stderr));
        let ready = child.stdout.take().map(|pipe| watch_for_readiness(pipe, &stdout));
        let answer = ready.map_or(Err(RecvTimeoutError::Disconnected), |r| r.recv_timeout(limit));
        if let Ok(address) = answer {
            return Ok(Self { child, address, stdout, stderr });
        }
        let ended = wait_for(&mut child, WINDING_UP);
        kill_group(&mut child);
        // A killed program's pipes close, and then its last words are complete; a process that it
        // has started outside its group may keep them open, so this does not wait for ever.
        poll(WINDING_UP, || {
            errors.as_ref().is_none_or(thread::JoinHandle::is_finished).then_some(())
        });
        let said = format!("{}{}", stdout.text(), stderr.text());
        Err(match ended {
            Some(status) => StartError::Ended(status, said),
            None => StartError::NotReady(limit, said),
        })
    }

    /// Where it listens, by its own word.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The end of what it has said so far on standard error.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// The end of what it has said so far on standard output.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// Waits until standard error contains `text`; `false` if it has not within `limit`.
    #[must_use]
    pub fn says(&self, text: &str, limit: Duration) -> bool {
        poll(limit, || self.stderr.text().contains(text).then_some(())).is_some()
    }

    /// Asks it to end as Ctrl-C would, and waits at most `limit`; `None` if it did not end.
    ///
    /// Where there are no signals (Windows) it is killed instead.
    pub fn interrupt(&mut self, limit: Duration) -> Option<ExitStatus> {
        interrupt(&mut self.child);
        wait_for(&mut self.child, limit)
    }

    /// Kills it at once, with everything it has started.
    pub fn kill(&mut self) {
        kill_group(&mut self.child);
    }

    /// Its exit status if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// The most memory it has held so far, in bytes (`VmHWM` of proc(5)); `None` where the system
    /// does not tell.
    #[must_use]
    pub fn peak_memory(&self) -> Option<u64> {
        proc_field(self.id(), "VmHWM").map(|kib| kib * 1024)
    }

    /// How many threads it has now; `None` where the system does not tell.
    #[must_use]
    pub fn threads(&self) -> Option<u64> {
        proc_field(self.id(), "Threads")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        kill_group(&mut self.child);
    }
}

/// Calls `look` until it returns something; `None` when `limit` has passed. This is for things
/// that cannot be waited for: what another process has printed, a file it has removed.
pub fn poll<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let until = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() >= until {
            return None;
        }
        thread::sleep(POLL);
    }
}

fn spawn(command: &mut Command) -> Result<Child, StartError> {
    own_group(command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().map_err(|error| {
        StartError::NotStarted(command.get_program().to_string_lossy().into_owned(), error)
    })
}

/// The end of a stream, shared with the thread that reads it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn add(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(bytes);
        let surplus = kept.len().saturating_sub(KEPT_BYTES);
        kept.drain(..surplus);
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

pub(crate) fn keep_reading(
    mut pipe: impl Read + Send + 'static,
    kept: &Kept,
) -> thread::JoinHandle<()> {
    let kept = kept.clone();
    thread::spawn(move || {
        let mut buffer = [0; 8 * 1024];
        while let Ok(length @ 1..) = pipe.read(&mut buffer) {
            kept.add(&buffer[..length]);
        }
    })
}

/// Reads lines until the readiness line, tells its address, and then reads on. A program that
/// ends first closes the channel.
fn watch_for_readiness(pipe: impl Read + Send + 'static, kept: &Kept) -> Receiver<SocketAddr> {
    let (found, ready) = mpsc::channel();
    let kept = kept.clone();
    thread::spawn(move || {
        let mut output = BufReader::new(pipe);
        loop {
            let mut line = Vec::new();
            match output.by_ref().take(KEPT_BYTES as u64).read_until(b'\n', &mut line) {
                Ok(1..) => kept.add(&line),
                _ => return,
            }
            if let Some(address) = readiness(&line) {
                let _ = found.send(address);
                break;
            }
        }
        let _ = keep_reading(output, &kept).join();
    });
    ready
}

fn readiness(line: &[u8]) -> Option<SocketAddr> {
    std::str::from_utf8(line).ok()?.trim_end().strip_prefix(READY)?.parse().ok()
}

pub(crate) fn wait_for(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    poll(limit, || child.try_wait().ok().flatten())
}

fn proc_field(id: u32, field: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(unix)]
pub(crate) fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(not(unix))]
pub(crate) fn own_group(_command: &mut Command) {}

#[cfg(unix)]
fn interrupt(child: &mut Child) {
    use rustix::process::{Pid, Signal, kill_process};
    // A child that was waited for has no process id any more; it might be somebody else's by now.
    if child.try_wait().is_ok_and(|status| status.is_none()) {
        let _ = kill_process(Pid::from_child(child), Signal::INT);
    }
}

#[cfg(not(unix))]
fn interrupt(child: &mut Child) {
    let _ = child.kill();
}

/// Kills the child with its whole group and collects it. A child that has ended before may have
/// left others of its group behind; the group keeps its id as long as one of them lives.
#[cfg(unix)]
pub(crate) fn kill_group(child: &mut Child) {
    use rustix::process::{Pid, Signal, kill_process_group};
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    let _ = child.wait();
}

#[cfg(not(unix))]
pub(crate) fn kill_group(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}
