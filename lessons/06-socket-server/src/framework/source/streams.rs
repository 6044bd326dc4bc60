//! TCP and the stream kind of Unix-domain sockets: accept(2) makes no difference between them.

use std::io::{self, ErrorKind::Interrupted};

use netbasics::local::SocketFile;
use netbasics::trouble::is_timeout;
use netbasics::wait::Doorbell;
use socket2::Socket;

use super::TICK;
use crate::framework::request::Connection;
use crate::framework::{Address, Peer, Request, Source};

// listing: begin streams
/// Connections to a listening socket, over TCP or on this machine.
pub struct Streams {
    /// Before `listener`, as fields are dropped in their order: the file goes first.
    _file: Option<SocketFile>,
    listener: Socket,
    bell: Doorbell,
    accepted: u64,
}

impl Streams {
    pub fn new(listener: Socket, file: Option<SocketFile>, bell: Doorbell) -> io::Result<Self> {
        // A client may be gone between `wait` and `accept`. Then accept must not wait for the
        // next one.
        listener.set_nonblocking(true)?;
        Ok(Self { _file: file, listener, bell, accepted: 0 })
    }
}

impl Source for Streams {
    fn next(&mut self) -> io::Result<Option<Request>> {
        if !self.bell.wait(&self.listener, TICK)? {
            return Ok(None);
        }
        match self.listener.accept() {
            Ok((stream, peer)) => {
                // Linux makes a new socket a blocking one; others make it like its listener.
                stream.set_nonblocking(false)?;
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
