//! A UDP socket that can be told to lose one datagram, so that a loss can be seen at will.
//!
//! On the loopback interface a datagram is hardly ever lost unless a buffer is full. `--lose N`
//! leaves datagram N out, exactly as a network that drops it would: the program believes that it
//! was sent.

use std::cell::Cell;
use std::io;
use std::net::{SocketAddr, UdpSocket};

use netbasics::say;

/// A socket, how many datagrams it was given to send, and which of them goes astray. (A `Cell` can
/// be changed through a shared reference: sending is no reason to need a `&mut`.)
pub struct Link {
    pub socket: UdpSocket,
    lose: Option<u64>,
    sent: Cell<u64>,
}

impl Link {
    pub fn new(socket: UdpSocket, lose: Option<u64>) -> Self {
        Self { socket, lose, sent: Cell::new(0) }
    }

    /// send(2): to the one peer that the socket is connected to.
    pub fn send(&self, datagram: &[u8]) -> io::Result<()> {
        if self.is_next_lost() { Ok(()) } else { self.socket.send(datagram).map(drop) }
    }

    /// sendto(2): to whom we choose.
    pub fn send_to(&self, datagram: &[u8], peer: SocketAddr) -> io::Result<()> {
        if self.is_next_lost() { Ok(()) } else { self.socket.send_to(datagram, peer).map(drop) }
    }

    fn is_next_lost(&self) -> bool {
        let number = self.sent.get();
        self.sent.set(number + 1);
        let is_lost = self.lose == Some(number);
        if is_lost {
            say!("datagram {number} is lost (--lose {number})");
        }
        is_lost
    }
}
