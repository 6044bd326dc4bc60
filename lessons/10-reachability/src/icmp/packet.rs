//! The IP header in front of a message.
//!
//! Systems differ: from an ICMP datagram socket Linux hands out the message alone, macOS the whole
//! IPv4 packet (and for IPv6 the message alone, as RFC 3542, section 3, wants it). We need not ask
//! which system this is. The first four bits of an IP packet are its version, 4 or 6, and no ICMP
//! message begins like that: the types 0x40 to 0x4f and 0x60 to 0x6f are not assigned to any we could
//! meet (IANA's "ICMP Type Numbers").

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Family, checksum};

/// The header in front of a message, as far as we need it.
#[derive(Debug, PartialEq, Eq)]
pub struct Header {
    /// Its own length in bytes.
    pub bytes: usize,
    /// What follows it: 1 is ICMP in IPv4, 58 is ICMP in IPv6.
    pub protocol: u8,
    /// Who sent the packet.
    pub source: IpAddr,
    /// Who it is for.
    pub destination: IpAddr,
}

impl Header {
    /// Which ICMP follows it.
    pub fn family(&self) -> Family {
        Family::of(self.source)
    }

    /// Whether the packet carries ICMP.
    pub fn carries_icmp(&self) -> bool {
        self.protocol == if self.source.is_ipv4() { 1 } else { checksum::NEXT_HEADER }
    }

    /// Whether the checksum of `message`, which follows, is right.
    pub fn vouches_for(&self, message: &[u8]) -> bool {
        match (self.source, self.destination) {
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                checksum::is_right_v6(source, destination, message)
            }
            _ => checksum::is_right(message),
        }
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from {} to {}", self.source, self.destination)
    }
}

/// The IP packet in a frame of Ethernet (RFC 894): behind two addresses of 6 bytes, and 0x0800 for
/// IPv4 or 0x86dd for IPv6. Zeros that fill up a short frame are left out; what is no frame is
/// returned as it is.
pub fn of_frame(frame: &[u8]) -> &[u8] {
    let packet = match frame.split_at_checked(14) {
        Some((link, packet)) if is_packet(&link[12..], packet) => packet,
        _ => frame,
    };
    let length = length_of(packet).filter(|length| *length >= 20);
    length.and_then(|length| packet.get(..length)).unwrap_or(packet)
}

fn is_packet(kind: &[u8], packet: &[u8]) -> bool {
    match (kind, packet.first()) {
        ([0x08, 0x00], Some(first @ 0x45..=0x4f)) => {
            let header = packet.get(..usize::from(first & 0x0f) * 4);
            header.is_some_and(checksum::is_right)
        }
        ([0x86, 0xdd], Some(0x60..=0x6f)) => length_of(packet) <= Some(packet.len()),
        _ => false,
    }
}

/// The length that an IP packet says it has: IPv4 counts all of it, IPv6 what follows its header.
/// `None` for what is no IP packet.
pub fn length_of(packet: &[u8]) -> Option<usize> {
    let number =
        |at: usize| Some(usize::from(u16::from_be_bytes(*packet.get(at..)?.first_chunk()?)));
    match packet.first()? >> 4 {
        4 => number(2),
        6 => number(4).map(|behind| behind + 40),
        _ => None,
    }
}

/// Cuts a packet into header and message. Without a header everything is message.
pub fn split(packet: &[u8]) -> (Option<Header>, &[u8]) {
    let header = match packet.first().map(|first| first >> 4) {
        Some(4) => header_v4(packet),
        Some(6) => header_v6(packet),
        _ => None,
    };
    let length = header.as_ref().map_or(0, |header| header.bytes);
    (header, &packet[length..])
}

/// IPv4 (RFC 791, section 3.1): the low half of the first byte is the header's length in units of
/// four bytes, since there may be options. The protocol is byte 9, the addresses are the bytes 12 to
/// 15 and 16 to 19.
fn header_v4(packet: &[u8]) -> Option<Header> {
    let bytes = usize::from(packet.first()? & 0x0f) * 4;
    let header = packet.get(..bytes)?;
    let protocol = *header.get(9)?;
    let address = |at: usize| -> Option<IpAddr> {
        let octets: [u8; 4] = header.get(at..at + 4)?.try_into().ok()?;
        Some(Ipv4Addr::from(octets).into())
    };
    Some(Header { bytes, protocol, source: address(12)?, destination: address(16)? })
}

/// IPv6 (RFC 8200, section 3): always 40 bytes, the last 32 of which are the addresses. (Extension
/// headers behind it would be taken for the message; nobody sends them with a ping.)
fn header_v6(packet: &[u8]) -> Option<Header> {
    let header: &[u8; 40] = packet.first_chunk()?;
    let address = |at: usize| -> Option<IpAddr> {
        let octets: [u8; 16] = header.get(at..at + 16)?.try_into().ok()?;
        Some(Ipv6Addr::from(octets).into())
    };
    let protocol = header[6];
    Some(Header { bytes: 40, protocol, source: address(8)?, destination: address(24)? })
}
