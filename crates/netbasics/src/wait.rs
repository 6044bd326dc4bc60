//! Waiting for a socket, for a while.

use std::io;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::AsFd;
use rustix::io::Errno;

/// Waits until `socket` has something to read or to accept, at most for `limit`; `false` if there
/// was nothing: poll(2).
///
/// There may be nothing any more when the caller looks: a client can be gone before it is accepted
/// (accept(2)), a datagram can turn out to be damaged (select(2), BUGS). So let the socket not
/// block, or give it a time limit.
///
/// # Errors
/// When the system cannot wait, for lack of memory for instance.
pub fn readable(socket: &impl AsFd, limit: Duration) -> io::Result<bool> {
    let limit = Timespec::try_from(limit).map_err(io::Error::other)?;
    match poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&limit)) {
        // A signal came first (Ctrl-Z, and then `fg`): as good as nothing.
        Ok(0) | Err(Errno::INTR) => Ok(false),
        Ok(_) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream, UdpSocket};

    const LONG: Duration = Duration::from_secs(10);
    const SHORT: Duration = Duration::from_millis(1);

    #[test]
    fn a_client_at_the_door_is_something_to_accept() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(!readable(&listener, SHORT).unwrap());
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(readable(&listener, LONG).unwrap());
    }

    #[test]
    fn an_empty_datagram_is_something_to_read() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        assert!(!readable(&socket, SHORT).unwrap());
        socket.send_to(&[], socket.local_addr().unwrap()).unwrap();
        assert!(readable(&socket, LONG).unwrap());
    }
}
