//! What the tests of both relays need.

/// As many as we want, or as the system's limit on open files allows when each needs `files_each`.
pub fn as_many_as(wanted: usize, files_each: u64) -> usize {
    #[cfg(unix)]
    let limit: Option<u64> = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    #[cfg(not(unix))]
    let limit: Option<u64> = Some(10_000);
    let room = limit.map_or(u64::MAX, |limit| limit.saturating_sub(200)) / files_each;
    usize::try_from(room).unwrap_or(usize::MAX).clamp(10, wanted)
}
