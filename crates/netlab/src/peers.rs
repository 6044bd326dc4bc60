//! Tests against programs that nobody here wrote.
//!
//! A student's machine may lack socat; that is no failure, but it must not look like a pass
//! either: such a test is counted as ignored and its name says which program is missing. Where
//! `PEERS=required` is set (it is in CI, which installs them), a missing peer is a failure.
//!
//! A [`Peer`] is such a program while it runs. One that serves does not print a readiness line, so
//! it is given a [`free_port`] and watched from outside until it [`is_bound`].

mod altered;

use std::io::Write;
use std::process::{Child, ChildStdin, Command, ExitCode, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use libtest_mimic::{Arguments, Trial};

pub use crate::port::{free_port, is_bound};
use crate::program::{Kept, keep_reading, kill_group, own_group, poll, wait_for};
pub use crate::record::Transport;
pub use altered::{
    LOCALHOST_IS_IPV6_FIRST, TWO_ADDRESSES, on_terminal, refusing, silent_twin, trial_on_terminal,
    trial_refusing, trial_with_hosts, with_hosts,
};

/// How long the last lines of a program that has ended may be on their way to us.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// The variable that turns a missing peer into a failure when it is `required`.
pub const VARIABLE: &str = "PEERS";

/// A test called `name` that needs the program `peer`; it fails by panicking, as any test does.
pub fn trial(peer: &str, name: &str, test: fn()) -> Trial {
    let missing = format!("{peer} is not installed");
    trial_if(is_installed(peer), missing, &format!("{name} [{peer}]"), test)
}

/// A test called `name` that needs something which `is_there` or not; `missing` is the sentence
/// that says it is not.
pub fn trial_if(is_there: bool, missing: String, name: &str, test: fn()) -> Trial {
    if is_there || std::env::var(VARIABLE).is_ok_and(|value| value == "required") {
        return Trial::test(name, move || {
            if is_there {
                test();
                Ok(())
            } else {
                Err(format!("{missing}, and {VARIABLE}=required says that it must be").into())
            }
        });
    }
    Trial::test(format!("{name}: {missing}"), || Ok(())).with_ignored_flag(true)
}

/// Runs the trials as cargo's own tests are run: with the same arguments, and several at a time.
#[must_use]
pub fn run(trials: Vec<Trial>) -> ExitCode {
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Whether a program of this name can be started. Its exit code does not matter: nc has no
/// `--version` and complains.
fn is_installed(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok()
}

/// A running peer. Dropping it kills its whole process group.
///
/// The methods panic where a test should: when the program cannot be started or spoken to.
#[derive(Debug)]
pub struct Peer {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Kept,
    stderr: Kept,
    /// The threads that read what it prints.
    reading: Vec<JoinHandle<()>>,
}

impl Peer {
    /// Starts `command` with pipes to its standard input, output and error.
    ///
    /// # Panics
    /// When the program cannot be started.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        own_group(command);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let started = command.spawn();
        let mut child = started.unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let (stdout, stderr) = (Kept::default(), Kept::default());
        let stdin = child.stdin.take();
        let out = child.stdout.take().map(|pipe| keep_reading(pipe, &stdout, |_| {}));
        let err = child.stderr.take().map(|pipe| keep_reading(pipe, &stderr, |_| {}));
        let reading = out.into_iter().chain(err).collect();
        Self { child, stdin, stdout, stderr, reading }
    }

    /// Writes `text` to its standard input, which stays open.
    ///
    /// # Panics
    /// When it has ended, or its input was closed before.
    pub fn tell(&mut self, text: &str) {
        let written = self
            .stdin
            .as_mut()
            .map(|input| input.write_all(text.as_bytes()).and_then(|()| input.flush()));
        assert!(matches!(written, Some(Ok(()))), "cannot write to the peer: {written:?}\n{self:?}");
    }

    /// Ends its standard input.
    pub fn close_input(&mut self) {
        self.stdin = None;
    }

    /// Waits until its standard output contains `text`; `false` if it has not within `limit`.
    #[must_use]
    pub fn prints(&self, text: &str, limit: Duration) -> bool {
        poll(limit, || self.stdout.text().contains(text).then_some(())).is_some()
    }

    /// The end of what it has printed so far on standard output.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// The end of what it has printed so far on standard error.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Waits at most `limit` for it to end by itself; `None` if it did not. All that it has printed
    /// has then been read. (A program that it has left behind may still hold its pipes.)
    #[must_use]
    pub fn ends(&mut self, limit: Duration) -> Option<ExitStatus> {
        let status = wait_for(&mut self.child, limit)?;
        poll(DRAIN_LIMIT, || self.reading.iter().all(JoinHandle::is_finished).then_some(()));
        Some(status)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        kill_group(&mut self.child);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(60);
    const AT_ONCE: Duration = Duration::ZERO;

    #[test]
    fn a_peer_is_told_prints_and_ends() {
        let mut cat = Peer::start(&mut Command::new("cat"));
        cat.tell("hello\n");
        assert!(cat.prints("hello\n", SOON), "{cat:?}");
        assert!(cat.ends(AT_ONCE).is_none());
        cat.close_input();
        assert!(cat.ends(SOON).is_some_and(|status| status.success()));
    }

    #[test]
    #[cfg(unix)]
    fn what_a_peer_that_has_ended_had_to_say_is_there() {
        for _ in 0..20 {
            let mut printf = Peer::start(Command::new("printf").arg("last words"));
            assert!(printf.ends(SOON).is_some());
            assert_eq!(printf.stdout(), "last words");
        }
    }
}
