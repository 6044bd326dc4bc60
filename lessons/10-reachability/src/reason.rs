//! Why a packet of ours does not get there, in words.
//!
//! The system has two sources for these errors and does not say which it was: its own routing table
//! (then nothing was sent), and ICMP "destination unreachable" from a router or host on the way.

use std::io::{self, ErrorKind};

/// What the system's error means for somebody who wants to reach a host.
pub fn explain(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NetworkUnreachable => {
            "network unreachable; this machine, or a router on the way, knows no route to it".into()
        }
        ErrorKind::HostUnreachable => {
            "host unreachable; this machine, or a router on the way, cannot deliver to it".into()
        }
        ErrorKind::ConnectionRefused => {
            "refused; the host, or a firewall before it, says that it takes no such packets".into()
        }
        ErrorKind::PermissionDenied => {
            "not permitted; a rule of this machine forbids it, or it is \
             the broadcast address of a network"
                .into()
        }
        ErrorKind::InvalidInput => "invalid argument; a link-local address (fe80::…) needs its \
             zone, and Linux says the same when its route to an address is a black hole"
            .into(),
        _ => netbasics::net::socket_error::explain(error),
    }
}

/// Whether the error says that a packet of ours, or its way, is barred.
pub fn is_barred(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable | ErrorKind::PermissionDenied
    )
}
