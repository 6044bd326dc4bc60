//! A program whose end and whose memory are measured (feature `timed`).
//!
//! [`program`](crate::program) asks every few milliseconds whether a program has ended, which is
//! well enough for a test. Here a thread of its own waits in wait4(2): the end is noticed when it
//! happens, and the system says with it how much memory the program has had at most.

use std::io;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::program::{Kept, StartError, keep_reading, kill_group_of, own_group, poll};

/// How many lines are kept with their times; a program that says more has its end in
/// [`Timed::said`].
const KEPT_LINES: usize = 1000;
/// How long the pipes of a program that has ended may stay open.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How a program ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// When we were told, which is when it happened.
    pub at: Instant,
    /// Its exit status.
    pub status: ExitStatus,
    /// The most memory that it, or a program it had started and waited for, has held, in bytes
    /// (`ru_maxrss` of getrusage(2)). Linux counts in what the program that started it held at
    /// that moment, so nothing below our own few MiB is ever seen. Where there is no wait4(2), 0.
    pub peak_memory: u64,
}

/// Lines with their times, and whether they came on standard output.
type Lines = Arc<Mutex<Vec<(Instant, String, bool)>>>;

/// A running program. Dropping it kills its whole process group.
#[derive(Debug)]
pub struct Timed {
    id: u32,
    started: Instant,
    waiting: Receiver<Option<Ended>>,
    ended: Option<Ended>,
    words: Kept,
    lines: Lines,
    reading: Vec<thread::JoinHandle<()>>,
}

impl Timed {
    /// Starts `command` in a process group of its own. What is piped is read and kept; `stdin`
    /// and `stdout` may be files instead.
    ///
    /// # Errors
    /// [`StartError::NotStarted`].
    pub fn start(command: &mut Command, stdin: Stdio, stdout: Stdio) -> Result<Self, StartError> {
        own_group(command);
        command.stdin(stdin).stdout(stdout).stderr(Stdio::piped());
        let started = Instant::now();
        let mut child = command.spawn().map_err(|error| {
            StartError::NotStarted(command.get_program().to_string_lossy().into_owned(), error)
        })?;
        let (words, lines) = (Kept::default(), Lines::default());
        let mut reading = Vec::new();
        reading.extend(child.stdout.take().map(|pipe| read(pipe, &words, &lines, true)));
        reading.extend(child.stderr.take().map(|pipe| read(pipe, &words, &lines, false)));
        let (end, waiting) = mpsc::channel();
        let id = child.id();
        thread::spawn(move || {
            let ended = wait(&mut child).ok();
            // Nobody may be there any more to hear it.
            let _ = end.send(ended);
        });
        Ok(Self { id, started, waiting, ended: None, words, lines, reading })
    }

    /// Just before the system was asked to start it.
    #[must_use]
    pub fn started(&self) -> Instant {
        self.started
    }

    /// The id of the process and of its group.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Waits at most `limit` for it to end by itself, and until its last words were read.
    pub fn ends(&mut self, limit: Duration) -> Option<Ended> {
        if self.ended.is_none() {
            self.ended = self.waiting.recv_timeout(limit).ok().flatten();
            if self.ended.is_some() {
                let is_read = || self.reading.iter().all(thread::JoinHandle::is_finished);
                poll(LAST_WORDS, || is_read().then_some(()));
            }
        }
        self.ended
    }

    /// When it has said a line that contains `text`, if it has so far.
    #[must_use]
    pub fn has_said(&self, text: &str) -> Option<(Instant, String)> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let found = lines.iter().find(|(_, line, _)| line.contains(text));
        found.map(|(at, line, _)| (*at, line.clone()))
    }

    /// When it has printed its first line on standard output, if it has so far.
    #[must_use]
    pub fn first_output(&self) -> Option<Instant> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().find(|(_, _, is_output)| *is_output).map(|(at, ..)| *at)
    }

    /// The end of what it has said so far.
    #[must_use]
    pub fn said(&self) -> String {
        self.words.text()
    }

    /// Kills its group at once and waits for it.
    pub fn kill(&mut self) -> Option<Ended> {
        // Once it was waited for, its id may be somebody else's by now.
        if self.ended.is_none() {
            kill_group_of(self.id);
        }
        self.ends(LAST_WORDS)
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(unix)]
fn wait(child: &mut Child) -> io::Result<Ended> {
    let used = wait4::Wait4::wait4(child)?;
    Ok(Ended { at: Instant::now(), status: used.status, peak_memory: used.rusage.maxrss })
}

#[cfg(not(unix))]
fn wait(child: &mut Child) -> io::Result<Ended> {
    let status = child.wait()?;
    Ok(Ended { at: Instant::now(), status, peak_memory: 0 })
}

fn read(
    pipe: impl io::Read + Send + 'static,
    words: &Kept,
    lines: &Lines,
    is_output: bool,
) -> thread::JoinHandle<()> {
    let lines = Arc::clone(lines);
    keep_reading(pipe, words, move |line| {
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() < KEPT_LINES {
            lines.push((Instant::now(), line.to_owned(), is_output));
        }
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    fn start(script: &str) -> Result<Timed, StartError> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Timed::start(&mut command, Stdio::null(), Stdio::piped())
    }

    #[test]
    fn a_line_is_known_with_its_time_and_the_end_with_its_memory() {
        let mut program = start("echo warning >&2; echo hello; exit 3").unwrap();
        let ended = program.ends(LONG).unwrap();
        assert_eq!(ended.status.code(), Some(3));
        assert!(ended.peak_memory > 100 * 1024, "{ended:?}");
        let (said, line) = program.has_said("ell").unwrap();
        assert_eq!(line, "hello");
        assert!(program.started() < said && said < Instant::now());
        assert_eq!(program.first_output(), Some(said));
    }

    #[test]
    fn what_does_not_end_is_killed() {
        let mut program = start("sleep 1000 & wait").unwrap();
        assert!(program.ends(Duration::from_millis(50)).is_none());
        assert!(!program.kill().unwrap().status.success());
    }
}
