//! The client: opens the file and the socket, and sends the one through the other.
//!
//! In reliable mode, read upload (the loop) and step (its words), then from above downwards: sender,
//! sending, flight with blocks and history, `round_trip`, congestion with round, pacer; source last.

mod blocks;
mod congestion;
mod flight;
mod history;
mod pacer;
mod round;
mod round_trip;
mod sender;
mod sending;
mod source;
mod step;
mod upload;

use std::fs::File;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use indicatif::ProgressBar;
use netbasics::cli::log;
use netbasics::cli::program::{self, OutputError, Usage};
use netbasics::net::socket;
use netbasics::net::socket_error::SocketError;
use netbasics::system::files::{length_to_send, name_to_send, open_to_send};
use netbasics::values::port::Endpoint;

use crate::keyword;
use crate::link::Link;
use crate::packet::open::Description;
use crate::packet::{BLOCK_BYTES, MAX_BLOCK_BYTES};
use crate::server::Mode;

use step::Settings;
use upload::Upload;

/// Send a file to the server
#[derive(Clone, clap::Args)]
pub struct Options {
    /// The file to send
    pub file: PathBuf,
    /// What it should be called there [default: its own name]; not with --mode keyword
    #[arg(long)]
    pub name: Option<String>,
    /// How the file travels; the server must expect the same
    #[arg(long, value_enum, default_value_t = Mode::Reliable)]
    pub mode: Mode,
    /// How long to wait for the first answer; later waits follow what was measured, and double with
    /// each try, up to 2 seconds
    #[arg(long, value_name = "SECONDS", default_value = "0.1", value_parser = program::seconds)]
    pub timeout: Duration,
    /// How many timeouts in a row, each with a retransmission, before giving up
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub retries: u32,
    /// Bytes of the file in one datagram; more than a network carries in one piece does not arrive
    #[arg(long, value_name = "BYTES", default_value_t = BLOCK_BYTES,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_BLOCK_BYTES)))]
    pub datagram: u32,
    /// Keep N datagrams on their way, whatever the network says; 1 waits for each answer [default:
    /// as many as the network can take]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub window: Option<u32>,
    /// Do not send datagram N (the first is 0), as if the network had lost it
    #[arg(long, value_name = "N")]
    pub lose: Option<u64>,
}

pub fn run(addr: &Endpoint, options: &Options) -> Result<()> {
    let (mut file, length) = open_to_send(&options.file)?;
    let report = match options.mode {
        Mode::Reliable => {
            let length = length_to_send(&options.file, length)?;
            let name = name_to_send(&options.file, options.name.as_deref())?;
            let about = Description { length, block_bytes: options.datagram, name };
            about.check().map_err(|error| Usage(error.to_string()))?;
            // A name may have several addresses: the server is where our first packet is answered.
            socket::try_each_address("reach", addr, |server| {
                send_reliably(server, file.try_clone()?, &about, options)
            })??
        }
        Mode::Keyword => {
            let length = keyword::send(addr, options.lose, &mut file)?;
            format!("sent {length} bytes and END; nobody confirms them (--mode keyword)")
        }
    };
    writeln!(log::output(), "{report}").map_err(OutputError)?;
    Ok(())
}

/// # Errors
/// When nothing at all has come back from there: another address may be the server's. Everything
/// else is in the inner result.
fn send_reliably(
    server: SocketAddr,
    file: File,
    about: &Description,
    options: &Options,
) -> io::Result<Result<String>> {
    let mut link = Link::connect(server, options.lose)?;
    let Options { timeout, retries, window, .. } = *options;
    let settings = Settings { timeout, retries, window };
    // Shown only where a person watches: standard error is a terminal.
    let bar = ProgressBar::new(about.length);
    let transfer = random_number()?;
    let mut upload = Upload::new(&mut link, server, file, about.clone(), transfer, settings, &bar);
    let stored = upload.run();
    let is_answered = upload.is_answered();
    bar.finish_and_clear();
    let stored = match stored.map_err(anyhow::Error::downcast::<SocketError>) {
        Err(Ok(nobody)) if !is_answered => return Err(nobody.error),
        Err(Ok(error)) => Err(error.into()),
        Err(Err(error)) => Err(error),
        Ok(name) => Ok(name),
    };
    let report =
        |name| format!("stored as {name}: {} bytes, SHA-256 verified by the server", about.length);
    Ok(stored.map(report))
}

/// Another number each time, so that packets of an upload that broke off fit no later one.
fn random_number() -> io::Result<u32> {
    getrandom::u32()
        .map_err(|error| io::Error::other(format!("the system gave no random number: {error}")))
}
