//! The file that is sent: block by block, hashed on the way.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use crate::packet::open::Description;

/// How many bytes are read ahead.
const AHEAD_BYTES: u64 = 128 * 1024;

/// A file, of which a part is in memory. What is sent again is read again: the file itself is our
/// memory of what may be lost.
pub struct Source {
    file: File,
    about: Description,
    /// What was read ahead, and where it belongs.
    ahead: Vec<u8>,
    ahead_at: u64,
    hash: Sha256,
    hashed: u64,
}

impl Source {
    pub fn new(file: File, about: Description) -> Self {
        Self { file, about, ahead: Vec::new(), ahead_at: 0, hash: Sha256::new(), hashed: 0 }
    }

    // listing: begin append
    /// Appends a block of the file to `bytes`.
    pub fn append(&mut self, block: u32, bytes: &mut Vec<u8>) -> Result<()> {
        let start = self.about.offset_of(block);
        let end = start + u64::from(self.about.length_of(block));
        let ahead_end = self.ahead_at + self.ahead.len() as u64;
        if start < self.ahead_at || ahead_end < end {
            if start < self.hashed {
                return read(&mut self.file, start, end - start, bytes);
            }
            self.read_ahead(start)?;
        }
        let place = |offset: u64| usize::try_from(offset - self.ahead_at);
        bytes.extend_from_slice(&self.ahead[place(start)?..place(end)?]);
        Ok(())
    }

    /// Blocks are first sent in order, so each byte comes by here once, in order, and is hashed.
    fn read_ahead(&mut self, start: u64) -> Result<()> {
        let size = u64::from(self.about.block_bytes);
        let length = (AHEAD_BYTES.div_ceil(size) * size).min(self.about.length - start);
        self.ahead.clear();
        self.ahead_at = start;
        read(&mut self.file, start, length, &mut self.ahead)?;
        self.hash.update(&self.ahead);
        self.hashed = start + length;
        Ok(())
    }
    // listing: end append

    /// The SHA-256 of the file, once every block was appended.
    pub fn digest(&self) -> Vec<u8> {
        self.hash.clone().finalize().to_vec()
    }
}

/// Appends `length` bytes of the file, from `start` on, to `bytes`.
fn read(file: &mut File, start: u64, length: u64, bytes: &mut Vec<u8>) -> Result<()> {
    let came = file.seek(SeekFrom::Start(start)).and_then(|_| file.take(length).read_to_end(bytes));
    let came = came.context("cannot read the file")?;
    ensure!(came as u64 == length, "the file became shorter while it was sent");
    Ok(())
}
