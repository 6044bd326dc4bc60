//! Zero-copy transfers: a file into a connection, or a connection into a file.
//!
//! A program that only hands bytes on need not see them. On Linux the kernel moves them by itself,
//! without a copy in our memory: sendfile(2) from a file, splice(2) into one. Everywhere else, and
//! wherever the kernel would rather not (a pipe instead of a file, the files of `/proc`, some file
//! systems), a plain loop goes on from the byte that was reached.

mod copy;
#[cfg(target_os = "linux")]
mod kernel;

use std::fs::File;
use std::net::TcpStream;

use crate::system::wait::Stoppable;
pub use copy::CopyError;
use copy::copy;

/// Writes all that comes on `stream` until its end into `file`, and returns how many bytes that
/// was.
///
/// # Errors
/// [`CopyError::TooLong`] when more than `limit` bytes come; the stream's time limit counts for each
/// wait, as it does for a read, and so does its stop.
pub fn receive(
    stream: &Stoppable<'_, TcpStream>,
    mut file: &File,
    limit: u64,
) -> Result<u64, CopyError> {
    let mut length = 0;
    let mut count = |bytes: usize| {
        length += bytes as u64;
        if length > limit { Err(CopyError::TooLong) } else { Ok(()) }
    };
    #[cfg(target_os = "linux")]
    kernel::receive(stream, file, &mut count)?;
    // Is that the end, or did the kernel refuse? The next read tells.
    copy(&mut &*stream, &mut file, &mut count)?;
    Ok(length)
}

/// Sends all that `file` has until its end, and returns how many bytes that was. `progress` is
/// told how many there are so far.
///
/// # Errors
/// Which side failed; a time limit of the stream counts for each wait, as it does for a write.
pub fn send(
    mut file: &File,
    mut stream: &TcpStream,
    mut progress: impl FnMut(u64),
) -> Result<u64, CopyError> {
    let mut length = 0;
    let mut count = |bytes: usize| {
        length += bytes as u64;
        progress(length);
        Ok(())
    };
    #[cfg(target_os = "linux")]
    kernel::send(file, stream, &mut count)?;
    copy(&mut file, &mut stream, &mut count)?;
    Ok(length)
}

#[cfg(test)]
mod tests;
