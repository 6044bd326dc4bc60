//! Exercise `endpoint`: what somebody means who writes `HOST:PORT`.
//!
//! `endpoint HOST:PORT…` takes them from the command line, `endpoint -` from standard input, one a
//! line. Nothing is looked up and nobody is connected to. Use the standard library only.

use std::io::{self, BufRead, Write};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::process::ExitCode;

fn main() -> io::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.is_empty() {
        eprintln!("usage: endpoint HOST:PORT… or endpoint - to read them from standard input");
        return Ok(ExitCode::from(2));
    }
    let texts = if arguments == ["-"] { read_lines()? } else { arguments };
    let mut all_good = true;
    for text in &texts {
        if let Some(line) = describe(text) {
            writeln!(io::stdout(), "{line}")?;
        } else {
            eprintln!("{text}: not HOST:PORT, such as 127.0.0.1:80, [::1]:80 or example.org:80");
            all_good = false;
        }
    }
    Ok(if all_good { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

/// The lines of standard input, without the blanks around them and without empty lines.
fn read_lines() -> io::Result<Vec<String>> {
    let mut texts = Vec::new();
    for line in io::stdin().lock().lines() {
        let line = line?;
        if !line.trim().is_empty() {
            texts.push(line.trim().to_owned());
        }
    }
    Ok(texts)
}

/// `KIND HOST PORT RANGE` for `text`; `None` if it is not `HOST:PORT`.
fn describe(text: &str) -> Option<String> {
    // exercise: begin "an IPv6 address is written in brackets; everything else ends at the one colon"
    let (kind_and_host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, port) = rest.split_once("]:")?;
        (ipv6(host), port)
    } else {
        // The first colon: a second one would be found in the port, which is no number then.
        let (host, port) = text.split_once(':')?;
        (ipv4_or_name(host), port)
    };
    let ((kind, host), port) = (kind_and_host?, port_number(port)?);
    Some(format!("{kind} {host} {port} {}", range_of(port)))
    // exercise: end
}

/// `ipv6` and the address in its canonical form, which is how Rust prints it.
fn ipv6(text: &str) -> Option<(&'static str, String)> {
    // exercise: begin "read the address and print it again"
    Some(("ipv6", text.parse::<Ipv6Addr>().ok()?.to_string()))
    // exercise: end
}

/// `ipv4` and an address, or `name` and a name in small letters.
fn ipv4_or_name(text: &str) -> Option<(&'static str, String)> {
    // exercise: begin "an address if it is one; else a name if it is one"
    if text.parse::<Ipv4Addr>().is_ok() {
        return Some(("ipv4", text.to_owned()));
    }
    is_name(text).then(|| ("name", text.to_ascii_lowercase()))
    // exercise: end
}

/// Whether `text` keeps the rules for names of hosts: labels with dots between them, of which the
/// last one is not a number.
fn is_name(text: &str) -> bool {
    // exercise: begin "look at the length, at each label, and at the last one"
    let is_number = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= 253
        && text.split('.').all(is_label)
        // 10.0.0.256 was meant to be an address: as a name it is looked up for nothing.
        && !text.rsplit('.').next().is_some_and(is_number)
    // exercise: end
}

/// Whether `text` is one label: 1 to 63 letters, digits and hyphens, with no hyphen at its ends.
fn is_label(text: &str) -> bool {
    // exercise: begin "look at the length, at every character, and at both ends"
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(is_fit)
        && !text.starts_with('-')
        && !text.ends_with('-')
    // exercise: end
}

/// Reads a number from 0 to 65535 that is written as one usually writes it: `80`, not `+80`, `080`.
fn port_number(text: &str) -> Option<u16> {
    // exercise: begin "read the number, and refuse every text that is not its usual form"
    let port: u16 = text.parse().ok()?;
    (port.to_string() == text).then_some(port)
    // exercise: end
}

/// The range that `port` lies in, by RFC 6335, section 6; port 0 asks the system to pick one.
fn range_of(port: u16) -> &'static str {
    // exercise: begin "any, system, user or dynamic"
    match port {
        0 => "any",
        1..=1023 => "system",
        1024..=49_151 => "user",
        49_152..=65_535 => "dynamic",
    }
    // exercise: end
}
