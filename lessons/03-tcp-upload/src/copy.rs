//! Moving a file's bytes in constant memory, and hashing them on the way.

use std::io::{self, BufRead, Write};

use netbasics::system::sendfile::CopyError;
use sha2::{Digest as _, Sha256};

use crate::protocol::Digest;

/// How many bytes a buffer holds: enough that a system call does not count, little enough for a
/// processor's cache.
pub const BUFFER_BYTES: usize = 1024 * 1024;

/// What was copied.
pub struct Copied {
    /// In bytes.
    pub length: u64,
    pub digest: Digest,
}

// listing: begin copy
/// Copies `from` to `to` until `from` ends, telling `progress` how many bytes there are so far.
pub fn copy(
    from: &mut impl BufRead,
    to: &mut impl Write,
    mut progress: impl FnMut(u64),
) -> Result<Copied, CopyError> {
    let mut hash = Sha256::new();
    let mut length = 0;
    loop {
        let bytes = match from.fill_buf() {
            Ok([]) => return Ok(Copied { length, digest: Digest(hash.finalize().into()) }),
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(CopyError::Read(error)),
        };
        // Writing comes first: while we hash, the bytes are already on their way.
        to.write_all(bytes).map_err(CopyError::Write)?;
        hash.update(bytes);
        let count = bytes.len();
        from.consume(count);
        length += count as u64;
        progress(length);
    }
}
// listing: end copy

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_the_bytes() {
        let mut to = Vec::new();
        let copied = copy(&mut &b"abc"[..], &mut to, |_| {}).unwrap();
        assert_eq!((copied.length, to.as_slice()), (3, &b"abc"[..]));
        // The example of FIPS 180-4 for the message "abc".
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(copied.digest.to_string(), expected);
    }
}
