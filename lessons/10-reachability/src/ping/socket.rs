//! The ICMP socket, or the reason why there is none.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use anyhow::{Result, anyhow};
use netbasics::cli::program::plain;
use netbasics::net::socket_error::DOCTOR;
use socket2::{Domain, Protocol, Socket, Type};

use crate::reason::explain;

// listing: begin open
/// Opens an ICMP socket that talks with `host` alone. (ICMP has no ports, so that one is ignored.)
///
/// A *raw* socket sends and hears packets of every kind, so it is for administrators. A *datagram*
/// socket with the protocol ICMP sends echo requests and hears their answers, and nothing else: that
/// much a system can leave to everybody.
pub fn open(host: SocketAddr, name: &str) -> Result<Socket> {
    let protocol = if host.is_ipv4() { Protocol::ICMPV4 } else { Protocol::ICMPV6 };
    // socket(2)
    let socket =
        Socket::new(Domain::for_address(host), Type::DGRAM, Some(protocol)).map_err(|error| {
            anyhow!("cannot ping {name}: {}", why_no_socket(std::env::consts::OS, &error))
        })?;
    // connect(2): as with UDP nothing is sent. From now on we hear nobody else, and the system tells
    // us when the host itself refuses what we send.
    let connected = socket.connect(&host.into());
    connected.map_err(|error| anyhow!("cannot ping {name}: {}", explain(&error)))?;
    Ok(socket)
}
// listing: end open

/// Why the system `os` gives us no ICMP socket, and what can be done about it.
fn why_no_socket(os: &str, error: &io::Error) -> String {
    match (os, error.kind()) {
        // icmp(7), ping_group_range. The file lies below net/ipv4, but ICMPv6 sockets go by it too.
        ("linux", ErrorKind::PermissionDenied) => {
            format!(
                "this system gives our group no ICMP socket; an administrator allows it to \
                 everybody until the next restart, for ICMPv6 too, with: \
                 sudo sysctl -w net.ipv4.ping_group_range=\"0 2147483647\" ({DOCTOR})"
            )
        }
        ("windows", _) => "Windows has no ICMP socket for programs without administrator rights; \
             use its own ping"
            .to_owned(),
        _ => format!("no ICMP socket on this system: {} ({DOCTOR})", plain(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::linux(
        "linux",
        ErrorKind::PermissionDenied,
        "net.ipv4.ping_group_range=\"0 2147483647\""
    )]
    #[case::linux_without_ipv6("linux", ErrorKind::Unsupported, "no ICMP socket on this system: ")]
    #[case::windows("windows", ErrorKind::PermissionDenied, "without administrator rights")]
    #[case::windows_otherwise("windows", ErrorKind::Unsupported, "without administrator rights")]
    #[case::macos("macos", ErrorKind::PermissionDenied, "no ICMP socket on this system: ")]
    fn each_system_has_its_reason(#[case] os: &str, #[case] kind: ErrorKind, #[case] says: &str) {
        let reason = why_no_socket(os, &kind.into());
        assert!(reason.contains(says), "{reason}");
        assert!(!reason.contains('\n'), "{reason}");
    }
}
