//! Moving a file's bytes in constant memory, and hashing them on the way.

use std::io::{self, Read, Write};

use sha2::{Digest as _, Sha256};

use crate::protocol::Digest;

/// How many bytes are in memory at a time, however large the file is.
const BUFFER_BYTES: usize = 256 * 1024;

/// Which side of the copy failed: only the caller knows whether that is a file or a peer.
#[derive(Debug)]
pub enum CopyError {
    Read(io::Error),
    Write(io::Error),
    /// More bytes came than the limit allows.
    TooLong,
}

/// What was copied.
pub struct Copied {
    /// In bytes.
    pub length: u64,
    pub digest: Digest,
}

// listing: begin copy
/// Copies `from` to `to` until `from` ends, at most `limit` bytes, telling `progress` how many
/// there are so far.
pub fn copy(
    from: &mut impl Read,
    to: &mut impl Write,
    limit: u64,
    mut progress: impl FnMut(u64),
) -> Result<Copied, CopyError> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut hash = Sha256::new();
    let mut length = 0;
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => return Ok(Copied { length, digest: Digest(hash.finalize().into()) }),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(CopyError::Read(error)),
        };
        length += count as u64;
        if length > limit {
            return Err(CopyError::TooLong);
        }
        hash.update(&buffer[..count]);
        to.write_all(&buffer[..count]).map_err(CopyError::Write)?;
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
        let copied = copy(&mut &b"abc"[..], &mut to, 3, |_| {}).unwrap();
        assert_eq!((copied.length, to.as_slice()), (3, &b"abc"[..]));
        // The example of FIPS 180-4 for the message "abc".
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(copied.digest.to_string(), expected);
    }

    #[test]
    fn one_byte_too_many_is_an_error() {
        let result = copy(&mut &b"abcd"[..], &mut Vec::new(), 3, |_| {});
        assert!(matches!(result, Err(CopyError::TooLong)));
    }
}
