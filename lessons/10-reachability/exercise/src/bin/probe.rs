//! Exercise `probe`: which of these TCP ports of one host are open, closed, or silent?
//!
//! A port is asked in the one way that every host understands: connect, and close again. At most
//! four are asked at a time, and what is found is printed in the order in which it was asked for.
//!
//! Try it: `cargo run -p lesson-02 -- server`, and in another terminal
//! `cargo run -p exercise-10 --bin probe -- client 8889 22 --banner`. Grade it:
//! `cargo xtask grade 10/probe`.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::iter;
use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroU16;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::{Parser, value_parser};
use netbasics::cli::program::{self, OutputError, Usage};
use netbasics::net::socket;
use netbasics::values::port::Endpoint;

/// The most probes in flight: a check is no reason to make a host sweat.
const MAX_AT_ONCE: usize = 4;
/// How much of a banner is shown, in bytes.
const MAX_BANNER_BYTES: usize = 80;

/// Tells whether TCP ports of a host are open
#[derive(Parser)]
struct Cli {
    /// The host, and the first of its ports
    #[arg(long, global = true, value_name = "HOST:PORT", default_value = "127.0.0.1:8888")]
    addr: Endpoint,
    #[command(subcommand)]
    role: Role,
}

#[derive(clap::Subcommand)]
enum Role {
    /// Probe each port once
    Client(Options),
}

#[derive(clap::Args)]
struct Options {
    /// How long one probe may take, the banner included
    #[arg(long, value_name = "MILLISECONDS", default_value = "2000")]
    #[arg(value_parser = value_parser!(u64).range(1..=86_400_000))]
    timeout: u64,
    /// Also wait for the first line that the other side says
    #[arg(long)]
    banner: bool,
    /// More ports of the same host
    #[arg(value_name = "PORT", num_args = 0..=15)]
    ports: Vec<NonZeroU16>,
}

fn main() -> ExitCode {
    let Cli { addr, role: Role::Client(options) } = Cli::parse();
    run(&addr, &options).unwrap_or_else(|error| program::exit_code(error.as_ref()))
}

/// Probe, print, and say by the exit code whether all are open.
fn run(addr: &Endpoint, options: &Options) -> Result<ExitCode> {
    ensure!(addr.port != 0, Usage("port 0 is no port that anybody has: name one in --addr".into()));
    let is_open = |finding: &Finding| matches!(finding, Finding::Open(_));
    let ports = || iter::once(addr.port).chain(options.ports.iter().map(|port| port.get()));
    let mut findings = Vec::new();
    // A name may have several addresses: the first at which anything is open, or else the last.
    for address in socket::destinations(addr)? {
        let targets: Vec<_> = ports().map(|port| SocketAddr::new(address.ip(), port)).collect();
        findings = probe_all(&targets, options);
        if findings.iter().any(is_open) {
            break;
        }
    }
    let mut output = io::stdout().lock();
    for (port, finding) in ports().zip(&findings) {
        writeln!(output, "{port} {finding}").map_err(OutputError)?;
    }
    let all_are_open = findings.iter().all(is_open);
    Ok(if all_are_open { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What a probe has found.
#[derive(Debug)]
enum Finding {
    /// Somebody listens, and has said this (nothing, if it was not waited for).
    Open(Vec<u8>),
    /// The host is there and says that nobody listens.
    Closed,
    /// No answer at all.
    Filtered,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(said) => match banner(said) {
                line if line.is_empty() => f.write_str("open"),
                line => write!(f, "open {line}"),
            },
            Self::Closed => f.write_str("closed"),
            Self::Filtered => f.write_str("filtered"),
        }
    }
}

/// Probes all targets, each as soon as fewer than [`MAX_AT_ONCE`] are in flight; what was found, in
/// the order of the targets.
fn probe_all(targets: &[SocketAddr], options: &Options) -> Vec<Finding> {
    todo!("a few threads, each of which takes the next target until there is none")
}

/// Connects to one port, waits for its banner if that is asked for, and closes.
fn probe(target: SocketAddr, options: &Options) -> Finding {
    todo!("connect within the limit, and read the result or the error")
}

/// What the other side says first: until a newline has come, or more than [`MAX_BANNER_BYTES`], or
/// its end, but not longer than `until`.
fn hear(mut stream: &TcpStream, until: Instant) -> Vec<u8> {
    todo!("read until it is enough or over; each read may only take what time is left")
}

/// The first line of what was said, as it is printed.
fn banner(said: &[u8]) -> String {
    todo!("up to the newline or 80 bytes; and nothing that does something to a terminal")
}
