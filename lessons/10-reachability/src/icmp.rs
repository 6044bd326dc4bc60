//! ICMP messages: what `ping` sends, what comes back, and what routers and hosts complain with.
//!
//! An ICMP message travels directly in an IP packet, where UDP and TCP would be (protocol 1 in IPv4,
//! next header 58 in IPv6). So there are no ports: ICMP is spoken by hosts, not by programs. All of
//! its messages begin alike, and echo request and echo reply (RFC 792 for IPv4; RFC 4443, sections
//! 4.1 and 4.2, for IPv6) differ in nothing but their type:
//!
//! ```text
//!  0        1        2        3        4        5        6        7        8
//!  +--------+--------+--------+--------+--------+--------+--------+--------+========+
//!  |  type  |  code  |    checksum     |   identifier    | sequence number |  data  |
//!  +--------+--------+--------+--------+--------+--------+--------+--------+========+
//!    8 / 0      0      RFC 1071          whose           which              comes back
//!  128 / 129    0                                                           as it was
//! ```
//!
//! Numbers are big-endian, as everywhere on the wire. An *error* message (destination unreachable,
//! time exceeded) has the same first four bytes, four more that we do not need, and then quotes the
//! packet that it complains about, from its IP header on.
//!
//! Then read `icmp/checksum.rs`, `icmp/packet.rs` (the IP header in front) and `icmp/problem.rs`.

pub mod checksum;
pub mod packet;
mod problem;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::ops::Range;

const TYPE: usize = 0;
const CODE: usize = 1;
const CHECKSUM: Range<usize> = 2..4;
const IDENTIFIER: Range<usize> = 4..6;
const SEQUENCE: Range<usize> = 6..8;
/// Bytes before the data of an echo, and before the packet that an error quotes.
pub const HEADER_BYTES: usize = 8;

/// The two ICMPs: the same layout with other numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// ICMP for IPv4 (RFC 792).
    V4,
    /// `ICMPv6` (RFC 4443).
    V6,
}

impl Family {
    /// The ICMP that a host with this address speaks.
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    const fn echo_request(self) -> u8 {
        match self {
            Self::V4 => 8,
            Self::V6 => 128,
        }
    }

    const fn echo_reply(self) -> u8 {
        match self {
            Self::V4 => 0,
            Self::V6 => 129,
        }
    }
}

/// What an echo request carries, and its reply brings back unchanged (RFC 1122, section 3.2.2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Echo<'a> {
    /// Tells one pinging program from another on the same machine.
    pub identifier: u16,
    /// Tells one request from another.
    pub sequence: u16,
    /// Anything.
    pub data: &'a [u8],
}

/// A message that has come.
#[derive(Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// Somebody asks.
    EchoRequest(Echo<'a>),
    /// Somebody answers.
    EchoReply(Echo<'a>),
    /// A router or a host could not deliver a packet of ours.
    Problem {
        /// What it says, in the words of the RFCs.
        says: &'static str,
        /// The beginning of the packet, with its IP header: at least 8 bytes behind that.
        quoted: &'a [u8],
    },
    /// One of the others, which this lesson does not read.
    Other {
        /// Its type.
        kind: u8,
        /// Its code.
        code: u8,
    },
}

// listing: begin request
/// An echo request, ready to be sent.
///
/// `ICMPv6` counts the IP addresses into its checksum (RFC 4443, section 2.3), and only the system
/// knows which of our addresses the packet will carry. So there it computes the checksum, and we
/// leave zeros.
pub fn echo_request(family: Family, echo: &Echo) -> Vec<u8> {
    let mut message = vec![0; HEADER_BYTES];
    message[TYPE] = family.echo_request();
    message[IDENTIFIER].copy_from_slice(&echo.identifier.to_be_bytes());
    message[SEQUENCE].copy_from_slice(&echo.sequence.to_be_bytes());
    message.extend(echo.data);
    if family == Family::V4 {
        // The field itself is still zero, as it must be while the sum is made.
        let checksum = checksum::checksum(&message);
        message[CHECKSUM].copy_from_slice(&checksum.to_be_bytes());
    }
    message
}
// listing: end request

/// Reads a message; `None` if it is shorter than any. Whether its checksum is right is another
/// question: [`checksum::is_right`].
pub fn parse(family: Family, bytes: &[u8]) -> Option<Message<'_>> {
    let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>()?;
    let (kind, code) = (header[TYPE], header[CODE]);
    let number =
        |field: Range<usize>| u16::from_be_bytes([header[field.start], header[field.end - 1]]);
    let echo = Echo { identifier: number(IDENTIFIER), sequence: number(SEQUENCE), data: rest };
    Some(if kind == family.echo_request() {
        Message::EchoRequest(echo)
    } else if kind == family.echo_reply() {
        Message::EchoReply(echo)
    } else if let Some(says) = problem::says(family, kind, code) {
        Message::Problem { says, quoted: rest }
    } else {
        Message::Other { kind, code }
    })
}

/// The checksum that a message carries; `None` if it is too short for one.
pub fn carried_checksum(message: &[u8]) -> Option<u16> {
    message.get(CHECKSUM)?.try_into().ok().map(u16::from_be_bytes)
}
