//! Bytes that the Linux kernel moves without showing them to us.
//!
//! Both functions go as far as the kernel does. When they return without an error, that was the
//! end or a refusal, nothing is lost, and the file and the connection stand at the next byte.

use std::fs::File;
use std::io::{self, Read};
use std::net::TcpStream;

use rustix::fs::sendfile;
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};

use super::copy::{CopyError, copy};
use crate::system::wait::Stoppable;

/// How many bytes one call moves at most: the largest pipe that everybody may have (pipe(7),
/// `/proc/sys/fs/pipe-max-size`).
const PIPE_BYTES: usize = 1024 * 1024;

/// What the caller does about a number of bytes.
type Counted = Result<(), CopyError>;

/// Connection → pipe → file. splice(2) wants a pipe on one side; ours holds references to the
/// memory in which the bytes arrived, and only the way into the file copies them.
pub fn receive(
    stream: &Stoppable<'_, TcpStream>,
    file: &File,
    count: &mut impl FnMut(usize) -> Counted,
) -> Counted {
    let Ok((exit, entrance)) = pipe_with(PipeFlags::CLOEXEC) else {
        return Ok(()); // No descriptors left for it; the plain loop needs none.
    };
    // A wish: a user with many pipes gets small ones, and everything works with those.
    let _ = fcntl_setpipe_size(&entrance, PIPE_BYTES);
    let exit = File::from(exit);
    loop {
        stream.check().map_err(CopyError::Read)?;
        match splice(stream.socket(), None, &entrance, None, PIPE_BYTES, SpliceFlags::MOVE) {
            Ok(0) => return Ok(()),
            Ok(bytes) => {
                count(bytes)?;
                if empty(&exit, file, bytes)? == Way::Plain {
                    return Ok(());
                }
            }
            Err(Errno::INTR) => {}
            // The pipe is empty, so it is the stream that has nothing.
            Err(Errno::AGAIN) => wait(stream)?,
            Err(error) if is_refusal(error) => return Ok(()),
            Err(error) => return Err(CopyError::Read(error.into())),
        }
    }
}

fn wait(stream: &Stoppable<'_, TcpStream>) -> Counted {
    match stream.wait_readable() {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
        waited => waited.map_err(CopyError::Read),
    }
}

/// How the bytes got from the pipe into the file.
#[derive(PartialEq)]
enum Way {
    Kernel,
    Plain,
}

/// Moves the `bytes` that are in the pipe into the file, by either way.
fn empty(pipe: &File, mut file: &File, mut bytes: usize) -> Result<Way, CopyError> {
    while bytes > 0 {
        match splice(pipe, None, file, None, bytes, SpliceFlags::MOVE) {
            Ok(0) => return Err(CopyError::Write(io::ErrorKind::WriteZero.into())),
            Ok(moved) => bytes -= moved,
            Err(Errno::INTR) => {}
            Err(error) if is_refusal(error) => {
                // These have been counted when they came into the pipe.
                copy(&mut pipe.take(bytes as u64), &mut file, &mut |_| Ok(()))?;
                return Ok(Way::Plain);
            }
            Err(error) => return Err(CopyError::Write(error.into())),
        }
    }
    Ok(Way::Kernel)
}

/// File → connection: sendfile(2) sends the very memory in which the system keeps the file.
pub fn send(file: &File, stream: &TcpStream, count: &mut impl FnMut(usize) -> Counted) -> Counted {
    loop {
        match sendfile(stream, file, None, PIPE_BYTES) {
            // EIO is a disk that cannot be read; one call cannot say which side failed, two can.
            Ok(0) | Err(Errno::IO) => return Ok(()),
            Ok(bytes) => count(bytes)?,
            Err(Errno::INTR) => {}
            Err(error) if is_refusal(error) => return Ok(()),
            Err(error) => return Err(CopyError::Write(error.into())),
        }
    }
}

/// Whether the kernel cannot do it this way, or a sandbox forbids it (splice(2), sendfile(2)).
fn is_refusal(error: Errno) -> bool {
    use Errno as E;
    matches!(error, E::INVAL | E::NOSYS | E::OPNOTSUPP | E::PERM | E::ACCESS)
}
