//! A request: a connection, or a datagram. How each is served by the same handler.

use std::io::{self, BufReader, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use netbasics::cli::{log, log_limited};
use netbasics::net::frame::{FrameError, read_line};
use netbasics::net::socket_error::explain;
use netbasics::system::stop::Stop;
use netbasics::system::wait::{Stoppable, is_stopped};
use socket2::Socket;

use super::source::Post;
use super::{Handler, Peer};

/// Longest message of a stream, in bytes.
const MAX_LINE_BYTES: usize = 64 * 1024;

// listing: begin request
/// What a source yields. (Python hands its handler the one or the other under the same name: for a
/// stream `self.request` is the socket, for a datagram the pair of the bytes and the socket.)
pub enum Request {
    /// A connection: as many messages as the client sends lines.
    Stream(Connection),
    /// One message, and the socket to answer it from.
    Datagram(Datagram),
}

pub struct Connection {
    pub stream: Socket,
    pub peer: Peer,
}

pub struct Datagram {
    pub message: Vec<u8>,
    pub peer: Peer,
    pub post: Arc<Post>,
}

/// How requests are served.
pub struct Service {
    pub handler: Box<dyn Handler>,
    /// How long a client may be silent, or take none of what it is sent.
    pub idle: Duration,
    /// No new requests: what is running is finished.
    pub stop: Stop,
    /// No more patience: connections get no further answer.
    pub cut: Stop,
}
// listing: end request

// listing: begin attend
impl Service {
    /// Serves a request to its end. What goes wrong with it ends this request and no other.
    pub fn attend(&self, request: Request) {
        match request {
            Request::Stream(Connection { stream, peer }) => match self.converse(&stream, &peer) {
                Ok(()) => log!("{peer} is done"),
                Err(error) => log!("{peer} is gone: {error}"),
            },
            Request::Datagram(Datagram { message, peer, post }) => {
                let sent = self.answer(&message, &peer).map(|answer| post.send(&answer, &peer));
                if let Some(Err(error)) = sent {
                    log_limited!("cannot answer {peer}: {}", explain(&error));
                }
            }
        }
    }

    /// The handler's answer; `None` if it panicked. A handler is other people's code. That it
    /// panicked is no reason for this thread to end, which has other clients to serve.
    fn answer(&self, message: &[u8], peer: &Peer) -> Option<Vec<u8>> {
        log_limited!("{peer} says: {}", String::from_utf8_lossy(message));
        let answer = catch_unwind(AssertUnwindSafe(|| self.handler.answer(message, peer)));
        if answer.is_err() {
            log_limited!("{peer} gets no answer: the handler panicked");
        }
        answer.ok()
    }
    // listing: end attend

    // listing: begin converse
    /// Answers each line of a connection with a line, until the client has no more.
    fn converse(&self, stream: &Socket, peer: &Peer) -> Result<(), FrameError> {
        // An answer is sent at once (TCP_NODELAY, lesson 2); a Unix socket knows no other way.
        let _ = stream.set_tcp_nodelay(true);
        // When the server is to stop, what has arrived is still read, and nothing is waited for. Its
        // end is then an error and no end of the stream: half a line is no message.
        let stoppable = Stoppable::new(stream, &self.stop, self.idle)?.finishing();
        let (mut incoming, mut outgoing) = (BufReader::new(&stoppable), &stoppable);
        while !self.cut.is_raised() {
            match read_line(&mut incoming, MAX_LINE_BYTES) {
                Ok(Some(message)) => match self.answer(&message, peer) {
                    Some(answer) => outgoing.write_all(&[&answer, &b"\n"[..]].concat())?,
                    None => return Ok(()),
                },
                // We said that there would be no more: no failure of the client.
                Err(FrameError::Io(error)) if is_stopped(&error) => return Ok(()),
                Ok(None) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("it has not ended in time").into())
    }
    // listing: end converse
}
