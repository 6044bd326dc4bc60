//! Exercise `framed`: a server that takes any number of files over one connection.
//!
//! ```text
//! client → server, for each file       bytes
//!   magic   46 49 4c 45 ("FILE")           4
//!   n       length of the name             2   unsigned, big-endian, 1 to 249
//!   m       length of the content          8   unsigned, big-endian, at most 67,108,864
//!   name    UTF-8                          n
//!   content                                m
//!   digest  SHA-256 of the content        32
//! server → client, for each file: `stored m DIGEST NAME`, or `refused: REASON` and the end
//! ```
//!
//! Try it: `cargo run -p exercise-03 --bin framed -- server --dir .`, and in another terminal
//! `cargo run -p solution-03 --bin send-solution -- client FILE`. Grade it:
//! `cargo xtask grade 03/framed`.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use clap::Parser;
use netbasics::cli::{log, program, ready};
use netbasics::net::socket;
use netbasics::system::inbox::{FileName, Inbox};
use netbasics::values::port::Endpoint;
use sha2::{Digest as _, Sha256};

/// What every file begins with.
const MAGIC: [u8; 4] = *b"FILE";
const MAX_NAME_BYTES: u16 = 249;
const MAX_CONTENT_BYTES: u64 = 64 * 1024 * 1024;

/// Takes files with a header over TCP
#[derive(Parser)]
struct Cli {
    /// Where to listen; port 0: any free one
    #[arg(long, global = true, value_name = "HOST:PORT", default_value = "127.0.0.1:8888")]
    addr: Endpoint,
    #[command(subcommand)]
    role: Role,
}

#[derive(clap::Subcommand)]
enum Role {
    /// Receive files, many at a time, until Ctrl-C
    Server {
        /// The folder that the files appear in; create it first
        #[arg(long)]
        dir: PathBuf,
    },
}

/// What stands before a file's content.
struct Header {
    name: FileName,
    /// Of the content, in bytes.
    length: u64,
}

/// Why a file is not stored, as the client is told.
type Reason = &'static str;

fn main() -> ExitCode {
    let Cli { addr, role: Role::Server { dir } } = Cli::parse();
    program::end(run(&addr, &dir))
}

/// Open the folder, bind, announce, serve.
fn run(addr: &Endpoint, dir: &Path) -> anyhow::Result<()> {
    let inbox = Inbox::open_argument(dir)?;
    inbox.end_on_ctrl_c()?;
    let listener = socket::listen_tcp(addr)?;
    ready::announce(listener.local_addr()?)?;
    serve(&listener, &inbox);
    Ok(())
}

/// Serves many clients at once, each on a thread of its own.
fn serve(listener: &TcpListener, inbox: &Inbox) {
    thread::scope(|clients| {
        for connection in listener.incoming() {
            clients.spawn(move || {
                if let Err(error) = connection.and_then(|stream| attend(stream, inbox)) {
                    log!("a connection has failed: {}", program::plain(&error));
                }
            });
        }
    });
}

/// Receives file after file, and answers each with one line.
fn attend(stream: TcpStream, inbox: &Inbox) -> io::Result<()> {
    let mut from = BufReader::new(&stream);
    // exercise: begin "answer each file; after a refusal, close in such a way that it arrives"
    let reason = loop {
        match receive(&mut from, inbox) {
            Ok(Some(answer)) => (&stream).write_all(answer.as_bytes())?,
            Ok(None) => return Ok(()),
            Err(reason) => break reason,
        }
    };
    (&stream).write_all(format!("refused: {reason}\n").as_bytes())?;
    // The client may still be sending, and a reset must not overtake what we have just said.
    socket::lingering_close(stream);
    Ok(())
    // exercise: end
}

/// Receives one file and stores it; returns the answer, or `None` if there is no further file.
fn receive(from: &mut impl BufRead, inbox: &Inbox) -> Result<Option<String>, Reason> {
    let Some(Header { name, length }) = read_header(from)? else { return Ok(None) };
    // exercise: begin "copy the content piece by piece, compare the digests, and only then publish"
    // An upload that is dropped before it is published leaves nothing: each `?` cleans up.
    let mut upload = inbox.begin().map_err(|_| "cannot be stored")?;
    let mut hash = Sha256::new();
    let mut content = from.take(length);
    while let piece @ [_, ..] = content.fill_buf().map_err(|_| "cut off")? {
        upload.write_all(piece).map_err(|_| "cannot be stored")?;
        hash.update(piece);
        let count = piece.len();
        content.consume(count);
    }
    let digest: [u8; 32] = hash.finalize().into();
    // Where the content was cut off there is no digest either, so this finds it out.
    if read_array(from)? != digest {
        return Err("wrong digest");
    }
    let name = upload.publish(&name).map_err(|_| "cannot be stored")?;
    Ok(Some(format!("stored {length} {} {name}\n", hex(&digest))))
    // exercise: end
}

/// Reads a header, or `None` if the stream ends where one would begin.
fn read_header(from: &mut impl BufRead) -> Result<Option<Header>, Reason> {
    // exercise: begin "read the header field by field, and refuse what cannot be right"
    if from.fill_buf().map_err(|_| "cut off")?.is_empty() {
        return Ok(None);
    }
    if read_array(from)? != MAGIC {
        return Err("not a file");
    }
    let name_length = u16::from_be_bytes(read_array(from)?);
    let length = u64::from_be_bytes(read_array(from)?);
    // Before anything is waited for that may never come.
    if name_length > MAX_NAME_BYTES {
        return Err("bad name");
    }
    if length > MAX_CONTENT_BYTES {
        return Err("too long");
    }
    let mut name = vec![0; name_length.into()];
    from.read_exact(&mut name).map_err(|_| "cut off")?;
    let name = String::from_utf8(name).ok().and_then(|name| name.parse().ok());
    Ok(Some(Header { name: name.ok_or("bad name")?, length }))
    // exercise: end
}

/// Reads exactly `N` bytes.
fn read_array<const N: usize>(from: &mut impl Read) -> Result<[u8; N], Reason> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes).map_err(|_| "cut off")?;
    Ok(bytes)
}

/// As in `2cf24dba…`.
fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}
