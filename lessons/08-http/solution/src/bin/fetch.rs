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
        // exercise: begin "ask, read the head and the body, and keep the connection if you may"
        let mut incoming = self.ask(path)?;
        let mut head = read_head(&mut incoming)?;
        // 100 Continue, 103 Early Hints: the answer itself is still to come.
        while head.status < 200 {
            head = read_head(&mut incoming)?;
        }
        if head.status < 400 {
            // To a file as it came; on a terminal, a stranger's control characters are escaped.
            let mut output = log::raw_output();
            pass_on(&mut incoming, &head.body, &mut output)?;
            output.flush()?;
        } else {
            // Unread, the body would be taken for the next answer.
            pass_on(&mut incoming, &head.body, &mut io::sink())?;
        }
        self.idle = (!head.is_last).then_some(incoming);
        Ok(head.status)
        // exercise: end
    }

    /// Sends the request and waits for the first byte of an answer. If the connection is not new
    /// and turns out to be closed, the request is sent once more over a new one.
    fn ask(&mut self, path: &str) -> Result<Incoming> {
        // exercise: begin "the idle connection first, if there is one; a new one only once"
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nAccept: */*\r\n\r\n", self.host);
        if let Some(incoming) = self.idle.take()
            && let Some(answered) = answered(incoming, &request)?
        {
            return Ok(answered);
        }
        // RFC 9112, section 9.3.1: a GET may be repeated, as it changes nothing.
        let stream = socket::connect_tcp(&self.addr, self.timeout)?;
        stream.set_read_timeout(Some(self.timeout))?;
        stream.set_write_timeout(Some(self.timeout))?;
        let answered = answered(BufReader::new(stream), &request)?;
        answered.context("the server has closed the connection without an answer")
        // exercise: end
    }
}

/// Sends a request. `None`: the connection has ended before the first byte of an answer.
fn answered(mut incoming: Incoming, request: &str) -> Result<Option<Incoming>> {
    // exercise: begin "send, and look whether an answer begins, the connection ends, or nothing comes"
    // If this fails, the connection has ended, and so reading will tell.
    let _ = incoming.get_mut().write_all(request.as_bytes());
    let is_over = loop {
        match incoming.fill_buf() {
            // EINTR: a signal came first (Ctrl-Z, and then `fg`). Ask again.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            came => break came.map(<[u8]>::is_empty),
        }
    };
    match is_over {
        Ok(false) => Ok(Some(incoming)),
        Err(error) if is_timeout(&error) => bail!("no answer: {}", explain(&error)),
        Ok(true) | Err(_) => Ok(None),
    }
    // exercise: end
}

/// Reads one line, without its end; at most `left` bytes, which become fewer by those that came.
fn read_line(incoming: &mut impl BufRead, left: &mut u64) -> Result<String> {
    // exercise: begin "up to a line feed and no more than `left`; without CR LF it is no line"
    let mut line = Vec::new();
    let read = incoming.take(*left).read_until(b'\n', &mut line);
    *left -= read.map_err(|error| anyhow!("the answer breaks off: {}", explain(&error)))? as u64;
    let line = line.strip_suffix(b"\r\n").context("a line of the answer is cut off or too long")?;
    Ok(String::from_utf8_lossy(line).into_owned())
    // exercise: end
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
    // exercise: begin "the version and three digits from the first line, then the fields"
    let lines = read_section(incoming)?;
    let (first, rest) = lines.split_first().context("an answer begins with an empty line")?;
    let bad = || format!("{first:?} is not the beginning of an answer");
    let (version, rest_of_first) = first.split_once(' ').with_context(bad)?;
    let digits = rest_of_first.split(' ').next().unwrap_or_default();
    let status: u16 = digits.parse().with_context(bad)?;
    ensure!(digits.len() == 3 && matches!(status, 100..=599), bad());
    ensure!(matches!(version, "HTTP/1.1" | "HTTP/1.0"), bad());
    let fields = Fields::parse(rest.iter().map(String::as_str));
    let fields = fields.context("a field line of the answer is none")?;
    let body = body_of(status, &fields)?;
    // Where the end of the connection ends the body, nothing comes after it.
    let is_last = version == "HTTP/1.0" || fields.says_close() || matches!(body, Body::ToTheEnd);
    Ok(Head { status, is_last, body })
    // exercise: end
}

/// Where the body of an answer to GET ends: RFC 9112, section 6.3.
fn body_of(status: u16, fields: &Fields) -> Result<Body> {
    // exercise: begin "some statuses have no body; else one good Content-Length, or chunked, or none"
    if matches!(status, 100..=199 | 204 | 304) {
        return Ok(Body::None);
    }
    match (&fields.values("content-length")[..], &fields.values("transfer-encoding")[..]) {
        ([], []) => Ok(Body::ToTheEnd),
        // `parse` alone would take a sign, too.
        ([length], []) if length.bytes().all(|byte| byte.is_ascii_digit()) => {
            Ok(Body::Length(length.parse().context("the Content-Length is no length")?))
        }
        ([], [coding]) if coding.eq_ignore_ascii_case("chunked") => Ok(Body::Chunked),
        (lengths, codings) => bail!("nobody can tell how long this is: {lengths:?} {codings:?}"),
    }
    // exercise: end
}

/// Reads a body and writes it to `out`, piece by piece.
fn pass_on(incoming: &mut impl BufRead, body: &Body, out: &mut impl Write) -> Result<()> {
    // exercise: begin "as the body says; chunks one after the other, and then the trailer"
    match body {
        Body::None => Ok(()),
        Body::Length(length) => copy(incoming, *length, out),
        Body::ToTheEnd => {
            let copied = io::copy(incoming, out);
            copied.map_err(|error| anyhow!("the body breaks off: {}", explain(&error)))?;
            Ok(())
        }
        Body::Chunked => loop {
            let length = chunk_length(&read_line(incoming, &mut { MAX_HEAD_BYTES })?)?;
            if length == 0 {
                read_section(incoming)?;
                return Ok(());
            }
            copy(incoming, length, out)?;
            let end = read_line(incoming, &mut 2).context("a chunk is longer than it says")?;
            ensure!(end.is_empty(), "a chunk is longer than it says");
        },
    }
    // exercise: end
}

/// The length at the beginning of a chunk's first line, in hexadecimal; extensions do not count, nor
/// the blanks before them.
fn chunk_length(line: &str) -> Result<u64> {
    // exercise: begin "what stands before the first semicolon, digits only"
    let digits = line.split_once(';').map_or(line, |(size, _)| size.trim_end_matches([' ', '\t']));
    let is_number = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let length = u64::from_str_radix(digits, 16).ok().filter(|_| is_number);
    length.with_context(|| format!("{line:?} is not the length of a chunk"))
    // exercise: end
}

/// Writes exactly `length` bytes to `out`, however many that are.
fn copy(incoming: &mut impl BufRead, length: u64, out: &mut impl Write) -> Result<()> {
    // exercise: begin "copy no more than `length`, and fail if it was less"
    let copied = io::copy(&mut incoming.take(length), out);
    let copied = copied.map_err(|error| anyhow!("the body breaks off: {}", explain(&error)))?;
    ensure!(copied == length, "the body ends {} bytes too early", length - copied);
    Ok(())
    // exercise: end
}
