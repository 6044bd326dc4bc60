//! Reads an IPv6 address. The standard library decides whether it is one; what is here finds out
//! why it is not.

use std::net::Ipv6Addr;

use super::error::{AddressProblem, Fault};
use super::v4::scan_v4;

pub(super) fn scan_v6(text: &str) -> Result<Ipv6Addr, Fault> {
    text.parse().map_err(|_| explain(text))
}

fn explain(text: &str) -> Fault {
    if text.is_empty() {
        return (0, AddressProblem::Empty);
    }
    if let Some(at) = text.find('%') {
        return (at, AddressProblem::ZoneIndex);
    }
    if !text.contains(':') {
        return (0, AddressProblem::NoColon);
    }
    match count_groups(text) {
        Err(fault) => fault,
        Ok((found, gap)) => (0, AddressProblem::WrongGroupCount { found, gap }),
    }
}

/// Walks from group to group; returns how many there are and whether a `::` stands among them.
fn count_groups(text: &str) -> Result<(usize, bool), Fault> {
    let (mut groups, mut gap, mut at) = (0, false, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("::") {
            if gap {
                return Err((at, AddressProblem::SecondGap));
            }
            gap = true;
            at += 2;
        } else if let Some(after_colon) = rest.strip_prefix(':') {
            // One colon stands between two groups, so there is one on either side.
            if groups == 0 || after_colon.is_empty() || text[..at].ends_with(':') {
                return Err((at, AddressProblem::StrayColon));
            }
            at += 1;
        } else {
            let piece = rest.split(':').next().unwrap_or(rest);
            let is_last = piece.len() == rest.len();
            groups += scan_piece(piece, groups + 1, is_last).map_err(|(b, p)| (at + b, p))?;
            at += piece.len();
        }
    }
    Ok((groups, gap))
}

/// Checks what stands between two colons; returns for how many groups it counts.
fn scan_piece(piece: &str, group: usize, is_last: bool) -> Result<usize, Fault> {
    if is_last && piece.contains('.') {
        return scan_v4(piece).map(|_| 2);
    }
    if let Some((at, found)) = piece.char_indices().find(|(_, c)| !c.is_ascii_hexdigit()) {
        return Err((at, AddressProblem::NotHexadecimal { group, found }));
    }
    if piece.len() > 4 {
        return Err((0, AddressProblem::GroupTooLong { group, digits: piece.to_owned() }));
    }
    Ok(1)
}
