//! What a port number means, and how `HOST:PORT` is read.

mod endpoint;
mod error;

use std::fmt;
use std::ops::RangeInclusive;

pub use endpoint::{Endpoint, Host};
pub use error::{DestinationError, EndpointError, EndpointProblem};

/// Reads the address of a server to connect to from a command line (for clap's `value_parser`).
///
/// # Errors
/// What is wrong with it; port 0 is, too.
pub fn destination(text: &str) -> Result<Endpoint, DestinationError> {
    match text.parse()? {
        Endpoint { port: 0, .. } => Err(DestinationError::PortZero),
        endpoint => Ok(endpoint),
    }
}

/// The three ranges of port numbers (RFC 6335 section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PortKind {
    /// 0–1023, "well-known": HTTP, DNS … On many systems only an administrator may listen here.
    /// Port 0 is never used on the wire: to a program it means "the system picks one".
    System,
    /// 1024–49151, "registered": anyone may listen here; IANA keeps a list of who usually does.
    User,
    /// 49152–65535, "private" or "ephemeral": never assigned to anybody, free for the moment.
    Dynamic,
}

impl PortKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::System, Self::User, Self::Dynamic];

    /// The kind of `port`.
    #[must_use]
    pub const fn of(port: u16) -> Self {
        match port {
            0..=1023 => Self::System,
            1024..=49151 => Self::User,
            49152.. => Self::Dynamic,
        }
    }

    /// The port numbers of this kind.
    #[must_use]
    pub const fn range(self) -> RangeInclusive<u16> {
        match self {
            Self::System => 0..=1023,
            Self::User => 1024..=49151,
            Self::Dynamic => 49152..=u16::MAX,
        }
    }

    /// The word of RFC 6335: `system`, `user` or `dynamic`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Dynamic => "dynamic",
        }
    }
}

impl fmt::Display for PortKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0, PortKind::System)]
    #[case(1023, PortKind::System)]
    #[case(1024, PortKind::User)]
    #[case(49151, PortKind::User)]
    #[case(49152, PortKind::Dynamic)]
    #[case(65535, PortKind::Dynamic)]
    fn kind_changes_exactly_at_its_boundary(#[case] port: u16, #[case] kind: PortKind) {
        assert_eq!(PortKind::of(port), kind);
        assert!(kind.range().contains(&port));
    }

    #[test]
    fn the_ranges_cover_every_port_once() {
        for port in 0..=u16::MAX {
            let kinds = PortKind::ALL.iter().filter(|kind| kind.range().contains(&port));
            assert_eq!(kinds.collect::<Vec<_>>(), [&PortKind::of(port)]);
        }
    }
}
