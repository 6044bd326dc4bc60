//! Exercise `lines`: a server that answers every line with its number and the line backwards.
//!
//! TCP carries a stream of bytes; here a line is a message, and its end marks the message's end.
//! A line may come in many pieces, and one piece may hold many lines. Each is answered as soon as
//! its end has come: `1: olleh` for the first line if that is `hello`.
//!
//! Try it: `cargo run -p exercise-02 --bin lines -- server`, and in another terminal
//! `printf 'hello\ntwo' | nc -N 127.0.0.1 8888`. Grade it: `cargo xtask grade 02/lines`.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;

use clap::Parser;
use netbasics::cli::{log, program, ready};
use netbasics::net::socket;
use netbasics::net::socket_error::explain;
use netbasics::values::port::Endpoint;

/// The longest line that is answered, in bytes, its end not counted.
const MAX_LINE_BYTES: usize = 1000;
/// That, and the longest end of a line: a carriage return and a newline.
const MAX_KEPT_BYTES: u64 = 1002;

/// Answers each line with its number and the line backwards
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
    /// Answer one client after another, until Ctrl-C
    Server,
}

/// What a client has said in one line, without the line's end.
enum Line {
    Whole(Vec<u8>),
    /// More than [`MAX_LINE_BYTES`]. What it said has not been kept.
    TooLong,
}

fn main() -> ExitCode {
    let Cli { addr, role: Role::Server } = Cli::parse();
    program::end(run(&addr))
}

/// Bind, announce, serve.
fn run(addr: &Endpoint) -> anyhow::Result<()> {
    let listener = socket::listen_tcp(addr)?;
    ready::announce(listener.local_addr()?)?;
    serve(&listener);
    Ok(())
}

/// Serves one client after another. What goes wrong with one of them ends only that one.
fn serve(listener: &TcpListener) {
    for connection in listener.incoming() {
        match connection.and_then(|stream| converse(&stream)) {
            Ok(()) => log!("a client is done"),
            Err(error) => log!("a client is gone: {}", explain(&error)),
        }
    }
}

/// Answers every line of one client, in order, until the client has half-closed.
fn converse(mut stream: &TcpStream) -> io::Result<()> {
    // An answer is sent at once, even if the client has not acknowledged the last one.
    stream.set_nodelay(true)?;
    // exercise: begin "answer each line as soon as it is complete; the first one is number 1"
    // One buffer for the whole connection: it may hold the beginning of the next lines already.
    let mut incoming = BufReader::new(stream);
    let mut number = 0;
    while let Some(line) = next_line(&mut incoming)? {
        number += 1;
        stream.write_all(&answer(number, line))?;
    }
    Ok(())
    // exercise: end
}

/// Receives the next line. `None`: the client has half-closed, and every line is out.
fn next_line(incoming: &mut impl BufRead) -> io::Result<Option<Line>> {
    // exercise: begin "receive up to a newline or the end of the stream; keep no more than needed"
    let mut line = Vec::new();
    // Reads as often as it takes to have a whole line. The limit is there because a client that
    // never ends its line must not fill our memory.
    incoming.by_ref().take(MAX_KEPT_BYTES).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.pop_if(|last| *last == b'\n').is_some() {
        line.pop_if(|last| *last == b'\r');
    } else {
        // Too long, or the end of the stream. What is left of the line is passed over.
        incoming.skip_until(b'\n')?;
    }
    let is_too_long = line.len() > MAX_LINE_BYTES;
    Ok(Some(if is_too_long { Line::TooLong } else { Line::Whole(line) }))
    // exercise: end
}

/// `N: ` and the bytes of the line in reverse order, or `N! too long`; and a newline.
fn answer(number: u64, line: Line) -> Vec<u8> {
    // exercise: begin "make the answer to line number `number`"
    let mut answer = number.to_string().into_bytes();
    match line {
        Line::TooLong => answer.extend(b"! too long"),
        Line::Whole(line) => {
            answer.extend(b": ");
            // Bytes, not characters: a line need not be text.
            answer.extend(line.iter().rev());
        }
    }
    answer.push(b'\n');
    answer
    // exercise: end
}
