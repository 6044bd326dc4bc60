//! The internet checksum (RFC 1071), which IPv4, ICMP, UDP and TCP share.

use std::net::Ipv6Addr;

/// What stands for `ICMPv6` in the next header field of IPv6 (RFC 4443, section 1).
pub const NEXT_HEADER: u8 = 58;

// listing: begin checksum
/// The checksum of `bytes`, in which the checksum's own field must still be zero: their sum, with
/// every bit inverted.
pub fn checksum(bytes: &[u8]) -> u16 {
    !sum(bytes)
}

/// Whether `bytes`, with the checksum in them, came as they were sent. A number and its inverse
/// make all ones, so that is what the sum must be.
pub fn is_right(bytes: &[u8]) -> bool {
    sum(bytes) == 0xffff
}

/// Takes the bytes in pairs as 16-bit numbers, high byte first, and adds them up. A last byte
/// without a partner gets a zero as one (RFC 1071, section 1).
fn sum(bytes: &[u8]) -> u16 {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let sum = pairs.iter().fold(0, |sum, pair| add(sum, u16::from_be_bytes(*pair)));
    odd.first().map_or(sum, |&last| add(sum, u16::from_be_bytes([last, 0])))
}

/// Adds in *one's complement*: what is carried out at the high end comes in at the low end.
fn add(a: u16, b: u16) -> u16 {
    let (sum, carry) = a.overflowing_add(b);
    sum + u16::from(carry)
}
// listing: end checksum

// listing: begin pseudo
/// As [`is_right`], for `ICMPv6`, whose sum begins with a *pseudo-header* that is never sent: both
/// addresses, the message's length in 32 bits, three zeros, and the next header number (RFC 8200,
/// section 8.1). So a packet that was delivered to the wrong host shows as damaged.
pub fn is_right_v6(source: Ipv6Addr, destination: Ipv6Addr, message: &[u8]) -> bool {
    let Ok(length) = u32::try_from(message.len()) else { return false };
    let mut pseudo = [source.octets(), destination.octets()].concat();
    pseudo.extend(length.to_be_bytes());
    pseudo.extend([0, 0, 0, NEXT_HEADER]);
    // Sums of parts can be added as long as all parts but the last are of even length.
    add(sum(&pseudo), sum(message)) == 0xffff
}
// listing: end pseudo
