//! A client of the program under test: every call is a step, and fails as a step.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::SockRef;

use crate::bytes::brief;
use crate::exam::{Desk, PATIENCE};
use crate::story::{Difference, Way};

/// How much more than expected is read, so that a report can show what came too much.
const SURPLUS_BYTES: usize = 4 * 1024;

/// One TCP connection to the program.
#[derive(Debug)]
pub struct Client {
    desk: Desk,
    number: usize,
    stream: TcpStream,
}

/// How listening to the program ended.
enum End {
    Closed,
    Failed(io::Error),
    TimedOut,
    Enough,
}

impl Client {
    pub(crate) fn connect(desk: Desk, number: usize, server: SocketAddr) -> Self {
        desk.step(format!("client {number} connects to {server}"));
        let connected = TcpStream::connect_timeout(&server, PATIENCE).and_then(|stream| {
            stream.set_write_timeout(Some(PATIENCE))?;
            // Every piece in a segment of its own, at once.
            stream.set_nodelay(true)?;
            Ok(stream)
        });
        match connected {
            Ok(stream) => Self { desk, number, stream },
            Err(error) if is_timeout(&error) => {
                desk.fail(Difference::timeout(format!("client {number} waited to be connected")))
            }
            Err(error) => desk.fail(Difference::fail(format!(
                "client {number} cannot connect: {}",
                reason(&error)
            ))),
        }
    }

    /// Sends `bytes` in one piece.
    pub fn send(&mut self, bytes: &[u8]) {
        self.desk.step(format!("client {} sends {}", self.number, brief(bytes)));
        self.send_pieces(bytes, bytes.len().max(1));
    }

    /// Sends `bytes` in pieces of `size` bytes.
    pub fn send_in_pieces(&mut self, bytes: &[u8], size: usize) {
        let what = brief(bytes);
        self.desk.step(format!("client {} sends, {size} at a time, {what}", self.number));
        self.send_pieces(bytes, size);
    }

    fn send_pieces(&mut self, bytes: &[u8], size: usize) {
        for (index, piece) in bytes.chunks(size).enumerate() {
            if let Err(error) = self.stream.write_all(piece) {
                self.note_sent(&bytes[..index * size], index);
                self.could_not("send", &error);
            }
        }
        self.note_sent(bytes, bytes.len().div_ceil(size));
    }

    fn note_sent(&self, bytes: &[u8], pieces: usize) {
        self.desk.note(|story| story.carried(self.number, Way::ToProgram, bytes, pieces));
    }

    /// Closes the sending half: that was all.
    pub fn half_close(&mut self) {
        self.desk.step(format!("client {} half-closes: its message is complete", self.number));
        if let Err(error) = self.stream.shutdown(Shutdown::Write) {
            self.could_not("half-close", &error);
        }
        self.wire(Way::ToProgram, "half-close");
    }

    /// Goes away without a word: close(2).
    pub fn vanish(self) {
        self.desk.step(format!("client {} closes its socket and is gone", self.number));
        self.wire(Way::ToProgram, "close");
    }

    /// Goes away with a reset: close(2) after `SO_LINGER` was set to 0 seconds (socket(7)), which
    /// is TCP's ABORT (RFC 9293, section 3.10.5).
    ///
    /// # Panics
    /// When the system refuses the option; that is no failure of the program.
    pub fn reset(self) {
        self.desk.step(format!("client {} resets the connection", self.number));
        if let Err(error) = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)) {
            panic!("cannot prepare a reset: {error}");
        }
        self.wire(Way::ToProgram, "reset");
    }

    /// Expects that the program sends nothing and does not close, for as long as `time`.
    pub fn expect_silence(&mut self, time: Duration) {
        let number = self.number;
        self.desk.step(format!("client {number} expects no answer yet"));
        let (got, end) = self.listen(1, time);
        match end {
            End::TimedOut => {}
            End::Failed(error) => self.desk.fail(Difference::fail(format!(
                "your program ended the connection before the client had sent everything: {}",
                reason(&error)
            ))),
            End::Closed | End::Enough => {
                let what = "your program did not wait for the half-close of the client";
                self.desk.fail(Difference::fail(what).with(b"", &got));
            }
        }
    }

    /// Stays connected for `time`, whatever the program does meanwhile.
    pub fn stay(&mut self, time: Duration) {
        self.desk.step(format!("client {} stays connected", self.number));
        self.listen(SURPLUS_BYTES, time);
    }

    /// Expects exactly `expected`, and then the end of the stream.
    pub fn expect_last_words(&mut self, expected: &[u8]) {
        let number = self.number;
        self.desk.step(format!("client {number} expects {}, then the close", brief(expected)));
        let (got, end) = self.listen(expected.len() + SURPLUS_BYTES, PATIENCE);
        let difference = match end {
            End::Closed | End::Enough if got == expected => return,
            End::Closed | End::Enough => Difference::fail("the answer is not the one expected"),
            End::Failed(error) => Difference::fail(format!(
                "your program did not answer to the end: {}",
                reason(&error)
            )),
            End::TimedOut if got == expected => Difference::timeout(format!(
                "the answer is right, but the connection was not closed within {PATIENCE:?}"
            )),
            End::TimedOut => Difference::timeout(format!(
                "the client waited {PATIENCE:?} for the answer and the close"
            )),
        };
        self.desk.fail(difference.with(expected, &got));
    }

    /// Reads until the end, until `enough` bytes have come, or until `time` is over.
    fn listen(&mut self, enough: usize, time: Duration) -> (Vec<u8>, End) {
        let until = Instant::now() + time;
        let mut got = Vec::new();
        let mut buffer = [0; 4096];
        let end = loop {
            if got.len() >= enough {
                break End::Enough;
            }
            let Some(left) = until.checked_duration_since(Instant::now()).filter(|t| !t.is_zero())
            else {
                break End::TimedOut;
            };
            let read = self
                .stream
                .set_read_timeout(Some(left))
                .and_then(|()| self.stream.read(&mut buffer));
            match read {
                Ok(0) => break End::Closed,
                Ok(length) => got.extend_from_slice(&buffer[..length]),
                Err(error) if is_timeout(&error) => break End::TimedOut,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => break End::Failed(error),
            }
        };
        self.note_heard(&got, &end);
        (got, end)
    }

    fn note_heard(&self, got: &[u8], end: &End) {
        if !got.is_empty() {
            self.desk.note(|story| story.carried(self.number, Way::FromProgram, got, 1));
        }
        match end {
            End::Closed => self.wire(Way::FromProgram, "close"),
            End::Failed(_) => self.wire(Way::FromProgram, "reset"),
            End::TimedOut | End::Enough => {}
        }
    }

    /// Sending failed. What the program has said instead may still be readable.
    fn could_not(&mut self, what: &str, error: &io::Error) -> ! {
        if is_timeout(error) {
            self.desk.fail(Difference::timeout(format!(
                "the client waited {PATIENCE:?} to {what}, because your program does not read"
            )));
        }
        let (got, _) = self.listen(SURPLUS_BYTES, PATIENCE);
        let instead =
            if got.is_empty() { String::new() } else { format!(" and said {}", brief(&got)) };
        self.desk.fail(Difference::fail(format!(
            "your program ended the connection{instead} before the client had sent everything"
        )))
    }

    fn wire(&self, way: Way, what: &str) {
        self.desk.note(|story| story.wire(self.number, way, what));
    }
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
