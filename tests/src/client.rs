//! One TCP connection with the program under test, whichever side the program is: every call is a
//! step, and fails as a step.

mod expect;
mod flood;

use std::io::{self, ErrorKind, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use netlab::faults::Direction;
use netlab::record::{Happening, Transport};
use socket2::{Domain, SockRef, Socket, Type};

use crate::bytes::brief;
use crate::patience::{Wait, patience};
use crate::shared::Shared;
use crate::step_log::Difference;
use crate::wire::Line;

/// The test's end of a connection: it plays a client of a server under test
/// ([`Case::connect`](crate::Case::connect)), or the server of a client under test
/// ([`Host::accept`](crate::Host::accept)).
#[derive(Debug)]
pub struct Client {
    shared: Shared,
    /// Who acts, at the beginning of a step.
    who: String,
    /// Where what the test sends goes.
    out: Direction,
    line: Line,
    stream: TcpStream,
    /// Whether the wire was told already that nothing more will be sent.
    has_ended: bool,
    /// What was read beyond what was expected so far.
    heard: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(shared: Shared, server: SocketAddr) -> Self {
        let (socket, client) =
            bind_near(server).unwrap_or_else(|error| panic!("no TCP socket for the test: {error}"));
        let line = shared.line(Transport::Tcp, client, server);
        let who = format!("client {}", line.number);
        shared.step(format!("{who} connects to {server}"));
        let connected = connect(&shared, &socket, server);
        match connected {
            Ok(()) => Self::new(shared, who, Direction::ToServer, line, socket.into()),
            Err(error) if is_timeout(&error) => shared.fail(Difference::timeout(format!(
                "{who} waited {:?} to be connected",
                patience()
            ))),
            Err(error) => {
                shared.fail(Difference::fail(format!("{who} cannot connect: {}", reason(&error))))
            }
        }
    }

    /// The server's end of a connection that was accepted.
    pub(crate) fn accepted(shared: Shared, line: Line, stream: TcpStream) -> Self {
        let who = format!("the test's server (connection {})", line.number);
        Self::new(shared, who, Direction::ToClient, line, stream)
    }

    fn new(shared: Shared, who: String, out: Direction, line: Line, stream: TcpStream) -> Self {
        // Every piece in a segment of its own, at once.
        let prepared = stream
            .set_write_timeout(Some(patience()))
            .and_then(|()| stream.set_nodelay(true))
            .and_then(|()| stream.set_nonblocking(false));
        if let Err(error) = prepared {
            panic!("cannot prepare the socket of {who}: {error}");
        }
        let client = Self { shared, who, out, line, stream, has_ended: false, heard: Vec::new() };
        client.note(Direction::ToServer, Happening::Opened);
        client
    }

    /// The address of the test's end.
    ///
    /// # Panics
    /// When the system does not know it; that is no failure of the program.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.stream.local_addr().unwrap_or_else(|error| panic!("a socket of nowhere: {error}"))
    }

    /// Sends `bytes` in one piece.
    pub fn send(&mut self, bytes: &[u8]) {
        self.step(format!("sends {}", brief(bytes)));
        self.send_pieces(bytes, bytes.len().max(1), Duration::ZERO);
    }

    /// Sends `bytes` in pieces of `size` bytes.
    pub fn send_in_pieces(&mut self, bytes: &[u8], size: usize) {
        self.step(format!("sends, {size} at a time, {}", brief(bytes)));
        self.send_pieces(bytes, size, Duration::ZERO);
    }

    /// Sends `bytes` in pieces of `size` bytes with a `pause` after each: so each of them arrives
    /// alone.
    pub fn send_slowly(&mut self, bytes: &[u8], size: usize, pause: Duration) {
        let what = brief(bytes);
        self.step(format!("sends, {size} at a time and {pause:?} after each, {what}"));
        self.send_pieces(bytes, size, pause);
    }

    fn send_pieces(&mut self, bytes: &[u8], size: usize, pause: Duration) {
        for piece in bytes.chunks(size) {
            if let Err(error) = self.send_piece(piece) {
                self.could_not("send", &error);
            }
            thread::sleep(pause);
        }
    }

    /// The limit is for each piece that the system takes: a large message may take its time, as
    /// long as the other side reads.
    fn send_piece(&mut self, mut piece: &[u8]) -> io::Result<()> {
        while !piece.is_empty() {
            let (taken, rest) = piece.split_at(self.write_some(piece)?);
            self.note_payload(self.out, taken);
            piece = rest;
        }
        Ok(())
    }

    /// One write(2) that takes something, as long as patience lasts.
    fn write_some(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let shared = self.shared.clone();
        let wait = Wait::begin(&shared);
        loop {
            let is_last = wait.left().is_none();
            match self.stream.write(bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_timeout(&error) && !is_last => {}
                written => return written,
            }
        }
    }

    /// Closes the sending half: that was all.
    pub fn half_close(&mut self) {
        self.step("half-closes: its message is complete");
        if let Err(error) = self.stream.shutdown(Shutdown::Write) {
            self.could_not("half-close", &error);
        }
        self.end(Happening::Ended);
    }

    /// Goes away without a word: close(2).
    pub fn vanish(self) {
        self.step("closes its socket and is gone");
    }

    /// Goes away with a reset: close(2) after `SO_LINGER` was set to 0 seconds (socket(7)), which
    /// is TCP's ABORT (RFC 9293, section 3.10.5).
    ///
    /// # Panics
    /// When the system refuses the option; that is no failure of the program.
    pub fn reset(mut self) {
        self.step("resets the connection");
        if let Err(error) = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)) {
            panic!("cannot prepare a reset: {error}");
        }
        self.end(Happening::Reset);
    }

    /// Stays connected for `time` without reading, so that the buffers in between fill up.
    pub fn read_nothing(&mut self, time: Duration) {
        self.step(format!("reads nothing for {time:?}"));
        thread::sleep(time);
    }

    /// Sending failed. What the program has said instead may still be readable.
    fn could_not(&mut self, what: &str, error: &io::Error) -> ! {
        let who = self.who.clone();
        if is_timeout(error) {
            self.shared.fail(Difference::timeout(format!(
                "{who} waited {:?} to {what}, because your program does not read",
                patience()
            )));
        }
        let said = self.last_words();
        let instead =
            if said.is_empty() { String::new() } else { format!(" and said {}", brief(&said)) };
        self.shared.fail(Difference::fail(format!(
            "your program ended the connection{instead} before {who} had sent everything"
        )))
    }

    fn end(&mut self, how: Happening) {
        self.note(self.out, how);
        self.has_ended = true;
    }

    fn step(&self, what: impl std::fmt::Display) {
        self.shared.step(format!("{} {what}", self.who));
    }

    fn note(&self, direction: Direction, happening: Happening) {
        self.shared.happens(&self.line, direction, happening);
    }

    fn note_payload(&self, direction: Direction, payload: &[u8]) {
        if !payload.is_empty() {
            self.shared.carries(&self.line, direction, payload);
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if !self.has_ended {
            self.end(Happening::Ended);
        }
    }
}

/// Connects within the usual patience. What the system calls a timeout is none if this process stood
/// still meanwhile: then the attempt goes on.
fn connect(shared: &Shared, socket: &Socket, server: SocketAddr) -> io::Result<()> {
    let wait = Wait::begin(shared);
    match socket.connect_timeout(&server.into(), patience()) {
        Err(error) if is_timeout(&error) => {
            let ended = wait.poll(|| match socket.take_error() {
                Ok(None) => socket.peer_addr().ok().map(|_| Ok(())),
                Ok(Some(error)) | Err(error) => Some(Err(error)),
            });
            ended.unwrap_or(Err(error))
        }
        connected => connected,
    }
}

/// A socket that has its address before it connects: a relay on the way may tell of the connection
/// before we know of it, and tells of it by this address.
fn bind_near(server: SocketAddr) -> io::Result<(Socket, SocketAddr)> {
    let socket = Socket::new(Domain::for_address(server), Type::STREAM, None)?;
    let near: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::LOCALHOST, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::LOCALHOST, 0).into(),
    };
    socket.bind(&near.into())?;
    let address = socket.local_addr()?.as_socket().unwrap_or(near);
    Ok((socket, address))
}

pub(crate) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// A connection error in words.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "connection refused, as nobody listens there".to_owned(),
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
            "connection reset, as happens when a program ends, or closes a socket that still holds \
             unread bytes"
                .to_owned()
        }
        _ => error.to_string(),
    }
}
