//! Parsers for addresses and networks whose errors point at the octet, group or character that is
//! wrong.

mod error;
mod v4;
mod v6;
mod zone;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use error::Fault;
pub use error::{AddressError, AddressProblem};
pub(crate) use error::{position_of, printable};
pub(crate) use v4::scan_v4;
use v6::scan_v6;
pub(crate) use zone::scan_zoned;

/// Parses an IPv4 address: four octets from 0 to 255 in decimal, joined by dots (the "strict"
/// form of RFC 6943 section 3.1.1, without zeros in front).
///
/// Accepts exactly what `str::parse::<Ipv4Addr>` accepts.
///
/// # Errors
///
/// [`AddressError`] names the first octet or character that is wrong.
pub fn parse_v4(text: &str) -> Result<Ipv4Addr, AddressError> {
    scan_v4(text).map_err(|fault| AddressError::new(text, fault))
}

/// Parses an IPv6 address: eight groups of hexadecimal digits joined by colons, `::` for a run of
/// zero groups, the last two groups possibly as an IPv4 address (RFC 4291 section 2.2).
///
/// Accepts exactly what `str::parse::<Ipv6Addr>` accepts.
///
/// # Errors
///
/// [`AddressError`] names the first group or character that is wrong.
pub fn parse_v6(text: &str) -> Result<Ipv6Addr, AddressError> {
    scan_v6(text).map_err(|fault| AddressError::new(text, fault))
}

/// Parses an IPv6 address that may name the zone it is valid in, `fe80::1%eth0` or `fe80::1%2`:
/// after the `%` stands the name or the number of an interface (RFC 4007 section 11.2). Whether
/// there is such an interface only the system knows, and nobody asks it here.
///
/// # Errors
///
/// As [`parse_v6`], and when the zone is empty or cannot be one.
pub fn parse_v6_zoned(text: &str) -> Result<(Ipv6Addr, Option<&str>), AddressError> {
    scan_zoned(text).map_err(|fault| AddressError::new(text, fault))
}

/// Parses an address of either version: with a colon it is taken for IPv6, else for IPv4.
///
/// # Errors
///
/// As [`parse_v4`] and [`parse_v6`].
pub fn parse_ip(text: &str) -> Result<IpAddr, AddressError> {
    scan_ip(text).map_err(|fault| AddressError::new(text, fault))
}

/// Parses a network in CIDR form, `ADDRESS/LENGTH` (RFC 4632 section 3.1), such as
/// `192.168.1.77/24`. The host bits of the address are kept; `IpNet::network` drops them.
///
/// # Errors
///
/// As [`parse_ip`], and also when the prefix length is missing, is not a number, or is longer
/// than the address (32 bits for IPv4, 128 for IPv6).
pub fn parse_net(text: &str) -> Result<IpNet, AddressError> {
    scan_net(text).map_err(|fault| AddressError::new(text, fault))
}

fn scan_ip(text: &str) -> Result<IpAddr, Fault> {
    if text.contains(':') { scan_v6(text).map(IpAddr::V6) } else { scan_v4(text).map(IpAddr::V4) }
}

fn scan_net(text: &str) -> Result<IpNet, Fault> {
    let Some((address, length)) = text.split_once('/') else {
        scan_ip(text)?;
        return Err((text.len(), AddressProblem::MissingPrefix));
    };
    let ip = scan_ip(address)?;
    let most = if ip.is_ipv4() { 32 } else { 128 };
    let prefix_len =
        scan_prefix_len(length, most).map_err(|(at, problem)| (address.len() + 1 + at, problem))?;
    // The length was just checked, so that this cannot fail; if it ever does, it is too long.
    IpNet::new(ip, prefix_len)
        .map_err(|_| (address.len() + 1, AddressProblem::prefix_too_long(length, most)))
}

fn scan_prefix_len(digits: &str, most: u8) -> Result<u8, Fault> {
    if digits.is_empty() {
        return Err((0, AddressProblem::MissingPrefix));
    }
    if let Some((at, found)) = digits.char_indices().find(|(_, c)| !c.is_ascii_digit()) {
        return Err((at, AddressProblem::PrefixNotADigit { found }));
    }
    if digits.len() > 1 && digits.starts_with('0') {
        return Err((0, AddressProblem::PrefixLeadingZero { digits: digits.to_owned() }));
    }
    match digits.parse() {
        Ok(length) if length <= most => Ok(length),
        _ => Err((0, AddressProblem::prefix_too_long(digits, most))),
    }
}

#[cfg(test)]
mod tests;
