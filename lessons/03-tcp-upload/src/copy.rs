//! Moving a file's bytes in constant memory, and hashing them on the way.

use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use netbasics::pour::CopyError;
use sha2::{Digest as _, Sha256};

use crate::protocol::Digest;

/// While one buffer is filled, the other is emptied.
const BUFFERS: usize = 2;
/// Large enough that the two threads seldom wait for each other, small enough for a processor's
/// cache. Together this is all that is in memory, however large the file is.
const BUFFER_BYTES: usize = 1024 * 1024;

/// What was copied.
pub struct Copied {
    /// In bytes.
    pub length: u64,
    pub digest: Digest,
}

// listing: begin copy
/// Copies `from` to `to` until `from` ends, at most `limit` bytes, telling `progress` how many
/// there are so far. This thread reads; a second one writes and hashes in the meantime.
pub fn copy(
    from: &mut impl Read,
    to: &mut (impl Write + Send),
    limit: u64,
    progress: impl FnMut(u64),
) -> Result<Copied, CopyError> {
    let (full, to_empty) = sync_channel(BUFFERS);
    let (empty, to_fill) = sync_channel(BUFFERS);
    for _ in 0..BUFFERS {
        let _ = empty.send(vec![0; BUFFER_BYTES]);
    }
    thread::scope(|threads| {
        let writer = thread::Builder::new()
            .spawn_scoped(threads, move || write_and_hash(&to_empty, &empty, to))
            .map_err(CopyError::Write)?;
        let read = read_until_end(from, limit, &to_fill, full, progress);
        // If writing failed, the reader has only noticed that nobody takes its buffers.
        let written = writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let digest = written.map_err(CopyError::Write)?;
        Ok(Copied { length: read?, digest })
    })
}

fn read_until_end(
    from: &mut impl Read,
    limit: u64,
    to_fill: &Receiver<Vec<u8>>,
    full: SyncSender<(Vec<u8>, usize)>,
    mut progress: impl FnMut(u64),
) -> Result<u64, CopyError> {
    let mut length = 0;
    while let Ok(mut buffer) = to_fill.recv() {
        let count = read(from, &mut buffer).map_err(CopyError::Read)?;
        length += count as u64;
        if length > limit {
            return Err(CopyError::TooLong);
        }
        if count == 0 || full.send((buffer, count)).is_err() {
            break;
        }
        progress(length);
    }
    Ok(length)
}

/// Writes first: while we hash, the bytes are on their way.
fn write_and_hash(
    to_empty: &Receiver<(Vec<u8>, usize)>,
    empty: &SyncSender<Vec<u8>>,
    to: &mut impl Write,
) -> io::Result<Digest> {
    let mut hash = Sha256::new();
    for (buffer, count) in to_empty {
        to.write_all(&buffer[..count])?;
        hash.update(&buffer[..count]);
        // After its last bytes the reader wants no more buffers.
        let _ = empty.send(buffer);
    }
    Ok(Digest(hash.finalize().into()))
}
// listing: end copy

/// One read(2), again when a signal came in between.
fn read(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_the_bytes() {
        let mut to = Vec::new();
        let copied = copy(&mut &b"abc"[..], &mut to, 3, |_| {}).unwrap();
        assert_eq!((copied.length, to.as_slice()), (3, &b"abc"[..]));
        // The example of FIPS 180-4 for the message "abc".
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(copied.digest.to_string(), expected);
    }

    #[test]
    fn many_buffers_keep_their_order() {
        let content: Vec<u8> = (0_u32..3_000_000).flat_map(u32::to_be_bytes).collect();
        let mut to = Vec::new();
        let mut told = 0;
        let copied = copy(&mut &content[..], &mut to, u64::MAX, |length| told = length).unwrap();
        assert_eq!((copied.length, told), (content.len() as u64, content.len() as u64));
        assert!(to == content);
        assert_eq!(copied.digest.0, <[u8; 32]>::from(Sha256::digest(&content)));
    }

    #[test]
    fn one_byte_too_many_is_an_error() {
        let result = copy(&mut &b"abcd"[..], &mut Vec::new(), 3, |_| {});
        assert!(matches!(result, Err(CopyError::TooLong)));
    }

    /// The reader has endlessly many bytes, so only the failed write can end it.
    #[test]
    fn a_write_that_fails_ends_the_reading() {
        let mut no_room: &mut [u8] = &mut [0; 5];
        let result = copy(&mut io::repeat(7), &mut no_room, u64::MAX, |_| {});
        let Err(CopyError::Write(error)) = result else { panic!("it has no room") };
        assert_eq!(error.kind(), io::ErrorKind::WriteZero);
    }
}
