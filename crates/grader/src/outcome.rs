//! How an outcome gets from the graded test to the grader.
//!
//! The program under test is started by the test, belongs to the same user, and may want a better
//! outcome than it has earned. So there is no file whose name it could find out. The outcome comes
//! through a pair of connected sockets (a pipe where there are no such pairs), which the test is
//! given as its *standard input*: the one stream that every program is started with, and that the
//! test never passes on. What is defended:
//!
//! - Whatever the program prints is no outcome: the test's output is shown to people only.
//! - The program inherits neither the socket nor a variable that names it.
//! - A socket cannot be opened by its name in `/proc/PID/fd` (open(2), `ENXIO`); a pipe could.
//! - On Linux the test [hides](prepare): other processes of the same user may neither read its
//!   variables (and the seed in them) nor its memory, nor take descriptors out of it (prctl(2),
//!   `PR_SET_DUMPABLE`; ptrace(2), "access mode checking"). Root may.
//! - The exit code of the test must agree with the outcome, and a test that was killed has none.
//!
//! What is not: a program of the same user may overwrite the graded tests or their points on the
//! disk, or kill the grader. Strangers' programs belong in a container, where the course is
//! read-only and where they run as another user than the owner of its results.

use std::env;
use std::fs::File;
use std::io::{self, Read, Write};
use std::process::Stdio;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::process;
use crate::protocol::{self, Outcome};
use crate::punctuality::Limit;

/// An outcome is a few screens at most, in bytes. More than this is none.
const MOST_BYTES: u64 = 4 * 1024 * 1024;
/// How long after the test's end the outcome may take to arrive.
const LIMIT: Duration = Duration::from_secs(2);

/// The grader's end: waits for one outcome.
#[derive(Debug)]
pub struct Awaited(Receiver<Option<Outcome>>);

/// Both ends: the standard input of a test, and where its outcome will come from.
///
/// # Errors
/// When the system has no more of them.
pub fn channel() -> io::Result<(Stdio, Awaited)> {
    let (reader, writer) = pair()?;
    let (arrives, outcome) = mpsc::channel();
    // Read at once and all the time: a test with much to say must not block.
    thread::spawn(move || {
        let mut json = Vec::new();
        let read = reader.take(MOST_BYTES).read_to_end(&mut json);
        let outcome = read.ok().and_then(|_| serde_json::from_slice(&json).ok());
        let _ = arrives.send(outcome);
    });
    Ok((writer, Awaited(outcome)))
}

impl Awaited {
    /// The outcome of a test that has ended; `None` if it left none, or anything else.
    #[must_use]
    pub fn receive(self) -> Option<Outcome> {
        let limit = Limit::begin(LIMIT);
        loop {
            let left = limit.left();
            match self.0.recv_timeout(left.unwrap_or_default()) {
                Err(RecvTimeoutError::Timeout) if left.is_some() => {}
                received => return received.ok().flatten(),
            }
        }
    }
}

/// To be called by a graded test before it starts anything: under the grader, the test hides its
/// memory and its variables, adopts what its program leaves behind, and ends with all of that when
/// the grader is killed.
pub fn prepare() {
    if env::var_os(protocol::OUTCOME).is_some() {
        hide();
        process::orphans::adopt();
        end_with_the_grader();
    }
}

/// Sends the outcome of this process, if a grader waits for it. If that fails, the grader receives
/// none and says so.
pub fn send(outcome: &Outcome) {
    if env::var_os(protocol::OUTCOME).is_some()
        && let (Ok(json), Ok(mut grader)) = (serde_json::to_vec(outcome), standard_input())
    {
        let _ = grader.write_all(&json);
    }
}

/// The grader says nothing to its tests: its end of the channel is only read when it is closed, and
/// it closes before the test has ended only if the grader is no more.
#[cfg(unix)]
fn end_with_the_grader() {
    let Ok(mut grader) = standard_input() else { return };
    thread::spawn(move || {
        let _ = grader.read(&mut [0]);
        process::orphans::end_all();
        if let Some(groups) = env::var_os(protocol::GROUPS) {
            process::kill_noted(groups.as_ref());
        }
        std::process::exit(1);
    });
}

/// A pipe's writer does not see its reader go before it writes.
#[cfg(not(unix))]
fn end_with_the_grader() {}

#[cfg(target_os = "linux")]
fn hide() {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    // A kernel that refuses leaves us as visible as we were.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

#[cfg(not(target_os = "linux"))]
fn hide() {}

#[cfg(unix)]
fn pair() -> io::Result<(impl Read + Send + 'static, Stdio)> {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    let (ours, theirs) = UnixStream::pair()?;
    Ok((ours, OwnedFd::from(theirs).into()))
}

#[cfg(not(unix))]
fn pair() -> io::Result<(impl Read + Send + 'static, Stdio)> {
    let (reader, writer) = io::pipe()?;
    Ok((reader, writer.into()))
}

#[cfg(unix)]
fn standard_input() -> io::Result<File> {
    use std::os::fd::AsFd;
    Ok(io::stdin().as_fd().try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn standard_input() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    Ok(io::stdin().as_handle().try_clone_to_owned()?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_ends_without_an_outcome_has_none() {
        let (stdin, awaited) = channel().unwrap();
        drop(stdin);
        assert!(awaited.receive().is_none());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_outcome_is_none() {
        let (stdin, awaited) = channel().unwrap();
        let mut command = std::process::Command::new("sh");
        command.args(["-c", "echo '{\"verdict\": \"pass\", ' >&0"]).stdin(stdin);
        assert!(command.status().unwrap().success());
        drop(command);
        assert!(awaited.receive().is_none());
    }

    #[cfg(unix)]
    #[test]
    fn an_outcome_arrives_through_standard_input() {
        let (stdin, awaited) = channel().unwrap();
        let mut command = std::process::Command::new("sh");
        let json = "{\"verdict\": \"fail\", \"report\": \"why\"}";
        command.args(["-c", &format!("echo '{json}' >&0")]).stdin(stdin);
        assert!(command.status().unwrap().success());
        drop(command);
        assert_eq!(awaited.receive().unwrap().report, "why");
    }
}
