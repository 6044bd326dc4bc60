//! Datagrams one at a time, for protocols in which one answers another.
//!
//! Lesson 4 spells this out. Here it stands behind plain names; for many at once there is
//! [`datagrams`](crate::system::datagrams).

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use crate::net::socket_error::{SocketError, is_timeout, is_unreachable_peer};

/// Larger than any datagram; what does not fit would be cut off (recvfrom(2)).
pub(crate) const BUFFER_BYTES: usize = 65_536;

/// Receives one datagram and tells who sent it: recvfrom(2).
///
/// `None` if there is none, and yet no reason for a server to stop: the socket's time limit is
/// over, an earlier answer found nobody (Windows says so here), or the process was suspended and
/// woken again meanwhile (signal(7)).
///
/// # Errors
/// When the socket fails.
pub fn receive_from(
    socket: &UdpSocket,
    buffer: &mut [u8],
) -> Result<Option<(usize, SocketAddr)>, SocketError> {
    match socket.recv_from(buffer) {
        Ok(received) => Ok(Some(received)),
        Err(error) if is_timeout(&error) || is_unreachable_peer(&error) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(None),
        Err(error) => {
            let address = socket.local_addr().map_or("a socket".to_owned(), |a| a.to_string());
            Err(SocketError::on("receive on", address)(error))
        }
    }
}

/// Sends one datagram on a connected socket. If the system has just heard that nobody listens
/// there, it is lost, as any datagram may be.
///
/// # Errors
/// When the system cannot send at all: no way to the address, a datagram that is too large.
pub fn send(socket: &UdpSocket, datagram: &[u8]) -> Result<(), SocketError> {
    match socket.send(datagram) {
        Err(error) if !is_unreachable_peer(&error) => {
            Err(SocketError::on("send to", peer_of(socket))(error))
        }
        _ => Ok(()),
    }
}

/// Waits for one datagram on a connected socket, at most for `limit`.
///
/// `None` when none has come; that may be known before the limit, when the system hears that nobody
/// listens there. Somebody may a moment later.
///
/// # Errors
/// When the socket fails.
pub fn receive_within(socket: &UdpSocket, limit: Duration) -> Result<Option<Vec<u8>>, SocketError> {
    // A limit of zero would be none (socket(7), SO_RCVTIMEO): there is a shortest one.
    let limit = limit.max(Duration::from_millis(1));
    let mut buffer = vec![0; BUFFER_BYTES];
    match socket.set_read_timeout(Some(limit)).and_then(|()| socket.recv(&mut buffer)) {
        Ok(length) => {
            buffer.truncate(length);
            Ok(Some(buffer))
        }
        Err(error) if is_timeout(&error) || is_unreachable_peer(&error) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(None),
        Err(error) => Err(SocketError::on("receive from", peer_of(socket))(error)),
    }
}

fn peer_of(socket: &UdpSocket) -> String {
    socket.peer_addr().map_or_else(|_| "its peer".to_owned(), |peer| peer.to_string())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::time::Instant;

    const LONG: Duration = Duration::from_secs(60);

    pub(crate) fn bound() -> UdpSocket {
        UdpSocket::bind("127.0.0.1:0").unwrap()
    }

    pub(crate) fn connected_to(peer: SocketAddr) -> UdpSocket {
        let socket = bound();
        socket.connect(peer).unwrap();
        socket
    }

    /// What a wait brings, which may end early and with nothing: by a signal (signal(7)).
    pub(crate) fn at_last<T>(mut wait: impl FnMut() -> Option<T>) -> T {
        let until = Instant::now() + LONG;
        loop {
            if let Some(came) = wait() {
                return came;
            }
            assert!(Instant::now() < until, "nothing has come");
        }
    }

    #[test]
    fn no_datagram_in_time_is_none_and_an_empty_one_is_one() {
        let server = bound();
        server.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        assert_eq!(receive_from(&server, &mut [0]).unwrap(), None);
        let client = connected_to(server.local_addr().unwrap());
        client.send(b"").unwrap();
        server.set_read_timeout(Some(LONG)).unwrap();
        let from = client.local_addr().unwrap();
        assert_eq!(at_last(|| receive_from(&server, &mut [0]).unwrap()), (0, from));
    }

    #[test]
    fn silence_and_a_peer_that_does_not_listen_are_no_errors() {
        let silent = bound();
        let client = connected_to(silent.local_addr().unwrap());
        assert_eq!(receive_within(&client, Duration::ZERO).unwrap(), None);
        // It hears nobody but itself now, and the others are told that nobody has the port (ICMP).
        silent.connect(silent.local_addr().unwrap()).unwrap();
        for _ in 0..3 {
            send(&client, b"anybody?").unwrap();
            assert_eq!(receive_within(&client, Duration::from_millis(20)).unwrap(), None);
        }
    }
}
