//! UDP and the datagram kind of Unix-domain sockets: recvfrom(2) tells for both who has sent it.

use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use netbasics::net::socket_error::{is_timeout, is_unreachable_peer};
use netbasics::net::unix::{Mailbox, SocketFile};
use netbasics::system::stop::Stop;
use socket2::Socket;

use crate::framework::request::Datagram;
use crate::framework::{Address, Peer, Request, Source};

/// Larger than any datagram, of which the rest would be lost: one over UDP has less than 64 KiB
/// (lesson 4); one on this machine may be as large as the sender's buffer, and that is twice what
/// Linux lets everybody set (`wmem_max` of socket(7): 208 KiB).
pub const BUFFER_BYTES: usize = 512 * 1024;
/// How long a datagram may take that was said to be there.
const MOMENT: Duration = Duration::from_millis(10);
/// How long an answer may wait for room at a receiver on this machine.
const SEND_WITHIN: Duration = Duration::from_millis(100);

/// A datagram socket, of one sort or the other.
pub enum Post {
    Internet(UdpSocket),
    Local(Mailbox),
}

impl Post {
    fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, Option<Address>)> {
        match self {
            Self::Internet(socket) => socket
                .recv_from(buffer)
                .map(|(length, peer)| (length, Some(Address::Internet(peer)))),
            Self::Local(mailbox) => {
                mailbox.receive_from(buffer).map(|(length, path)| (length, path.map(Address::File)))
            }
        }
    }

    /// Sends one datagram. To a client that has no address nothing can be sent.
    pub fn send(&self, datagram: &[u8], peer: &Peer) -> io::Result<()> {
        match (self, peer) {
            (Self::Internet(socket), Peer::At(Address::Internet(peer))) => {
                socket.send_to(datagram, peer).map(drop)
            }
            (Self::Local(mailbox), Peer::At(Address::File(path))) => {
                mailbox.send_to(datagram, path)
            }
            _ => {
                Err(io::Error::other("it has no address: a client that wants an answer binds one"))
            }
        }
    }
}

// listing: begin datagrams
/// Datagrams that come to a bound socket. It is shared with those who answer.
pub struct Datagrams {
    _file: Option<SocketFile>,
    post: Arc<Post>,
    /// A second handle of the same socket, to wait for.
    arrival: Socket,
    stop: Stop,
    buffer: Vec<u8>,
    unnamed: u64,
}

impl Datagrams {
    pub fn new(socket: Socket, file: Option<SocketFile>, stop: Stop) -> io::Result<Self> {
        socket.set_read_timeout(Some(MOMENT))?;
        // Only on this machine does sending wait for the receiver. One that does not listen must
        // not hold up an answer to another.
        socket.set_write_timeout(Some(SEND_WITHIN))?;
        let arrival = socket.try_clone()?;
        let post = match file {
            None => Post::Internet(socket.into()),
            Some(_) => Post::Local(Mailbox::new(socket)?),
        };
        let (post, buffer) = (Arc::new(post), vec![0; BUFFER_BYTES]);
        Ok(Self { _file: file, post, arrival, stop, buffer, unnamed: 0 })
    }
}

impl Source for Datagrams {
    fn next(&mut self) -> io::Result<Option<Request>> {
        if !self.stop.wait_readable(&self.arrival, None)? {
            return Ok(None);
        }
        match self.post.receive(&mut self.buffer) {
            Ok((length, peer)) => {
                self.unnamed += u64::from(peer.is_none());
                let peer = peer.map_or(Peer::Unnamed(self.unnamed), Peer::At);
                let (message, post) = (self.buffer[..length].to_vec(), Arc::clone(&self.post));
                Ok(Some(Request::Datagram(Datagram { message, peer, post })))
            }
            // Nothing came; or an earlier answer found nobody, and that was one peer of many; or a
            // signal came first.
            Err(error) if is_timeout(&error) || is_unreachable_peer(&error) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(None),
            Err(error) => Err(error),
        }
    }
}
// listing: end datagrams
