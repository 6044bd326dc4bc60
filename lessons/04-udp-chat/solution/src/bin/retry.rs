//! Exercise `retry`: a client that asks again when no answer comes, and knows its answer from all
//! that may come instead.
//!
//! ```text
//! byte 0       1        2        3        4
//!      +--------+--------+--------+--------+------------------
//!      |     id, unsigned, big-endian      |  text, any bytes
//!      +--------+--------+--------+--------+------------------
//! ```
//!
//! A question and its answer look alike, and have the same id.
//!
//! Try it: `cargo run -p lesson-04 -- server` gives every datagram back as it is, so it answers each
//! question with the question; and in another terminal
//! `cargo run -p exercise-04 --bin retry -- client one two`. Grade it: `cargo xtask grade 04/retry`.

use std::io::{self, ErrorKind, Write};
use std::net::UdpSocket;
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Parser;
use netbasics::cli::log;
use netbasics::cli::program::{self, OutputError};
use netbasics::net::socket;
use netbasics::net::socket_error::{SocketError, is_timeout, is_unreachable_peer};
use netbasics::values::port::Endpoint;

/// Larger than any datagram; what does not fit would be cut off (recvfrom(2)).
const BUFFER_BYTES: usize = 65_536;
/// Asks questions in datagrams
#[derive(Parser)]
struct Cli {
    /// Whom to ask
    #[arg(long, global = true, value_name = "HOST:PORT", default_value = "127.0.0.1:8888")]
    addr: Endpoint,
    #[command(subcommand)]
    role: Role,
}

#[derive(clap::Subcommand)]
enum Role {
    /// Ask each question until it is answered, and print the answers
    Client(Options),
}

#[derive(clap::Args)]
struct Options {
    /// How long to wait for an answer before the question is asked again
    #[arg(long, value_name = "MILLISECONDS", default_value = "1000")]
    timeout: NonZeroU32,
    /// How many times to ask a question at most
    #[arg(long, value_name = "N", default_value = "4")]
    tries: NonZeroU32,
    /// What to ask, one after another
    #[arg(required = true, value_name = "QUESTION")]
    questions: Vec<String>,
}

fn main() -> ExitCode {
    let Cli { addr, role: Role::Client(options) } = Cli::parse();
    program::end(run(&addr, &options))
}

/// Asks one question after another, and prints each answer as a line.
fn run(addr: &Endpoint, options: &Options) -> Result<()> {
    // At random, so that a late answer to an earlier run of this program has another id.
    let mut id = getrandom::u32().context("the system gave no random number")?;
    let mut found = None;
    for question in &options.questions {
        id = id.wrapping_add(1);
        let answer = match &found {
            Some(socket) => ask(socket, id, question.as_bytes(), options)
                .map_err(SocketError::on("talk to", addr))?,
            None => find_server(addr, id, question.as_bytes(), options)?.map(|(socket, answer)| {
                found = Some(socket);
                answer
            }),
        };
        match answer {
            Some(text) => print(&text).map_err(OutputError)?,
            None => bail!(
                "no answer from {addr} to \"{question}\" (tries: {}, {} ms each); perhaps nobody \
                 is there, perhaps it was lost: check --addr, or try more --tries",
                options.tries,
                options.timeout
            ),
        }
    }
    Ok(())
}

/// Asks the first question at each address that the server's name has, until there is an answer.
fn find_server(
    addr: &Endpoint,
    id: u32,
    text: &[u8],
    options: &Options,
) -> Result<Option<(UdpSocket, Vec<u8>)>> {
    let found = socket::try_each_address("talk to", addr, |address| {
        // Connected (connect(2)): the system only passes on what comes from that address and port.
        let socket = socket::connect_udp(address).map_err(|failed| failed.error)?;
        let answer = ask(&socket, id, text, options)?;
        answer.map(|answer| (socket, answer)).ok_or_else(|| ErrorKind::TimedOut.into())
    });
    match found {
        Err(SocketError { error, .. }) if is_timeout(&error) => Ok(None),
        found => Ok(Some(found?)),
    }
}

/// Asks one question, up to `options.tries` times; `None` if no answer has come by then. An error
/// is one that asking again would not mend.
fn ask(socket: &UdpSocket, id: u32, text: &[u8], options: &Options) -> io::Result<Option<Vec<u8>>> {
    // exercise: begin "send the question, wait for its answer, and send the same datagram again"
    let question = [&id.to_be_bytes(), text].concat();
    let timeout = Duration::from_millis(u64::from(options.timeout.get()));
    for _ in 0..options.tries.get() {
        if let Err(error) = socket.send(&question) {
            no_answer_yet(error)?;
        }
        if let Some(answer) = wait_for_answer(socket, id, Instant::now() + timeout)? {
            return Ok(Some(answer));
        }
    }
    Ok(None)
    // exercise: end
}

/// Waits for the answer to question `id`, but not longer than `until`, whatever comes meanwhile.
fn wait_for_answer(socket: &UdpSocket, id: u32, until: Instant) -> io::Result<Option<Vec<u8>>> {
    // exercise: begin "receive until the answer is there or the time is up; anything else is passed over"
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        // What is left of the try, and not the whole timeout for each datagram that comes.
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        socket.set_read_timeout(Some(left))?;
        match socket.recv(&mut buffer) {
            Ok(length) => {
                if let Some(text) = text_of_answer(&buffer[..length], id) {
                    return Ok(Some(text.to_vec()));
                }
            }
            Err(error) => no_answer_yet(error)?,
        }
    }
    // exercise: end
}

/// The text in `datagram` if that is the answer to question `id`.
fn text_of_answer(datagram: &[u8], id: u32) -> Option<&[u8]> {
    // exercise: begin "the first four bytes must be the id, and the rest is the text"
    let (first, text) = datagram.split_first_chunk()?;
    (u32::from_be_bytes(*first) == id).then_some(text)
    // exercise: end
}

/// `Ok` for an error that only says that nothing has come so far, or that the server's host has
/// answered an earlier try: nobody has the port (ICMP). At the next try, somebody may have it.
fn no_answer_yet(error: io::Error) -> io::Result<()> {
    let is_interrupted = error.kind() == ErrorKind::Interrupted;
    let is_no_news = is_timeout(&error) || is_unreachable_peer(&error) || is_interrupted;
    if is_no_news { Ok(()) } else { Err(error) }
}

/// Prints any bytes as a line, at once; to a terminal with control characters escaped.
fn print(text: &[u8]) -> io::Result<()> {
    let mut output = log::raw_output();
    output.write_all(&[text, b"\n"].concat())?;
    output.flush()
}
