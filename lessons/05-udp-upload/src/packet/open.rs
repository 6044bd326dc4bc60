//! What an upload is about: the payload of an `open` packet, and the arithmetic of blocks.

use anyhow::{Context, Result, ensure};

use crate::packet::MAX_BLOCK_BYTES;

/// A file that is to be uploaded, in blocks of one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Of the file, in bytes.
    pub length: u64,
    /// Size of a block in bytes; only the last may be shorter.
    pub block_bytes: u32,
    /// What the file is to be called.
    pub name: String,
}

impl Description {
    // listing: begin encode
    pub fn encode(&self) -> Vec<u8> {
        let mut payload = self.length.to_be_bytes().to_vec();
        payload.extend(self.block_bytes.to_be_bytes());
        payload.extend(self.name.as_bytes());
        payload
    }
    // listing: end encode

    /// # Errors
    /// When it is not an `open` as the client of this lesson sends it, in a sentence for its user.
    pub fn decode(payload: &[u8]) -> Result<Self> {
        let (length, rest) = payload.split_first_chunk().context("this open is too short")?;
        let (size, name) = rest.split_first_chunk().context("this open is too short")?;
        let (length, block_bytes) = (u64::from_be_bytes(*length), u32::from_be_bytes(*size));
        let about = Self { length, block_bytes, name: std::str::from_utf8(name)?.to_owned() };
        about.check().map(|()| about)
    }

    /// # Errors
    /// When blocks of that size, or that many of them, cannot be.
    pub fn check(&self) -> Result<()> {
        let Self { length, block_bytes, .. } = *self;
        ensure!(
            (1..=MAX_BLOCK_BYTES).contains(&block_bytes),
            "blocks of {block_bytes} bytes; from 1 to {MAX_BLOCK_BYTES} are possible"
        );
        ensure!(
            u32::try_from(length.div_ceil(block_bytes.into())).is_ok(),
            "{length} bytes in blocks of {block_bytes} are more blocks than can be numbered"
        );
        Ok(())
    }

    /// How many blocks the file has.
    pub fn blocks(&self) -> u32 {
        // [`check`](Self::check) has made sure that it fits.
        u32::try_from(self.length.div_ceil(self.block_bytes.into())).unwrap_or(u32::MAX)
    }

    /// Where a block begins in the file, in bytes.
    pub fn offset_of(&self, block: u32) -> u64 {
        u64::from(block) * u64::from(self.block_bytes)
    }

    /// How many bytes a block has.
    pub fn length_of(&self, block: u32) -> u32 {
        let left = self.length.saturating_sub(self.offset_of(block));
        u32::try_from(left).unwrap_or(u32::MAX).min(self.block_bytes)
    }
}
