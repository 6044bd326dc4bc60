//! Framing: where one message ends and the next begins.
//!
//! TCP carries a stream of bytes (RFC 9293, section 2.2) and keeps no message boundaries, so one
//! `read` may return half a message or three. Two ways to mark the ends, both with a limit, because
//! a peer that never ends its message must not fill our memory:
//!
//! ```text
//! frame:   +--------+--------+--------+--------+==================+
//!          |  length of the payload, 4 bytes   |  payload         |
//!          |  unsigned, big-endian             |  `length` bytes  |
//!          +--------+--------+--------+--------+==================+
//!
//! line:    bytes up to a line feed (0x0A), which is not part of the line; the last line
//!          may end with the stream instead
//! ```

use std::error::Error;
use std::fmt;
use std::io::{self, BufRead, Read, Write};

/// Bytes of the length before a frame's payload.
pub const LENGTH_BYTES: usize = 4;

/// Why no message could be read.
#[derive(Debug)]
pub enum FrameError {
    /// The message is longer than the reader allows; its length in bytes, if it is known.
    TooLong {
        /// What the sender claims; a line's length is not known before its end.
        length: Option<u32>,
        /// What the reader allows, in bytes.
        limit: usize,
    },
    /// The stream ended inside the message.
    Truncated,
    /// The stream itself failed.
    Io(io::Error),
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { length: Some(length), limit } => {
                write!(f, "a message of {length} bytes is too long; the limit is {limit}")
            }
            Self::TooLong { length: None, limit } => {
                write!(f, "a line goes on past the limit of {limit} bytes")
            }
            Self::Truncated => f.write_str("the stream ended in the middle of a message"),
            Self::Io(error) => f.write_str(&crate::net::socket_error::explain(error)),
        }
    }
}

impl Error for FrameError {}

impl From<io::Error> for FrameError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Truncated,
            _ => Self::Io(error),
        }
    }
}

/// Writes `payload` as one frame.
///
/// # Errors
/// `InvalidInput` when the payload is longer than 4 bytes can say; else what `writer` says.
pub fn write_frame(writer: &mut impl Write, payload: &[u8]) -> io::Result<()> {
    let length = u32::try_from(payload.len())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "payload of 4 GiB or more"))?;
    writer.write_all(&length.to_be_bytes())?;
    writer.write_all(payload)
}

/// Reads one frame's payload of at most `limit` bytes; `None` when the stream ends before a frame
/// begins.
///
/// Memory grows with the bytes that arrive, not with the length that the sender claims.
pub fn read_frame(reader: &mut impl Read, limit: usize) -> Result<Option<Vec<u8>>, FrameError> {
    let mut prefix = Vec::with_capacity(LENGTH_BYTES);
    reader.by_ref().take(LENGTH_BYTES as u64).read_to_end(&mut prefix)?;
    if prefix.is_empty() {
        return Ok(None);
    }
    let prefix: [u8; LENGTH_BYTES] = prefix.try_into().map_err(|_| FrameError::Truncated)?;
    let length = u32::from_be_bytes(prefix);
    if length as usize > limit {
        return Err(FrameError::TooLong { length: Some(length), limit });
    }
    let mut payload = Vec::new();
    reader.by_ref().take(u64::from(length)).read_to_end(&mut payload)?;
    if payload.len() < length as usize {
        return Err(FrameError::Truncated);
    }
    Ok(Some(payload))
}

/// Reads one line of at most `limit` bytes, without its line feed; `None` at the end of the
/// stream. What stands behind the last line feed is a line too.
pub fn read_line(reader: &mut impl BufRead, limit: usize) -> Result<Option<Vec<u8>>, FrameError> {
    let mut line = Vec::new();
    // One byte more than allowed: room for the line feed of a line that is just short enough.
    reader.by_ref().take(limit as u64 + 1).read_until(b'\n', &mut line)?;
    match line.last() {
        None => return Ok(None),
        Some(b'\n') => _ = line.pop(),
        Some(_) if line.len() > limit => {
            return Err(FrameError::TooLong { length: None, limit });
        }
        Some(_) => {}
    }
    Ok(Some(line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::BufReader;

    /// A stream that arrives in pieces of the given sizes, as TCP segments do.
    struct Pieces<'a> {
        bytes: &'a [u8],
        sizes: std::iter::Cycle<std::vec::IntoIter<usize>>,
    }

    fn pieces(bytes: &[u8], sizes: Vec<usize>) -> Pieces<'_> {
        Pieces { bytes, sizes: sizes.into_iter().cycle() }
    }

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let size = self.sizes.next().unwrap().min(buffer.len());
            self.bytes.read(&mut buffer[..size])
        }
    }

    proptest! {
        #[test]
        fn any_split_of_the_stream_gives_the_same_frames(
            frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..8),
            sizes in prop::collection::vec(1_usize..50, 1..8),
        ) {
            let mut stream = Vec::new();
            for frame in &frames {
                write_frame(&mut stream, frame).unwrap();
            }
            let mut reader = pieces(&stream, sizes);
            let mut read = Vec::new();
            while let Some(frame) = read_frame(&mut reader, 200).unwrap() {
                read.push(frame);
            }
            prop_assert_eq!(read, frames);
        }

        #[test]
        fn any_split_of_the_stream_gives_the_same_lines(
            lines in prop::collection::vec("[^\n]{0,60}", 0..8),
            sizes in prop::collection::vec(1_usize..50, 1..8),
            ends_with_feed: bool,
        ) {
            let mut stream = lines.join("\n").into_bytes();
            // An empty last line exists only if its line feed does.
            if ends_with_feed || lines.last().is_some_and(String::is_empty) {
                stream.push(b'\n');
            }
            let mut reader = BufReader::new(pieces(&stream, sizes));
            let mut read = Vec::new();
            while let Some(line) = read_line(&mut reader, 240).unwrap() {
                read.push(String::from_utf8(line).unwrap());
            }
            let expected = if lines.is_empty() && ends_with_feed { vec![String::new()] } else { lines };
            prop_assert_eq!(read, expected);
        }

        #[test]
        fn a_frame_cut_anywhere_is_truncated(
            payload in prop::collection::vec(any::<u8>(), 0..50),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut stream = Vec::new();
            write_frame(&mut stream, &payload).unwrap();
            let kept = 1 + cut.index(stream.len() - 1);
            let result = read_frame(&mut &stream[..kept], 50);
            prop_assert!(matches!(result, Err(FrameError::Truncated)), "{:?}", result);
        }
    }

    #[test]
    fn a_frame_at_the_limit_passes_and_one_above_is_refused_unread() {
        let mut stream = Vec::new();
        write_frame(&mut stream, b"12345").unwrap();
        assert_eq!(read_frame(&mut &stream[..], 5).unwrap().unwrap(), b"12345");
        let error = read_frame(&mut &stream[..], 4).unwrap_err();
        assert_eq!(error.to_string(), "a message of 5 bytes is too long; the limit is 4");
    }

    #[test]
    fn a_claimed_length_takes_no_memory() {
        let mut stream: &[u8] = &[0xff, 0xff, 0xff, 0xff, 1, 2, 3];
        let result = read_frame(&mut stream, usize::MAX);
        assert!(matches!(result, Err(FrameError::Truncated)), "{result:?}");
    }

    #[test]
    fn a_line_at_the_limit_passes_and_one_above_is_refused() {
        assert_eq!(read_line(&mut &b"12345\nrest"[..], 5).unwrap().unwrap(), b"12345");
        assert_eq!(read_line(&mut &b"12345"[..], 5).unwrap().unwrap(), b"12345");
        let error = read_line(&mut &b"123456\n"[..], 5).unwrap_err();
        assert_eq!(error.to_string(), "a line goes on past the limit of 5 bytes");
    }
}
