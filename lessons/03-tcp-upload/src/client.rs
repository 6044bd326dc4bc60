//! The client: sends a file and does not call it done before it knows.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, anyhow, bail, ensure};
use indicatif::ProgressBar;
use netbasics::cli::log;
use netbasics::cli::program::{self, OutputError};
use netbasics::net::socket;
use netbasics::net::socket_error::explain;
use netbasics::system::files::{explain_file, length_to_send, name_to_send, open_to_send};
use netbasics::system::sendfile::{self, CopyError};
use netbasics::values::port::Endpoint;

use crate::copy::{BUFFER_BYTES, copy};
use crate::protocol::{Framing, Header, Receipt};

/// How much a server may say, in bytes, after a framing in which it has nothing to say.
const MAX_WORDS: u64 = 64 * 1024;

/// Send a file to the server
#[derive(Clone, clap::Args)]
pub struct Options {
    /// The file to send
    pub file: PathBuf,
    /// What it should be called there [default: its own name]
    #[arg(long)]
    pub name: Option<String>,
    /// How the end of the file is marked; the server must expect the same
    #[arg(long, value_enum, default_value_t = Framing::Sized)]
    pub framing: Framing,
    /// How long the server may take for each step; the last, making the file durable, can take a
    /// slow disk a while
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = program::seconds)]
    pub timeout: Duration,
}

pub fn run(addr: &Endpoint, options: &Options) -> Result<()> {
    let (mut file, length) = open_to_send(&options.file)?;
    let report = match options.framing {
        Framing::Sized => {
            let length = length_to_send(&options.file, length)?;
            let name = name_to_send(&options.file, options.name.as_deref())?;
            send_sized(&connect(addr, options)?, &mut file, &Header { length, name })?
        }
        Framing::Eof => {
            let stream = connect(addr, options)?;
            send_until_eof(&stream, &file, length.unwrap_or_default())?
        }
    };
    writeln!(log::output(), "{report}").map_err(OutputError)?;
    Ok(())
}

fn connect(addr: &Endpoint, options: &Options) -> Result<TcpStream> {
    let stream = socket::connect_tcp(addr, options.timeout)?;
    stream.set_read_timeout(Some(options.timeout))?;
    stream.set_write_timeout(Some(options.timeout))?;
    Ok(stream)
}

// listing: begin sized
/// Header, bytes, receipt; and the receipt is compared with what we sent.
fn send_sized(mut stream: &TcpStream, file: &mut File, header: &Header) -> Result<String> {
    header.write(&mut stream)?;
    let sent = with_bar(header.length, |progress| {
        let mut file = BufReader::with_capacity(BUFFER_BYTES, file.take(header.length));
        copy(&mut file, &mut stream, progress)
    });
    // Then the server waits for bytes that nobody has; that we leave tells it so.
    let too_short = sent.as_ref().is_ok_and(|sent| sent.length < header.length);
    ensure!(!too_short, "the file became shorter while it was sent, so it is not stored");
    // The server may have said no long before the last byte, and then our sending fails. So the
    // receipt is read in any case, and a refusal in it explains more than our own error.
    match (Receipt::read(&mut stream), sent) {
        (Ok(Receipt::Refused(reason)), _) => bail!("the server refused the upload: {reason}"),
        (_, Err(error)) => Err(error),
        (Err(error), Ok(_)) => Err(error.context(
            "nobody knows whether the file is stored (does the server use the same --framing?)",
        )),
        (Ok(Receipt::Stored { length, digest, name }), Ok(sent)) => {
            ensure!(
                (length, digest) == (sent.length, sent.digest),
                "the server stored something else: {length} bytes, SHA-256 {digest}"
            );
            Ok(format!("stored as {name}: {length} bytes, SHA-256 {digest}"))
        }
    }
}
// listing: end sized

// listing: begin eof
/// Bytes, then the half-close that ends them. Any server understands this, but the most it can
/// tell us is that it did not reset the connection.
fn send_until_eof(stream: &TcpStream, file: &File, length: u64) -> Result<String> {
    // If we are killed half way, the system closes our sockets, and a proper close would make
    // half a file look whole. A reset cannot be mistaken for its end.
    socket::reset_on_close(stream, true)?;
    // Nobody compares a digest here, so the bytes need not pass through this program.
    let sent = with_bar(length, |progress| sendfile::send(file, stream, progress))?;
    let end = || {
        stream.shutdown(Shutdown::Write)?;
        socket::reset_on_close(stream, false)?;
        // A server that closes properly has at least read everything. It says nothing to us.
        io::copy(&mut stream.take(MAX_WORDS), &mut io::sink())
    };
    match end() {
        Ok(0) => Ok(format!("sent {sent} bytes; nobody confirms them (--framing eof)")),
        Ok(_) => bail!("the server answers, as with --framing sized; try that"),
        Err(error) => bail!("the server did not take the file: {}", explain(&error)),
    }
}
// listing: end eof

/// Sends, with a progress bar where a person watches (standard error is a terminal).
fn with_bar<T>(
    length: u64,
    send: impl FnOnce(&mut dyn FnMut(u64)) -> Result<T, CopyError>,
) -> Result<T> {
    let bar = ProgressBar::new(length);
    let result = send(&mut |done| bar.set_position(done));
    bar.finish_and_clear();
    result.map_err(|error| match error {
        CopyError::Read(error) => anyhow!("cannot read the file: {}", explain_file(&error)),
        CopyError::Write(error) => anyhow!("cannot send the file: {}", explain(&error)),
        CopyError::TooLong => anyhow!("the file is longer than 16 EiB"),
    })
}
