//! Exercise `subnet`: where a network begins and ends, and who in it can be a host.
//!
//! `subnet ADDRESS/PREFIX…` or `subnet ADDRESS/MASK…` takes networks from the command line,
//! `subnet -` from standard input, one a line. Use the standard library only: the point is to
//! look at the bits yourself.

use std::fmt;
use std::io::{self, BufRead, Write};
use std::net::Ipv4Addr;
use std::process::ExitCode;

/// The network that an address is in.
struct Subnet {
    /// Its first address: all host bits are 0.
    network: Ipv4Addr,
    /// How many of the 32 bits are the network's, from 0 to 32.
    prefix: u32,
    /// Its last address, for everybody in it: all host bits are 1. Networks of one or two
    /// addresses have none to spare for it.
    broadcast: Option<Ipv4Addr>,
    /// The first and the last address that a host can have.
    hosts: (Ipv4Addr, Ipv4Addr),
    /// How many hosts there can be; in 0.0.0.0/0 they are 4,294,967,294.
    count: u64,
}

fn main() -> io::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.is_empty() {
        eprintln!("usage: subnet ADDRESS/PREFIX… or subnet - to read them from standard input");
        return Ok(ExitCode::from(2));
    }
    let texts = if arguments == ["-"] { read_lines()? } else { arguments };
    let mut all_good = true;
    for text in &texts {
        if let Some((address, prefix)) = parse(text) {
            writeln!(io::stdout(), "{}", Subnet::of(address, prefix))?;
        } else {
            eprintln!("{text}: not ADDRESS/PREFIX (10.1.2.3/8) or ADDRESS/MASK");
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

/// Reads `ADDRESS/PREFIX` or `ADDRESS/MASK`; `None` if it is neither.
fn parse(text: &str) -> Option<(Ipv4Addr, u32)> {
    let (address, length) = text.split_once('/')?;
    let prefix = prefix_of_number(length).or_else(|| prefix_of_mask(length))?;
    Some((address.parse().ok()?, prefix))
}

/// Reads a number from 0 to 32 that is written as one usually writes it: `8`, not `+8` or `08`.
fn prefix_of_number(text: &str) -> Option<u32> {
    todo!("read the number, and refuse every text that is not its usual form")
}

/// Reads a mask such as `255.255.240.0` and counts its 1 bits, all of which come first.
fn prefix_of_mask(text: &str) -> Option<u32> {
    todo!("read the mask; refuse one with a 1 bit behind a 0 bit; count its 1 bits")
}

/// The 32 bits of a mask: first `prefix` bits that are 1, then 0 to the end.
fn mask_of(prefix: u32) -> u32 {
    todo!("shift all ones to the left; a shift by all 32 bits needs care")
}

impl Subnet {
    /// The network of `prefix` bits that `address` lies in.
    fn of(address: Ipv4Addr, prefix: u32) -> Self {
        todo!("keep the network bits, fill the host bits, and leave both ends out")
    }
}

/// `NETWORK/PREFIX BROADCAST FIRST LAST HOSTS`.
impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} ", self.network, self.prefix)?;
        match self.broadcast {
            Some(broadcast) => write!(f, "{broadcast}")?,
            None => f.write_str("-")?,
        }
        write!(f, " {} {} {}", self.hosts.0, self.hosts.1, self.count)
    }
}
