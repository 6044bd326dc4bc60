//! What RFC 8305 leaves to the program, and what it recommends.

use std::time::Duration;

/// Whatever has failed, two attempts never start closer together than this (section 5).
pub const CLOSEST_STARTS: Duration = Duration::from_millis(10);

/// The times and counts that RFC 8305 calls configurable (section 8).
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long an answer with IPv4 addresses waits for one with IPv6 addresses.
    pub resolution_delay: Duration,
    /// How long an attempt is alone before the next one starts beside it.
    pub attempt_delay: Duration,
    /// How many addresses of the preferred family are tried before the first of the other.
    pub first_family_count: usize,
    /// When to give up. (RFC 8305 leaves that to the program.)
    pub give_up: Duration,
}

impl Default for Settings {
    /// What section 8 recommends.
    fn default() -> Self {
        Self {
            resolution_delay: Duration::from_millis(50),
            attempt_delay: Duration::from_millis(250),
            first_family_count: 1,
            give_up: Duration::from_secs(10),
        }
    }
}
