//! A body in chunks (RFC 9112, section 7.1), for a sender who does not know yet how much it will be.
//!
//! ```text
//!   5␍␊         the size of the chunk, in hexadecimal
//!   hello␍␊     the chunk, and a line end that does not belong to it
//!   7␍␊
//!   , world␍␊
//!   0␍␊         no more chunks
//!   name: x␍␊   the trailer: fields that the sender knows only now; mostly there are none
//!   ␍␊          the end
//! ```

use std::io::{self, BufRead};

use super::{TOO_LARGE, WireError, exactly, read_fields, read_line};
use crate::http::head::{Fault, Fields, OWS, bad, text};

/// Longest line in front of a chunk: a number, and extensions that nobody uses.
const MAX_SIZE_LINE_BYTES: usize = 256;

// listing: begin chunked
/// As [`super::receive`]; returns the trailer.
pub fn receive(
    input: &mut impl BufRead,
    limit: u64,
    take: &mut impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<Fields, WireError> {
    let mut left = limit;
    loop {
        let mut line = Vec::new();
        read_line(input, &mut line, MAX_SIZE_LINE_BYTES, 400)?;
        let size = chunk_size(&line)?;
        if size == 0 {
            // Behind the last chunk: the trailer, often empty, and an empty line.
            return Ok(Fields::parse(&read_fields(input, Vec::new())?)?);
        }
        left = left.checked_sub(size).ok_or(TOO_LARGE)?;
        exactly(input, size, take)?;
        let mut end = [0; 2];
        input.read_exact(&mut end)?;
        if &end != b"\r\n" {
            return Err(bad("a chunk is longer than its size says").into());
        }
    }
}

/// The size in `1a;name=value␍␊`: hexadecimal digits (RFC 9112, section 7.1), and nothing that
/// other programs take for a number: no sign, no `0x`, no blank, no underscore.
fn chunk_size(line: &[u8]) -> Result<u64, Fault> {
    let line = text(line.strip_suffix(b"\r\n").unwrap_or(line))?;
    // Extensions: a recipient ignores those it does not know, and blanks in front of their ';'
    // (section 7.1.1).
    let digits = line.split_once(';').map_or(&*line, |(size, _)| size.trim_end_matches(OWS));
    let is_number =
        (1..=16).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let size = u64::from_str_radix(digits, 16).ok().filter(|_| is_number);
    size.ok_or(bad("a chunk size is not a hexadecimal number"))
}
// listing: end chunked
