//! A file that is on its way: which of its blocks have come.

use std::io;

use anyhow::{Result, anyhow, ensure};
use netbasics::system::files::explain_file;
use netbasics::system::inbox::{FileName, Inbox};

use super::arrived::Arrived;
use super::assembly::Assembly;
use crate::packet::Packet;
use crate::packet::ack::{self, Ack};
use crate::packet::open::Description;

/// How far a client may send ahead of the first block that is missing, in blocks and in bytes.
const MAX_WINDOW_BLOCKS: u32 = 64 * 1024 - ack::WORD_BITS;
const MAX_WINDOW_BYTES: u32 = 64 * 1024 * 1024;
/// With this many bytes of bits an ack is as long as a packet of data; where those pass, it passes.
const MAX_ACK_BYTES: usize = 1200;

/// The blocks that have come so far.
pub struct Incoming {
    about: Description,
    name: FileName,
    arrived: Arrived,
    /// The highest number of a transmission that has come.
    largest_received: u32,
    assembly: Assembly,
}

impl Incoming {
    /// Begins what an `open` packet asks for.
    pub fn begin(inbox: &Inbox, about: Description, max_bytes: u64) -> Result<Self> {
        let length = about.length;
        ensure!(length <= max_bytes, "{length} bytes are too many; this server takes {max_bytes}");
        let name: FileName = about.name.parse()?;
        let upload = inbox.begin().map_err(|error| cannot_store(&error))?;
        Ok(Self {
            about,
            name,
            arrived: Arrived::default(),
            largest_received: 0,
            assembly: Assembly::new(upload),
        })
    }

    // listing: begin take
    /// Takes a block, wherever it belongs. One that has come before is passed over, and so is one
    /// from so far ahead that nobody allowed it.
    pub fn take(&mut self, data: &Packet) -> Result<()> {
        ensure!(data.block < self.about.blocks(), "more bytes came than were announced");
        let length = self.about.length_of(data.block) as usize;
        ensure!(data.payload.len() == length, "a block of another length came than was announced");
        let is_allowed = data.block < self.arrived.first_missing().saturating_add(self.most());
        self.largest_received = self.largest_received.max(data.number);
        if is_allowed && self.arrived.insert(data.block) {
            let offset = self.about.offset_of(data.block);
            let written = self.assembly.write(offset, data.payload, self.complete());
            written.map_err(|error| cannot_store(&error))?;
        }
        Ok(())
    }
    // listing: end take

    /// How many blocks from the first missing one on are taken at most.
    fn most(&self) -> u32 {
        (MAX_WINDOW_BYTES / self.about.block_bytes).clamp(1, MAX_WINDOW_BLOCKS)
    }

    // listing: begin ack
    /// What the client should know now. It may send as many blocks beyond those that have come as
    /// there is room for in an ack, and not more than we take at most.
    pub fn ack(&self) -> Ack {
        let (first_missing, mut largest_acked) =
            (self.arrived.first_missing(), self.largest_received);
        let mut arrived = self.arrived.bytes();
        let packed = ack::pack(&arrived).len();
        if packed > MAX_ACK_BYTES {
            // Packed at its worst, this fits. What is not in it is no evidence of a loss.
            arrived.truncate(MAX_ACK_BYTES * 2 / 3);
            largest_acked = 0;
        }
        let room = MAX_ACK_BYTES.saturating_sub(packed);
        let window = u32::try_from(8 * (arrived.len() + room)).unwrap_or(u32::MAX);
        let window = window.saturating_sub(first_missing % ack::WORD_BITS).clamp(1, self.most());
        Ack { first_missing, largest_acked, window, arrived }
    }
    // listing: end ack

    /// Whether every block has come.
    pub fn is_complete(&self) -> bool {
        self.arrived.first_missing() == self.about.blocks()
    }

    /// Every block has come: compare, then publish. Returns the name that the file got.
    pub fn finish(mut self, digest: &[u8]) -> Result<FileName> {
        let ours = self.assembly.digest(self.about.length).map_err(|error| cannot_store(&error))?;
        ensure!(digest == ours, "the SHA-256 is not that of the bytes that came");
        self.assembly.publish(&self.name).map_err(|error| cannot_store(&error))
    }

    /// In bytes.
    pub fn length(&self) -> u64 {
        self.about.length
    }

    /// How far it has come: `1200 of 3000 bytes of poem.txt`.
    pub fn progress(&self) -> String {
        format!("{} of {} bytes of {}", self.complete(), self.about.length, self.name)
    }

    /// How many bytes from the beginning of the file have come.
    fn complete(&self) -> u64 {
        self.about.offset_of(self.arrived.first_missing()).min(self.about.length)
    }
}

fn cannot_store(error: &io::Error) -> anyhow::Error {
    anyhow!("cannot store the file: {}", explain_file(error))
}
