//! Process groups: a program with everything that it has started itself.

use std::process::{Child, Command};

#[cfg(unix)]
pub(crate) fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

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
