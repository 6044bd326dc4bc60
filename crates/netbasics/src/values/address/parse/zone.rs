//! Reads an IPv6 address with the zone it is valid in, `fe80::1%eth0` (RFC 4007 section 11.2).

use std::net::Ipv6Addr;

use super::error::{AddressProblem, Fault};
use super::v6::scan_v6;

/// The address, and the zone if there is one.
pub(crate) fn scan_zoned(text: &str) -> Result<(Ipv6Addr, Option<&str>), Fault> {
    let Some((address, zone)) = text.split_once('%') else {
        return Ok((scan_v6(text)?, None));
    };
    let ip = scan_v6(address)?;
    let start = address.len() + 1;
    if zone.is_empty() {
        return Err((start, AddressProblem::EmptyZone));
    }
    if let Some((at, found)) = zone.char_indices().find(|(_, c)| !is_zone_char(*c)) {
        return Err((start + at, AddressProblem::NotInAZone { found }));
    }
    Ok((ip, Some(zone)))
}

/// Systems let interfaces be called almost anything. What is refused here has a meaning of its own
/// around an address: brackets and a port, a prefix length (RFC 4007 section 11.7), a second zone.
fn is_zone_char(c: char) -> bool {
    c.is_ascii_graphic() && !matches!(c, '[' | ']' | ':' | '/' | '%')
}
