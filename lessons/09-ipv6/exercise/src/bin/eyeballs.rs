//! Exercise `eyeballs`: a client that is given several addresses and waits for none that is dead.
//!
//! A host often has an IPv6 address and an IPv4 address, and one of them leads nowhere. Who tries
//! one after the other waits for minutes; who tries all at once is a burden for everybody. Happy
//! Eyeballs (RFC 8305, section 5) is in between: the next attempt begins when the last one has had a
//! quarter of a second, all go on side by side, and the first connection wins.
//!
//! Try it: `cargo run -p solution-09 --bin dual-solution -- server`, and in another terminal
//! `cargo run -p exercise-09 --bin eyeballs -- client --addr '[::1]:8888' --addr 127.0.0.1:8888 hi`:
//! nobody listens at the first address, and the answer tells which family it was. Grade it:
//! `cargo xtask grade 09/eyeballs`.

use std::fmt;
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use clap::{Parser, value_parser};
use netbasics::cli::{log, program};
use netbasics::net::socket;
use netbasics::net::socket_error::explain;

/// The longest answer, in bytes, its newline not counted.
const MAX_ANSWER_BYTES: usize = 1024;

/// Talks with whichever address answers first
#[derive(Parser)]
struct Cli {
    /// Where the server may be; may be given several times, the best address first
    #[arg(long, global = true, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8888")]
    addr: Vec<SocketAddr>,
    #[command(subcommand)]
    role: Role,
}

#[derive(clap::Subcommand)]
enum Role {
    /// Send one line to the server and print its answer
    Client {
        /// What to send
        text: String,
        /// How long an attempt may take before the next one begins beside it
        #[arg(long, value_name = "MILLISECONDS", default_value = "250")]
        #[arg(value_parser = value_parser!(u64).range(1..=86_400_000))]
        delay: u64,
        /// How long all of it may take
        #[arg(long, value_name = "MILLISECONDS", default_value = "10000")]
        #[arg(value_parser = value_parser!(u64).range(1..=86_400_000))]
        timeout: u64,
    },
}

fn main() -> ExitCode {
    let Cli { addr, role: Role::Client { text, delay, timeout } } = Cli::parse();
    let until = Instant::now() + Duration::from_millis(timeout);
    program::end(run(&addr, Duration::from_millis(delay), until, &text))
}

/// Find a connection, send the line, print the answer.
fn run(addresses: &[SocketAddr], delay: Duration, until: Instant, text: &str) -> Result<()> {
    for address in addresses {
        socket::destinations(address)?; // Port 0 is no port to connect to.
    }
    let stream = race(addresses, delay, until).map_err(|failures| anyhow!("{failures}"))?;
    let peer = stream.peer_addr()?;
    let answer = converse(&stream, until, text)
        .map_err(|error| anyhow!("no answer from {peer}: {}", explain(&error)))?;
    writeln!(log::raw_output(), "{answer}").map_err(program::OutputError)?;
    Ok(())
}

/// Why there is no connection: what became of each address.
#[derive(Debug)]
struct Failures(Vec<(SocketAddr, String)>);

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told: Vec<_> = self.0.iter().map(|(at, why)| format!("{at} ({why})")).collect();
        write!(f, "cannot connect to {}; does the server run?", told.join(", "))
    }
}

/// An attempt that is over: to which address, and how it went.
type Attempt = (SocketAddr, io::Result<TcpStream>);

/// The first connection to any of `addresses`. The next attempt begins when the one before it has
/// had its `delay`, or as soon as any attempt has failed; those that have begun go on.
fn race(addresses: &[SocketAddr], delay: Duration, until: Instant) -> Result<TcpStream, Failures> {
    todo!("begin attempts one by one; between two, wait for a result, but only so long")
}

/// Begins to connect to `address` on a thread of its own, which reports how it went.
fn attempt(address: SocketAddr, until: Instant, report: &Sender<Attempt>) {
    todo!("start a thread that connects in the time that is left, and reports")
}

/// Sends `text` and a newline, and receives one line.
fn converse(mut stream: &TcpStream, until: Instant, text: &str) -> io::Result<String> {
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(left_until(until)?))?;
    stream.write_all(format!("{text}\n").as_bytes())?;
    let mut incoming = BufReader::new(stream);
    let mut answer = Vec::new();
    while !answer.ends_with(b"\n") {
        // Of each read, as a server that sends a byte now and then must not keep us forever.
        stream.set_read_timeout(Some(left_until(until)?))?;
        let piece = match incoming.fill_buf() {
            // EINTR: a signal came first (Ctrl-Z, and then `fg`). Ask again.
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            piece => piece?,
        };
        let length = piece.iter().position(|byte| *byte == b'\n').map_or(piece.len(), |at| at + 1);
        if length == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        answer.extend_from_slice(&piece[..length]);
        incoming.consume(length);
        if answer.len() > MAX_ANSWER_BYTES + 1 {
            return Err(ErrorKind::InvalidData.into());
        }
    }
    answer.pop();
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// What is left of the time; an error when it is over.
fn left_until(until: Instant) -> io::Result<Duration> {
    let left = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero());
    left.ok_or_else(|| ErrorKind::TimedOut.into())
}
