//! A conversation with one server, by hand: connect, ask, listen, ask again.

use std::io::{self, BufReader, ErrorKind, Write};
use std::sync::Arc;

use anyhow::{Error, Result, anyhow};
use netbasics::cli::log;
use netbasics::cli::program::OutputError;
use netbasics::net::socket;
use netbasics::net::socket_error::explain;
use netbasics::system::stop::Stop;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::{Destination, Options, check_length, expected, print, print_head, show};
use crate::http::body::{self, WireError};
use crate::http::framing;
use crate::http::head::{Fields, Request, Response, Version};
use crate::http::stream::{Stream, Timed, send_last_words};
use crate::http::tls;

/// Answers before the answer (1xx) that are read before we give up.
const MAX_INTERIM: usize = 10;
/// The first byte of a TLS alert (RFC 9846, section 5.1): what a TLS server says to plain HTTP.
const TLS_ALERT: u8 = 21;

pub struct Session {
    input: BufReader<Stream>,
}

impl Session {
    // listing: begin open
    /// Connects, and with https verifies who is there before a word of HTTP is said.
    pub fn open(to: &Destination, trust: &Arc<ClientConfig>, options: &Options) -> Result<Self> {
        let tcp = socket::connect_tcp(&to.connect_to, options.timeout)?;
        let mut timed = Timed::new(tcp, options.timeout, Stop::new())?;
        let stream = if to.is_https() {
            let mut tls = ClientConnection::new(Arc::clone(trust), to.server_name()?)?;
            timed.limit_reading(Some(options.timeout));
            // The handshake (RFC 9846, section 2): keys are agreed on, and the server proves that
            // it has the key of a certificate that an authority of ours has signed for this name.
            if let Err(error) = tls.complete_io(&mut timed) {
                // Our last word is an alert, so that the server learns why we hang up.
                send_last_words(&mut tls, &mut timed);
                return Err(not_trusted(to, &error));
            }
            if options.verbose {
                log!("* TLS 1.3: the server has proved to be {}", to.name());
            }
            Stream::TlsClient(StreamOwned::new(tls, timed).into())
        } else {
            Stream::Plain(timed)
        };
        Ok(Self { input: BufReader::new(stream) })
    }
    // listing: end open

    /// Asks for what `options` say and prints what comes. The body is printed whatever the status
    /// is: it often says more.
    pub fn fetch(&mut self, to: &Destination, options: &Options, last: bool) -> Result<Response> {
        let request = request(to, options, last);
        if options.verbose {
            show('>', &request.to_string());
        }
        let response = self.ask(&request, options).map_err(|error| describe(to, error))?;
        if options.verbose {
            show('<', &response.to_string());
        }
        if options.head {
            print_head(&response)?;
        } else {
            let expected = expected(to, options, &response)?;
            let body = self.receive(&response, options);
            let (length, trailer) = body.map_err(|error| describe(to, error))?;
            if options.verbose {
                show('<', &trailer.to_string());
            }
            check_length(to, expected, length)?;
        }
        Ok(response)
    }

    // listing: begin ask
    /// Sends a request and reads the head of its answer.
    fn ask(&mut self, request: &Request, options: &Options) -> Result<Response, WireError> {
        let stream = self.input.get_mut();
        stream.write_all(request.to_string().as_bytes())?;
        stream.flush()?;
        // The head must be here in this time; the body may take longer, as long as it moves.
        stream.limit_reading(Some(options.timeout));
        if body::fill(&mut self.input)?.first() == Some(&TLS_ALERT) {
            return Err(io::Error::other("it answers in TLS: try https://").into());
        }
        for _ in 0..MAX_INTERIM {
            let response = Response::parse(&body::read_head(&mut self.input)?)?;
            // 1xx: "still there" and the like; the answer itself comes behind it. (101 would be a
            // change of protocol, which we never ask for, and then no answer follows.)
            if response.status >= 200 {
                self.input.get_mut().limit_reading(None);
                return Ok(response);
            }
        }
        Err(io::Error::other("it answers with 1xx again and again").into())
    }

    /// Reads the body to its end, prints it as it comes, and returns its length and what stands
    /// behind it.
    fn receive(
        &mut self,
        response: &Response,
        options: &Options,
    ) -> Result<(u64, Fields), WireError> {
        let framing = framing::of_response(options.method(), response)?;
        let (mut output, mut length) = (log::raw_output(), 0);
        let trailer = body::receive(&mut self.input, framing, options.max_bytes, &mut |piece| {
            length += piece.len() as u64;
            print(&mut output, piece)
        })?;
        Ok((length, trailer))
    }
    // listing: end ask

    pub fn close(self) {
        self.input.into_inner().close();
    }
}

fn request(to: &Destination, options: &Options, last: bool) -> Request {
    let mut fields = Fields::default();
    fields.add("Host", to.host());
    fields.add("User-Agent", "lesson-08");
    if let Some(range) = &options.range {
        fields.add("Range", range);
    }
    if last {
        fields.add("Connection", "close");
    }
    let (method, target) = (options.method().to_owned(), to.target().to_owned());
    Request { method, target, version: Version::Http11, fields }
}

fn not_trusted(to: &Destination, error: &io::Error) -> Error {
    let reason = tls::complaint(error).unwrap_or_else(|| explain(error));
    anyhow!("no HTTPS with {}: {reason}", to.host())
}

/// The error as a sentence. What came before it may have been printed already, so it says that the
/// rest is missing.
fn describe(to: &Destination, error: WireError) -> Error {
    match error {
        WireError::Output(error) => OutputError(error).into(),
        WireError::Fault(fault) if fault.status == 413 => {
            anyhow!("the answer of {} has a body of more than --max-bytes", to.host())
        }
        WireError::Fault(fault) => {
            anyhow!("{} does not answer as HTTP/1.1 should: {fault}", to.host())
        }
        WireError::Connection(error) if error.kind() == ErrorKind::UnexpectedEof => {
            anyhow!(
                "{} ended the connection in the middle of its answer: the rest is missing",
                to.host()
            )
        }
        WireError::Connection(error) => not_understood(to, &error),
    }
}

fn not_understood(to: &Destination, error: &io::Error) -> Error {
    let reason = tls::complaint(error).unwrap_or_else(|| explain(error));
    anyhow!("no answer from {}: {reason}", to.host())
}
