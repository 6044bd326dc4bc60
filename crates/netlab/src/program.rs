//! Starting a program of the contract, and ending it whatever it does.
//!
//! A program is started in a process group of its own, so that killing the group reaches what it
//! has started itself. Both of its output streams are read all the time, so that a talkative
//! program never blocks on a full pipe; the last part of what it says is kept, and whoever wants
//! to watch is told every line as it comes.

use std::fmt;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What a readiness line begins with; the rest is `HOST:PORT`.
const READY: &str = "listening on ";
/// Whether [`Running::interrupt`] lets a program end by itself, with an exit code of its own.
/// Where it does not (Windows), the program is killed, and its exit code means nothing.
pub const CAN_INTERRUPT: bool = cfg!(unix);
/// How much of what a program prints is kept, in bytes for each stream; a line that is longer
/// is told in parts.
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

/// A running program. Dropping it kills its whole process group.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: Kept,
    stderr: Kept,
    reading: Vec<thread::JoinHandle<()>>,
}

impl Running {
    /// Starts `command`; `watch` is told each line it prints on either stream, as it comes,
    /// without the line's end.
    pub fn start(
        command: &mut Command,
        watch: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Self, StartError> {
        let watch = Arc::new(watch);
        let watch_errors = Arc::clone(&watch);
        Self::read(command, move |line| watch(line), move |line| watch_errors(line))
    }

    /// Starts `command`; `note` is told the id of the new process and of its group as soon as
    /// there is one: for somebody who can end the group even if we cannot any more.
    pub fn start_noting(command: &mut Command, note: impl FnOnce(u32)) -> Result<Self, StartError> {
        let running = Self::start(command, |_| {})?;
        note(running.child.id());
        Ok(running)
    }

    fn read(
        command: &mut Command,
        on_stdout: impl FnMut(&str) + Send + 'static,
        on_stderr: impl FnMut(&str) + Send + 'static,
    ) -> Result<Self, StartError> {
        let mut child = spawn(command)?;
        let (stdout, stderr) = (Kept::default(), Kept::default());
        let mut reading = Vec::new();
        reading.extend(child.stdout.take().map(|pipe| keep_reading(pipe, &stdout, on_stdout)));
        reading.extend(child.stderr.take().map(|pipe| keep_reading(pipe, &stderr, on_stderr)));
        Ok(Self { child, stdout, stderr, reading })
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

    /// Its exit status if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Asks it to end as Ctrl-C would, and waits at most `limit`; `None` if it did not end.
    ///
    /// Where there are no signals (Windows, see [`CAN_INTERRUPT`]) it is killed instead.
    pub fn interrupt(&mut self, limit: Duration) -> Option<ExitStatus> {
        interrupt(&mut self.child);
        wait_for(&mut self.child, limit)
    }

    /// Kills it at once, with everything it has started.
    pub fn kill(&mut self) {
        kill_group(&mut self.child);
    }

    /// Waits until all that an ended program has printed was read and told. Somebody it has
    /// started may keep its pipes open, so this waits at most `limit`.
    pub fn drain(&self, limit: Duration) {
        let is_read = || self.reading.iter().all(thread::JoinHandle::is_finished);
        poll(limit, || is_read().then_some(()));
    }

    fn said(&self) -> String {
        format!("{}{}", self.stdout.text(), self.stderr.text())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
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
        Self::start_with(command, limit, watch, |_| {})
    }

    /// As [`start`](Self::start); and `note` is told the id of the new process and of its group
    /// as soon as there is one: for somebody who can end the group even if we cannot any more.
    pub fn start_noting(
        command: &mut Command,
        limit: Duration,
        note: impl FnOnce(u32),
    ) -> Result<Self, StartError> {
        Self::start_with(command, limit, |_| {}, note)
    }

    fn start_with(
        command: &mut Command,
        limit: Duration,
        watch: impl Fn(&str) + Send + Sync + 'static,
        note: impl FnOnce(u32),
    ) -> Result<Self, StartError> {
        let (found, ready) = mpsc::channel();
        let watch = Arc::new(watch);
        let watch_errors = Arc::clone(&watch);
        // Reading standard output owns `found`: a program that ends first closes the channel.
        let find = move |line: &str| {
            watch(line);
            if let Some(address) = readiness(line) {
                let _ = found.send(address);
            }
        };
        let mut running = Running::read(command, find, move |line| watch_errors(line))?;
        note(running.child.id());
        if let Ok(address) = ready.recv_timeout(limit) {
            return Ok(Self { running, address });
        }
        let ended = wait_for(&mut running.child, WINDING_UP);
        // A killed program's pipes close, and then its last words are complete.
        running.kill();
        running.drain(WINDING_UP);
        Err(match ended {
            Some(status) => StartError::Ended(status, running.said()),
            None => StartError::NotReady(limit, running.said()),
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

    /// The most memory it has held so far, in bytes (`VmHWM` of proc(5)); `None` where the system
    /// does not tell.
    #[must_use]
    pub fn peak_memory(&self) -> Option<u64> {
        peak_memory(self.id())
    }

    /// How many descriptors (open files, sockets, pipes) it has now; `None` where the system does
    /// not tell.
    #[must_use]
    pub fn descriptors(&self) -> Option<u64> {
        let entries = std::fs::read_dir(format!("/proc/{}/fd", self.id())).ok()?;
        Some(entries.count() as u64)
    }

    /// How many threads it has now; `None` where the system does not tell.
    #[must_use]
    pub fn threads(&self) -> Option<u64> {
        proc_field(self.id(), "Threads")
    }
}

/// The most memory a running process has held so far, in bytes (`VmHWM` of proc(5)); `None` where
/// the system does not tell.
#[must_use]
pub fn peak_memory(id: u32) -> Option<u64> {
    proc_field(id, "VmHWM").map(|kib| kib * 1024)
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
    mut on_line: impl FnMut(&str) + Send + 'static,
) -> thread::JoinHandle<()> {
    let kept = kept.clone();
    thread::spawn(move || {
        let mut buffer = [0; 8 * 1024];
        let mut line = Vec::new();
        while let Ok(length @ 1..) = pipe.read(&mut buffer) {
            kept.add(&buffer[..length]);
            tell_lines(&mut line, &buffer[..length], &mut on_line);
        }
        if !line.is_empty() {
            tell(&line, &mut on_line);
        }
    })
}

/// Tells each line that `bytes` complete; what is left over stays in `line`.
fn tell_lines(line: &mut Vec<u8>, bytes: &[u8], on_line: &mut impl FnMut(&str)) {
    for part in bytes.split_inclusive(|&byte| byte == b'\n') {
        line.extend_from_slice(part);
        if part.ends_with(b"\n") || line.len() >= KEPT_BYTES {
            tell(line, on_line);
            line.clear();
        }
    }
}

fn tell(line: &[u8], on_line: &mut impl FnMut(&str)) {
    let text = String::from_utf8_lossy(line);
    on_line(text.trim_end_matches(['\r', '\n']));
}

fn readiness(line: &str) -> Option<SocketAddr> {
    line.trim_end().strip_prefix(READY)?.parse().ok()
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
    // It may have joined another group by itself.
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(not(unix))]
pub(crate) fn kill_group(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Kills the group of a child that somebody else waits for.
#[cfg(all(unix, feature = "timed"))]
pub(crate) fn kill_group_of(id: u32) {
    use rustix::process::{Pid, Signal, kill_process_group};
    // Groups 0 and 1 mean "my own" and "init": never a group of ours.
    if let Some(group) = i32::try_from(id).ok().filter(|&id| id > 1).and_then(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Without process groups: the process itself, and what it has started (taskkill's `/T`).
#[cfg(all(not(unix), feature = "timed"))]
pub(crate) fn kill_group_of(id: u32) {
    let _ = Command::new("taskkill").args(["/F", "/T", "/PID", &id.to_string()]).output();
}
