//! The test as the server of a client under test: over UDP.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use netlab::faults::Direction;
use netlab::record::Transport;

use crate::bytes::brief;
use crate::client::is_timeout;
use crate::patience::{Silence, Wait, patience};
use crate::sender::{BUFFER_BYTES, LOOK};
use crate::shared::Shared;
use crate::step_log::Difference;

/// A UDP server that the test plays.
#[derive(Debug)]
pub struct UdpHost {
    shared: Shared,
    socket: UdpSocket,
    address: SocketAddr,
    /// What came after a silence in which the test stood still; it is the next to be received.
    late: RefCell<VecDeque<(SocketAddr, Vec<u8>)>>,
}

impl UdpHost {
    pub(crate) fn bind(shared: Shared) -> io::Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_read_timeout(Some(LOOK))?;
        let address = socket.local_addr()?;
        shared.step(format!("the test's server is bound to {address} (UDP)"));
        Ok(Self { shared, socket, address, late: RefCell::default() })
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next datagram, and who sent it.
    #[must_use]
    pub fn receive(&self) -> (SocketAddr, Vec<u8>) {
        self.shared.step("the test's server expects a datagram");
        let wait = Wait::begin(&self.shared);
        let received =
            self.receive_until(|shared| wait.left().is_none() || shared.program_has_ended());
        drop(wait);
        received.unwrap_or_else(|| {
            self.shared.fail(Difference::timeout(format!(
                "the test's server has waited {:?} for a datagram",
                patience()
            )))
        })
    }

    /// The next datagram, and who sent it; `None` once the program has ended.
    #[must_use]
    pub fn receive_unless_ended(&self) -> Option<(SocketAddr, Vec<u8>)> {
        let wait = Wait::begin(&self.shared);
        let received =
            self.receive_until(|shared| wait.left().is_none() || shared.program_has_ended());
        drop(wait);
        if received.is_none() && !self.shared.program_has_ended() {
            self.shared.fail(Difference::timeout(format!(
                "in {:?}, your program has neither sent a datagram nor ended",
                patience()
            )));
        }
        received
    }

    /// The next datagram, while `stray` is sent to `peer` again and again, more often than ten
    /// times a second.
    #[must_use]
    pub fn receive_amid(&self, peer: SocketAddr, stray: &[u8]) -> (SocketAddr, Vec<u8>) {
        self.send_to(peer, stray);
        self.shared.step("the test's server repeats it all the time, and expects a datagram");
        let wait = Wait::begin(&self.shared);
        while wait.left().is_some() && !self.shared.program_has_ended() {
            if let Some(received) = self.receive_within(LOOK) {
                return received;
            }
            let _ = self.socket.send_to(stray, peer);
        }
        drop(wait);
        self.shared.fail(Difference::timeout(format!(
            "the test's server has waited {:?} for a datagram",
            patience()
        )))
    }

    /// From now on, datagrams from anybody but `peer` are refused: their sender is told by the
    /// system that nobody has the port (ICMP). A datagram that has come already stays.
    ///
    /// # Panics
    /// When the system does not connect the socket (connect(2)).
    pub fn take_only_from(&self, peer: SocketAddr) {
        self.shared.step(format!("the test's server takes datagrams from {peer} only"));
        if let Err(error) = self.socket.connect(peer) {
            panic!("the test's socket cannot be connected to {peer}: {error}");
        }
    }

    /// From now on, everybody's datagrams are refused as if the server had ended, until
    /// [`take_only_from`](Self::take_only_from). The port stays ours.
    pub fn refuse_everybody(&self) {
        // The only peer is this socket itself.
        self.take_only_from(self.address);
    }

    /// The next datagram, if one comes within `time`, and who sent it.
    #[must_use]
    pub fn receive_within(&self, time: Duration) -> Option<(SocketAddr, Vec<u8>)> {
        let silence = Silence::begin(&self.shared, time);
        self.receive_until(|_| silence.left().is_none())
    }

    /// Sends one datagram to `peer`.
    ///
    /// # Panics
    /// When the system refuses it, as it is too large; that is no failure of the program.
    pub fn send_to(&self, peer: SocketAddr, payload: &[u8]) {
        self.shared.step(format!("the test's server sends {peer} a datagram: {}", brief(payload)));
        // An ICMP message about an earlier datagram is no failure of this one (ip(7)).
        let sent =
            self.socket.send_to(payload, peer).or_else(|_| self.socket.send_to(payload, peer));
        if let Err(error) = sent {
            panic!("a datagram to {peer} cannot be sent: {error}");
        }
        self.note(peer, Direction::ToClient, payload);
    }

    /// Expects no datagram for as long as `time`.
    pub fn expect_silence(&self, time: Duration) {
        self.shared.step("the test's server expects no datagram");
        let silence = Silence::begin(&self.shared, time);
        let received = self.receive_until(|_| silence.left().is_none());
        if let Some((peer, payload)) = received {
            if !silence.is_broken() {
                self.late.borrow_mut().push_back((peer, payload));
                return;
            }
            let what = "your program has sent a datagram where it should be silent";
            self.shared.fail(Difference::fail(what).with(b"", &payload));
        }
    }

    /// The next datagram, as long as it is not the last look.
    fn receive_until(&self, is_last: impl Fn(&Shared) -> bool) -> Option<(SocketAddr, Vec<u8>)> {
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            // Seen before the last look at the socket: the last words of a program still count.
            let is_last = is_last(&self.shared);
            if let Some(received) = self.late.borrow_mut().pop_front() {
                return Some(received);
            }
            match self.socket.recv_from(&mut buffer) {
                Ok((length, peer)) => {
                    let payload = buffer[..length].to_vec();
                    self.note(peer, Direction::ToServer, &payload);
                    return Some((peer, payload));
                }
                Err(error) if is_timeout(&error) && is_last => return None,
                // Nobody is at a port that was answered before (Windows tells so here).
                Err(_) => {}
            }
        }
    }

    fn note(&self, peer: SocketAddr, direction: Direction, payload: &[u8]) {
        let line = self.shared.line_of_host(Transport::Udp, peer, self.address);
        self.shared.carries(&line, direction, payload);
    }
}
