//! Reads an IPv4 address octet by octet.

use std::net::Ipv4Addr;

use super::error::{AddressProblem, Fault};

const OCTETS: usize = 4;

pub(crate) fn scan_v4(text: &str) -> Result<Ipv4Addr, Fault> {
    if text.is_empty() {
        return Err((0, AddressProblem::Empty));
    }
    let mut octets = [0; OCTETS];
    let (mut found, mut at) = (0, 0);
    for digits in text.split('.') {
        found += 1;
        let octet = scan_octet(digits, found).map_err(|(byte, problem)| (at + byte, problem))?;
        if let Some(slot) = octets.get_mut(found - 1) {
            *slot = octet;
        }
        at += digits.len() + 1;
    }
    if found != OCTETS {
        return Err((0, AddressProblem::WrongOctetCount { found }));
    }
    Ok(Ipv4Addr::from(octets))
}

fn scan_octet(digits: &str, octet: usize) -> Result<u8, Fault> {
    if digits.is_empty() {
        return Err((0, AddressProblem::EmptyOctet { octet }));
    }
    if let Some((at, found)) = digits.char_indices().find(|(_, c)| !c.is_ascii_digit()) {
        return Err((at, AddressProblem::NotADigit { octet, found }));
    }
    if digits.len() > 1 && digits.starts_with('0') {
        return Err((0, AddressProblem::LeadingZero { octet, digits: digits.to_owned() }));
    }
    digits
        .parse()
        .map_err(|_| (0, AddressProblem::OctetTooLarge { octet, digits: digits.to_owned() }))
}
