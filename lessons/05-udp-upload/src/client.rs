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
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use indicatif::ProgressBar;
use netbasics::datagrams::Datagrams;
use netbasics::inbox::{length_to_send, name_to_send, open_to_send};
use netbasics::port::Endpoint;
use netbasics::program::{self, OutputError, Usage};
use netbasics::{say, socket};

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
    #[arg(long, value_name = "SECONDS", default_value = "0.2", value_parser = program::seconds)]
    pub timeout: Duration,
    /// How often to wait in vain, and send again, before giving up
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
    // connect(2) on a UDP socket sends nothing: it only fixes the peer. Then datagrams from
    // strangers are dropped, and if the server's host answers that nobody has the port (ICMP, the
    // network's own error messages), we hear of it.
    let socket = socket::connect_udp(addr)?;
    let server = socket.peer_addr()?;
    let mut link = Link::new(Datagrams::new(socket)?, options.lose);
    let report = match options.mode {
        Mode::Reliable => {
            let length = length_to_send(&options.file, length)?;
            send_reliably(&mut link, server, file, length, options)?
        }
        Mode::Keyword => {
            let length = keyword::send(&mut link, server, &mut file)?;
            format!("sent {length} bytes and END; nobody confirms them (--mode keyword)")
        }
    };
    writeln!(say::output(), "{report}").map_err(OutputError)?;
    Ok(())
}

fn send_reliably(
    link: &mut Link,
    server: SocketAddr,
    file: File,
    length: u64,
    options: &Options,
) -> Result<String> {
    let name = name_to_send(&options.file, options.name.as_deref())?;
    let about = Description { length, block_bytes: options.datagram, name };
    about.check().map_err(|error| Usage(error.to_string()))?;
    let Options { timeout, retries, window, .. } = *options;
    let settings = Settings { timeout, retries, window };
    // Shown only where a person watches: standard error is a terminal.
    let bar = ProgressBar::new(length);
    let stored = Upload::new(link, server, file, about, settings, &bar)?.run();
    bar.finish_and_clear();
    Ok(format!("stored as {}: {length} bytes, SHA-256 verified by the server", stored?))
}
