//! Process groups: a program with everything that it has started itself.

use std::process::{Child, Command};

#[cfg(unix)]
pub(crate) fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    heed_interrupts();
    command.process_group(0);
}

/// What a shell starts in the background may be told to ignore SIGINT (POSIX, 2.12 Asynchronous Lists),
/// and a child inherits that (execve(2)): [`interrupt`] would not end it. A signal that is handled has
/// its default action in a child. So we handle SIGINT by doing nothing, which for us is the same.
#[cfg(target_os = "linux")]
fn heed_interrupts() {
    use std::sync::atomic::AtomicBool;
    use std::sync::{Arc, Once};
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if ignores_interrupts() {
            // If this fails, a child that wants to be interrupted has to handle it by itself.
            let _ = signal_hook::flag::register(
                signal_hook::consts::SIGINT,
                Arc::new(AtomicBool::new(false)),
            );
        }
    });
}

/// Nobody else tells without changing it (proc(5), `status`): a bit for each signal, from 1 on.
#[cfg(target_os = "linux")]
fn ignores_interrupts() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask & (1 << (signal_hook::consts::SIGINT - 1)) != 0)
}

#[cfg(all(unix, not(target_os = "linux")))]
fn heed_interrupts() {}

#[cfg(not(unix))]
pub(crate) fn own_group(_command: &mut Command) {}

#[cfg(unix)]
pub(super) fn interrupt(child: &mut Child) {
    use rustix::process::{Pid, Signal, kill_process};
    // A child that was waited for has no process id any more; it might be somebody else's by now.
    if child.try_wait().is_ok_and(|status| status.is_none()) {
        let _ = kill_process(Pid::from_child(child), Signal::INT);
    }
}

#[cfg(not(unix))]
pub(super) fn interrupt(child: &mut Child) {
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
