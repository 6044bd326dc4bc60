//! TCP and the stream kind of Unix-domain sockets: accept(2) makes no difference between them.

use std::io::{self, ErrorKind::Interrupted};

use netbasics::net::socket_error::is_timeout;
use netbasics::net::unix::SocketFile;
use netbasics::system::stop::Stop;
use socket2::Socket;

use crate::framework::request::Connection;
use crate::framework::{Address, Peer, Request, Source};

// listing: begin streams
/// Connections to a listening socket, over TCP or on this machine.
pub struct Streams {
    /// Before `listener`, as fields are dropped in their order: the file goes first.
    _file: Option<SocketFile>,
    listener: Socket,
    stop: Stop,
    accepted: u64,
}

impl Streams {
    pub fn new(listener: Socket, file: Option<SocketFile>, stop: Stop) -> io::Result<Self> {
        // A client may be gone between `wait_readable` and `accept`. Then accept must not wait for the
        // next one.
        listener.set_nonblocking(true)?;
        Ok(Self { _file: file, listener, stop, accepted: 0 })
    }
}

impl Source for Streams {
    fn next(&mut self) -> io::Result<Option<Request>> {
        if !self.stop.wait_readable(&self.listener, None)? {
            return Ok(None);
        }
        match self.listener.accept() {
            Ok((stream, peer)) => {
                self.accepted += 1;
                let peer = Address::of(&peer).map_or(Peer::Unnamed(self.accepted), Peer::At);
                Ok(Some(Request::Stream(Connection { stream, peer })))
            }
            Err(error) if is_timeout(&error) || error.kind() == Interrupted => Ok(None),
            Err(error) => Err(error),
        }
    }
}
// listing: end streams
