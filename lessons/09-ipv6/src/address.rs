//! `address TEXT…`: what a text says about an IPv6 address, and how else it could be written.

pub mod canonical;
mod forms;
mod kind;
mod rules;

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::Ipv6Addr;

use anyhow::Result;
use netbasics::address::{AddressError, parse_v4, parse_v6_zoned};
use netbasics::program::{OutputError, Usage};
use netbasics::say;

/// Explain IPv6 addresses: their bits, their texts, what they are for
#[derive(clap::Args)]
pub struct Options {
    /// Addresses in any form; an IPv4 address is shown as IPv6 has it
    #[arg(required = true, value_name = "TEXT")]
    pub texts: Vec<String>,
}

/// Explains every address in turn; a bad one does not keep the good ones from it.
pub fn run(options: &Options) -> Result<()> {
    let mut output = say::output();
    let mut wrong: Option<AddressError> = None;
    for text in &options.texts {
        match explain(text) {
            Ok(explanation) => output.write_all(explanation.as_bytes()).map_err(OutputError)?,
            // Each is a line of its own; the last one is our error.
            Err(error) => wrong.replace(error).into_iter().for_each(|earlier| say!("{earlier}")),
        }
    }
    output.flush().map_err(OutputError)?;
    wrong.map_or(Ok(()), |last| Err(Usage(last.to_string()).into()))
}

fn explain(text: &str) -> Result<String, AddressError> {
    // Who copies an address from a URL copies its brackets.
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let is_ipv4 = !bare.contains(':') && bare.contains('.');
    let (address, zone) =
        if is_ipv4 { (parse_v4(bare)?.to_ipv6_mapped(), None) } else { parse_v6_zoned(bare)? };
    let mut lines = format!("{text}\n");
    let mut line = |name: &str, what: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "{:14}{what}", format!("  {name}"));
    };
    line("canonical", &canonical::canonical(address));
    if is_ipv4 {
        line("", "that is how an IPv6 socket shows this IPv4 address (RFC 4291, section 2.5.5.2)");
    } else {
        let written = bare.split('%').next().unwrap_or(bare);
        for (section, rule) in rules::broken_rules(written, address) {
            line("", &format!("RFC 5952, section {section}: {rule}"));
        }
    }
    line("with a port", &format!("[{}]:8888", with_zone(address, zone)));
    for (groups, bits) in halves(address) {
        line("groups", &groups);
        line("bits", &bits);
    }
    for (number, form) in forms::other_forms(address).iter().enumerate() {
        line(if number == 0 { "the same" } else { "" }, form);
    }
    for (name, fact) in kind::facts(address, zone) {
        line(name, &fact);
    }
    Ok(lines)
}

fn with_zone(address: Ipv6Addr, zone: Option<&str>) -> String {
    let address = canonical::canonical(address);
    zone.map_or_else(|| address.clone(), |zone| format!("{address}%{zone}"))
}

/// The eight groups and their bits, four to a line: the first half usually names the network, down
/// to the link, and the second half the interface on that link (RFC 4291, section 2.5.1).
fn halves(address: Ipv6Addr) -> [(String, String); 2] {
    let groups = address.segments();
    let (network, interface) = groups.split_at(groups.len() / 2);
    [network, interface].map(|half| {
        let words: Vec<String> = half.iter().map(|group| format!("{group:<16x}")).collect();
        let bits: Vec<String> = half.iter().map(|group| format!("{group:016b}")).collect();
        (words.join(" ").trim_end().to_owned(), bits.join(" "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_stands_above_its_bits() {
        let [(groups, bits), (_, interface)] = halves("8000:1::a003".parse().unwrap());
        assert_eq!(groups, "8000             1                0                0");
        assert_eq!(bits[..33], format!("1{} {}1", "0".repeat(15), "0".repeat(15)));
        assert!(interface.ends_with(" 1010000000000011"), "{interface}");
        assert_eq!(bits.len() + interface.len(), 128 + 6, "128 bits and the blanks");
    }
}
