//! `decode`: explains ICMP messages that are given in hexadecimal.

mod dump;

use std::io::{self, BufRead, Write};

use anyhow::{Context, Result};
use netbasics::cli::log;
use netbasics::cli::program::{OutputError, Usage};

use crate::icmp::packet::{self, Header};
use crate::icmp::{self, Echo, Family, Message, checksum};
use dump::Dump;

/// Explain ICMP messages: hexadecimal from standard input, with or without an IP header
///
/// A message is a line, or the rows that Wireshark, tshark -x, tcpdump -x, xxd, hexdump -C and od -t x1
/// print, with offsets in front and the text behind.
#[derive(clap::Args)]
pub struct Options {
    /// Take messages that have no IP header for those of IPv6
    #[arg(long)]
    pub v6: bool,
}

pub fn run(options: &Options) -> Result<()> {
    let family = if options.v6 { Family::V6 } else { Family::V4 };
    let (mut output, mut dump) = (log::output(), Dump::default());
    for (number, line) in (1..).zip(io::stdin().lock().lines()) {
        let line = line.context("cannot read standard input")?;
        let packets = dump.take(&line).map_err(|why| Usage(format!("line {number}: {why}")))?;
        for packet in packets {
            writeln!(output, "{}", explain(&packet, family)).map_err(OutputError)?;
        }
    }
    if let Some(packet) = dump.end() {
        writeln!(output, "{}", explain(&packet, family)).map_err(OutputError)?;
    }
    Ok(())
}

/// One line about one packet.
fn explain(packet: &[u8], family: Family) -> String {
    let (header, message) = packet::split(packet::of_frame(packet));
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
