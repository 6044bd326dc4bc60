//! Ports for programs that cannot pick one and say which, and how to see from outside that a program
//! has its port.

use std::fs;
use std::io;
use std::net::{TcpListener, UdpSocket};
use std::process::Command;
use std::time::Duration;

use socket2::Socket;

use crate::program::poll;
use crate::record::Transport;

/// How often a port may turn out to be taken after all.
const TRIES: usize = 100;

/// A port of 127.0.0.1 that was free a moment ago, for a program that cannot pick one and say which.
///
/// Not while other threads start programs: a child that has not become its program yet (fork(2),
/// then execve(2)) holds copies of our sockets, so the port may look bound, or be refused, for a
/// moment after we have closed it. Where a program of the contract is at hand, start it on port 0,
/// take its address, and let it go: that socket was never ours.
///
/// # Panics
/// When the system gives no port at all.
#[must_use]
pub fn free_port(transport: Transport) -> u16 {
    let address = match transport {
        Transport::Tcp => TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()),
        Transport::Udp => UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()),
    };
    address.unwrap_or_else(|error| panic!("no free {transport:?} port: {error}")).port()
}

/// A port of 127.0.0.1 that was free a moment ago over TCP and over UDP, for a program of which
/// nobody knows what it will open. See [`free_port`].
///
/// # Panics
/// When the system gives no such port.
#[must_use]
pub fn free_port_for_any() -> u16 {
    let is_free = |port: &u16| UdpSocket::bind(("127.0.0.1", *port)).is_ok();
    let mut ports = (0..TRIES).map(|_| free_port(Transport::Tcp));
    ports.find(is_free).unwrap_or_else(|| panic!("no port that is free over TCP and UDP"))
}

/// Asks for segments of at most 536 bytes, which is what TCP assumes of a peer that names no size (RFC
/// 9293, section 3.7.1), on the connections that `socket` will open or accept: tcp(7), `TCP_MAXSEG`. A
/// sender's system sizes its send buffer by the segments: on the loopback interface, where they have
/// 64 KiB, it holds megabytes, and now some ten kilobytes.
///
/// Does nothing where a socket cannot ask for that (Windows).
///
/// # Errors
/// When the system does not let it.
pub fn small_segments(socket: &Socket) -> io::Result<()> {
    #[cfg(unix)]
    socket.set_tcp_mss(536)?;
    let _ = socket;
    Ok(())
}

/// Whether some program has `port` now: listens on it (TCP) or is bound to it (UDP).
pub(crate) fn is_taken(port: u16) -> bool {
    [Transport::Tcp, Transport::Udp].into_iter().any(|transport| is_listed(transport, port))
}

/// Waits until some program listens on (TCP) or is bound to (UDP) `port`; `false` if none is
/// within `limit`. It looks at the system's list of sockets and touches none of them: a
/// connection to find out would be the one that `nc -l` was waiting for.
#[must_use]
pub fn is_bound(transport: Transport, port: u16, limit: Duration) -> bool {
    poll(limit, || is_listed(transport, port).then_some(())).is_some()
}

/// Looks into `/proc/net/tcp` or `/proc/net/udp` (proc(5)): the second column is the local address
/// as `0100007F:22B8` in hexadecimal, the fourth the state, of which `0A` is "listening". Where
/// there is no such file, netstat prints the same list as text.
fn is_listed(transport: Transport, port: u16) -> bool {
    let (name, state) = match transport {
        Transport::Tcp => ("tcp", Some("0A")),
        Transport::Udp => ("udp", None),
    };
    let Ok(mut list) = fs::read_to_string(format!("/proc/net/{name}")) else {
        return netstat_lists(transport, port);
    };
    // A socket of IPv6 that is bound to all addresses takes clients of IPv4, too (ipv6(7)).
    list += &fs::read_to_string(format!("/proc/net/{name}6")).unwrap_or_default();
    let suffix = format!(":{port:04X}");
    list.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).any(|columns| {
        let [_, local, _, found, ..] = columns[..] else { return false };
        local.ends_with(&suffix) && state.is_none_or(|state| state == found)
    })
}

/// A line such as `udp4  0  0  127.0.0.1.8888  *.*` (macOS) or `UDP  127.0.0.1:8888  *:*` (Windows).
fn netstat_lists(transport: Transport, port: u16) -> bool {
    let Ok(output) = Command::new("netstat").arg("-an").output() else { return false };
    let kind = format!("{transport:?}").to_lowercase();
    let ends = [format!(".{port}"), format!(":{port}")];
    String::from_utf8_lossy(&output.stdout).to_lowercase().lines().any(|line| {
        let listens = transport == Transport::Udp || line.contains("listen");
        let has_port = |word: &str| ends.iter().any(|end| word.ends_with(end));
        line.trim_start().starts_with(&kind) && listens && line.split_whitespace().any(has_port)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(10);
    const AT_ONCE: Duration = Duration::ZERO;

    #[test]
    fn a_bound_port_is_seen_and_a_free_one_is_not() {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(is_bound(Transport::Udp, udp.local_addr().unwrap().port(), SOON));
        assert!(is_bound(Transport::Tcp, tcp.local_addr().unwrap().port(), SOON));
        let port = udp.local_addr().unwrap().port();
        drop(udp);
        assert!(!is_bound(Transport::Udp, port, AT_ONCE));
    }
}
