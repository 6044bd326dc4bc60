//! Exercise `stopwait`: one block at a time, and each is sent until it is acknowledged.
//!
//! ```text
//! client                                    server
//!   ── D, upload, block 0, 1,024 bytes ──────►   appended
//!   ◄──────────────────── A, upload, block 0 ──
//!   ── D, upload, block 1, 300 bytes ────────►   a short block is the last: stored as K.bin
//!             lost x ──── A, upload, block 1 ──
//!   ── D, upload, block 1, 300 bytes ────────►   known: only acknowledged again
//!   ◄──────────────────── A, upload, block 1 ──
//! ```
//!
//! What is given is in `src/blocks.rs`. Grade it: `cargo xtask grade 05/stopwait`.

use std::io::Write;
use std::net::UdpSocket;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Parser;
use netbasics::cli::program;
use netbasics::net::udp;
use netbasics::system::inbox::Upload;
use netbasics::values::port::Endpoint;

use blocks::{BLOCK_BYTES, Cli, ClientOptions, Folder, Role, TRIES, header};

#[path = "../blocks.rs"]
mod blocks;

fn main() -> ExitCode {
    let Cli { addr, role } = Cli::parse();
    program::end(match role {
        Role::Server { dir } => blocks::serve(&addr, &dir, Incoming::begin, Incoming::take),
        Role::Client(options) => upload(&addr, &options),
    })
}

/// Sends the file block by block.
fn upload(addr: &Endpoint, options: &ClientOptions) -> Result<()> {
    let mut payloads = blocks::payloads(&options.file)?;
    let first = blocks::first(&mut payloads);
    let (socket, upload) = blocks::connect(addr, &first, options.timeout)?;
    for (block, payload) in (0..).zip(payloads) {
        let datagram = [header(b'D', upload, block), payload?].concat();
        let acknowledgement = header(b'A', upload, block);
        deliver(&socket, &datagram, &acknowledgement, options.timeout)
            .with_context(|| format!("cannot upload block {block} to {addr}"))?;
    }
    Ok(())
}

/// Sends a block, and again after each `timeout`, until exactly `acknowledgement` has come.
fn deliver(
    socket: &UdpSocket,
    datagram: &[u8],
    acknowledgement: &[u8],
    timeout: Duration,
) -> Result<()> {
    // exercise: begin "send, wait until the time is over, send again; give up after TRIES"
    for _ in 0..TRIES {
        udp::send(socket, datagram)?;
        // Fixed here: whatever else comes must not make the wait longer.
        let until = Instant::now() + timeout;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            if udp::receive_within(socket, left)?.as_deref() == Some(acknowledgement) {
                return Ok(());
            }
        }
    }
    bail!("no acknowledgement in {TRIES} tries; is the server running? Try a longer --timeout")
    // exercise: end
}

/// An upload as the server sees it.
struct Incoming {
    /// `None` once it is stored.
    file: Option<Upload>,
    /// The block that is to come next.
    next: u32,
}

impl Incoming {
    fn begin(file: Upload) -> Self {
        Self { file: Some(file), next: 0 }
    }

    /// Takes a block of this upload; `true` if it is to be acknowledged.
    fn take(&mut self, folder: &mut Folder, block: u32, payload: &[u8]) -> Result<bool> {
        // exercise: begin "append the block that is next; a short one is the last: publish"
        if let Some(mut file) = self.file.take_if(|_| block == self.next) {
            file.write_all(payload)?;
            self.next += 1;
            if payload.len() == BLOCK_BYTES {
                self.file = Some(file);
            } else {
                folder.publish(file)?;
            }
        }
        Ok(block < self.next)
        // exercise: end
    }
}
