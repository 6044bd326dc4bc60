//! `address TEXT…`: what a text says about an IPv6 address, and how else it could be written.

pub mod canonical;
mod forms;
mod kind;
mod rules;

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::Ipv6Addr;

use anyhow::Result;
use netbasics::cli::log;
use netbasics::cli::program::{OutputError, Usage};
use netbasics::values::address::{AddressError, parse_v4, parse_v6_zoned};

/// Explain IPv6 addresses: their bits, their texts, what they are for
#[derive(clap::Args)]
pub struct Options {
    /// Addresses in any form; an IPv4 address is shown as IPv6 has it
    #[arg(required = true, value_name = "TEXT")]
    pub texts: Vec<String>,
}

/// Explains every address in turn; a bad one does not keep the good ones from it.
pub fn run(options: &Options) -> Result<()> {
    let mut output = log::output();
    let mut wrong: Option<AddressError> = None;
    for text in &options.texts {
        match explain(text, log::width()) {
            Ok(explanation) => output.write_all(explanation.as_bytes()).map_err(OutputError)?,
            // Each is a line of its own; the last one is our error.
            Err(error) => wrong.replace(error).into_iter().for_each(|earlier| log!("{earlier}")),
        }
    }
    output.flush().map_err(OutputError)?;
    wrong.map_or(Ok(()), |last| Err(Usage(last.to_string()).into()))
}

/// In lines of at most `width` columns.
fn explain(text: &str, width: Option<usize>) -> Result<String, AddressError> {
    // Who copies an address from a URL copies its brackets.
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let is_ipv4 = !bare.contains(':') && bare.contains('.');
    let (address, zone) =
        if is_ipv4 { (parse_v4(bare)?.to_ipv6_mapped(), None) } else { parse_v6_zoned(bare)? };
    let mut lines = format!("{text}\n");
    let mut line = |name: &str, what: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "{}", log::row(&format!("  {name:12}"), what, 4, width));
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
    for (groups, bits) in parts(address, width) {
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
/// to the link, and the second half the interface on that link (RFC 4291, section 2.5.1). In a narrow
/// terminal a line has two of them, or one.
fn parts(address: Ipv6Addr, width: Option<usize>) -> Vec<(String, String)> {
    let fits = |count: &usize| width.is_none_or(|width| 14 + count * 17 - 1 <= width);
    let count = [4, 2].into_iter().find(fits).unwrap_or(1);
    let part = |groups: &[u16]| {
        let words: Vec<String> = groups.iter().map(|group| format!("{group:<16x}")).collect();
        let bits: Vec<String> = groups.iter().map(|group| format!("{group:016b}")).collect();
        (words.join(" ").trim_end().to_owned(), bits.join(" "))
    };
    address.segments().chunks(count).map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_stands_above_its_bits() {
        let parts = parts("8000:1::a003".parse().unwrap(), None);
        let [(groups, bits), (_, interface)] = parts.as_slice() else { panic!("{parts:?}") };
        assert_eq!(groups, "8000             1                0                0");
        assert_eq!(bits[..33], format!("1{} {}1", "0".repeat(15), "0".repeat(15)));
        assert!(interface.ends_with(" 1010000000000011"), "{interface}");
        assert_eq!(bits.len() + interface.len(), 128 + 6, "128 bits and the blanks");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in [24, 35, 46, 47, 60, 80, 81, 200] {
            for text in ["fe80::1%eth0", "2001:DB8:0:0:8:0800:200C:417A", "::192.0.2.1", "fd00::1"]
            {
                let lines = explain(text, Some(width)).unwrap();
                let too_wide = lines.lines().skip(1).find(|line| line.len() > width);
                assert_eq!(too_wide, None, "{width} columns");
            }
        }
    }
}
