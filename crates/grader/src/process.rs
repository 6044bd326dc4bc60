//! Running one process with a limit on its time and on what is kept of its output.

pub mod orphans;

use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::punctuality::Limit;

/// How much of each output stream is kept, in bytes. The rest is read and dropped, so that the
/// process never blocks on a full pipe.
const KEPT_BYTES: usize = 64 * 1024;
/// How often a wait looks whether it was cancelled. (A process that ends by itself is noticed at
/// once where there is waitid(2), and as often as this elsewhere.)
const POLL: Duration = Duration::from_millis(5);
/// How long the pipes may stay open after the process has ended. Something that it has started
/// may hold them forever.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Set by [`interrupt`].
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Ends every [`run`] that is going on or comes later, as if its time were over: for Ctrl-C, which
/// does not reach process groups of their own.
pub fn interrupt() {
    INTERRUPTED.store(true, Ordering::SeqCst);
}

/// Whether [`interrupt`] was called.
#[must_use]
pub fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// Ends one grading before its time: the holder of any clone may do so, at any moment.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Ends every [`run`] that was given this, now or later, as if its time were over.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it was cancelled, or everything was [interrupted](interrupt).
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst) || is_interrupted()
    }
}

/// What came of a process.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status; `None` if it had to be killed, as its time was over or it was cancelled.
    pub status: Option<ExitStatus>,
    /// The beginning of its standard output.
    pub stdout: String,
    /// The beginning of its standard error.
    pub stderr: String,
    /// How long it ran.
    pub took: Duration,
}

/// What a process may use up, and who may end it.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// How long it may run, in [punctual time](crate::punctuality): a pause of the machine ends
    /// nothing.
    pub limit: Duration,
    /// How much of each output stream is kept, in bytes. The rest is read and dropped, so that
    /// the process never blocks on a full pipe.
    pub kept_bytes: usize,
    /// Ends it earlier.
    pub cancel: Cancel,
}

impl Bounds {
    /// A limit on its time, and the usual one on its output.
    #[must_use]
    pub fn of(limit: Duration, cancel: &Cancel) -> Self {
        Self { limit, kept_bytes: KEPT_BYTES, cancel: cancel.clone() }
    }
}

/// Runs `command` in a process group of its own. When it has to end, and also when the process
/// has ended by itself, whatever is left of the group is killed.
///
/// # Errors
/// When it cannot be started.
pub fn run(command: &mut Command, bounds: &Bounds) -> io::Result<Ended> {
    run_noting(command, Stdio::null(), bounds, |_| {})
}

/// As [`run_noting`], with a time limit only.
///
/// # Errors
/// When it cannot be started.
pub fn run_fed(
    command: &mut Command,
    stdin: Stdio,
    limit: Duration,
    note: impl FnOnce(u32),
) -> io::Result<Ended> {
    run_noting(command, stdin, &Bounds::of(limit, &Cancel::default()), note)
}

/// As [`run`], with `stdin`; and `note` is told the id of the new process and of its group.
///
/// # Errors
/// When it cannot be started.
pub fn run_noting(
    command: &mut Command,
    stdin: Stdio,
    bounds: &Bounds,
    note: impl FnOnce(u32),
) -> io::Result<Ended> {
    own_group(command);
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    let started = Instant::now();
    let mut child = orphans::spawn(command)?;
    note(child.id());
    let stdout = child.stdout.take().map(|pipe| Kept::read(pipe, bounds.kept_bytes));
    let stderr = child.stderr.take().map(|pipe| Kept::read(pipe, bounds.kept_bytes));
    let ended = ends(&mut child, bounds);
    kill_group(child.id());
    // It may have joined another group than the one that it was started in.
    let _ = child.kill();
    // It is dead or dying; this collects it, so that its id is free again.
    let status = child.wait().ok().filter(|_| ended);
    orphans::forget(child.id());
    let took = started.elapsed();
    let limit = Limit::begin(LAST_WORDS);
    let words = |kept: Option<Kept>| kept.map_or_else(String::new, |kept| kept.text(&limit));
    Ok(Ended { status, stdout: words(stdout), stderr: words(stderr), took })
}

/// Kills the process groups that are noted in `folder` as files named by their ids.
pub fn kill_noted(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) {
            kill_group(id);
        }
    }
}

/// Whether the process ends by itself within its bounds. It is not collected: until then its id,
/// which is its group's too, belongs to nobody else.
#[cfg(unix)]
fn ends(child: &mut Child, bounds: &Bounds) -> bool {
    use rustix::io::retry_on_intr;
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    let (closes, end) = mpsc::channel::<()>();
    let id = Pid::from_child(child);
    thread::spawn(move || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let _ = retry_on_intr(|| waitid(WaitId::Pid(id), options));
        drop(closes);
    });
    within(bounds, || end.recv_timeout(POLL) == Err(mpsc::RecvTimeoutError::Disconnected))
}

/// Whether the process ends by itself within its bounds.
#[cfg(not(unix))]
fn ends(child: &mut Child, bounds: &Bounds) -> bool {
    within(bounds, || {
        thread::sleep(POLL);
        child.try_wait().is_ok_and(|status| status.is_some())
    })
}

/// Asks until it `has_ended`, or until it has to. It is asked once more after the limit: a thread
/// that wakes from a pause finds both.
fn within(bounds: &Bounds, mut has_ended: impl FnMut() -> bool) -> bool {
    let limit = Limit::begin(bounds.limit);
    loop {
        let is_last = limit.left().is_none() || bounds.cancel.is_cancelled();
        if has_ended() {
            return true;
        }
        if is_last {
            return false;
        }
    }
}

/// The beginning of a stream, and when it has ended.
struct Kept {
    bytes: Arc<Mutex<Vec<u8>>>,
    /// Closes with the stream.
    end: Receiver<()>,
}

impl Kept {
    fn read(mut pipe: impl Read + Send + 'static, kept_bytes: usize) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&bytes);
        let (closes, end) = mpsc::channel::<()>();
        thread::spawn(move || {
            let mut buffer = [0; 8 * 1024];
            while let Ok(length @ 1..) = pipe.read(&mut buffer) {
                let mut kept = shared.lock().unwrap_or_else(PoisonError::into_inner);
                let room = kept_bytes - kept.len();
                kept.extend_from_slice(&buffer[..length.min(room)]);
            }
            drop(closes);
        });
        Self { bytes, end }
    }

    fn text(self, limit: &Limit) -> String {
        loop {
            let left = limit.left();
            match self.end.recv_timeout(left.unwrap_or_default()) {
                Err(RecvTimeoutError::Timeout) if left.is_some() => {}
                _ => break,
            }
        }
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

#[cfg(unix)]
fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(not(unix))]
fn own_group(_command: &mut Command) {}

/// Kills a process group with all its members. That there is none any more is fine.
#[cfg(unix)]
fn kill_group(id: u32) {
    use rustix::process::{Pid, Signal, kill_process_group};
    // Groups 0 and 1 mean "my own" and "init": never a group that a test has started.
    if id > 1
        && let Some(group) = i32::try_from(id).ok().and_then(Pid::from_raw)
    {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Without process groups: the process itself, and what it has started (taskkill's `/T`).
#[cfg(not(unix))]
fn kill_group(id: u32) {
    let _ = Command::new("taskkill").args(["/F", "/T", "/PID", &id.to_string()]).output();
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    fn long() -> Bounds {
        Bounds::of(LONG, &Cancel::default())
    }

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn output_beyond_the_cap_is_drained_and_dropped() {
        let ended = run(&mut sh("head -c 1000000 /dev/zero; echo end >&2"), &long()).unwrap();
        assert!(ended.status.unwrap().success());
        assert_eq!((ended.stdout.len(), ended.stderr.as_str()), (KEPT_BYTES, "end\n"));
    }

    #[test]
    fn a_process_that_outstays_its_limit_is_killed_with_its_children() {
        let bounds = Bounds::of(Duration::from_millis(300), &Cancel::default());
        let ended = run(&mut sh("sleep 1000 & echo $!; wait"), &bounds).unwrap();
        assert!(ended.status.is_none());
        let child = Path::new("/proc").join(ended.stdout.trim()).join("cmdline");
        let is_gone = || std::fs::read(&child).map_or(true, |line| line.is_empty());
        let until = Instant::now() + LONG;
        while !is_gone() && Instant::now() < until {
            thread::sleep(POLL);
        }
        assert!(is_gone(), "{} still runs", child.display());
    }

    #[test]
    fn a_cancelled_process_is_killed_and_the_others_are_not() {
        let bounds = long();
        let cancel = bounds.cancel.clone();
        let cancelling = thread::spawn(move || run(&mut sh("echo on; sleep 1000"), &bounds));
        cancel.cancel();
        let ended = cancelling.join().unwrap().unwrap();
        assert!(ended.status.is_none() && ended.took < LONG);
        assert!(run(&mut sh("exit 0"), &long()).unwrap().status.is_some());
    }

    #[test]
    fn a_noted_group_is_killed() {
        let notes = tempfile::tempdir().unwrap();
        let mut command = sh("sleep 1000");
        own_group(&mut command);
        let mut child = command.spawn().unwrap();
        std::fs::write(notes.path().join(child.id().to_string()), "").unwrap();
        std::fs::write(notes.path().join("no number"), "").unwrap();
        kill_noted(notes.path());
        assert!(ends(&mut child, &long()) && !child.wait().unwrap().success());
    }

    #[test]
    fn a_child_that_keeps_the_pipe_open_does_not_hold_the_grader_up() {
        let ended = run(&mut sh("echo done; sleep 1000 &"), &long()).unwrap();
        assert_eq!(ended.stdout, "done\n");
        assert!(ended.took < LONG);
    }
}
