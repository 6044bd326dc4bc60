//! The two families of addresses: which of them this machine has, and which one a peer came by.

use std::fmt;
use std::net::{Ipv6Addr, SocketAddr, TcpListener};

use netbasics::cli::program::plain;
use netbasics::net::socket_error::DOCTOR;

use crate::address::canonical;

/// A family of addresses; its sockets are `AF_INET` or `AF_INET6` (socket(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

impl Family {
    pub fn of(address: SocketAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    pub fn other(self) -> Self {
        match self {
            Self::V4 => Self::V6,
            Self::V6 => Self::V4,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

// listing: begin missing_ipv6
/// Why this machine has no IPv6, in one line; `None` if it has.
///
/// A system without IPv6 has no such sockets at all (`EAFNOSUPPORT`). One on which it is switched
/// off has them, but no interface has an address, not even `::1` (`EADDRNOTAVAIL`).
pub fn missing_ipv6() -> Option<String> {
    let error = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).err()?;
    Some(format!("this machine has no IPv6 (no socket at ::1: {}; {DOCTOR})", plain(&error)))
}
// listing: end missing_ipv6

// listing: begin unmapped
/// The address a peer has in its own family.
///
/// An IPv6 socket that takes clients of both families (`IPV6_V6ONLY` off) shows an IPv4 peer as the
/// mapped address `::ffff:127.0.0.1` (RFC 4291, section 2.5.5.2). No packet on the network carries
/// that address: a program that compares, logs or blocks addresses has to take it off first.
pub fn unmapped(peer: SocketAddr) -> SocketAddr {
    match peer {
        SocketAddr::V6(v6) => match v6.ip().to_ipv4_mapped() {
            Some(v4) => SocketAddr::from((v4, v6.port())),
            None => peer,
        },
        SocketAddr::V4(_) => peer,
    }
}
// listing: end unmapped

// listing: begin needs_zone
/// Whether the address is a link-local one that does not say on which link. All that the system says
/// to such an address is "invalid argument" (`EINVAL`), which helps nobody.
pub fn needs_zone(address: SocketAddr) -> bool {
    matches!(address, SocketAddr::V6(v6) if v6.ip().is_unicast_link_local() && v6.scope_id() == 0)
}

/// What to say then.
pub fn zone_advice(address: SocketAddr) -> String {
    let (ip, port) = (address.ip(), address.port());
    format!("a link-local address needs its link; name the interface, as in [{ip}%eth0]:{port}")
}
// listing: end needs_zone

/// `127.0.0.1:80`, `[::1]:80`, `[fe80::1%2]:80`: the canonical text of an address with its port. The
/// brackets are those of RFC 5952, section 6.
pub fn text(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(v4) => v4.to_string(),
        SocketAddr::V6(v6) if v6.scope_id() == 0 => {
            format!("[{}]:{}", canonical::canonical(*v6.ip()), v6.port())
        }
        // A zone is this machine's own number of an interface, and so nobody else's business.
        SocketAddr::V6(v6) => {
            format!("[{}%{}]:{}", canonical::canonical(*v6.ip()), v6.scope_id(), v6.port())
        }
    }
}
