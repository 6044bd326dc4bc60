//! Exercise `window`: many blocks on their way at once, and only what is lost is sent again.
//!
//! ```text
//! client, window 3                          server
//!   ── D, upload, block 0 ───────────────►   written to its place
//!   ── D, upload, block 1 ─────────x         lost
//!   ── D, upload, block 2 ───────────────►   written to its place
//!   ◄──────────────── A, upload, block 0 ──   the window is now 1 to 3: block 3 goes
//!   ── D, upload, block 1 ───────────────►   after --timeout, this one alone
//! ```
//!
//! What is given is in `src/blocks.rs`. Grade it: `cargo xtask grade 05/window`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Seek, SeekFrom, Write};
use std::net::UdpSocket;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use netbasics::cli::program;
use netbasics::net::udp;
use netbasics::system::inbox::Upload;
use netbasics::values::port::Endpoint;

use blocks::{BLOCK_BYTES, Cli, ClientOptions, Folder, Role, TRIES, header, parse};

#[path = "../blocks.rs"]
mod blocks;

/// How many blocks a server takes, from the first missing one on.
const MAX_WINDOW: u32 = 256;

#[derive(clap::Args)]
struct Options {
    #[command(flatten)]
    plain: ClientOptions,
    /// How many blocks may be sent, from the first one on that is not acknowledged
    #[arg(long, value_name = "BLOCKS", default_value_t = 32)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_WINDOW)))]
    window: u32,
}

fn main() -> ExitCode {
    let Cli { addr, role } = Cli::parse();
    program::end(match role {
        Role::Server { dir } => blocks::serve(&addr, &dir, Incoming::begin, Incoming::take),
        Role::Client(options) => upload(&addr, &options),
    })
}

/// Sends the file: whatever the window has room for, then what is due, then listens.
fn upload(addr: &Endpoint, options: &Options) -> Result<()> {
    let mut payloads = blocks::payloads(&options.plain.file)?;
    let first = blocks::first(&mut payloads);
    let (socket, upload) = blocks::connect(addr, &first, options.plain.timeout)?;
    let mut flight = Flight { upload, next: 0, blocks: BTreeMap::new() };
    loop {
        while flight.has_room(options.window) {
            let Some(payload) = payloads.next() else { break };
            flight.add(&payload?);
        }
        if flight.blocks.is_empty() {
            return Ok(());
        }
        let sent = flight.send_due(&socket, options.plain.timeout);
        let wait = sent.with_context(|| format!("cannot upload to {addr}"))?;
        if let Some(datagram) = udp::receive_within(&socket, wait)? {
            flight.acknowledge(&datagram);
        }
    }
}

/// A block that is not acknowledged yet.
struct Sent {
    datagram: Vec<u8>,
    tries: u32,
    /// When to send it (again).
    due: Instant,
}

/// What is on its way.
struct Flight {
    upload: u32,
    /// The first block that was not taken from the file yet.
    next: u32,
    /// All that are taken and not acknowledged, in order.
    blocks: BTreeMap<u32, Sent>,
}

impl Flight {
    /// Whether the window, which begins at the first block not acknowledged, holds `next`.
    fn has_room(&self, window: u32) -> bool {
        todo!("compare next with the first block that is not acknowledged")
    }

    /// Takes the next block into the window. It is due at once.
    fn add(&mut self, payload: &[u8]) {
        let datagram = [&header(b'D', self.upload, self.next), payload].concat();
        self.blocks.insert(self.next, Sent { datagram, tries: 0, due: Instant::now() });
        self.next += 1;
    }

    /// Sends each block that is due, and returns how long it is until the next one is. With
    /// [`udp::send`], a server that does not listen yet is no error.
    fn send_due(&mut self, socket: &UdpSocket, timeout: Duration) -> Result<Duration> {
        todo!("send what is due, count its tries, set its time; give up after TRIES")
    }

    /// Takes what has come: a block that is acknowledged is not on its way any more.
    fn acknowledge(&mut self, datagram: &[u8]) {
        todo!("remove the block, if this acknowledges one of this upload")
    }
}

/// An upload as the server sees it.
struct Incoming {
    /// `None` once it is stored.
    file: Option<Upload>,
    /// All blocks before this one have come,
    missing: u32,
    /// and these behind it.
    behind: BTreeSet<u32>,
    /// The short one, once it has come.
    last: Option<u32>,
}

impl Incoming {
    fn begin(file: Upload) -> Self {
        Self { file: Some(file), missing: 0, behind: BTreeSet::new(), last: None }
    }

    /// Takes a block of this upload; `true` if it is to be acknowledged.
    fn take(&mut self, folder: &mut Folder, block: u32, payload: &[u8]) -> Result<bool> {
        todo!("write the block to its place, unless it has come or lies beyond")
    }
}
