//! A client of exercise `drain`: what it says and what it is told. All of this is given.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Mutex, PoisonError};

use netbasics::net::socket;
use netbasics::system::stop::Stop;

/// The longest line, in bytes, its newline not counted. Longer than any right one.
const MAX_LINE_BYTES: u64 = 64;

/// One client. It is dropped when its lines have ended *and* none of its requests is left, for each
/// of them holds this too.
pub struct Client {
    stream: Mutex<TcpStream>,
    stop: Stop,
}

impl Client {
    /// The client at the other end of `stream`, which is told `bye` if `stop` is raised by its end.
    pub fn new(stream: &TcpStream, stop: &Stop) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream: Mutex::new(stream.try_clone()?), stop: stop.clone() })
    }

    /// Sends one line. If the client is gone, nobody is there to be told.
    pub fn tell(&self, line: &str) {
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = stream.write_all(format!("{line}\n").as_bytes());
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if self.stop.is_raised() {
            self.tell("bye");
        }
        let stream = self.stream.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Ok(stream) = stream.try_clone() {
            socket::lingering_close_within(stream, &self.stop);
        }
    }
}

/// What a client says. For us that ends when `until` is raised.
pub struct Incoming<'a> {
    pub stream: &'a TcpStream,
    pub until: &'a Stop,
}

impl Read for Incoming<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.until.is_raised() {
            // poll(2): for bytes or for the stop, whichever comes first.
            if self.until.wait_readable(self.stream, None)? {
                return self.stream.read(buffer);
            }
        }
        Ok(0)
    }
}

/// The next line without its newline. `None` at the end of the stream, in the middle of a line too,
/// and for a line that is too long.
pub fn next_line(lines: &mut BufReader<Incoming>) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    lines.take(MAX_LINE_BYTES + 1).read_until(b'\n', &mut line)?;
    // What is no text is no right line either.
    Ok(line.strip_suffix(b"\n").map(|line| String::from_utf8_lossy(line).into_owned()))
}

/// One to 32 letters and digits.
pub fn is_name(text: &str) -> bool {
    matches!(text.len(), 1..=32) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
