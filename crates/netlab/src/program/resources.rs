//! What a running process holds, as Linux tells it in `/proc` (proc(5)); nothing elsewhere.

/// The most memory a running process has held so far, in bytes (`VmHWM` of proc(5)); `None` where
/// the system does not tell.
#[must_use]
pub fn peak_memory(id: u32) -> Option<u64> {
    proc_field(id, "VmHWM").map(|kib| kib * 1024)
}

/// How many threads a running process has.
pub(super) fn threads(id: u32) -> Option<u64> {
    proc_field(id, "Threads")
}

/// How many descriptors (open files, sockets, pipes) a running process has.
pub(super) fn descriptors(id: u32) -> Option<u64> {
    let entries = std::fs::read_dir(format!("/proc/{id}/fd")).ok()?;
    Some(entries.count() as u64)
}

fn proc_field(id: u32, field: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn an_open_file_is_a_descriptor_and_a_thread_is_a_thread() {
        let id = std::process::id();
        let files: Vec<_> = (0..10).map(|_| std::fs::File::open("/proc/self/status")).collect();
        assert!(descriptors(id).is_some_and(|count| count >= 10));
        let counted = std::thread::spawn(move || threads(id)).join();
        assert!(counted.is_ok_and(|count| count.is_some_and(|count| count >= 2)));
        drop(files);
    }
}
