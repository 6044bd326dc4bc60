//! One client: request after request on one connection, until one of both has had enough.

use std::io::{self, BufReader, ErrorKind};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::Result;
use netbasics::cli::log;
use netbasics::net::socket_error::{explain, is_timeout};
use netbasics::system::wait::is_stopped;

use super::answer::{Answer, answer};
use super::send::{Manner, awaits_continue, send};
use super::{Server, target};
use crate::http::body::{self, WireError};
use crate::http::framing;
use crate::http::head::{Fault, Request};
use crate::http::stream::Stream;
use crate::http::tls;

/// Largest body that is read and thrown away, in bytes, to get to the next request. No request
/// that we grant has one.
const MAX_BODY_BYTES: u64 = 64 * 1024;

pub struct Connection<'a> {
    input: BufReader<Stream>,
    peer: SocketAddr,
    server: &'a Server,
}

/// What came instead of a request, or with it.
enum Came {
    Request(Request),
    /// The client has closed, or said nothing for a while. That needs no answer.
    Nothing,
    /// A request that gets no more than a refusal, in this manner.
    Refusal(Fault, Manner),
}

impl<'a> Connection<'a> {
    pub fn new(stream: Stream, peer: SocketAddr, server: &'a Server) -> Self {
        Self { input: BufReader::new(stream), peer, server }
    }

    // listing: begin serve
    /// Answers request after request. An HTTP/1.1 connection stays open unless one side says
    /// `Connection: close` (RFC 9112, section 9.3); HTTP/1.0 ends it after one answer.
    pub fn serve(mut self) -> Result<()> {
        loop {
            let (request, mut manner) = match self.receive()? {
                Came::Nothing => break,
                Came::Refusal(fault, manner) => {
                    // Whatever follows on this connection: we no longer know where it begins.
                    self.send(&format!("is refused, as {fault}"), Answer::refusal(&fault), manner)?;
                    break;
                }
                Came::Request(request) => {
                    let manner = Manner::of(&request);
                    (request, manner)
                }
            };
            manner.close |= self.server.stop.is_raised();
            let answer = answer(&request, &self.server.folder);
            self.send(&format!("{} {}", request.method, request.target), answer, manner)?;
            if manner.close {
                break;
            }
        }
        self.input.into_inner().close();
        Ok(())
    }
    // listing: end serve

    /// Says that there is no room, without listening.
    pub fn refuse(mut self) -> Result<()> {
        let why = "all places are taken; try again in a moment";
        let mut answer = Answer::refusal(&Fault { status: 503, why });
        answer.fields.add("Retry-After", 1);
        self.input.get_mut().limit_reading(Some(self.server.limits.request_time));
        self.send("is refused, as all places are taken", answer, Manner::LAST)?;
        self.input.into_inner().close();
        Ok(())
    }

    // listing: begin receive
    fn receive(&mut self) -> Result<Came> {
        // However long it takes until the next request begins, up to a limit: that is idle time.
        self.input.get_mut().limit_reading(Some(self.server.limits.idle));
        match body::fill(&mut self.input) {
            Ok([]) => return Ok(Came::Nothing),
            Ok(_) => {}
            Err(error) if is_timeout(&error) || is_stopped(&error) => return Ok(Came::Nothing),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(Came::Nothing),
            Err(error) => return Err(gone(&error)),
        }
        // From its first byte on it has so long in total, or anybody could keep our thread for
        // hours with one byte every few seconds ("slowloris").
        self.input.get_mut().limit_reading(Some(self.server.limits.request_time));
        let mut manner = Manner::LAST;
        match self.receive_request(&mut manner) {
            Ok(request) => Ok(Came::Request(request)),
            Err(WireError::Fault(fault)) => Ok(Came::Refusal(fault, manner)),
            Err(WireError::Connection(error) | WireError::Output(error)) => {
                if is_timeout(&error) {
                    let why = "the request did not arrive in time";
                    return Ok(Came::Refusal(Fault { status: 408, why }, manner));
                }
                Err(gone(&error))
            }
        }
    }

    fn receive_request(&mut self, manner: &mut Manner) -> Result<Request, WireError> {
        let head = body::read_head(&mut self.input)?;
        manner.head_only = head.starts_with(b"HEAD ");
        let request = Request::parse(&head)?;
        target::check_host(&request)?;
        let framing = framing::of_request(&request)?;
        // A client that waits for our "go on" has not begun with the body, and need not.
        if !awaits_continue(&request) {
            body::receive(&mut self.input, framing, MAX_BODY_BYTES, &mut |_| Ok(()))?;
        }
        Ok(request)
    }
    // listing: end receive

    fn send(&mut self, what: &str, answer: Answer, manner: Manner) -> Result<()> {
        let (peer, status) = (self.peer, answer.status);
        match send(self.input.get_mut(), answer, manner) {
            Ok(length) => log!("{peer} {what} → {status}, {length} bytes"),
            Err(error) => return Err(gone(&error).context(format!("{what} → {status}"))),
        }
        Ok(())
    }
}

fn gone(error: &io::Error) -> anyhow::Error {
    anyhow::Error::msg(tls::complaint(error).unwrap_or_else(|| explain(error)))
}

/// A panic is a mistake of ours, and one client's request has met it: that client's connection ends,
/// the others do not. (A scope whose thread has panicked would panic itself.)
pub fn contain(peer: SocketAddr, attend: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(attend)).is_err() {
        log!("{peer} is gone: this server has a fault, which is described above");
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_panic_in_one_connection_ends_no_other() {
        let peer = SocketAddr::from(([127, 0, 0, 1], 5000));
        thread::scope(|connections| {
            connections.spawn(|| contain(peer, || panic!("as a test")));
        });
    }
}
