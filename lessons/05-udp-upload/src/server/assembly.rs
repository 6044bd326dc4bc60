//! Bytes that come in any order become a file: each is written where it belongs, so the file itself
//! is our memory of what came too early, and however much that is, it costs no other.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};

use netbasics::system::inbox::{FileName, Upload};
use sha2::{Digest, Sha256};

/// How many bytes that follow each other are collected before they are written.
const COLLECT_BYTES: usize = 128 * 1024;

/// An upload whose bytes come in any order, and its hash, whose bytes must come in order.
pub struct Assembly {
    upload: Upload,
    /// Bytes that are not written yet, and where they belong.
    collected: Vec<u8>,
    collected_at: u64,
    hash: Sha256,
    /// How many bytes from the beginning of the file are hashed.
    hashed: u64,
}

impl Assembly {
    pub fn new(upload: Upload) -> Self {
        let (collected, hash) = (Vec::with_capacity(COLLECT_BYTES), Sha256::new());
        Self { upload, collected, collected_at: 0, hash, hashed: 0 }
    }

    // listing: begin write
    /// Takes bytes that belong at `offset`; with them, the first `complete` bytes have come.
    pub fn write(&mut self, offset: u64, bytes: &[u8], complete: u64) -> io::Result<()> {
        let end = self.collected_at + self.collected.len() as u64;
        if offset != end || self.collected.len() + bytes.len() > COLLECT_BYTES {
            self.flush()?;
            self.collected_at = offset;
        }
        self.collected.extend_from_slice(bytes);
        if complete >= self.hashed + 2 * COLLECT_BYTES as u64 {
            self.hash_early_bytes(complete)?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.upload.seek(SeekFrom::Start(self.collected_at))?;
        self.upload.write_all(&self.collected)?;
        if self.collected_at == self.hashed {
            self.hash.update(&self.collected);
            self.hashed += self.collected.len() as u64;
        }
        self.collected.clear();
        Ok(())
    }

    /// What came before its time could not be hashed then. Now that the gap before it is closed, it
    /// is read again; the system still has it in memory.
    fn hash_early_bytes(&mut self, complete: u64) -> io::Result<()> {
        self.flush()?;
        self.upload.seek(SeekFrom::Start(self.hashed))?;
        while self.hashed < complete {
            let left = (complete - self.hashed).min(COLLECT_BYTES as u64);
            let length = (&mut self.upload).take(left).read_to_end(&mut self.collected)?;
            if length == 0 {
                return Err(io::Error::new(ErrorKind::UnexpectedEof, "somebody has cut it short"));
            }
            self.hash.update(&self.collected);
            self.hashed += length as u64;
            self.collected.clear();
        }
        Ok(())
    }
    // listing: end write

    /// The SHA-256 of the first `length` bytes, all of which have come.
    pub fn digest(&mut self, length: u64) -> io::Result<[u8; 32]> {
        self.hash_early_bytes(length)?;
        Ok(self.hash.clone().finalize().into())
    }

    /// Makes the file appear in the inbox, under `name` or the next free one.
    pub fn publish(self, name: &FileName) -> io::Result<FileName> {
        self.upload.publish(name)
    }
}
