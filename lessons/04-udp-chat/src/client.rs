//! The client: messages that fit a datagram, and a socket that knows the server. (`talk` does the
//! talking.)

mod talk;

use std::io::{self, BufRead, IsTerminal};
use std::iter::Peekable;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, bail};
use netbasics::cli::log;
use netbasics::cli::program::{self, Usage};
use netbasics::net::socket::{self, MAX_DATAGRAM_V4, MAX_DATAGRAM_V6};
use netbasics::values::port::Endpoint;

/// Say something to the server and print what comes back
#[derive(clap::Args)]
pub struct Options {
    /// What to say, each message as one datagram; without any, standard input is said line by line
    #[arg(value_name = "MESSAGE")]
    pub messages: Vec<String>,
    /// How long to wait for an answer before a message is sent again
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = program::seconds)]
    pub timeout: Duration,
    /// How often a message is sent again before the client gives up
    #[arg(long, value_name = "TIMES", default_value_t = 3)]
    pub retries: u32,
}

/// What to say, one message after the other.
type Messages<'a> = Box<dyn Iterator<Item = io::Result<Vec<u8>>> + 'a>;

// listing: begin connect
pub fn run(addr: &Endpoint, options: &Options) -> Result<()> {
    for message in &options.messages {
        check_size(message.len(), socket::resolve(addr)?)?;
    }
    let mut messages = input(&options.messages).peekable();
    // A name may have several addresses, and the server only one of them: the one where our first
    // message is answered.
    socket::try_each_address("talk to", addr, |server| {
        // socket(2), connect(2): nothing is sent. The system only notes the server's address: there
        // it sends what we send, and what comes from anybody else it drops.
        let socket = socket::connect_udp(server).map_err(|failed| failed.error)?;
        talk::talk(&socket, server, &mut messages, options)
    })?
}
// listing: end connect

/// The messages of the command line, or the lines of standard input if there are none. An empty
/// one is an empty datagram, which arrives like any other.
fn input(messages: &[String]) -> Messages<'_> {
    if !messages.is_empty() {
        return Box::new(messages.iter().map(|message| Ok(message.as_bytes().to_vec())));
    }
    if io::stdin().is_terminal() {
        log!("type a line and press Enter; Ctrl-D ends (on Windows: Ctrl-Z, then Enter)");
    }
    let lines = io::stdin().lock().split(b'\n');
    Box::new(lines.map(|line| line.map(|line| line.strip_suffix(b"\r").unwrap_or(&line).to_vec())))
}

/// The next message, which stays the next one until it is answered.
fn next_message<'a>(
    messages: &'a mut Peekable<Messages>,
    server: SocketAddr,
) -> Result<Option<&'a Vec<u8>>> {
    match messages.peek() {
        Some(Ok(message)) => {
            check_size(message.len(), server)?;
            Ok(Some(message))
        }
        Some(Err(error)) => bail!("cannot read standard input: {error}"),
        None => Ok(None),
    }
}

/// Refuses what no datagram can carry.
fn check_size(length: usize, server: SocketAddr) -> Result<(), Usage> {
    let (family, largest) =
        if server.is_ipv4() { ("IPv4", MAX_DATAGRAM_V4) } else { ("IPv6", MAX_DATAGRAM_V6) };
    if length <= largest {
        return Ok(());
    }
    let (largest, length) = (grouped(largest), grouped(length));
    Err(Usage(format!(
        "a UDP datagram over {family} carries at most {largest} bytes; this message has {length}"
    )))
}

/// `70,000` for 70000.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(507), "507");
        assert_eq!(grouped(65_507), "65,507");
        assert_eq!(grouped(1_000_000), "1,000,000");
    }

    #[test]
    fn each_family_has_its_largest_datagram() {
        let (v4, v6) = (([127, 0, 0, 1], 1).into(), ([0, 0, 0, 0, 0, 0, 0, 1], 1).into());
        assert!(check_size(MAX_DATAGRAM_V4, v4).is_ok());
        assert!(check_size(MAX_DATAGRAM_V6, v6).is_ok());
        assert_eq!(
            check_size(70_000, v4).unwrap_err().0,
            "a UDP datagram over IPv4 carries at most 65,507 bytes; this message has 70,000"
        );
        assert_eq!(
            check_size(65_528, v6).unwrap_err().0,
            "a UDP datagram over IPv6 carries at most 65,527 bytes; this message has 65,528"
        );
    }
}
