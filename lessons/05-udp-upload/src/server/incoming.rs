//! A file that is on its way: which of its blocks have come.

use std::collections::VecDeque;
use std::io;

use anyhow::{Result, anyhow, ensure};
use netbasics::inbox::{FileName, Inbox, explain_file};

use super::assembly::Assembly;
use crate::ack::Ack;
use crate::open::Description;
use crate::packet::Packet;

/// How far a client may send ahead of the first block that is missing: so many blocks, so that an
/// ack with a bit for each of them is no longer than a packet of data; and so many bytes.
const MAX_WINDOW_BLOCKS: u32 = 8 * 1200;
const MAX_WINDOW_BYTES: u32 = 16 * 1024 * 1024;

/// The blocks that have come so far.
pub struct Incoming {
    about: Description,
    name: FileName,
    /// The first block that has not come, and for each block from there on whether it has.
    first_missing: u32,
    arrived: VecDeque<bool>,
    /// The highest number of a transmission that has come.
    newest: u32,
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
            first_missing: 0,
            arrived: VecDeque::new(),
            newest: 0,
            assembly: Assembly::new(upload),
        })
    }

    // listing: begin take
    /// Takes a block, wherever it belongs. One that has come before is passed over, and so is one
    /// from so far ahead that nobody allowed it.
    pub fn take(&mut self, data: &Packet) -> Result<()> {
        let end = self.about.blocks().min(self.first_missing.saturating_add(self.window()));
        if !(self.first_missing..end).contains(&data.block) {
            ensure!(data.block < self.about.blocks(), "more bytes came than were announced");
            self.newest = self.newest.max(data.number);
            return Ok(());
        }
        let length = self.about.length_of(data.block) as usize;
        ensure!(data.payload.len() == length, "a block of another length came than was announced");
        self.newest = self.newest.max(data.number);
        let index = (data.block - self.first_missing) as usize;
        self.arrived.resize(self.arrived.len().max(index + 1), false);
        let is_new = !std::mem::replace(&mut self.arrived[index], true);
        while self.arrived.front() == Some(&true) {
            self.arrived.pop_front();
            self.first_missing += 1;
        }
        if is_new {
            let offset = self.about.offset_of(data.block);
            let written = self.assembly.write(offset, data.payload, self.complete());
            written.map_err(|error| cannot_store(&error))?;
        }
        Ok(())
    }
    // listing: end take

    fn window(&self) -> u32 {
        (MAX_WINDOW_BYTES / self.about.block_bytes).clamp(1, MAX_WINDOW_BLOCKS)
    }

    /// What the client should know now.
    pub fn ack(&self) -> Ack {
        let mut arrived = vec![0; self.arrived.len().div_ceil(8)];
        for (index, _) in self.arrived.iter().enumerate().filter(|(_, has_come)| **has_come) {
            arrived[index / 8] |= 1 << (index % 8);
        }
        let Self { first_missing, newest, .. } = *self;
        Ack { first_missing, newest, window: self.window(), arrived }
    }

    /// Whether every block has come.
    pub fn is_complete(&self) -> bool {
        self.first_missing == self.about.blocks()
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
        self.about.offset_of(self.first_missing).min(self.about.length)
    }
}

fn cannot_store(error: &io::Error) -> anyhow::Error {
    anyhow!("cannot store the file: {}", explain_file(error))
}
