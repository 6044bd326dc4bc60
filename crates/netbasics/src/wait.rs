//! Waiting for a socket or for the end, whichever comes first.

use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::AsFd;
use rustix::io::Errno;

use crate::stop::{Stop, Waker};

/// Rings when a [`Stop`] is raised, so that whoever waits for a socket wakes up.
///
/// poll(2) waits for many sockets at once, so one more can stand for the stop: the "self-pipe
/// trick". Ours is a UDP socket that talks to itself, which every system has.
pub struct Doorbell {
    bell: UdpSocket,
    _waker: Waker,
}

impl Doorbell {
    /// A bell that `stop` rings.
    pub fn new(stop: &Stop) -> io::Result<Self> {
        let bell = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        bell.connect(bell.local_addr()?)?;
        let button = bell.try_clone()?;
        let waker = stop.when_raised(move || _ = button.send(b"!"));
        Ok(Self { bell, _waker: waker })
    }

    /// Waits until `socket` has something to read or to accept; `false` when the stop was raised
    /// instead, or nothing has happened for `limit`.
    ///
    /// There may be nothing any more when the caller looks: a client can be gone before it is
    /// accepted (accept(2)), a datagram can turn out to be damaged (select(2), BUGS). So let the
    /// socket not block, or give it a time limit.
    ///
    /// # Errors
    /// When the system cannot wait, for lack of memory for instance.
    pub fn wait(&self, socket: &impl AsFd, limit: Duration) -> io::Result<bool> {
        let limit = Timespec::try_from(limit).map_err(io::Error::other)?;
        let mut waited_for =
            [PollFd::new(&self.bell, PollFlags::IN), PollFd::new(socket, PollFlags::IN)];
        match poll(&mut waited_for, Some(&limit)) {
            // A signal came first (Ctrl-Z, and then `fg`): as good as nothing.
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
            Ok(_) => Ok(waited_for[0].revents().is_empty() && !waited_for[1].revents().is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    const LONG: Duration = Duration::from_secs(20);
    const SHORT: Duration = Duration::from_millis(1);

    #[test]
    fn a_client_at_the_door_is_something_to_accept() {
        let bell = Doorbell::new(&Stop::new()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(!bell.wait(&listener, SHORT).unwrap());
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(bell.wait(&listener, LONG).unwrap());
    }

    #[test]
    fn an_empty_datagram_is_something_to_read() {
        let bell = Doorbell::new(&Stop::new()).unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        assert!(!bell.wait(&socket, SHORT).unwrap());
        socket.send_to(&[], socket.local_addr().unwrap()).unwrap();
        assert!(bell.wait(&socket, LONG).unwrap());
    }

    #[test]
    fn a_stop_ends_every_wait_from_then_on_even_if_somebody_is_at_the_door() {
        let stop = Stop::new();
        let bell = Doorbell::new(&stop).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        thread::scope(|scope| {
            // Nothing else would end this wait within the test's time.
            let waiting = scope.spawn(|| bell.wait(&listener, 100 * LONG));
            stop.raise();
            assert!(!waiting.join().unwrap().unwrap());
        });
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(!bell.wait(&listener, LONG).unwrap());
    }
}
