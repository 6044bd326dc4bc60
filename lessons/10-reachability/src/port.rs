//! `port`: is a TCP port open, closed, or filtered? The first step of a connection tells.
//!
//! ```text
//!   we                        the host
//!   SYN   ─────────────────►            "may I?"
//!         ◄─────────────────  SYN, ACK  "yes":  open       (RFC 9293, section 3.10.7.2)
//!         ◄─────────────────  RST, ACK  "no":   closed     (RFC 9293, section 3.10.7.1)
//!         ◄─────────────────  ICMP      "you may not", by somebody on the way: filtered
//!           . . .                       nothing at all: filtered, or nobody is there
//! ```

#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use netbasics::cli::log;
use netbasics::cli::program::{self, OutputError};
use netbasics::values::port::Endpoint;

use crate::host;
use crate::reason::{explain, is_barred};

/// Check whether a TCP port is open, closed or filtered
#[derive(clap::Args)]
pub struct Options {
    /// The host, by address or name, and the port
    #[arg(value_name = "HOST:PORT", value_parser = host::parse_endpoint)]
    pub target: Endpoint,
    #[command(flatten)]
    pub patience: Patience,
}

#[derive(clap::Args, Clone)]
pub struct Patience {
    /// How long to wait for a port to answer; a SYN that was lost is sent again after 1 s
    #[arg(long, value_name = "SECONDS", default_value = "3", value_parser = program::seconds)]
    pub timeout: Duration,
}

// listing: begin verdict
/// What a port has told us, and how long it took.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    /// The handshake was made: a program listens.
    Open(Duration),
    /// The host has refused: no program listens.
    Closed(Duration),
    /// Nothing came for so long.
    Silent(Duration),
    /// Somebody says that our packets do not get there, and why.
    Barred(String),
}

/// What the outcome of a connect(2) means.
///
/// # Errors
/// When it says nothing about the port.
fn judge(connected: io::Result<()>, took: Duration, limit: Duration) -> io::Result<Verdict> {
    match connected {
        Ok(()) => Ok(Verdict::Open(took)),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(Verdict::Closed(took)),
        Err(error) if error.kind() == ErrorKind::TimedOut => {
            // The system itself gives up after a minute or two.
            Ok(Verdict::Silent(took.min(limit)))
        }
        Err(error) if is_barred(&error) => Ok(Verdict::Barred(explain(&error))),
        Err(error) => Err(error),
    }
}
// listing: end verdict

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |took: &Duration| took.as_secs_f64() * 1000.0;
        match self {
            Self::Open(took) => write!(f, "open: the handshake took {:.3} ms", ms(took)),
            Self::Closed(took) => write!(
                f,
                "closed: a reset (RST) came after {:.3} ms; the host is there, but no program \
                 listens",
                ms(took)
            ),
            Self::Silent(took) => write!(
                f,
                "filtered: nothing came for {:.1} s; a firewall drops what we send, or nobody is \
                 there",
                took.as_secs_f64()
            ),
            Self::Barred(why) => write!(f, "filtered: {why}"),
        }
    }
}

// listing: begin check
/// Knocks at one port, once.
pub fn check(target: SocketAddr, timeout: Duration) -> Result<Verdict> {
    let begin = Instant::now();
    let connected = handshake(target, timeout);
    let verdict = judge(connected, begin.elapsed(), timeout);
    verdict.map_err(|error| anyhow!("cannot check {target}: {}", explain(&error)))
}

/// Connects, and closes at once: the handshake has told us what we wanted to know, and we have no
/// business with the program behind the port.
fn handshake(target: SocketAddr, timeout: Duration) -> io::Result<()> {
    let stream = TcpStream::connect_timeout(&target, timeout)?;
    if is_ourselves(&stream)? { Err(ErrorKind::ConnectionRefused.into()) } else { Ok(()) }
}

/// On one machine a SYN can meet itself: if the port that the system gives us is the very port that
/// we knock at, TCP takes it for two SYNs that cross (RFC 9293, section 3.5), and we are connected
/// with ourselves. Nobody listens there.
fn is_ourselves(stream: &TcpStream) -> io::Result<bool> {
    Ok(stream.local_addr()? == stream.peer_addr()?)
}
// listing: end check

pub fn run(options: &Options) -> Result<()> {
    ask(&options.target, &options.patience)
}

/// Checks the addresses of a host one after the other, until the port is open at one of them.
///
/// # Errors
/// When it is open at none.
pub fn ask(target: &Endpoint, patience: &Patience) -> Result<()> {
    let mut output = log::output();
    for address in host::addresses(target)? {
        let verdict = check(address, patience.timeout)?;
        writeln!(output, "{address} is {verdict}").map_err(OutputError)?;
        if matches!(verdict, Verdict::Open(_)) {
            return Ok(());
        }
    }
    bail!("{target} cannot be reached")
}
