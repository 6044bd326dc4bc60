//! Running one process with a limit on its time and on what is kept of its output.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How much of each output stream is kept, in bytes. The rest is read and dropped, so that the
/// process never blocks on a full pipe.
const KEPT_BYTES: usize = 64 * 1024;
/// How often a process is asked whether it has ended. (There is no portable wait with a limit.)
const POLL: Duration = Duration::from_millis(5);
/// How long the pipes may stay open after the process has ended. Something that it has started
/// may hold them for ever.
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

/// What came of a process.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status; `None` if it had to be killed when its time was over.
    pub status: Option<ExitStatus>,
    /// The beginning of its standard output.
    pub stdout: String,
    /// The beginning of its standard error.
    pub stderr: String,
    /// How long it ran.
    pub took: Duration,
}

/// Runs `command` in a process group of its own. When `limit` has passed, and also when the
/// process has ended by itself, whatever is left of the group is killed.
///
/// # Errors
/// When it cannot be started.
pub fn run(command: &mut Command, limit: Duration) -> io::Result<Ended> {
    run_fed(command, Stdio::null(), limit, |_| {})
}

/// As [`run`], with `stdin`; and `note` is told the id of the new process and of its group.
///
/// # Errors
/// When it cannot be started.
pub fn run_fed(
    command: &mut Command,
    stdin: Stdio,
    limit: Duration,
    note: impl FnOnce(u32),
) -> io::Result<Ended> {
    own_group(command);
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    let started = Instant::now();
    let mut child = command.spawn()?;
    note(child.id());
    let stdout = child.stdout.take().map(Kept::read);
    let stderr = child.stderr.take().map(Kept::read);
    let status = wait(&mut child, limit);
    kill_group(child.id());
    // It is dead or dying; this collects it, so that its id is free again.
    let _ = child.wait();
    let took = started.elapsed();
    let until = Instant::now() + LAST_WORDS;
    let words = |kept: Option<Kept>| kept.map_or_else(String::new, |kept| kept.text(until));
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

fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let until = Instant::now() + limit;
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if Instant::now() >= until || is_interrupted() {
            return None;
        }
        thread::sleep(POLL);
    }
}

/// The beginning of a stream, and the thread that reads it.
struct Kept {
    bytes: Arc<Mutex<Vec<u8>>>,
    reading: JoinHandle<()>,
}

impl Kept {
    fn read(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&bytes);
        let reading = thread::spawn(move || {
            let mut buffer = [0; 8 * 1024];
            while let Ok(length @ 1..) = pipe.read(&mut buffer) {
                let mut kept = shared.lock().unwrap_or_else(PoisonError::into_inner);
                let room = KEPT_BYTES - kept.len();
                kept.extend_from_slice(&buffer[..length.min(room)]);
            }
        });
        Self { bytes, reading }
    }

    fn text(self, until: Instant) -> String {
        while !self.reading.is_finished() && Instant::now() < until {
            thread::sleep(POLL);
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

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn output_beyond_the_cap_is_drained_and_dropped() {
        let ended = run(&mut sh("head -c 1000000 /dev/zero; echo end >&2"), LONG).unwrap();
        assert!(ended.status.unwrap().success());
        assert_eq!((ended.stdout.len(), ended.stderr.as_str()), (KEPT_BYTES, "end\n"));
    }

    #[test]
    fn a_process_that_outstays_its_limit_is_killed_with_its_children() {
        let ended = run(&mut sh("sleep 1000 & echo $!; wait"), Duration::from_millis(300)).unwrap();
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
    fn a_noted_group_is_killed() {
        let notes = tempfile::tempdir().unwrap();
        let mut command = sh("sleep 1000");
        own_group(&mut command);
        let mut child = command.spawn().unwrap();
        std::fs::write(notes.path().join(child.id().to_string()), "").unwrap();
        std::fs::write(notes.path().join("no number"), "").unwrap();
        kill_noted(notes.path());
        let status = wait(&mut child, LONG);
        assert!(status.is_some_and(|status| !status.success()));
    }

    #[test]
    fn a_child_that_keeps_the_pipe_open_does_not_hold_the_grader_up() {
        let ended = run(&mut sh("echo done; sleep 1000 &"), LONG).unwrap();
        assert_eq!(ended.stdout, "done\n");
        assert!(ended.took < LONG);
    }
}
