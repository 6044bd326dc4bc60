//! The two ways to receive a file; either publishes it whole or not at all.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use anyhow::{Result, anyhow, ensure};
use netbasics::inbox::{FileName, Inbox, Upload, explain_file};
use netbasics::stop::Stop;
use netbasics::trouble::explain;
use netbasics::{say, socket};

use crate::copy::{Copied, CopyError, copy};
use crate::protocol::{Header, Receipt};

/// With `--framing eof` nobody says what the file is called.
const NAMELESS: &str = "upload.bin";
/// Why an upload was given up that Ctrl-C met.
pub const STOPPED: &str = "the server is being stopped";

// listing: begin sized
/// Header, bytes, and nothing published unless all of them came.
pub fn sized(mut stream: &TcpStream, inbox: &Inbox, max_bytes: u64) -> Result<Receipt> {
    let Header { length, name } = Header::read(&mut stream)?;
    let name = name.parse()?;
    ensure!(length <= max_bytes, "{length} bytes are too many; this server takes {max_bytes}");
    let mut upload = inbox.begin().map_err(|error| cannot_store(&error))?;
    let copied = copy_in(&mut stream.take(length), &mut upload, max_bytes)?;
    ensure!(
        copied.length == length,
        "the connection ended after {} of {length} bytes",
        copied.length
    );
    publish(upload, &name, &copied)
}
// listing: end sized

// listing: begin eof
/// Bytes until the client's half-close: whatever came by then *is* the file.
pub fn until_eof(
    mut stream: &TcpStream,
    inbox: &Inbox,
    max_bytes: u64,
    stop: &Stop,
) -> Result<Receipt> {
    // Our only way to say no: until the file is stored, closing the connection resets it.
    socket::reset_on_close(stream, true)?;
    let mut upload = inbox.begin().map_err(|error| cannot_store(&error))?;
    let copied = copy_in(&mut stream, &mut upload, max_bytes)?;
    // Ctrl-C looks like the end of the stream too, and must not publish half a file.
    ensure!(!stop.is_raised(), STOPPED);
    let receipt = publish(upload, &NAMELESS.parse()?, &copied)?;
    socket::reset_on_close(stream, false)?;
    Ok(receipt)
}
// listing: end eof

// listing: begin publish
/// Makes the upload appear under its name, or under the next free one.
fn publish(upload: Upload, name: &FileName, copied: &Copied) -> Result<Receipt> {
    let stored = upload.publish(name).map_err(|error| cannot_store(&error))?;
    if stored != *name {
        say!("{name} exists already, so this one is called {stored}");
    }
    let Copied { length, digest } = *copied;
    Ok(Receipt::Stored { length, digest, name: stored.to_string() })
}
// listing: end publish

/// Copies from the network into the inbox, and says which of the two failed.
fn copy_in(from: &mut impl Read, to: &mut impl Write, max_bytes: u64) -> Result<Copied> {
    copy(from, to, max_bytes, |_| {}).map_err(|error| match error {
        CopyError::Read(error) => anyhow!(explain(&error)),
        CopyError::Write(error) => cannot_store(&error),
        CopyError::TooLong => {
            anyhow!("more than {max_bytes} bytes came; this server takes no more")
        }
    })
}

fn cannot_store(error: &io::Error) -> anyhow::Error {
    anyhow!("cannot store the file: {}", explain_file(error))
}
