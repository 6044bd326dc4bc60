//! Exercise `serve`: an HTTP/1.1 server that hands out the files of a folder.
//!
//! ```text
//! GET /a.txt HTTP/1.1        request line: method, target, version
//! Host: localhost:8888       field lines, one of them the Host
//!                            an empty line ends the head, and here the request
//! ```
//!
//! One connection carries any number of requests, in whatever pieces. Where a request ends follows
//! from its head; a server that is wrong about that takes a stranger's body for a request.
//!
//! Try it: `cargo run -p exercise-08 --bin serve -- server --dir .`, and in another terminal
//! `curl -v http://127.0.0.1:8888/Cargo.toml`. Grade it: `cargo xtask grade 08/serve`.

#[path = "../fields.rs"]
mod fields;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, thread};

use clap::Parser;
use netbasics::cli::program::{self, Usage};
use netbasics::cli::{log, ready};
use netbasics::net::socket;
use netbasics::net::socket_error::explain;
use netbasics::system::files::{explain_folder, open_file};
use netbasics::values::port::Endpoint;

use fields::{Fields, is_token};

/// The longest head, in bytes, its empty line included.
const MAX_HEAD_BYTES: usize = 8192;

/// Hands out the files of a folder over HTTP
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
    /// Answer many clients at a time, until Ctrl-C
    Server {
        /// The folder whose files are handed out; create it first
        #[arg(long)]
        dir: PathBuf,
    },
}

/// A request whose head is as it should be.
struct Request {
    method: String,
    /// The target's path, still percent-encoded, without the query.
    path: String,
    /// Of the body, in bytes.
    length: u64,
    /// Whether the client wants the connection closed after the answer.
    is_last: bool,
}

/// A status with its reason phrase, as in `404 Not Found`.
type Status = &'static str;
const BAD_REQUEST: Status = "400 Bad Request";
const TOO_LARGE: Status = "431 Request Header Fields Too Large";

fn main() -> ExitCode {
    let Cli { addr, role: Role::Server { dir } } = Cli::parse();
    program::end(run(&addr, &dir))
}

/// Look at the folder, bind, announce, serve.
fn run(addr: &Endpoint, dir: &Path) -> anyhow::Result<()> {
    if let Err(error) = fs::read_dir(dir) {
        let reason = explain_folder(dir, &error);
        return Err(Usage(format!("cannot serve --dir {}: {reason}", dir.display())).into());
    }
    let listener = socket::listen_tcp(addr)?;
    ready::announce(listener.local_addr()?)?;
    serve(&listener, dir);
    Ok(())
}

/// Serves many clients at once, each on a thread of its own.
fn serve(listener: &TcpListener, dir: &Path) {
    thread::scope(|clients| {
        for connection in listener.incoming() {
            clients.spawn(move || {
                if let Err(error) = connection.and_then(|stream| attend(stream, dir)) {
                    log!("a connection has failed: {}", explain(&error));
                }
            });
        }
    });
}

/// Answers the requests of one client, in order, until one of them is the last.
fn attend(stream: TcpStream, dir: &Path) -> io::Result<()> {
    stream.set_nodelay(true)?;
    // exercise: begin "read a head, skip its body, answer, go on; close so that the answer arrives"
    // One buffer for the whole connection: it may hold the beginning of the next requests already.
    let mut incoming = BufReader::new(&stream);
    loop {
        let Some(head) = read_head(&mut incoming)? else { return Ok(()) };
        let (answer, is_last) = match parse(&head) {
            Ok(request) => {
                // Unread, the body would be taken for the next request.
                io::copy(&mut incoming.by_ref().take(request.length), &mut io::sink())?;
                (answer(&request, dir), request.is_last)
            }
            // Where this request ends, and the next one begins, nobody knows.
            Err(status) => (answer_head(status, 0, "", true), true),
        };
        (&stream).write_all(&answer)?;
        if is_last {
            // RFC 9112, section 9.6: the client may still be sending, and a reset must not
            // overtake the answer.
            socket::lingering_close(stream);
            return Ok(());
        }
    }
    // exercise: end
}

/// Receives the next head, its empty line included, or as much of it as shows that it is none.
/// `None`: the client has no further request, or has ended in the middle of a head.
fn read_head(incoming: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    // exercise: begin "line by line up to the empty one, and never more than MAX_HEAD_BYTES"
    let mut head = Vec::new();
    let mut limited = incoming.take(MAX_HEAD_BYTES as u64);
    while limited.read_until(b'\n', &mut head)? > 0 {
        // A bare line feed is refused at once: after it, a proper end may never come.
        let is_bare = head.ends_with(b"\n") && !head.ends_with(b"\r\n");
        if is_bare || head.ends_with(b"\r\n\r\n") {
            return Ok(Some(head));
        }
    }
    // No more bytes: of those allowed, or of those that there are.
    Ok((head.len() == MAX_HEAD_BYTES).then_some(head))
    // exercise: end
}

/// Makes a request of a head, or the status that refuses it.
fn parse(head: &[u8]) -> Result<Request, Status> {
    // exercise: begin "cut it into lines, the first one into three words, the others at a colon"
    let Some(lines) = head.strip_suffix(b"\r\n\r\n") else {
        return Err(if head.len() == MAX_HEAD_BYTES { TOO_LARGE } else { BAD_REQUEST });
    };
    // What is not UTF-8 may stand in a value that nobody looks at.
    let lines = String::from_utf8_lossy(lines);
    let mut lines = lines.split("\r\n");
    let words: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let [method, target, "HTTP/1.1"] = words[..] else { return Err(BAD_REQUEST) };
    let path = target.split('?').next().unwrap_or_default();
    let is_visible = target.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_token(method) || !path.starts_with('/') || !is_visible || decode(path).is_none() {
        return Err(BAD_REQUEST);
    }
    let fields = Fields::parse(lines).ok_or(BAD_REQUEST)?;
    // RFC 9112, section 3.2: without a Host, or with two, nobody knows whose page is meant.
    let [_] = fields.values("host")[..] else { return Err(BAD_REQUEST) };
    Ok(Request {
        method: method.to_owned(),
        path: path.to_owned(),
        length: body_length(&fields)?,
        is_last: fields.says_close(),
    })
    // exercise: end
}

/// How long the request's body is, in bytes, or why nobody can tell (RFC 9112, section 6.3).
fn body_length(fields: &Fields) -> Result<u64, Status> {
    // exercise: begin "one good Content-Length, or none; a Transfer-Encoding is refused"
    match (&fields.values("content-length")[..], &fields.values("transfer-encoding")[..]) {
        ([], []) => Ok(0),
        ([], _) => Err("501 Not Implemented"),
        // `parse` alone would take a sign, too.
        ([length], []) if length.bytes().all(|byte| byte.is_ascii_digit()) => {
            length.parse().map_err(|_| BAD_REQUEST)
        }
        // Two servers in a row may each believe another one of these: request smuggling.
        _ => Err(BAD_REQUEST),
    }
    // exercise: end
}

/// The whole answer to a request whose head is as it should be.
fn answer(request: &Request, dir: &Path) -> Vec<u8> {
    // exercise: begin "405 with Allow, or the file, or 404; HEAD leaves out the body, nothing else"
    let is_head = request.method == "HEAD";
    let (status, more, body) = if !is_head && request.method != "GET" {
        ("405 Method Not Allowed", "Allow: GET, HEAD\r\n", None)
    } else {
        let content = find(dir, &request.path).and_then(|file| read(&file).ok());
        (if content.is_some() { "200 OK" } else { "404 Not Found" }, "", content)
    };
    let body = body.unwrap_or_else(|| format!("{status}\n").into_bytes());
    let mut message = answer_head(status, body.len(), more, request.is_last);
    if !is_head {
        message.extend(body);
    }
    message
    // exercise: end
}

/// The head of an answer, with its empty line; `more` are field lines, each with its end.
fn answer_head(status: Status, length: usize, more: &str, is_last: bool) -> Vec<u8> {
    let close = if is_last { "Connection: close\r\n" } else { "" };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{more}{close}\r\n");
    head.into_bytes()
}

/// Reads a file whole. A pipe or a device, on which a read could wait forever, is an error.
fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    open_file(file)?.read_to_end(&mut content)?;
    Ok(content)
}

/// The file that `path` names in `dir`; `None` if no file can be meant.
fn find(dir: &Path, path: &str) -> Option<PathBuf> {
    // exercise: begin "cut the path at its slashes, decode each segment, and only then look at it"
    let mut file = dir.to_owned();
    for segment in path.split('/').skip(1) {
        let segment = String::from_utf8(decode(segment)?).ok()?;
        // Decoded before it is looked at: `%2e%2e` is `..` as well, and `%2F` cuts nothing.
        if matches!(&*segment, "" | "." | "..") || segment.contains(['/', '\\', ':', '\0']) {
            return None;
        }
        file.push(segment);
    }
    Some(file)
    // exercise: end
}

/// The bytes that a percent-encoded text stands for (RFC 3986, section 2.1); `None` if a `%` has no
/// two hexadecimal digits behind it.
fn decode(text: &str) -> Option<Vec<u8>> {
    // exercise: begin "a % and two hexadecimal digits are one byte, everything else is itself"
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let is_encoded = byte == b'%';
        bytes.push(if is_encoded { u8::try_from(16 * digit()? + digit()?).ok()? } else { byte });
    }
    Some(bytes)
    // exercise: end
}
