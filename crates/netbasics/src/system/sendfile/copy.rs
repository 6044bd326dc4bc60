//! The plain loop, which works everywhere.

use std::io::{self, Read, Write};

/// How many bytes the plain loop has in memory at a time.
const BUFFER_BYTES: usize = 256 * 1024;

/// Which side of a copy failed: only the caller knows what to call it.
#[derive(Debug)]
pub enum CopyError {
    /// The bytes could not be read.
    Read(io::Error),
    /// They could not be written.
    Write(io::Error),
    /// More bytes came than the limit allows.
    TooLong,
}

/// The plain loop; `count` is told of each piece before it is written.
pub(super) fn copy(
    from: &mut impl Read,
    to: &mut impl Write,
    count: &mut impl FnMut(usize) -> Result<(), CopyError>,
) -> Result<(), CopyError> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let bytes = match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(CopyError::Read(error)),
        };
        count(bytes)?;
        to.write_all(&buffer[..bytes]).map_err(CopyError::Write)?;
    }
}
