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
    todo!("read a head, skip its body, answer, go on; close so that the answer arrives")
}

/// Receives the next head, its empty line included, or as much of it as shows that it is none.
/// `None`: the client has no further request, or has ended in the middle of a head.
fn read_head(incoming: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    todo!("line by line up to the empty one, and never more than MAX_HEAD_BYTES")
}

/// Makes a request of a head, or the status that refuses it.
fn parse(head: &[u8]) -> Result<Request, Status> {
    todo!("cut it into lines, the first one into three words, the others at a colon")
}

/// How long the request's body is, in bytes, or why nobody can tell (RFC 9112, section 6.3).
fn body_length(fields: &Fields) -> Result<u64, Status> {
    todo!("one good Content-Length, or none; a Transfer-Encoding is refused")
}

/// The whole answer to a request whose head is as it should be.
fn answer(request: &Request, dir: &Path) -> Vec<u8> {
    todo!("405 with Allow, or the file, or 404; HEAD leaves out the body, nothing else")
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
    todo!("cut the path at its slashes, decode each segment, and only then look at it")
}

/// The bytes that a percent-encoded text stands for (RFC 3986, section 2.1); `None` if a `%` has no
/// two hexadecimal digits behind it.
fn decode(text: &str) -> Option<Vec<u8>> {
    todo!("a % and two hexadecimal digits are one byte, everything else is itself")
}
