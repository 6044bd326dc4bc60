//! Heads and bodies on the wire: where reading stops, and what is too much.

mod chunks;

use std::io::{self, BufRead, ErrorKind, Read};

use crate::http::framing::Framing;
use crate::http::head::{Fault, Fields, Status, bad};

/// Longest first line of a head, in bytes. RFC 9112, section 3, recommends to take at least 8000.
pub const MAX_LINE_BYTES: usize = 8 * 1024;
/// Longest head, and longest trailer, in bytes.
pub const MAX_HEAD_BYTES: usize = 32 * 1024;

/// Why a message did not come whole.
#[derive(Debug)]
pub enum WireError {
    /// The connection failed or ended in the middle.
    Connection(io::Error),
    /// What came is no HTTP, or more than we take.
    Fault(Fault),
    /// Nothing is wrong with the message: the receiver of its bytes could not take them.
    Output(io::Error),
}

impl From<io::Error> for WireError {
    fn from(error: io::Error) -> Self {
        Self::Connection(error)
    }
}

impl From<Fault> for WireError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

// listing: begin head
/// Reads a head, up to and with its empty line, but not a byte of what follows.
///
/// It looks at each line as it comes, so that a peer that sends bare line feeds is told so at once
/// and not after a time limit. One empty line in front is skipped: some old clients send one behind
/// a body (RFC 9112, section 2.2).
pub fn read_head(input: &mut impl BufRead) -> Result<Vec<u8>, WireError> {
    let mut head = Vec::new();
    read_line(input, &mut head, MAX_LINE_BYTES, 414)?;
    if head == b"\r\n" {
        head.clear();
        read_line(input, &mut head, MAX_LINE_BYTES, 414)?;
    }
    read_fields(input, head)
}

/// Reads field lines behind what is in `head` already, to the empty line.
fn read_fields(input: &mut impl BufRead, mut head: Vec<u8>) -> Result<Vec<u8>, WireError> {
    loop {
        let before = head.len();
        read_line(input, &mut head, MAX_HEAD_BYTES - before, 431)?;
        if head.len() == before + 2 {
            return Ok(head);
        }
    }
}

/// Appends one line with its CR LF, of at most `limit` bytes; a longer one deserves `status`.
fn read_line(
    input: &mut impl BufRead,
    line: &mut Vec<u8>,
    limit: usize,
    status: Status,
) -> Result<(), WireError> {
    let length = input.by_ref().take(limit as u64).read_until(b'\n', line)?;
    match &line[line.len() - length..] {
        [.., b'\r', b'\n'] => Ok(()),
        [.., b'\n'] => Err(bad("a line feed without its CR").into()),
        _ if length == limit => {
            Err(Fault { status, why: "a line, or the head, is too long" }.into())
        }
        _ => Err(io::Error::from(ErrorKind::UnexpectedEof).into()),
    }
}
// listing: end head

/// Reads a body to its end and hands it on piece by piece, so that it may be larger than memory.
/// Returns the fields that came behind it, which only a chunked one has.
///
/// # Errors
/// A body that ends early, is malformed, or has more than `limit` bytes (413); and what `take`
/// says.
pub fn receive(
    input: &mut impl BufRead,
    framing: Framing,
    limit: u64,
    take: &mut impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<Fields, WireError> {
    match framing {
        Framing::Length(length) if length > limit => return Err(TOO_LARGE.into()),
        Framing::Length(length) => exactly(input, length, take)?,
        Framing::Chunked => return chunks::receive(input, limit, take),
        Framing::UntilClose => until_close(input, limit, take)?,
    }
    Ok(Fields::default())
}

const TOO_LARGE: Fault = Fault { status: 413, why: "the body is larger than is taken here" };

// listing: begin exactly
fn exactly(
    input: &mut impl BufRead,
    length: u64,
    take: &mut impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<(), WireError> {
    let mut left = length;
    while left > 0 {
        let piece = fill(input)?;
        if piece.is_empty() {
            // The connection ended first, and only the length tells us that it was too early.
            return Err(io::Error::from(ErrorKind::UnexpectedEof).into());
        }
        let length = usize::try_from(left).map_or(piece.len(), |left| left.min(piece.len()));
        take(&piece[..length]).map_err(WireError::Output)?;
        input.consume(length);
        left -= length as u64;
    }
    Ok(())
}
// listing: end exactly

fn until_close(
    input: &mut impl BufRead,
    limit: u64,
    take: &mut impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<(), WireError> {
    let mut left = limit;
    loop {
        let piece = fill(input)?;
        let length = piece.len();
        if length == 0 {
            return Ok(());
        }
        left = left.checked_sub(length as u64).ok_or(TOO_LARGE)?;
        take(piece).map_err(WireError::Output)?;
        input.consume(length);
    }
}

/// What has come, or nothing at the end of the stream.
pub fn fill(input: &mut impl BufRead) -> io::Result<&[u8]> {
    loop {
        match input.fill_buf() {
            // What it has found, it finds again.
            Ok(_) => return input.fill_buf(),
            // EINTR: a signal came first (Ctrl-Z, and then `fg`). Ask again.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
