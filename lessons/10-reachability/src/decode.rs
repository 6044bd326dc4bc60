//! `decode`: explains ICMP messages that are given in hexadecimal, one a line.

use std::io::{self, BufRead, Write};

use anyhow::{Context, Result};
use netbasics::program::{OutputError, Usage};
use netbasics::say;

use crate::icmp::packet::{self, Header};
use crate::icmp::{self, Echo, Family, Message, checksum};

/// Explain ICMP messages: hexadecimal lines from standard input, with or without an IP header
#[derive(clap::Args)]
pub struct Options {
    /// Take messages that have no IP header for those of IPv6
    #[arg(long)]
    pub v6: bool,
}

pub fn run(options: &Options) -> Result<()> {
    let mut output = say::output();
    for (number, line) in (1..).zip(io::stdin().lock().lines()) {
        let line = line.context("cannot read standard input")?;
        if line.trim().is_empty() {
            continue;
        }
        let bytes = from_hex(&line).map_err(|why| Usage(format!("line {number}: {why}")))?;
        let family = if options.v6 { Family::V6 } else { Family::V4 };
        writeln!(output, "{}", explain(&bytes, family)).map_err(OutputError)?;
    }
    Ok(())
}

/// Bytes from hexadecimal digits, in pairs; blanks and colons between them do not matter.
fn from_hex(line: &str) -> Result<Vec<u8>, String> {
    let digits: Vec<char> = line.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
    if let Some(other) = digits.iter().find(|c| !c.is_ascii_hexdigit()) {
        return Err(format!("{other:?} is no hexadecimal digit"));
    }
    if digits.len() % 2 == 1 {
        return Err("a digit is missing: a byte is two".to_owned());
    }
    let text: String = digits.into_iter().collect();
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).map_err(|e| e.to_string());
    (0..text.len()).step_by(2).map(byte).collect()
}

/// One line about one packet.
fn explain(packet: &[u8], family: Family) -> String {
    let (header, message) = packet::split(packet);
    let family = header.as_ref().map_or(family, Header::family);
    let way = header.as_ref().map_or_else(String::new, |header| format!("{header}: "));
    if let Some(header) = header.as_ref().filter(|header| !header.carries_icmp()) {
        return format!("{way}no ICMP, but protocol {}", header.protocol);
    }
    let Some(meaning) = icmp::parse(family, message) else {
        return format!(
            "{way}too short: an ICMP message has at least {} bytes",
            icmp::HEADER_BYTES
        );
    };
    format!("{way}{}; {}", describe(&meaning), judge(header.as_ref(), family, message))
}

fn describe(message: &Message) -> String {
    let echo = |name, echo: &Echo| {
        let (identifier, sequence, bytes) = (echo.identifier, echo.sequence, echo.data.len());
        format!("{name}, identifier {identifier}, sequence number {sequence}, data bytes: {bytes}")
    };
    match message {
        Message::EchoRequest(request) => echo("echo request", request),
        Message::EchoReply(reply) => echo("echo reply", reply),
        Message::Problem { says, quoted } => match packet::split(quoted).0 {
            Some(header) => format!("{says}, about a packet {header}"),
            None => (*says).to_owned(),
        },
        Message::Other { kind, code } => format!("type {kind}, code {code}"),
    }
}

/// Whether the checksum is right, if that can be told.
fn judge(header: Option<&Header>, family: Family, message: &[u8]) -> String {
    let right = match (family, header) {
        (_, Some(header)) => header.vouches_for(message),
        (Family::V4, None) => checksum::is_right(message),
        (Family::V6, None) => return "checksum not checked: it needs the addresses".to_owned(),
    };
    let carried = icmp::carried_checksum(message).unwrap_or_default();
    format!("checksum {carried:#06x} is {}", if right { "right" } else { "wrong" })
}
