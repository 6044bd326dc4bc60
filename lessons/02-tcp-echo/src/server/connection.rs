//! One connection of the event-driven server: what it must remember from one turn to the next.
//!
//! Compare `conversation.rs`, which says the same with calls that wait. There, where a client has
//! got to is the place of its thread in the code; here it is written down in [`Connection`].

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::Instant;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use netbasics::cli::log;
use netbasics::net::frame::FrameError;

use super::Options;
use super::conversation::{EACH_READ_BYTES, MAX_LINE_BYTES};

/// How much is read at once. No connection ever keeps more to be sent than what answers this much.
pub const PIECE_BYTES: usize = 16 * 1024;
/// How many pieces a client gets answered before it is the others' turn.
const PIECES_PER_TURN: usize = 16;
/// What a connection that has nothing to send keeps of its memory, in bytes.
const SPARE_BYTES: usize = 1024;

/// What a connection does after its turn.
#[derive(PartialEq)]
pub enum Next {
    /// It waits until the system reports a change.
    Wait,
    /// There is more to do at once, but the others come first.
    MyTurnAgain,
    /// Both sides have said everything.
    Close,
}

pub struct Connection {
    pub peer: SocketAddr,
    /// When it last had a turn, that is, when something last moved.
    pub moved: Instant,
    stream: TcpStream,
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    /// What the client has not taken yet. As long as it is not empty, we do not read.
    unsent: Vec<u8>,
    client_has_finished: bool,
}

impl Connection {
    /// Asks the system to report every change of `stream` under the name `token`.
    pub fn open(
        mut stream: TcpStream,
        peer: SocketAddr,
        registry: &Registry,
        token: Token,
    ) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        // epoll_ctl(2), edge-triggered: we are told once when bytes come, and once when a full
        // send buffer has room again. What we leave undone then, nobody reminds us of.
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        let (line, unsent) = (Vec::new(), Vec::new());
        Ok(Self { peer, moved: Instant::now(), stream, line, unsent, client_has_finished: false })
    }

    // listing: begin connection
    /// Receives and answers until one of both would have to wait, or the turn is over.
    pub fn take_turn(&mut self, options: &Options, buffer: &mut [u8]) -> Result<Next, FrameError> {
        self.moved = Instant::now();
        for _ in 0..PIECES_PER_TURN {
            // A client that does not take its answers is not read from either: TCP then tells it
            // to wait (its send buffer fills), and our memory stays small.
            if !self.send_unsent()? {
                return Ok(Next::Wait);
            }
            if self.client_has_finished {
                self.stream.shutdown(Shutdown::Write)?;
                return Ok(Next::Close);
            }
            match self.stream.read(&mut buffer[..piece_for(options)]) {
                Ok(0) => self.finish(options),
                Ok(length) => self.answer(options, &buffer[..length])?,
                // EWOULDBLOCK: nothing there. That is the normal end of a turn, not a failure.
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Next::Wait),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Next::MyTurnAgain)
    }

    /// Sends what is left; false if the client does not take all of it now.
    fn send_unsent(&mut self) -> io::Result<bool> {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(taken) => _ = self.unsent.drain(..taken),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.unsent.shrink_to(SPARE_BYTES);
        Ok(true)
    }
    // listing: end connection

    /// An echo answers bytes, as they come. A reply answers lines, which come in any pieces, or
    /// (`--each-read`) whatever one read has brought.
    fn answer(&mut self, options: &Options, bytes: &[u8]) -> Result<(), FrameError> {
        let Some(text) = &options.reply else {
            self.unsent.extend_from_slice(bytes);
            return Ok(());
        };
        if options.each_read {
            self.line.extend_from_slice(bytes);
            self.answer_line(text);
            return Ok(());
        }
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.line.extend_from_slice(part);
            let is_whole = self.line.pop_if(|last| *last == b'\n').is_some();
            if self.line.len() > MAX_LINE_BYTES {
                return Err(FrameError::TooLong { length: None, limit: MAX_LINE_BYTES });
            }
            if is_whole {
                self.answer_line(text);
            }
        }
        Ok(())
    }

    fn answer_line(&mut self, text: &str) {
        log!("{} says: {}", self.peer, String::from_utf8_lossy(&self.line));
        self.unsent.extend_from_slice(text.as_bytes());
        self.unsent.push(b'\n');
        self.line.clear();
        self.line.shrink_to(SPARE_BYTES);
    }

    /// The client has half-closed. What stands behind its last line feed is a line too.
    fn finish(&mut self, options: &Options) {
        self.client_has_finished = true;
        if let Some(text) = &options.reply
            && !self.line.is_empty()
        {
            self.answer_line(text);
        }
    }

    /// Tells the client that we end, although it has not.
    pub fn let_go(&self) -> Result<(), FrameError> {
        Ok(self.stream.shutdown(Shutdown::Both)?)
    }
}

/// How much to read at once: if every byte of it is a line, the answers still fit into a piece.
fn piece_for(options: &Options) -> usize {
    match &options.reply {
        None => PIECE_BYTES,
        Some(_) if options.each_read => EACH_READ_BYTES,
        Some(text) => (PIECE_BYTES / (text.len() + 1)).max(1),
    }
}
