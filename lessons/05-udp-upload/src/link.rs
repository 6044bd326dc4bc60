//! A UDP socket that can be told to lose one datagram, so that a loss can be seen at will.
//!
//! On the loopback interface a datagram is hardly ever lost unless a buffer is full. `--lose N`
//! leaves datagram N out, exactly as a network that drops it would: the program believes that it
//! was sent.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use netbasics::cli::log;
use netbasics::net::socket;
use netbasics::system::datagrams::Datagrams;
use netbasics::system::stop::Stop;

/// A socket, how many datagrams it was given to send, and which of them goes astray.
pub struct Link {
    socket: Datagrams,
    lose: Option<u64>,
    sent: u64,
}

impl Link {
    /// A link to one server.
    ///
    /// connect(2) on a UDP socket sends nothing: it only fixes the peer. Then datagrams from
    /// strangers are dropped, and if the server's host answers that nobody has the port (ICMP, the
    /// network's own error messages), we hear of it.
    pub fn connect(server: SocketAddr, lose: Option<u64>) -> io::Result<Self> {
        let socket = socket::connect_udp(server).map_err(|failed| failed.error)?;
        Ok(Self::new(Datagrams::new(socket)?, lose))
    }

    pub fn new(socket: Datagrams, lose: Option<u64>) -> Self {
        Self { socket, lose, sent: 0 }
    }

    /// Our own address.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.socket().local_addr()
    }

    /// How many datagrams of `size` bytes go out with one system call.
    pub fn max_batch(&self, size: usize) -> usize {
        self.socket.max_batch(size)
    }

    /// Sends one datagram.
    pub fn send(&mut self, datagram: &[u8], to: SocketAddr) -> io::Result<()> {
        self.send_batch(datagram, datagram.len().max(1), to)
    }

    /// Sends datagrams of `size` bytes that stand one behind the other; the last may be shorter.
    pub fn send_batch(&mut self, bytes: &[u8], size: usize, to: SocketAddr) -> io::Result<()> {
        let first = self.sent;
        self.sent += bytes.len().div_ceil(size).max(1) as u64;
        match self.lose {
            Some(lost) if (first..self.sent).contains(&lost) => {
                log!("datagram {lost} is lost (--lose {lost})");
                let place = usize::try_from(lost - first).unwrap_or(usize::MAX) * size;
                let (before, after) = bytes.split_at(place);
                let after = &after[size.min(after.len())..];
                let mut rest = [before, after].into_iter().filter(|part| !part.is_empty());
                rest.try_for_each(|part| self.socket.send(part, size, to))
            }
            _ => self.socket.send(bytes, size, to),
        }
    }

    /// Waits until there is a datagram, `stop` is raised, or `limit` is over.
    pub fn wait(&self, stop: &Stop, limit: Duration) -> io::Result<()> {
        stop.wait_readable(self.socket.socket(), limit).map(drop)
    }

    /// Waits for datagrams, and gives each to `take`; returns how many came in time.
    pub fn receive(
        &mut self,
        wait: Duration,
        take: impl FnMut(&[u8], SocketAddr),
    ) -> io::Result<usize> {
        self.socket.receive(wait, take)
    }
}
