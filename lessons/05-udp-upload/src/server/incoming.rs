//! A file that is on its way: blocks in any order become bytes in order.

use std::collections::VecDeque;
use std::io::{self, Read, Seek, SeekFrom, Write};

use anyhow::{Result, anyhow, ensure};
use netbasics::inbox::{FileName, Inbox, Upload, explain_file};
use sha2::{Digest, Sha256};

use crate::ack::Ack;
use crate::open::Description;
use crate::packet::Packet;

/// Blocks that follow each other are collected up to so many bytes before they are written.
const COLLECT_BYTES: usize = 256 * 1024;
/// How far a client may send ahead of the first block that is missing: so many blocks, for each of
/// which an ack has a bit, and so many bytes.
const MAX_WINDOW_BLOCKS: u32 = 8 * 1024;
const MAX_WINDOW_BYTES: u32 = 16 * 1024 * 1024;

/// The blocks that have come so far.
pub struct Incoming {
    about: Description,
    name: FileName,
    upload: Upload,
    /// The first block that has not come, and for each block from there on whether it has.
    first_missing: u32,
    arrived: VecDeque<bool>,
    /// The highest number of a transmission that has come.
    newest: u32,
    /// Bytes that are not written yet, and where they belong.
    collected: Vec<u8>,
    collected_at: u64,
    hash: Sha256,
    /// How many bytes from the beginning of the file have been hashed.
    hashed: u64,
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
            upload,
            first_missing: 0,
            arrived: VecDeque::new(),
            newest: 0,
            collected: Vec::new(),
            collected_at: 0,
            hash: Sha256::new(),
            hashed: 0,
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
        if !std::mem::replace(&mut self.arrived[index], true) {
            self.collect(data).map_err(|error| cannot_store(&error))?;
        }
        while self.arrived.front() == Some(&true) {
            self.arrived.pop_front();
            self.first_missing += 1;
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

    // listing: begin collect
    /// Every block is written where it belongs, so the file itself is our memory of what came too
    /// early. Blocks that follow each other are written in one go.
    fn collect(&mut self, data: &Packet) -> io::Result<()> {
        let offset = self.about.offset_of(data.block);
        let follows = self.collected_at + self.collected.len() as u64 == offset;
        if !follows || self.collected.len() >= COLLECT_BYTES {
            self.write()?;
            self.collected_at = offset;
        }
        self.collected.extend_from_slice(data.payload);
        Ok(())
    }

    fn write(&mut self) -> io::Result<()> {
        if self.collected.is_empty() {
            return Ok(());
        }
        self.upload.seek(SeekFrom::Start(self.collected_at))?;
        self.upload.write_all(&self.collected)?;
        if self.collected_at == self.hashed {
            self.hash.update(&self.collected);
            self.hashed += self.collected.len() as u64;
        }
        self.collected.clear();
        self.hash_what_was_early()
    }

    /// Bytes that came too early to be hashed are read again once the gap before them is closed.
    fn hash_what_was_early(&mut self) -> io::Result<()> {
        let complete = self.about.offset_of(self.first_missing).min(self.about.length);
        if complete < self.hashed + COLLECT_BYTES as u64 && complete < self.about.length {
            return Ok(());
        }
        self.upload.seek(SeekFrom::Start(self.hashed))?;
        while self.hashed < complete {
            let left = (complete - self.hashed).min(COLLECT_BYTES as u64);
            let length = (&mut self.upload).take(left).read_to_end(&mut self.collected)?;
            ensure_came(length)?;
            self.hash.update(&self.collected);
            self.hashed += length as u64;
            self.collected.clear();
        }
        Ok(())
    }
    // listing: end collect

    /// Whether every block has come.
    pub fn is_complete(&self) -> bool {
        self.first_missing == self.about.blocks()
    }

    /// Every block has come: compare, then publish. Returns the name that the file got.
    pub fn finish(mut self, digest: &[u8]) -> Result<FileName> {
        self.write().map_err(|error| cannot_store(&error))?;
        self.hash_what_was_early().map_err(|error| cannot_store(&error))?;
        let ours: [u8; 32] = self.hash.finalize().into();
        ensure!(digest == ours, "the SHA-256 is not that of the bytes that came");
        self.upload.publish(&self.name).map_err(|error| cannot_store(&error))
    }

    /// In bytes.
    pub fn length(&self) -> u64 {
        self.about.length
    }

    /// How far it has come: `1200 of 3000 bytes of poem.txt`.
    pub fn progress(&self) -> String {
        let Description { length, .. } = self.about;
        let received = self.about.offset_of(self.first_missing).min(length);
        format!("{received} of {length} bytes of {}", self.name)
    }
}

fn cannot_store(error: &io::Error) -> anyhow::Error {
    anyhow!("cannot store the file: {}", explain_file(error))
}

/// A file that became shorter while it is ours was cut by somebody else.
fn ensure_came(length: usize) -> io::Result<()> {
    if length == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}
