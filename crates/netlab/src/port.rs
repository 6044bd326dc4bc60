//! Ports for programs that cannot pick one and say which, and how to see from outside that a program
//! has its port.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::ops::Range;
use std::process::{self, Command};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use socket2::Socket;

use crate::program::poll;
use crate::record::Transport;

/// The ports that [`free_port`] hands out. No system gives one of these to a socket that leaves its
/// port open, as clients do: Linux has those from 32768 on (ip(7), `ip_local_port_range`), macOS and
/// Windows those from 49152 on (RFC 6335, section 6).
const PORTS: Range<u16> = 20_000..32_000;
/// How many neighbouring ports are a block, which a process reserves as a whole: it holds the first of
/// them and hands out the others.
const BLOCK_PORTS: u16 = 16;
const BLOCKS: u16 = (PORTS.end - PORTS.start) / BLOCK_PORTS;
/// How many blocks lie between the first ones of two processes with neighbouring ids: a prime, so that
/// processes which run at the same time begin in different places.
const STRIDE: u32 = 397;

/// A port of 127.0.0.1 and `::1` that is free: for a program that cannot pick one and say which, for
/// one that must have the same port twice, and for a client that must find nobody there.
///
/// No two calls give the same port, neither in one process nor in several that run at the same time,
/// so tests that need one may run side by side. For that, a process holds a UDP socket, bound to the
/// first port of the block that its ports are from, as long as it lives: bind(2) lets one process have
/// it and tells the others that it is in use, and the system takes it back however the process ends.
///
/// The port itself is not bound, not even to find out: a child that has not become its program yet
/// (fork(2), then execve(2)) would hold a copy of that socket for a moment after we have closed it,
/// and the program would be told that its port is in use.
///
/// # Panics
/// When every port is taken.
#[must_use]
pub fn free_port(transport: Transport) -> u16 {
    find_port(|port| !is_listed(transport, port, State::Any))
}

/// 127.0.0.1 with a [`free_port`].
///
/// # Panics
/// When every port is taken.
#[must_use]
pub fn free_address(transport: Transport) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, free_port(transport)).into()
}

/// As [`free_port`], but free over TCP and over UDP, for a program of which nobody knows what it will
/// open.
///
/// # Panics
/// When every port is taken.
#[must_use]
pub fn free_port_for_any() -> u16 {
    find_port(|port| !BOTH.into_iter().any(|transport| is_listed(transport, port, State::Any)))
}

const BOTH: [Transport; 2] = [Transport::Tcp, Transport::Udp];

fn find_port(is_free: impl Fn(u16) -> bool) -> u16 {
    static RESERVED: Mutex<Reserved> = Mutex::new(Reserved::NOTHING);
    // A thread that panicked under this lock found no port and took nothing from others.
    let mut reserved = RESERVED.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if let Some(port) = reserved.ports.find(|port| is_free(*port)) {
            return port;
        }
        reserved.reserve_a_block();
    }
}

/// What this process has reserved.
struct Reserved {
    /// Bound to the first port of each block, and never used.
    held: Vec<UdpSocket>,
    /// Those of the last block that have not been handed out.
    ports: Range<u16>,
    /// How many blocks were tried.
    tried: u16,
}

impl Reserved {
    const NOTHING: Self = Self { held: Vec::new(), ports: 0..0, tried: 0 };

    fn reserve_a_block(&mut self) {
        let first = process::id().wrapping_mul(STRIDE);
        while self.tried < BLOCKS {
            let block = block(first.wrapping_add(self.tried.into()));
            self.tried += 1;
            if let Ok(held) = hold(block.start) {
                self.held.push(held);
                self.ports = block.start + 1..block.end;
                return;
            }
        }
        panic!("no free port in {PORTS:?}");
    }
}

/// The ports of the block for any number: blocks follow each other, and after the last one comes the
/// first.
fn block(number: u32) -> Range<u16> {
    // The remainder is less than the number of blocks, which is a u16.
    let number = u16::try_from(number % u32::from(BLOCKS)).unwrap_or_default();
    let first = PORTS.start + number * BLOCK_PORTS;
    first..first + BLOCK_PORTS
}

/// Has `port` for as long as the socket lives, if nobody else has it.
fn hold(port: u16) -> io::Result<UdpSocket> {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, port))
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
    BOTH.into_iter().any(|transport| is_listed(transport, port, State::Serving))
}

/// Waits until some program listens on (TCP) or is bound to (UDP) `port`; `false` if none is
/// within `limit`. It looks at the system's list of sockets and touches none of them: a
/// connection to find out would be the one that `nc -l` was waiting for.
#[must_use]
pub fn is_bound(transport: Transport, port: u16, limit: Duration) -> bool {
    poll(limit, || is_listed(transport, port, State::Serving).then_some(())).is_some()
}

/// Which sockets to look for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Those that clients can reach: over TCP they listen.
    Serving,
    /// All of them. A connection that its server has closed keeps the port from a server without
    /// `SO_REUSEADDR` for a while (RFC 9293, section 3.4.2, TIME-WAIT).
    Any,
}

/// Looks into `/proc/net/tcp` or `/proc/net/udp` (proc(5)): the second column is the local address
/// as `0100007F:22B8` in hexadecimal, the fourth the state, of which `0A` is "listening". Where
/// there is no such file, netstat prints the same list as text.
fn is_listed(transport: Transport, port: u16, state: State) -> bool {
    let name = match transport {
        Transport::Tcp => "tcp",
        Transport::Udp => "udp",
    };
    let Ok(mut list) = fs::read_to_string(format!("/proc/net/{name}")) else {
        return netstat_lists(transport, port, state);
    };
    // A socket of IPv6 that is bound to all addresses takes clients of IPv4, too (ipv6(7)).
    list += &fs::read_to_string(format!("/proc/net/{name}6")).unwrap_or_default();
    let suffix = format!(":{port:04X}");
    let is_any = transport == Transport::Udp || state == State::Any;
    // After many connections these are thousands of lines: no more of them is read than it takes.
    list.lines().any(|line| {
        let mut columns = line.split_ascii_whitespace();
        let (local, found) = (columns.nth(1), columns.nth(1));
        local.is_some_and(|local| local.ends_with(&suffix)) && (is_any || found == Some("0A"))
    })
}

/// A line such as `udp4  0  0  127.0.0.1.8888  *.*` (macOS) or `UDP  127.0.0.1:8888  *:*` (Windows).
fn netstat_lists(transport: Transport, port: u16, state: State) -> bool {
    let Ok(output) = Command::new("netstat").arg("-an").output() else { return false };
    let kind = format!("{transport:?}").to_lowercase();
    let ends = [format!(".{port}"), format!(":{port}")];
    let is_any = transport == Transport::Udp || state == State::Any;
    String::from_utf8_lossy(&output.stdout).to_lowercase().lines().any(|line| {
        let has_port = |word: &str| ends.iter().any(|end| word.ends_with(end));
        line.trim_start().starts_with(&kind)
            && (is_any || line.contains("listen"))
            && line.split_whitespace().any(has_port)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::net::{TcpListener, TcpStream};

    const SOON: Duration = Duration::from_secs(60);

    #[test]
    fn a_bound_port_is_seen_and_a_free_one_is_not() {
        // One that no other test is given once we have closed it.
        let port = free_port(Transport::Udp);
        let udp = hold(port).unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(is_bound(Transport::Udp, port, SOON));
        assert!(is_bound(Transport::Tcp, tcp.local_addr().unwrap().port(), SOON));
        drop(udp);
        // A program that another test is starting just now may hold a copy for a moment.
        let is_free = || (!is_listed(Transport::Udp, port, State::Any)).then_some(());
        assert!(poll(SOON, is_free).is_some());
    }

    #[test]
    fn a_port_is_given_once_and_is_none_that_clients_get() {
        let count = 3 * usize::from(BLOCK_PORTS);
        let ports: BTreeSet<u16> = (0..count).map(|_| free_port(Transport::Tcp)).collect();
        assert_eq!(ports.len(), count);
        assert!(ports.iter().all(|port| PORTS.contains(port)), "{ports:?}");
    }

    /// To the system it is all the same whether the other one is another process.
    #[test]
    fn the_block_of_a_given_port_cannot_be_reserved_by_another() {
        let port = free_port(Transport::Tcp);
        let block = block(((port - PORTS.start) / BLOCK_PORTS).into());
        assert!(block.contains(&port) && port != block.start, "{port} of {block:?}");
        assert_eq!(hold(block.start).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn a_taken_port_is_passed_over() {
        let taken = find_port(|_| true);
        let given = find_port(|port| port != taken + 1);
        assert!(given != taken && given != taken + 1);
    }

    #[test]
    fn a_port_with_the_rest_of_a_connection_serves_nobody_and_is_not_free() {
        let address = free_address(Transport::Tcp);
        let listener = TcpListener::bind(address).unwrap();
        let client = TcpStream::connect(address).unwrap();
        let connection = listener.accept().unwrap();
        drop(listener);
        let is_listed = |state| is_listed(Transport::Tcp, address.port(), state);
        assert!(poll(SOON, || (!is_listed(State::Serving)).then_some(())).is_some());
        assert!(is_listed(State::Any));
        drop((connection, client));
    }

    #[test]
    fn after_the_last_block_comes_the_first() {
        let count = u32::from(BLOCKS);
        assert_eq!(block(count - 1).end, PORTS.end);
        assert_eq!(block(count).start, PORTS.start);
    }
}
