//! The two ways to receive a file; either publishes it whole or not at all.

use std::io::{self, Read};
use std::net::TcpStream;

use anyhow::{Context, Result, anyhow, ensure};
use netbasics::cli::log;
use netbasics::net::socket;
use netbasics::net::socket_error::explain;
use netbasics::system::files::explain_file;
use netbasics::system::inbox::{FileName, Inbox, Upload};
use netbasics::system::sendfile::{self, CopyError};
use netbasics::system::wait::Stoppable;

use super::ahead::receive_ahead;
use crate::copy::{Copied, copy};
use crate::protocol::{Digest, Header};

/// With `--framing eof` nobody says what the file is called.
const NAMELESS: &str = "upload.bin";
/// Why an upload was given up that Ctrl-C met.
pub const STOPPED: &str = "the server is being stopped";

/// What is in the inbox now.
pub struct Stored {
    pub name: String,
    /// In bytes.
    pub length: u64,
    /// Where the client gets a receipt to compare.
    pub digest: Option<Digest>,
}

// listing: begin sized
/// Header, bytes, and nothing published unless all of them came.
pub fn sized(mut stream: &Stoppable<TcpStream>, inbox: &Inbox, max_bytes: u64) -> Result<Stored> {
    let Header { length, name } = Header::read(&mut stream)?;
    let name = name.parse()?;
    ensure!(length <= max_bytes, "{length} bytes are too many; this server takes {max_bytes}");
    let mut upload = inbox.begin().map_err(|error| cannot_store(&error))?;
    let copied = receive_ahead(stream.take(length), |from| copy(from, &mut upload, |_| {}))
        .context("cannot start a thread")?;
    let Copied { length: came, digest } = copied.map_err(|error| explain_copy(error, max_bytes))?;
    ensure!(came == length, "the connection ended after {came} of {length} bytes");
    Ok(Stored { name: publish(upload, &name)?, length, digest: Some(digest) })
}
// listing: end sized

// listing: begin eof
/// Bytes until the client's half-close: whatever came by then *is* the file.
pub fn until_eof(stream: &Stoppable<TcpStream>, inbox: &Inbox, max_bytes: u64) -> Result<Stored> {
    // Our only way to say no: until the file is stored, closing the connection resets it.
    socket::reset_on_close(stream.socket(), true)?;
    let upload = inbox.begin().map_err(|error| cannot_store(&error))?;
    // Nobody asks for a digest here, so the bytes need not pass through this program.
    let received = sendfile::receive(stream, upload.as_file(), max_bytes);
    let length = received.map_err(|error| explain_copy(error, max_bytes))?;
    let name = publish(upload, &NAMELESS.parse()?)?;
    // From here on it is stored, whatever becomes of the connection.
    let _ = socket::reset_on_close(stream.socket(), false);
    Ok(Stored { name, length, digest: None })
}
// listing: end eof

// listing: begin publish
/// Makes the upload appear under its name, or under the next free one.
fn publish(upload: Upload, name: &FileName) -> Result<String> {
    let stored = upload.publish(name).map_err(|error| cannot_store(&error))?;
    if stored != *name {
        log!("{name} exists already, so this one is called {stored}");
    }
    Ok(stored.to_string())
}
// listing: end publish

/// Which of the two failed: the network, or the inbox?
fn explain_copy(error: CopyError, max_bytes: u64) -> anyhow::Error {
    match error {
        CopyError::Read(error) => anyhow!(explain(&error)),
        CopyError::Write(error) => cannot_store(&error),
        CopyError::TooLong => {
            anyhow!("more than {max_bytes} bytes came; this server takes no more")
        }
    }
}

fn cannot_store(error: &io::Error) -> anyhow::Error {
    anyhow!("cannot store the file: {}", explain_file(error))
}
