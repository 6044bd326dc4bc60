//! Exercise `fetch`: an HTTP/1.1 client that prints what it is given, and knows where it ends.
//!
//! ```text
//! HTTP/1.1 200 OK              status line: version, status, words
//! Transfer-Encoding: chunked   field lines: they say how long the body is
//!                              an empty line ends the head
//! 5;from=here                  a chunk's length in hexadecimal, and extensions
//! hello                        that many bytes, and a line end
//! 0                            the last chunk
//! X-Trailer: y                 trailer fields
//!                              an empty line ends the answer
//! ```
//!
//! Try it: `cargo run -p solution-08 --bin serve-solution -- server --dir .`, and in another
//! terminal `cargo run -p exercise-08 --bin fetch -- client /Cargo.toml`. Grade it:
//! `cargo xtask grade 08/fetch`.

#[path = "../fields.rs"]
mod fields;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::Parser;
use netbasics::cli::{log, program};
use netbasics::net::socket;
use netbasics::net::socket_error::{explain, is_timeout};
use netbasics::values::port::Endpoint;

use fields::Fields;

/// The longest head, the longest trailer, and the longest line with a chunk's length, in bytes,
/// their line ends included.
const MAX_HEAD_BYTES: u64 = 16_384;

/// Fetches pages over HTTP and prints their bodies
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
    /// Fetch one path after the other
    Client {
        /// The paths to ask for, each with its query
        #[arg(required = true, value_name = "PATH", value_parser = visible_path)]
        paths: Vec<String>,
        /// What to say as Host; without it, what stands behind --addr
        #[arg(long, value_name = "NAME", value_parser = visible)]
        host: Option<String>,
        /// How long the server may be silent
        #[arg(long, value_name = "MILLISECONDS", default_value = "10000")]
        #[arg(value_parser = clap::value_parser!(u64).range(1..=86_400_000))]
        timeout: u64,
    },
}

/// A line end in an argument would become one in the request, and what follows a field, or a
/// request, of its own.
fn visible(text: &str) -> Result<String, String> {
    let is_visible = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_visible.then(|| text.to_owned()).ok_or("only visible ASCII characters can be sent".into())
}

fn visible_path(text: &str) -> Result<String, String> {
    let path = visible(text)?;
    path.starts_with('/').then_some(path).ok_or("a path begins with a slash".into())
}

/// What an answer says before its body.
struct Head {
    status: u16,
    /// Whether the server will close the connection after this answer.
    is_last: bool,
    body: Body,
}

/// Where a body ends.
enum Body {
    /// Before it begins.
    None,
    /// After this many bytes.
    Length(u64),
    Chunked,
    /// With the connection.
    ToTheEnd,
}

/// A connection, and what has been read ahead from it.
type Incoming = BufReader<TcpStream>;

/// Fetches from one server.
struct Client {
    addr: Endpoint,
    host: String,
    timeout: Duration,
    /// The connection that the last answer came over, if it can carry another one.
    idle: Option<Incoming>,
}

fn main() -> ExitCode {
    let Cli { addr, role: Role::Client { paths, host, timeout } } = Cli::parse();
    let host = host.unwrap_or_else(|| addr.to_string());
    let client = Client { addr, host, timeout: Duration::from_millis(timeout), idle: None };
    match run(client, &paths) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => program::exit_code(error.as_ref()),
    }
}

/// Fetches each path; whether all of them could be had.
fn run(mut client: Client, paths: &[String]) -> Result<bool> {
    let mut is_all_good = true;
    for path in paths {
        let status = client.fetch(path).with_context(|| format!("cannot fetch {path}"))?;
        if status >= 400 {
            eprintln!("{path}: the server has answered with status {status}");
            is_all_good = false;
        }
    }
    Ok(is_all_good)
}

impl Client {
    /// Fetches one path and prints its body, unless the status is an error's; returns the status.
    fn fetch(&mut self, path: &str) -> Result<u16> {
        todo!("ask, read the head and the body, and keep the connection if you may")
    }

    /// Sends the request and waits for the first byte of an answer. If the connection is not new
    /// and turns out to be closed, the request is sent once more over a new one.
    fn ask(&mut self, path: &str) -> Result<Incoming> {
        todo!("the idle connection first, if there is one; a new one only once")
    }
}

/// Sends a request. `None`: the connection has ended before the first byte of an answer.
fn answered(mut incoming: Incoming, request: &str) -> Result<Option<Incoming>> {
    todo!("send, and look whether an answer begins, the connection ends, or nothing comes")
}

/// Reads one line, without its end; at most `left` bytes, which become fewer by those that came.
fn read_line(incoming: &mut impl BufRead, left: &mut u64) -> Result<String> {
    todo!("up to a line feed and no more than `left`; without CR LF it is no line")
}

/// Reads lines up to the empty one, which is not among them: those of a head, or of a trailer.
fn read_section(incoming: &mut impl BufRead) -> Result<Vec<String>> {
    let mut left = MAX_HEAD_BYTES;
    let mut lines = Vec::new();
    loop {
        let line = read_line(incoming, &mut left)?;
        if line.is_empty() {
            return Ok(lines);
        }
        lines.push(line);
    }
}

/// Reads the head of an answer.
fn read_head(incoming: &mut impl BufRead) -> Result<Head> {
    todo!("the version and three digits from the first line, then the fields")
}

/// Where the body of an answer to GET ends: RFC 9112, section 6.3.
fn body_of(status: u16, fields: &Fields) -> Result<Body> {
    todo!("some statuses have no body; else one good Content-Length, or chunked, or none")
}

/// Reads a body and writes it to `out`, piece by piece.
fn pass_on(incoming: &mut impl BufRead, body: &Body, out: &mut impl Write) -> Result<()> {
    todo!("as the body says; chunks one after the other, and then the trailer")
}

/// The length at the beginning of a chunk's first line, in hexadecimal; extensions do not count, nor
/// the blanks before them.
fn chunk_length(line: &str) -> Result<u64> {
    todo!("what stands before the first semicolon, digits only")
}

/// Writes exactly `length` bytes to `out`, however many that are.
fn copy(incoming: &mut impl BufRead, length: u64, out: &mut impl Write) -> Result<()> {
    todo!("copy no more than `length`, and fail if it was less")
}
