//! Sending an answer: its head, and its body in the way that this client understands.

use std::fs::File;
use std::io::{self, Read, Write};
use std::thread;
use std::time::{Duration, SystemTime};

use super::answer::{Answer, Content};
use crate::http::date::HttpDate;
use crate::http::head::{Fields, Request, Response, Version, phrase};

/// How much of a file is in memory at a time.
const PIECE_BYTES: usize = 64 * 1024;
/// The time between two lines of `/time`.
const TICK: Duration = Duration::from_millis(100);
const TICKS: u32 = 3;

/// How an answer is sent.
#[derive(Clone, Copy)]
pub struct Manner {
    /// To a HEAD: the same head as to a GET, and nothing behind it (RFC 9110, section 9.3.2).
    pub head_only: bool,
    /// This answer is the last one on its connection.
    pub close: bool,
    /// Whether the client knows chunks.
    pub version: Version,
}

impl Manner {
    /// For a client that does not get to ask again.
    pub const LAST: Self = Self { head_only: false, close: true, version: Version::Http11 };

    pub fn of(request: &Request) -> Self {
        let close = request.version == Version::Http10
            || request.fields.lists("Connection", "close")
            || awaits_continue(request);
        Self { head_only: request.method == "HEAD", close, version: request.version }
    }
}

/// Whether the client keeps its body back until we ask for it (RFC 9110, section 10.1.1). We never
/// do, and then nobody knows whether a body follows: the connection ends with the answer.
pub fn awaits_continue(request: &Request) -> bool {
    request.version > Version::Http10 && request.fields.lists("Expect", "100-continue")
}

/// Sends `answer` and returns how many bytes of content that were.
pub fn send(output: &mut impl Write, answer: Answer, manner: Manner) -> io::Result<u64> {
    let mut head = head(&answer, manner).to_string();
    let length = match answer.content {
        Content::Text(text) if !manner.head_only => {
            head.push_str(&text);
            output.write_all(head.as_bytes()).map(|()| text.len() as u64)
        }
        Content::File(file, length) if !manner.head_only => {
            send_file(output, head.into_bytes(), &file, length)
        }
        Content::Clock if !manner.head_only => {
            output.write_all(head.as_bytes())?;
            send_time(output, manner.version > Version::Http10)
        }
        _ => output.write_all(head.as_bytes()).map(|()| 0),
    }?;
    // TLS may have kept the end back; only now its failures are all known.
    output.flush()?;
    Ok(length)
}

fn head(answer: &Answer, manner: Manner) -> Response {
    let mut fields = Fields::default();
    if let Some(now) = HttpDate::of(SystemTime::now()) {
        fields.add("Date", now);
    }
    fields.append(answer.fields.clone());
    match &answer.content {
        Content::Text(text) => fields.add("Content-Length", text.len()),
        Content::File(_, length) => fields.add("Content-Length", length),
        // A length that nobody knows yet: in chunks, or (HTTP/1.0) until the connection ends.
        Content::Clock if manner.version > Version::Http10 => {
            fields.add("Transfer-Encoding", "chunked");
        }
        Content::Clock | Content::Nothing => {}
    }
    if manner.close {
        fields.add("Connection", "close");
    }
    let (status, reason) = (answer.status, phrase(answer.status).to_owned());
    // Always our own version, whatever the client's (RFC 9110, section 6.2).
    Response { version: Version::Http11, status, reason, fields }
}

// listing: begin send_file
/// Sends what is in `buffer` and then exactly `length` bytes of the file: the head has promised
/// them, and the next answer begins behind them. What the file has grown by is not sent.
fn send_file(
    output: &mut impl Write,
    mut buffer: Vec<u8>,
    file: &File,
    length: u64,
) -> io::Result<u64> {
    let mut left = length;
    loop {
        let room = PIECE_BYTES.saturating_sub(buffer.len()) as u64;
        let read = file.take(left.min(room)).read_to_end(&mut buffer)? as u64;
        output.write_all(&buffer)?;
        buffer.clear();
        left -= read;
        if left == 0 {
            return Ok(length);
        }
        if read == 0 {
            // It has shrunk. The promise cannot be kept, and all that is left is to end the
            // connection: then the client counts too few bytes and knows.
            return Err(io::Error::other("the file became shorter while it was sent"));
        }
    }
}
// listing: end send_file

// listing: begin chunks
/// A few lines, each sent when its time has come: a length could only be known by waiting.
fn send_time(output: &mut impl Write, in_chunks: bool) -> io::Result<u64> {
    let mut length = 0;
    for tick in 1..=TICKS {
        let now = HttpDate::of(SystemTime::now()).map(|now| now.to_string()).unwrap_or_default();
        let line = format!("{tick} of {TICKS}: {now}\n");
        length += line.len() as u64;
        if in_chunks {
            // RFC 9112, section 7.1: the size in hexadecimal, the bytes, and CR LF behind both.
            write!(output, "{:x}\r\n{line}\r\n", line.len())?;
        } else {
            output.write_all(line.as_bytes())?;
        }
        output.flush()?;
        thread::sleep(if tick < TICKS { TICK } else { Duration::ZERO });
    }
    if in_chunks {
        // A chunk of no bytes is the end; between it and the empty line a trailer could stand.
        output.write_all(b"0\r\n\r\n")?;
    }
    Ok(length)
}
// listing: end chunks
