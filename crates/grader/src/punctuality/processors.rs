//! Who has used the processors: what this process has started, and everybody. Linux only (proc(5));
//! elsewhere nobody has used anything.

use std::fs;
use std::time::Duration;

use crate::process::orphans;

/// One unit of the times in `/proc` (`USER_HZ`, which is 100 on every machine that Rust runs on).
const TICK: Duration = Duration::from_millis(10);

/// Processor time that was used up to some moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessorTime {
    /// By what this process has started, and by what that has started.
    pub children: Duration,
    /// By everybody on this machine.
    pub everybody: Duration,
}

impl ProcessorTime {
    /// Up to now, in a process that has started no other one yet.
    #[must_use]
    pub fn before_any_child() -> Self {
        Self { children: Duration::ZERO, everybody: of_everybody() }
    }

    /// Up to now.
    #[must_use]
    pub fn now() -> Self {
        Self { children: of_children(), everybody: of_everybody() }
    }

    /// What was used between then and now.
    #[must_use]
    pub fn since(self) -> Self {
        let now = Self::now();
        Self {
            children: now.children.saturating_sub(self.children),
            everybody: now.everybody.saturating_sub(self.everybody),
        }
    }
}

/// For how long all threads of these processes have been ready to run and waited for a processor, taken
/// together (`/proc/PID/task/TID/schedstat`, the second number, in nanoseconds).
#[must_use]
pub fn queued(processes: &[u32]) -> Duration {
    let tasks = processes.iter().flat_map(|id| fs::read_dir(format!("/proc/{id}/task")));
    let of_a_task = |task: fs::DirEntry| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    Duration::from_nanos(tasks.flatten().flatten().filter_map(of_a_task).sum())
}

/// Those that were waited for are counted with their parent.
fn of_children() -> Duration {
    let waited_for = times(std::process::id()).map_or(0, |times| times[2] + times[3]);
    let living = orphans::descendants().into_iter().filter_map(times);
    let ticks = living.fold(waited_for, |sum, times| sum + times.iter().sum::<u32>());
    TICK * ticks
}

/// `utime`, `stime`, `cutime` and `cstime` of a process. Its name is in parentheses before them,
/// and may contain any.
fn times(id: u32) -> Option<[u32; 4]> {
    let text = fs::read(format!("/proc/{id}/stat")).ok()?;
    let text = String::from_utf8_lossy(&text);
    // The state after the name is the third field, and `utime` the fourteenth.
    let mut fields = text.rsplit_once(") ")?.1.split(' ').skip(11);
    let mut next = || fields.next()?.parse().ok();
    Some([next()?, next()?, next()?, next()?])
}

/// The first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, and more.
fn of_everybody() -> Duration {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields = text.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let ticks: Vec<u32> = fields.filter_map(|field| field.parse().ok()).collect();
    let busy = [0, 1, 2, 5, 6].iter().filter_map(|&field| ticks.get(field));
    TICK * busy.sum::<u32>()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;
    use std::thread;

    use super::*;

    /// Whether the child still runs, or was waited for, makes no difference.
    #[test]
    fn what_a_child_has_used_is_ours_and_everybodys() {
        let before = ProcessorTime::now();
        let mut child = Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        while before.since().children < 2 * TICK {
            thread::sleep(TICK);
        }
        assert!(before.since().everybody >= 2 * TICK);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(before.since().children >= 2 * TICK);
    }
}
