//! The packet of `--mode reliable`: one header for all, drawn once, here.
//!
//! ```text
//!   0        1        2        3        4
//!   +--------+--------+--------+--------+
//!   |  'N'      'U'   |  kind  |   0    |   'NU' says that it is ours, 0 is kept for later
//!   +--------+--------+--------+--------+
//!   |  transfer: a random number that   |   so that packets of an older upload are not taken
//!   |  the client picks                 |   for ours
//!   +--------+--------+--------+--------+
//!   |  token: what the server has       |   so that nobody can pretend to be us who does not
//!   |  given to this client, 8 bytes    |   read our mail; 0 as long as we have none
//!   |                                   |
//!   +--------+--------+--------+--------+
//!   |  block: a place in the file       |   which is cut into blocks of one size, from 0 on
//!   +--------+--------+--------+--------+
//!   |  number of this transmission      |   1, 2, 3, …: a block that is sent again gets a new one
//!   +--------+--------+--------+--------+
//!   |  payload: all the rest of the datagram …
//! ```
//!
//! | kind | from | block | number | payload |
//! | --- | --- | --- | --- | --- |
//! | 1 open | client | 0 | 0 | length of the file (8 bytes), size of a block (4 bytes), its name in UTF-8 |
//! | 2 data | client | which one | this transmission's | the block; only the file's last may be shorter |
//! | 3 close | client | 0 | 0 | SHA-256 of the file, 32 bytes |
//! | 4 ack | server | the first one missing | the highest that has come | how many blocks from `block` on may be sent (4 bytes), then a bit for each that has come (see ack.rs) |
//! | 5 stored | server | 0 | 0 | the name it got, UTF-8 |
//! | 6 refused | server | 0 | 0 | why, UTF-8 |
//! | 7 token | server | 0 | 0 | nothing: the token is in the header |
//!
//! Numbers are unsigned and big-endian. The datagram's own length says where the payload ends, and
//! UDP's checksum (RFC 768) guards each packet; the SHA-256 guards the whole. Two payloads have files
//! of their own: open, then ack.

pub mod ack;
pub mod open;

use std::ops::Range;

/// Bytes of the file in one packet, unless told otherwise. With 24 of ours, 8 of UDP and 40 of IPv6
/// it stays below the 1,280 bytes that every IPv6 link carries in one piece (RFC 8200, section 5).
pub const BLOCK_BYTES: u32 = 1200;
/// The largest block: with our header it fits into a UDP datagram over IPv4 and IPv6.
pub const MAX_BLOCK_BYTES: u32 = 65_000;

// listing: begin fields
const MAGIC: [u8; 2] = *b"NU";
const MAGIC_AT: Range<usize> = 0..2;
const KIND_AT: usize = 2;
const ZERO_AT: usize = 3;
const TRANSFER_AT: Range<usize> = 4..8;
const TOKEN_AT: Range<usize> = 8..16;
const BLOCK_AT: Range<usize> = 16..20;
const NUMBER_AT: Range<usize> = 20..24;
/// Length of the header, in bytes.
pub const HEADER_BYTES: usize = 24;
// listing: end fields

/// What a packet is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Open = 1,
    Data = 2,
    Close = 3,
    Ack = 4,
    Stored = 5,
    Refused = 6,
    Token = 7,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Data => "data",
            Self::Close => "close",
            Self::Ack => "ack",
            Self::Stored => "stored",
            Self::Refused => "refused",
            Self::Token => "token",
        })
    }
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Self> {
        use Kind::{Ack, Close, Data, Open, Refused, Stored, Token};
        let all = [Open, Data, Close, Ack, Stored, Refused, Token];
        all.into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// One packet, in either direction. The payload is borrowed: it is read where it arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    pub kind: Kind,
    pub transfer: u32,
    pub token: u64,
    pub block: u32,
    pub number: u32,
    pub payload: &'a [u8],
}

impl<'a> Packet<'a> {
    // listing: begin encode
    /// Appends the packet to `bytes`.
    pub fn write_to(&self, bytes: &mut Vec<u8>) {
        let mut header = [0; HEADER_BYTES];
        header[MAGIC_AT].copy_from_slice(&MAGIC);
        header[KIND_AT] = self.kind as u8;
        header[TRANSFER_AT].copy_from_slice(&self.transfer.to_be_bytes());
        header[TOKEN_AT].copy_from_slice(&self.token.to_be_bytes());
        header[BLOCK_AT].copy_from_slice(&self.block.to_be_bytes());
        header[NUMBER_AT].copy_from_slice(&self.number.to_be_bytes());
        bytes.extend_from_slice(&header);
        bytes.extend_from_slice(self.payload);
    }
    // listing: end encode

    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + self.payload.len());
        self.write_to(&mut bytes);
        bytes
    }

    /// Whether it is one of those that only clients send.
    pub fn is_from_client(&self) -> bool {
        matches!(self.kind, Kind::Open | Kind::Data | Kind::Close)
    }

    /// `None` for a datagram that is none of ours: anybody can send anything to a UDP port.
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        let (header, payload) = bytes.split_at_checked(HEADER_BYTES)?;
        if header[MAGIC_AT] != MAGIC || header[ZERO_AT] != 0 {
            return None;
        }
        Some(Self {
            kind: Kind::from_byte(header[KIND_AT])?,
            transfer: u32::from_be_bytes(header[TRANSFER_AT].try_into().ok()?),
            token: u64::from_be_bytes(header[TOKEN_AT].try_into().ok()?),
            block: u32::from_be_bytes(header[BLOCK_AT].try_into().ok()?),
            number: u32::from_be_bytes(header[NUMBER_AT].try_into().ok()?),
            payload,
        })
    }
}

#[cfg(test)]
mod tests;
