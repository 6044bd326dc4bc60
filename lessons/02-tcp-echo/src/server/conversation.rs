//! One conversation, from the server's side: an echo of bytes, or an answer to each line.

use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use netbasics::cli::log;
use netbasics::net::frame::{FrameError, read_line};
use netbasics::system::stop::Stop;
use netbasics::system::wait::Stoppable;

use super::Options;

/// Longest line, in bytes, that `--reply` takes for one message.
pub const MAX_LINE_BYTES: usize = 64 * 1024;
/// How much `--each-read` reads at once: as much as the tutorials' `recv(1024)`.
pub const EACH_READ_BYTES: usize = 1024;

// listing: begin converse
/// Sets the limits of a conversation, and holds it.
pub fn converse(
    stream: &TcpStream,
    peer: SocketAddr,
    options: &Options,
    stop: &Stop,
) -> Result<(), FrameError> {
    // Each read and write waits in poll(2), as `accept` does: until Ctrl-C, and not longer than
    // `idle`. A client that falls silent, or stops reading what we send, must not keep its thread
    // forever.
    let stoppable = &Stoppable::new(stream, stop, options.idle)?;
    // TCP_NODELAY: send short messages at once instead of waiting for more (RFC 9293, 3.7.4).
    stream.set_nodelay(true)?;
    match &options.reply {
        None => echo(stoppable)?,
        Some(text) if options.each_read => answer_each_read(stoppable, peer, text)?,
        Some(text) => answer(stoppable, peer, text)?,
    }
    // shutdown(2): we have nothing more to say either. The client reads the end of the stream.
    stream.shutdown(Shutdown::Write)?;
    Ok(())
}
// listing: end converse

// listing: begin echo
/// Sends back whatever comes, until the client has nothing more to send.
fn echo(mut stream: &Stoppable<TcpStream>) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        // recv(2): what has arrived so far, at least one byte. TCP is a stream, so this may be
        // half a message or three of them; an echo need not care.
        match stream.read(&mut buffer) {
            // Zero bytes mean that the client has closed its sending half.
            Ok(0) => return Ok(()),
            Ok(length) => send_all(stream, &buffer[..length])?,
            // EINTR: a signal came first (Ctrl-Z, and then `fg`). Ask again.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// send(2) may take only some of the bytes when its buffer is full; this sends the rest too, as
/// Python's `sendall` does. The standard library has it as `write_all`, which we use from here on.
fn send_all(mut stream: &Stoppable<TcpStream>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(taken) => bytes = &bytes[taken..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
// listing: end echo

// listing: begin answer
/// Answers every message with `text`. Here boundaries matter, so a message is a line.
fn answer(
    mut stream: &Stoppable<TcpStream>,
    peer: SocketAddr,
    text: &str,
) -> Result<(), FrameError> {
    let mut incoming = BufReader::new(stream);
    while let Some(message) = read_line(&mut incoming, MAX_LINE_BYTES)? {
        log!("{peer} says: {}", String::from_utf8_lossy(&message));
        stream.write_all(format!("{text}\n").as_bytes())?;
    }
    Ok(())
}
// listing: end answer

// listing: begin each_read
/// Takes what one read has brought for a message. It may be half of one, or three of them.
fn answer_each_read(
    mut stream: &Stoppable<TcpStream>,
    peer: SocketAddr,
    text: &str,
) -> io::Result<()> {
    let mut buffer = [0; EACH_READ_BYTES];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => {
                log!("{peer} says: {}", String::from_utf8_lossy(&buffer[..length]));
                stream.write_all(format!("{text}\n").as_bytes())?;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
// listing: end each_read
