//! Ports for programs that cannot pick one and say which, and how to see from outside that a program
//! has its port.

use std::fs;
use std::io;
use std::ops::Range;
use std::process::{self, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use socket2::Socket;

use crate::program::poll;
use crate::record::Transport;

/// The ports that [`free_port`] hands out. No system gives one of these to a socket that leaves its
/// port open, as clients do: Linux has those from 32768 on (ip(7), `ip_local_port_range`), macOS and
/// Windows those from 49152 on (RFC 6335, section 6).
const PORTS: Range<u16> = 20_000..32_000;
/// How far apart the first ports of two processes with neighbouring ids are: a prime, so that
/// processes which run at the same time begin in different places.
const STRIDE: u32 = 397;
/// How many ports may be taken before there is no hope.
const TRIES: u32 = 1000;

/// A port of 127.0.0.1 that is free, for a program that cannot pick one and say which. No two calls in
/// a process give the same one, so tests that need one may run side by side.
///
/// Nothing is bound to find out: a child that has not become its program yet (fork(2), then
/// execve(2)) would hold a copy of that socket for a moment after we have closed it, and the program
/// would be told that its port is in use.
///
/// # Panics
/// When every port that it tries is taken.
#[must_use]
pub fn free_port(transport: Transport) -> u16 {
    find_port(|port| !is_listed(transport, port))
}

/// As [`free_port`], but free over TCP and over UDP, for a program of which nobody knows what it will
/// open.
///
/// # Panics
/// When every port that it tries is taken.
#[must_use]
pub fn free_port_for_any() -> u16 {
    find_port(|port| !is_taken(port))
}

fn find_port(is_free: impl Fn(u16) -> bool) -> u16 {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    let first = process::id().wrapping_mul(STRIDE);
    let next = || first.wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed));
    let mut ports = (0..TRIES).map(|_| in_range(next()));
    ports.find(|port| is_free(*port)).unwrap_or_else(|| panic!("no free port in {PORTS:?}"))
}

/// The port for any number: they follow each other, and after the last one comes the first.
fn in_range(number: u32) -> u16 {
    let count = u32::from(PORTS.end - PORTS.start);
    // The remainder is less than the number of ports, which is a u16.
    PORTS.start + u16::try_from(number % count).unwrap_or_default()
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
    use std::collections::BTreeSet;
    use std::net::{TcpListener, UdpSocket};

    const SOON: Duration = Duration::from_secs(60);

    #[test]
    fn a_bound_port_is_seen_and_a_free_one_is_not() {
        // One that no other test is given once we have let go of it.
        let port = free_port(Transport::Udp);
        let udp = UdpSocket::bind(("127.0.0.1", port)).unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(is_bound(Transport::Udp, port, SOON));
        assert!(is_bound(Transport::Tcp, tcp.local_addr().unwrap().port(), SOON));
        drop(udp);
        // A program that another test is starting just now may hold a copy for a moment.
        let is_free = || (!is_listed(Transport::Udp, port)).then_some(());
        assert!(poll(SOON, is_free).is_some());
    }

    #[test]
    fn a_port_is_given_once_and_is_none_that_clients_get() {
        let ports: BTreeSet<u16> = (0..10).map(|_| free_port(Transport::Tcp)).collect();
        assert_eq!(ports.len(), 10);
        assert!(ports.iter().all(|port| PORTS.contains(port)), "{ports:?}");
    }

    #[test]
    fn a_taken_port_is_passed_over() {
        let taken = find_port(|_| true);
        let given = find_port(|port| port != taken + 1);
        assert!(given != taken && given != taken + 1);
    }

    #[test]
    fn after_the_last_port_comes_the_first() {
        let count = u32::from(PORTS.end - PORTS.start);
        assert_eq!(in_range(count - 1), PORTS.end - 1);
        assert_eq!(in_range(count), PORTS.start);
    }
}
