//! The client: opens the file and the socket, and sends the one through the other.

mod congestion;
mod flight;
mod pacer;
mod round_trip;
mod sender;

use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use netbasics::inbox::{length_to_send, name_to_send, open_to_send};
use netbasics::port::Endpoint;
use netbasics::program::{self, OutputError};
use netbasics::{say, socket};

use crate::keyword;
use crate::link::Link;
use crate::server::Mode;

use sender::Sender;

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
    /// How long to wait for an answer before sending a packet again; doubles with each try, up to
    /// 2 seconds
    #[arg(long, value_name = "SECONDS", default_value = "0.2", value_parser = program::seconds)]
    pub timeout: Duration,
    /// How often to send a packet again before giving up
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub retries: u32,
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
    let link = Link::new(socket, options.lose);
    let report = match options.mode {
        Mode::Reliable => {
            let length = length_to_send(&options.file, length)?;
            send_reliably(&link, server, &mut file, length, options)?
        }
        Mode::Keyword => {
            let length = keyword::send(&link, server, &mut file)?;
            format!("sent {length} bytes and END; nobody confirms them (--mode keyword)")
        }
    };
    writeln!(say::output(), "{report}").map_err(OutputError)?;
    Ok(())
}

fn send_reliably(
    link: &Link,
    server: SocketAddr,
    file: &mut File,
    length: u64,
    options: &Options,
) -> Result<String> {
    todo!()
}
