//! A TCP port that does not answer, as behind a firewall that drops what comes.
//!
//! On the loopback interface nothing is lost, so a port is open or it refuses; but a client that
//! waits for a handshake that never comes is what timeouts are tested with. Here is how to have one
//! without a firewall: a listener that never accepts, and whose queue of finished handshakes is
//! full. The system then drops each further SYN without a word (listen(2); Linux and macOS do,
//! Windows refuses).

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

/// How long a handshake may take before we say that there was no answer. On the loopback interface
/// the system answers within the very call of connect(2), so this is long.
const NO_ANSWER: Duration = Duration::from_millis(250);
/// Zero would mean "as many as possible" to some systems.
const SHORTEST_QUEUE: i32 = 1;
/// How many finished handshakes we expect to find room for at most.
const MOST_IN_QUEUE: usize = 16;

/// A port at which handshakes are neither taken nor refused, for as long as this lives.
#[derive(Debug)]
pub struct Filtered {
    address: SocketAddr,
    listener: Socket,
    /// They keep the queue full.
    queue: Vec<TcpStream>,
}

impl Filtered {
    /// Opens one at `host`, which is a loopback address; `None` on a system that refuses a handshake
    /// for which there is no room.
    ///
    /// # Errors
    /// When there is no socket for it.
    pub fn open(host: IpAddr) -> io::Result<Option<Self>> {
        let any_port = SocketAddr::from((host, 0));
        let listener =
            Socket::new(Domain::for_address(any_port), Type::STREAM, Some(Protocol::TCP))?;
        listener.bind(&any_port.into())?;
        listener.listen(SHORTEST_QUEUE)?;
        let address = listener.local_addr()?.as_socket().ok_or(io::ErrorKind::Unsupported)?;
        let mut queue = Vec::new();
        while queue.len() < MOST_IN_QUEUE {
            let knocking = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
            match knocking.connect_timeout(&address.into(), NO_ANSWER) {
                Ok(()) => queue.push(knocking.into()),
                // A process that was stopped meanwhile finds its limit over, although the handshake
                // was made long before.
                Err(_) if knocking.peer_addr().is_ok() => queue.push(knocking.into()),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    return Ok(Some(Self { address, listener, queue }));
                }
                Err(_) => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The address that does not answer.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on the port takes handshakes, also those that were dropped before: the system of a
    /// client that still waits sends its SYN again, at first after a second (RFC 6298, section 2).
    ///
    /// # Errors
    /// When the queue cannot be emptied, or made longer.
    pub fn lift(self) -> io::Result<TcpListener> {
        let Self { listener, queue, .. } = self;
        // What waits there is our own, and nobody else has found room behind it.
        for _ in &queue {
            listener.accept()?;
        }
        // A second listen(2) only changes the length of the queue.
        listener.listen(128)?;
        Ok(listener.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    #[test]
    fn a_handshake_is_neither_taken_nor_refused() {
        for host in [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)] {
            let Ok(filtered) = Filtered::open(host) else { continue };
            let Some(filtered) = filtered else { continue };
            let error = TcpStream::connect_timeout(&filtered.address(), 2 * NO_ANSWER).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        }
        if cfg!(target_os = "linux") {
            assert!(Filtered::open(Ipv4Addr::LOCALHOST.into()).unwrap().is_some());
        }
    }

    #[test]
    fn what_was_dropped_is_taken_once_the_filter_is_lifted() {
        let Some(filtered) = Filtered::open(Ipv4Addr::LOCALHOST.into()).unwrap() else { return };
        let address = filtered.address();
        // It begins while the port is filtered, or a little later, which is easier.
        let connecting = std::thread::spawn(move || TcpStream::connect(address).unwrap());
        std::thread::sleep(NO_ANSWER / 5);
        let listener = filtered.lift().unwrap();
        let (_, client) = listener.accept().unwrap();
        assert_eq!(connecting.join().unwrap().local_addr().unwrap(), client);
    }
}
