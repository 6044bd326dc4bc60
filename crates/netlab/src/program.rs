//! Starting a program of the contract, and ending it whatever it does.
//!
//! A program is started in a process group of its own, so that killing the group reaches what it
//! has started itself. Both of its output streams are read all the time, so that a talkative
//! program never blocks on a full pipe; the last part of what it says is kept, and a caller that
//! wants to watch is told every line as it comes.

mod group;
mod output;
mod resources;
mod server;

use std::io::{self, ErrorKind, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use socket2::SockRef;

use group::interrupt;
#[cfg(feature = "timed")]
pub(crate) use group::kill_group_of;
pub(crate) use group::{kill_group, own_group};
pub(crate) use output::{Kept, keep_reading};
pub use resources::peak_memory;
pub use server::{Misprint, Server, StartError, Wait};

/// Sends a signal to a process, as kill(1) does, and waits for nothing: `signal("-STOP", id)`, or
/// `-0`, which only asks whether there is such a process.
///
/// # Errors
/// When there is none, or no kill(1), as on Windows.
pub fn signal(name: &str, id: u32) -> io::Result<()> {
    let output = Command::new("kill").args([name, &id.to_string()]).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(io::Error::other(said.trim().to_owned())) }
}

/// Whether [`Running::interrupt`] lets a program end by itself, with an exit code of its own.
/// Where it does not (Windows), the program is killed, and its exit code means nothing.
pub const CAN_INTERRUPT: bool = cfg!(unix);
/// How often a process is asked whether it has ended. (There is no portable wait with a limit.)
const POLL: Duration = Duration::from_millis(5);

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

    /// As [`stdout`](Self::stdout), byte for byte: what it has said need not be text.
    #[must_use]
    pub fn stdout_bytes(&self) -> Vec<u8> {
        self.stdout.bytes()
    }

    /// The most memory it has held so far, in bytes; `None` where the system does not tell, or when
    /// it has ended.
    #[must_use]
    pub fn peak_memory(&self) -> Option<u64> {
        resources::peak_memory(self.child.id())
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
        let until = Instant::now() + limit;
        self.drain_while(|| Instant::now() < until);
    }

    /// As [`drain`](Self::drain), for as long as `there_is_time`, by whatever clock.
    pub fn drain_while(&self, there_is_time: impl FnMut() -> bool) {
        let is_read = || self.reading.iter().all(thread::JoinHandle::is_finished);
        poll_while(there_is_time, || is_read().then_some(()));
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
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

/// Calls `look` until it returns something; `None` when `limit` has passed. This is for things
/// that cannot be waited for: what another process has printed, a file it has removed.
pub fn poll<T>(limit: Duration, look: impl FnMut() -> Option<T>) -> Option<T> {
    let until = Instant::now() + limit;
    poll_while(|| Instant::now() < until, look)
}

/// As [`poll`], for as long as `there_is_time`, by whatever clock. The last look comes after that has
/// ended: a thread that wakes from a pause of the machine finds the end of its time and what it has
/// waited for, and the latter counts.
pub fn poll_while<T>(
    mut there_is_time: impl FnMut() -> bool,
    mut look: impl FnMut() -> Option<T>,
) -> Option<T> {
    loop {
        let is_last = !there_is_time();
        if let Some(found) = look() {
            return Some(found);
        }
        if is_last {
            return None;
        }
        thread::sleep(POLL);
    }
}

/// Calls `wait` again whenever a signal has cut it short: a socket with a time limit says so when its
/// program was stopped and continued meanwhile (signal(7), "Interruption of system calls and library
/// functions by stop signals").
pub fn uninterrupted<T>(mut wait: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match wait() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            ended => return ended,
        }
    }
}

/// How often in a row a write waits for [`STUCK_LOOK`] without room for a byte before it counts as stuck.
const STUCK_LOOKS: u32 = 10;
/// How long it waits for room each time.
const STUCK_LOOK: Duration = Duration::from_millis(50);

/// Writes copies of `piece` until nothing is taken any more, as all buffers on the way are full and
/// nobody reads, or until `most` bytes were taken; returns how many were. The write timeout of `stream`
/// is changed.
///
/// Several waits in a row must end without room for a byte. A machine that stands still meanwhile makes
/// one of them longer, but not more of them.
///
/// # Errors
/// When a write fails for another reason than its time limit.
pub fn write_until_stuck<'s, S>(stream: &'s S, piece: &[u8], most: usize) -> io::Result<usize>
where
    SockRef<'s>: From<&'s S>,
    &'s S: Write,
{
    SockRef::from(stream).set_write_timeout(Some(STUCK_LOOK))?;
    let (mut writing, mut taken, mut looks) = (stream, 0, 0);
    while looks < STUCK_LOOKS && taken < most {
        match uninterrupted(|| writing.write(&piece[taken % piece.len()..])) {
            Ok(length) => (taken, looks) = (taken + length, 0),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                looks += 1;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(taken)
}

fn spawn(command: &mut Command) -> Result<Child, StartError> {
    own_group(command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().map_err(|error| {
        StartError::NotStarted(command.get_program().to_string_lossy().into_owned(), error)
    })
}

pub(crate) fn wait_for(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    poll(limit, || child.try_wait().ok().flatten())
}
