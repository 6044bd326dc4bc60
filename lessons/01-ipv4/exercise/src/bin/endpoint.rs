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
    todo!("an IPv6 address is written in brackets; everything else ends at the one colon")
}

/// `ipv6` and the address in its canonical form, which is how Rust prints it.
fn ipv6(text: &str) -> Option<(&'static str, String)> {
    todo!("read the address and print it again")
}

/// `ipv4` and an address, or `name` and a name in small letters.
fn ipv4_or_name(text: &str) -> Option<(&'static str, String)> {
    todo!("an address if it is one; else a name if it is one")
}

/// Whether `text` keeps the rules for names of hosts: labels with dots between them, of which the
/// last one is not a number.
fn is_name(text: &str) -> bool {
    todo!("look at the length, at each label, and at the last one")
}

/// Whether `text` is one label: 1 to 63 letters, digits and hyphens, with no hyphen at its ends.
fn is_label(text: &str) -> bool {
    todo!("look at the length, at every character, and at both ends")
}

/// Reads a number from 0 to 65535 that is written as one usually writes it: `80`, not `+80`, `080`.
fn port_number(text: &str) -> Option<u16> {
    todo!("read the number, and refuse every text that is not its usual form")
}

/// The range that `port` lies in, by RFC 6335, section 6; port 0 asks the system to pick one.
fn range_of(port: u16) -> &'static str {
    todo!("any, system, user or dynamic")
}
