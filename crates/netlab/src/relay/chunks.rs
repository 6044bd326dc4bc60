//! What of a stream is on its way: bytes as they were read, and the end.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};
use std::time::Duration;

/// Chunks in one write.
const AT_ONCE: usize = 64;

#[derive(Default)]
pub(super) struct Chunks {
    queue: VecDeque<Chunk>,
    bytes: usize,
}

struct Chunk {
    at: Duration,
    index: u64,
    /// Bytes of it that have been delivered.
    gone: usize,
    what: What,
}

pub(super) enum What {
    Bytes(Vec<u8>),
    Fin,
    Rst,
}

impl Chunk {
    /// The bytes that have not been delivered; `None` if it is the end.
    fn rest(&self) -> Option<&[u8]> {
        match &self.what {
            What::Bytes(bytes) => Some(&bytes[self.gone..]),
            What::Fin | What::Rst => None,
        }
    }
}

impl Chunks {
    /// Bytes that have not been delivered.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Something that may leave at `at`.
    pub(super) fn push(&mut self, at: Duration, index: u64, what: What) {
        let chunk = Chunk { at, index, gone: 0, what };
        self.bytes += chunk.rest().map_or(0, <[u8]>::len);
        self.queue.push_back(chunk);
    }

    pub(super) fn next_at(&self) -> Option<Duration> {
        self.queue.front().map(|chunk| chunk.at)
    }

    /// How many bytes may leave now, and whether the stream ends after them.
    pub(super) fn ready(&self, now: Duration) -> (usize, bool) {
        let mut ready = 0;
        for chunk in self.queue.iter().take_while(|chunk| chunk.at <= now).take(AT_ONCE) {
            match chunk.rest() {
                Some(bytes) => ready += bytes.len(),
                None => return (ready, true),
            }
        }
        (ready, false)
    }

    /// Whether the stream ends with a reset, and now.
    pub(super) fn meet_rst(&self, now: Duration) -> bool {
        let end = self.queue.iter().find(|chunk| chunk.rest().is_none());
        end.is_some_and(|chunk| chunk.at <= now && matches!(chunk.what, What::Rst))
    }

    /// Writes at most this many bytes with one system call, so that they arrive together.
    pub(super) fn write(&self, most: usize, to: &mut impl Write) -> io::Result<usize> {
        let mut left = most;
        let parts = self.queue.iter().map_while(Chunk::rest).map_while(|rest| {
            let part = &rest[..rest.len().min(left)];
            left -= part.len();
            (!part.is_empty()).then(|| IoSlice::new(part))
        });
        let parts: Vec<_> = parts.take(AT_ONCE).collect();
        to.write_vectored(&parts)
    }

    /// Notes that this many bytes have gone, and tells each chunk that they belonged to.
    pub(super) fn advance(&mut self, mut written: usize, mut tell: impl FnMut(u64, &[u8])) {
        self.bytes -= written;
        while written > 0 {
            let Some(chunk) = self.queue.front_mut() else { return };
            let Some(rest) = chunk.rest() else { return };
            let part = written.min(rest.len());
            let whole = part == rest.len();
            tell(chunk.index, &rest[..part]);
            chunk.gone += part;
            written -= part;
            if whole {
                self.queue.pop_front();
            }
        }
    }

    /// Nobody wants the bytes any more, nor to hear again that they end; a reset is still passed
    /// on. Says how many bytes there were.
    pub(super) fn forget(&mut self) -> usize {
        self.queue.retain(|chunk| matches!(chunk.what, What::Rst));
        std::mem::take(&mut self.bytes)
    }
}
