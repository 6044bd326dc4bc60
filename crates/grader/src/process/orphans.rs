//! Processes that have left everything by which they could be found: on Linux, the whole tree.
//!
//! A program that is killed with its process group may have started others that left the group
//! (setsid(2), setpgid(2)) and whose parent has ended, so that they belong to init. On Linux a
//! process can ask to be given the orphans among its descendants instead (`PR_SET_CHILD_SUBREAPER`,
//! prctl(2)). Both sides of a graded case do so:
//!
//! - the graded test, so that what its submission leaves behind stays below it while it runs. What
//!   two cases that run at the same time have started is kept apart in this way;
//! - the grader. When a test has ended, or was killed, its descendants become the grader's own
//!   children, and [`end`] stops and kills all of them, with whatever they start meanwhile.
//!
//! A child of the grader that it has not started itself is such an orphan, so a process that adopts
//! starts its own children by [`spawn`] only. Cargo may leave a server behind (a compiler cache);
//! [`spare`] says that what is there now is nobody's submission.
//!
//! Elsewhere (macOS, Windows) the process group or tree that was noted when a program was started
//! is killed, and nothing else: what has left it stays alive. Nowhere is this a prison: a program
//! of the same user may kill the grader itself. For strangers' programs use a container.

use std::collections::HashSet;
use std::io;
use std::process::{Child, Command};
use std::sync::Mutex;

#[cfg(not(target_os = "linux"))]
use elsewhere as system;
#[cfg(target_os = "linux")]
use linux as system;

/// The children that this process has started itself, if it adopts.
static OWN: Mutex<Option<HashSet<u32>>> = Mutex::new(None);

/// From now on the orphans among the descendants of this process become its children, where the
/// system can do that.
pub fn adopt() {
    if system::adopt().is_ok() {
        own().get_or_insert_default();
    }
}

/// Starts a child that [`end`] leaves alone, until it is [`forget`]ten.
pub fn spawn(command: &mut Command) -> io::Result<Child> {
    // Under the lock: nobody sees the child before it is noted.
    let mut own = own();
    let child = command.spawn()?;
    if let Some(own) = own.as_mut() {
        own.insert(child.id());
    }
    Ok(child)
}

/// The child was waited for; its id may be somebody else's soon.
pub fn forget(id: u32) {
    if let Some(own) = own().as_mut() {
        own.remove(&id);
    }
}

/// Never touches the orphans that are there by now.
pub fn spare() {
    if let Some(own) = own().as_mut() {
        own.extend(system::children(std::process::id()));
    }
}

/// Ends all orphans and what they have started. `false` if some of them are still alive after
/// half a minute.
#[must_use]
pub fn end() -> bool {
    // Two cases may end at the same time: one of them ends the orphans of both.
    own().as_ref().is_none_or(system::end)
}

/// Ends every child of this process and what they have started, for a process that is about to end.
pub fn end_all() {
    if own().is_some() {
        system::end_all();
    }
}

/// What this process has started, with all that has come of it.
pub(crate) fn descendants() -> Vec<u32> {
    let mut left = system::children(std::process::id());
    let mut found = Vec::new();
    while let Some(id) = left.pop() {
        left.extend(system::children(id));
        found.push(id);
    }
    found
}

fn own() -> std::sync::MutexGuard<'static, Option<HashSet<u32>>> {
    OWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use std::collections::HashSet;
    use std::io;

    pub fn adopt() -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub fn children(_of: u32) -> Vec<u32> {
        Vec::new()
    }

    pub fn end(_own: &HashSet<u32>) -> bool {
        true
    }

    pub fn end_all() {}
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::HashSet;
    use std::fs;
    use std::io;
    use std::path::Path;
    use std::thread;
    use std::time::Duration;

    use rustix::process::{
        Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, waitpid,
    };

    use crate::punctuality::Limit;

    /// How long ending the orphans may take.
    const LIMIT: Duration = Duration::from_secs(30);
    /// A process that was killed needs a moment until it is gone.
    const PAUSE: Duration = Duration::from_millis(1);

    pub fn adopt() -> io::Result<()> {
        Ok(set_child_subreaper(Some(getpid()))?)
    }

    pub fn end(own: &HashSet<u32>) -> bool {
        end_found(|| {
            let mut orphans = adopted();
            orphans.retain(|id| !own.contains(id));
            orphans
        })
    }

    pub fn end_all() {
        let id = std::process::id();
        end_found(|| read_twice(|| children(id)));
    }

    /// Stops first and kills then: what is stopped starts nothing new. Only when a whole walk
    /// through the tree has met nobody new, all are killed; those that were started in between are
    /// met by the next walk.
    ///
    /// It is over when nobody is found any more, not even a dead one. That a walk meets
    /// only dead ones proves nothing: the last of them may have started another one just before it
    /// died, which became our child after the walk had begun.
    fn end_found(find: impl Fn() -> Vec<u32>) -> bool {
        let limit = Limit::begin(LIMIT);
        let mut stopped: HashSet<u32> = HashSet::new();
        while limit.left().is_some() {
            let orphans = find();
            if orphans.is_empty() {
                return true;
            }
            let met = stop_all(orphans);
            let known = stopped.len();
            stopped.extend(&met);
            if stopped.len() == known && !met.is_empty() {
                kill_all(met);
                thread::sleep(PAUSE);
            }
        }
        // They multiply faster than we stop them. Nobody is better off with stopped ones about.
        kill_all(stop_all(find()));
        false
    }

    /// The children of our first thread, the dead ones that nobody has collected included: orphans
    /// are given to it for as long as it lives, and other threads have no children that we did not
    /// start. There are many threads where many cases run at a time, and this is asked after each.
    fn adopted() -> Vec<u32> {
        let id = std::process::id();
        let first_thread = format!("/proc/self/task/{id}");
        read_twice(|| {
            let children = children_of_task(Path::new(&first_thread));
            children.unwrap_or_else(|| children_by_walking(id))
        })
    }

    /// A list of children. The kernel's is read child by child, and one that is collected meanwhile by
    /// another thread makes it skip the next. It was in what was read already, so two readings that are
    /// the same have skipped nobody.
    fn read_twice(read: impl Fn() -> Vec<u32>) -> Vec<u32> {
        let mut found = read();
        loop {
            let again = read();
            if again == found {
                return found;
            }
            found = again;
        }
    }

    fn kill_all(ids: Vec<u32>) {
        for id in ids {
            signal(id, Signal::KILL);
        }
    }

    /// Collects the orphans that are dead, stops the others and all below them, the parents first,
    /// and returns those that it has met. One whose first thread has ended looks dead (proc(5), state
    /// `Z`) while its other threads go on; so only what can be collected counts as dead.
    fn stop_all(orphans: Vec<u32>) -> Vec<u32> {
        let mut left = orphans;
        left.retain(|id| !is_collected(*id));
        let mut met = Vec::new();
        while let Some(id) = left.pop() {
            signal(id, Signal::STOP);
            left.extend(children(id));
            met.push(id);
        }
        met
    }

    /// Collects a child that is dead, so that its id is free again.
    fn is_collected(id: u32) -> bool {
        pid(id).is_none_or(|pid| !matches!(waitpid(Some(pid), WaitOptions::NOHANG), Ok(None)))
    }

    fn signal(id: u32, signal: Signal) {
        // That it is gone meanwhile is fine.
        let _ = pid(id).map(|pid| kill_process(pid, signal));
    }

    fn pid(id: u32) -> Option<Pid> {
        Pid::from_raw(i32::try_from(id).ok()?)
    }

    /// The children of a process. The kernel's own list (proc(5), `children`) is read in
    /// microseconds: a process that hops from child to child would be gone before a walk through
    /// all of /proc is over. Where the kernel keeps no such list, that walk has to do.
    pub fn children(of: u32) -> Vec<u32> {
        let Ok(tasks) = fs::read_dir(format!("/proc/{of}/task")) else { return Vec::new() };
        let mut children = Vec::new();
        for task in tasks.flatten() {
            match children_of_task(&task.path()) {
                Some(of_task) => children.extend(of_task),
                // This task may have ended since; but if it has not, there is no such file.
                None if task.path().exists() => return children_by_walking(of),
                None => {}
            }
        }
        children
    }

    fn children_of_task(task: &Path) -> Option<Vec<u32>> {
        let list = fs::read_to_string(task.join("children")).ok()?;
        Some(list.split(' ').filter_map(|id| id.parse().ok()).collect())
    }

    fn children_by_walking(of: u32) -> Vec<u32> {
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let ids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        ids.filter(|id| parent(*id) == Some(of)).collect()
    }

    /// The parent of a process, the second field after its name (proc(5), `stat`), which is in
    /// parentheses and may contain any.
    fn parent(id: u32) -> Option<u32> {
        let text = fs::read(format!("/proc/{id}/stat")).ok()?;
        let text = String::from_utf8_lossy(&text);
        text.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
    }
}
