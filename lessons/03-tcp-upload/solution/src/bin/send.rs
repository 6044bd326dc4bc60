//! Exercise `send`: a client that sends one file, and does not call it done before it knows.
//!
//! ```text
//! client → server                      bytes
//!   magic   46 49 4c 45 ("FILE")           4
//!   n       length of the name             2   unsigned, big-endian
//!   m       length of the content          8   unsigned, big-endian
//!   name    UTF-8                          n
//!   content                                m
//!   digest  SHA-256 of the content        32
//!   then the half-close
//! server → client: one line, `stored m DIGEST NAME` or `refused: REASON`
//! ```
//!
//! Try it: `cargo run -p solution-03 --bin framed-solution -- server --dir .`, and in another
//! terminal `cargo run -p exercise-03 --bin send -- client FILE`. Grade it:
//! `cargo xtask grade 03/send`.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::Parser;
use netbasics::cli::program;
use netbasics::net::socket;
use netbasics::net::socket_error::explain;
use netbasics::system::files::{length_to_send, name_to_send, open_to_send};
use netbasics::values::port::Endpoint;
use sha2::{Digest as _, Sha256};

/// What every file begins with.
const MAGIC: [u8; 4] = *b"FILE";
/// Longest answer that a server may give, in bytes, its line feed included.
const MAX_ANSWER_BYTES: u64 = 1024;
const BUFFER_BYTES: usize = 65_536;

/// Sends a file with a header over TCP
#[derive(Parser)]
struct Cli {
    /// Whom to connect to
    #[arg(long, global = true, value_name = "HOST:PORT", default_value = "127.0.0.1:8888")]
    addr: Endpoint,
    #[command(subcommand)]
    role: Role,
}

#[derive(clap::Subcommand)]
enum Role {
    /// Send one file and wait until it is known to be stored
    Client {
        /// The file to send
        file: PathBuf,
        /// How long the server may be silent, or take nothing of what it is sent
        #[arg(long, value_name = "MILLISECONDS", default_value = "10000")]
        #[arg(value_parser = clap::value_parser!(u64).range(1..=86_400_000))]
        timeout: u64,
    },
}

fn main() -> ExitCode {
    let Cli { addr, role: Role::Client { file, timeout } } = Cli::parse();
    program::end(run(&addr, &file, Duration::from_millis(timeout)))
}

/// Open the file, connect, send, and hear what became of it.
fn run(addr: &Endpoint, path: &Path, timeout: Duration) -> Result<()> {
    let (file, length) = open_to_send(path)?;
    let length = length_to_send(path, length)?;
    let name = name_to_send(path, None)?;
    let stream = socket::connect_tcp(addr, timeout)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    let stored_as = upload(&stream, &name, length, file)?;
    println!("stored {length} bytes as {stored_as:?}");
    Ok(())
}

/// Sends the file and learns what became of it; returns the name under which it is stored.
fn upload(stream: &TcpStream, name: &str, length: u64, file: File) -> Result<String> {
    // exercise: begin "send, half-close, read the answer: a refusal, our own failure, or a receipt"
    let sent = send(stream, name, length, file);
    // Also if we had to give up: the server must not wait for bytes that nobody has.
    let _ = stream.shutdown(Shutdown::Write);
    // And also then there may be an answer: a server that refuses a file does not read all of it.
    let answer = receive_answer(stream);
    if let Some(reason) = answer.as_deref().ok().and_then(|line| line.strip_prefix("refused: ")) {
        // In quotes, so that a stranger's control characters do nothing to the terminal.
        let refused = format!("the server refused the file: {reason:?}");
        sent.context(refused.clone())?;
        bail!(refused);
    }
    let (digest, answer) = (sent?, answer?);
    let name = answer.strip_prefix(&format!("stored {length} {} ", hex(&digest)));
    let name = name.with_context(|| format!("the server did not store what was sent: {answer:?}"));
    Ok(name?.to_owned())
    // exercise: end
}

/// Sends the header, the content and the digest; returns the digest.
fn send(stream: &TcpStream, name: &str, length: u64, file: File) -> Result<[u8; 32]> {
    // exercise: begin "send the header, then the content piece by piece, then its digest"
    // However little the system takes at once, `write_all` goes on until it has taken all of it.
    let put = |bytes: &[u8]| {
        let written = { stream }.write_all(bytes);
        written.map_err(|error| anyhow!("cannot send the file: {}", explain(&error)))
    };
    let name_length = u16::try_from(name.len())?.to_be_bytes();
    put(&[&MAGIC, &name_length[..], &length.to_be_bytes(), name.as_bytes()].concat())?;
    let mut hash = Sha256::new();
    // No more than announced: the file may become longer while we send it.
    let mut content = BufReader::with_capacity(BUFFER_BYTES, file.take(length));
    while let piece @ [_, ..] = content.fill_buf().context("cannot read the file")? {
        put(piece)?;
        hash.update(piece);
        let count = piece.len();
        content.consume(count);
    }
    ensure!(content.get_ref().limit() == 0, "the file became shorter while it was sent");
    let digest: [u8; 32] = hash.finalize().into();
    put(&digest)?;
    Ok(digest)
    // exercise: end
}

/// Receives the server's line, without its line feed.
fn receive_answer(stream: &TcpStream) -> Result<String> {
    // exercise: begin "read one line of bounded length; without a line feed it is none"
    let mut line = Vec::new();
    let mut limited = BufReader::new(stream.take(MAX_ANSWER_BYTES));
    let read = limited.read_until(b'\n', &mut line);
    read.map_err(|error| anyhow!("no answer from the server: {}", explain(&error)))?;
    let line = line.strip_suffix(b"\n").context("the server gave no whole line as an answer")?;
    Ok(String::from_utf8_lossy(line).into_owned())
    // exercise: end
}

/// As in `2cf24dba…`.
fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}
