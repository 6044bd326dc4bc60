//! What goes over the wire with `--framing sized`.
//!
//! ```text
//! client → server   header    one frame (4 bytes of length, see netbasics::net::frame) that holds
//!                             +-------------------------+=====================+
//!                             | file length, 8 bytes,   | file name, UTF-8    |
//!                             | unsigned, big-endian    |                     |
//!                             +-------------------------+=====================+
//! client → server   the file  exactly that many bytes, without any mark at the end
//!
//! server → client   receipt   one frame that holds either
//!                             +---+-----------------+------------------+=====================+
//!                             | 1 | length, 8 bytes | SHA-256, 32 B    | stored name, UTF-8  |
//!                             +---+-----------------+------------------+=====================+
//!                             or
//!                             +---+=====================+
//!                             | 0 | why not, UTF-8      |
//!                             +---+=====================+
//! ```
//!
//! The header says where the file ends, so a cut connection is never taken for a short file; the
//! receipt says that the file is stored, so the client never has to hope.

use std::fmt;
use std::io::{Read, Write};

use anyhow::{Context, Result, anyhow, bail};
use netbasics::net::frame::{FrameError, read_frame, write_frame};

// listing: begin limits
/// Longest header or receipt we accept, in bytes.
const MAX_FRAME_BYTES: usize = 1024;
const STORED: u8 = 1;
const REFUSED: u8 = 0;
// listing: end limits

/// How a file's end is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Framing {
    /// The length goes first, a receipt comes back
    Sized,
    /// The file ends with the stream: any program can send it, nobody confirms it
    Eof,
}

/// A SHA-256 digest; it prints in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(pub [u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

// listing: begin header
/// What the client announces.
pub struct Header {
    /// Length of the file, in bytes.
    pub length: u64,
    /// The name it should get; the server decides whether it may.
    pub name: String,
}

impl Header {
    pub fn write(&self, stream: &mut impl Write) -> Result<()> {
        let mut payload = self.length.to_be_bytes().to_vec();
        payload.extend_from_slice(self.name.as_bytes());
        Ok(write_frame(stream, &payload)?)
    }

    pub fn read(stream: &mut impl Read) -> Result<Self> {
        let payload = read_frame(stream, MAX_FRAME_BYTES)
            .map_err(not_a_header)?
            .context("the client closed the connection before it sent a header")?;
        let Some((length, name)) = payload.split_first_chunk::<8>() else {
            bail!("a header of {} bytes is too short", payload.len());
        };
        let name = String::from_utf8(name.to_vec()).context("the file's name is not UTF-8")?;
        Ok(Self { length: u64::from_be_bytes(*length), name })
    }
}

/// Bytes that make no sense as a header are most likely a file that was sent without one.
fn not_a_header(error: FrameError) -> anyhow::Error {
    match error {
        FrameError::Io(_) => error.into(),
        _ => anyhow!(error).context("no upload header (is the client using --framing eof?)"),
    }
}
// listing: end header

// listing: begin receipt
/// What the server answers.
pub enum Receipt {
    /// The file is stored and will still be there after a power cut.
    Stored { length: u64, digest: Digest, name: String },
    /// Nothing is stored, and why.
    Refused(String),
}

impl Receipt {
    pub fn write(&self, stream: &mut impl Write) -> Result<()> {
        let mut payload = Vec::new();
        match self {
            Self::Stored { length, digest, name } => {
                payload.push(STORED);
                payload.extend_from_slice(&length.to_be_bytes());
                payload.extend_from_slice(&digest.0);
                payload.extend_from_slice(name.as_bytes());
            }
            Self::Refused(reason) => {
                payload.push(REFUSED);
                payload.extend_from_slice(reason.as_bytes());
            }
        }
        payload.truncate(MAX_FRAME_BYTES);
        Ok(write_frame(stream, &payload)?)
    }

    pub fn read(stream: &mut impl Read) -> Result<Self> {
        let payload = read_frame(stream, MAX_FRAME_BYTES)?
            .context("the server closed the connection without a receipt")?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match payload.split_first() {
            Some((&REFUSED, reason)) => Ok(Self::Refused(text(reason))),
            Some((&STORED, rest)) => {
                let (length, rest) = rest.split_first_chunk().context("a receipt is too short")?;
                let (digest, name) = rest.split_first_chunk().context("a receipt is too short")?;
                let length = u64::from_be_bytes(*length);
                Ok(Self::Stored { length, digest: Digest(*digest), name: text(name) })
            }
            _ => bail!("the server's answer is no receipt"),
        }
    }
}
// listing: end receipt

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_back() {
        let mut wire = Vec::new();
        Header { length: 0x0102, name: "报告.txt".into() }.write(&mut wire).unwrap();
        assert_eq!(wire[..12], [0, 0, 0, 18, 0, 0, 0, 0, 0, 0, 1, 2]);
        let header = Header::read(&mut &wire[..]).unwrap();
        assert_eq!((header.length, header.name.as_str()), (0x0102, "报告.txt"));
    }

    #[test]
    fn a_stored_receipt_is_read_back() {
        let mut wire = Vec::new();
        let digest = Digest([7; 32]);
        Receipt::Stored { length: 9, digest, name: "a".into() }.write(&mut wire).unwrap();
        let Ok(Receipt::Stored { length: 9, digest, name }) = Receipt::read(&mut &wire[..]) else {
            panic!("{wire:?}");
        };
        assert_eq!((digest, name.as_str()), (Digest([7; 32]), "a"));
    }

    #[test]
    fn a_long_refusal_is_cut_to_what_the_other_side_accepts() {
        let mut wire = Vec::new();
        Receipt::Refused("no".repeat(5000)).write(&mut wire).unwrap();
        assert!(matches!(Receipt::read(&mut &wire[..]), Ok(Receipt::Refused(_))));
    }
}
