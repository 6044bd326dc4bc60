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
//!   |  offset: a place in the file,     |
//!   |  8 bytes                          |
//!   |                                   |
//!   +--------+--------+--------+--------+
//!   |  window: bytes the server takes   |   in answers; ours waits for each packet and does not
//!   |  from `offset` on                 |   look at it, a faster client will need it
//!   +--------+--------+--------+--------+
//!   |  payload: all the rest of the datagram …
//! ```
//!
//! | kind | from | offset | payload |
//! | --- | --- | --- | --- |
//! | 1 open | client | length of the file | its name, UTF-8 |
//! | 2 data | client | where the payload belongs | bytes of the file, at least one |
//! | 3 close | client | length of the file | its SHA-256, 32 bytes |
//! | 4 ack | server | all bytes before this one have arrived | nothing |
//! | 5 stored | server | length of the file | the name it got, UTF-8 |
//! | 6 refused | server | 0 | why, UTF-8 |
//!
//! Numbers are unsigned and big-endian. The datagram's own length says where the payload ends,
//! and UDP's checksum (RFC 768) guards each packet; the SHA-256 guards the whole.

use std::ops::Range;

/// Most bytes of the file in one packet. With 20 of ours, 8 of UDP and 40 of IPv6 it stays below
/// the 1,280 bytes that every IPv6 link carries in one piece (RFC 8200, section 5).
pub const DATA_BYTES: usize = 1200;

// listing: begin fields
const MAGIC: [u8; 2] = *b"NU";
const MAGIC_AT: Range<usize> = 0..2;
const KIND_AT: usize = 2;
const ZERO_AT: usize = 3;
const TRANSFER_AT: Range<usize> = 4..8;
const OFFSET_AT: Range<usize> = 8..16;
const WINDOW_AT: Range<usize> = 16..20;
/// Length of the header, in bytes.
pub const HEADER_BYTES: usize = 20;
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
        })
    }
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Self> {
        let all = [Self::Open, Self::Data, Self::Close, Self::Ack, Self::Stored, Self::Refused];
        all.into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// One packet, in either direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    pub kind: Kind,
    pub transfer: u32,
    pub offset: u64,
    pub window: u32,
    pub payload: Vec<u8>,
}

impl Packet {
    // listing: begin encode
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![0; HEADER_BYTES];
        bytes[MAGIC_AT].copy_from_slice(&MAGIC);
        bytes[KIND_AT] = self.kind as u8;
        bytes[TRANSFER_AT].copy_from_slice(&self.transfer.to_be_bytes());
        bytes[OFFSET_AT].copy_from_slice(&self.offset.to_be_bytes());
        bytes[WINDOW_AT].copy_from_slice(&self.window.to_be_bytes());
        bytes.extend_from_slice(&self.payload);
        bytes
    }
    // listing: end encode

    /// Whether it is one of those that only clients send.
    pub fn is_from_client(&self) -> bool {
        matches!(self.kind, Kind::Open | Kind::Data | Kind::Close)
    }

    /// `None` for a datagram that is none of ours: anybody can send anything to a UDP port.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (header, payload) = bytes.split_at_checked(HEADER_BYTES)?;
        if header[MAGIC_AT] != MAGIC || header[ZERO_AT] != 0 {
            return None;
        }
        Some(Self {
            kind: Kind::from_byte(header[KIND_AT])?,
            transfer: u32::from_be_bytes(header[TRANSFER_AT].try_into().ok()?),
            offset: u64::from_be_bytes(header[OFFSET_AT].try_into().ok()?),
            window: u32::from_be_bytes(header[WINDOW_AT].try_into().ok()?),
            payload: payload.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_field_stands_where_it_is_drawn() {
        let packet = Packet {
            kind: Kind::Data,
            transfer: 0x0102_0304,
            offset: 0x05,
            window: 0x06,
            payload: b"xy".to_vec(),
        };
        assert_eq!(packet.encode(), b"NU\x02\x00\x01\x02\x03\x04\0\0\0\0\0\0\0\x05\0\0\0\x06xy");
    }

    proptest! {
        #[test]
        fn what_decodes_encodes_to_the_same_bytes(
            mut bytes in prop::collection::vec(any::<u8>(), 0..64),
            kind in 0..8_u8,
        ) {
            if bytes.len() > ZERO_AT {
                bytes[..4].copy_from_slice(&[b'N', b'U', kind, 0]);
            }
            let ours = bytes.len() >= HEADER_BYTES && (1..=6).contains(&kind);
            let decoded = Packet::decode(&bytes);
            prop_assert_eq!(decoded.is_some(), ours);
            if let Some(packet) = decoded {
                prop_assert_eq!(packet.encode(), bytes);
            }
        }

        #[test]
        fn a_datagram_that_is_not_ours_is_none(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            prop_assume!(!bytes.starts_with(b"NU"));
            prop_assert_eq!(Packet::decode(&bytes), None);
        }
    }
}
