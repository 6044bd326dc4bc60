//! Exercise `single`: two nodes that call each other at the same moment end up with one connection.
//!
//! ```text
//! H  id 8                       hello: the first frame of either side, on every connection
//! Q  number 4  length 2  text   a question
//! A  number 4  length 2  text   the answer to the question with this number: its text backwards
//! ```
//!
//! A letter is one byte; numbers are unsigned, big-endian. If two nodes are connected twice, the
//! connection stays that the node with the larger id has opened: both can work that out alone, and
//! come to the same result. Routers that speak BGP do it so (RFC 4271, section 6.8).
//!
//! Try it: `cargo run -p exercise-07 --bin single -- server --id 1`, in a second terminal
//! `… -- server --id 2 --addr 127.0.0.1:8889 --peer 127.0.0.1:8888`, and in a third one
//! `… -- client hello`. Grade it: `cargo xtask grade 07/single`.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Parser;
use netbasics::cli::{log, program, ready, serve};
use netbasics::net::socket;
use netbasics::net::socket_error::explain;
use netbasics::values::port::{self, Endpoint};

/// The longest text of a question, in bytes.
const MAX_TEXT_BYTES: usize = 1024;
/// How long a peer may take to be connected to, or to take an answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A node that keeps one connection with each other node
#[derive(Parser)]
struct Cli {
    /// Where to listen (server; port 0: any free one), or whom to ask (client)
    #[arg(long, global = true, value_name = "HOST:PORT", default_value = "127.0.0.1:8888")]
    addr: Endpoint,
    /// The id of this node; without it, a random one
    #[arg(long, global = true, value_name = "NUMBER")]
    id: Option<u64>,
    #[command(subcommand)]
    role: Role,
}

#[derive(clap::Subcommand)]
enum Role {
    /// Be a node, until Ctrl-C
    Server {
        /// A node to connect to, once; may be given several times
        #[arg(long, value_name = "HOST:PORT", value_parser = port::destination)]
        peer: Vec<Endpoint>,
    },
    /// Ask a node one question
    Client {
        /// What to ask
        text: String,
    },
}

fn main() -> ExitCode {
    let Cli { addr, id, role } = Cli::parse();
    // The keys of a hash map are different in each program, and nobody can guess them.
    let id = id.unwrap_or_else(|| RandomState::new().hash_one("id"));
    program::end(match role {
        Role::Server { peer } => run(&addr, id, peer),
        Role::Client { text } => ask(&addr, id, text.as_bytes()),
    })
}

/// Bind, announce, serve; and call the peers meanwhile, each from a thread of its own.
fn run(addr: &Endpoint, id: u64, peers: Vec<Endpoint>) -> anyhow::Result<()> {
    let listener = socket::listen_tcp(addr)?;
    ready::announce(listener.local_addr()?)?;
    let node = Arc::new(Node { id, peers: Mutex::default() });
    for peer in peers {
        let node = Arc::clone(&node);
        thread::Builder::new().spawn(move || match socket::connect_tcp(&peer, TIMEOUT) {
            Ok(stream) => node.talk(stream, Opener::Us),
            Err(error) => log!("{error}"),
        })?;
    }
    node.serve(&listener);
    Ok(())
}

/// Asks one question and prints the answer: the whole client.
fn ask(addr: &Endpoint, id: u64, text: &[u8]) -> anyhow::Result<()> {
    let mut stream = socket::connect_tcp(addr, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(&[hello(id), frame(b'Q', 1, text)].concat())?;
    let mut incoming = BufReader::new(&stream);
    let greeting = receive(&mut incoming)?.context("the node closed without a word")?;
    let Frame::Hello(_) = greeting else { bail!("the node did not say hello") };
    let answer = receive(&mut incoming)?.context("the node closed without an answer")?;
    let Frame::Answer { text, .. } = answer else { bail!("the node did not answer") };
    let text = String::from_utf8_lossy(&text);
    writeln!(log::raw_output(), "{text}").map_err(program::OutputError)?;
    Ok(())
}

/// What a node sends.
enum Frame {
    Hello(u64),
    Question { number: u32, text: Vec<u8> },
    Answer { text: Vec<u8> },
}

fn hello(id: u64) -> Vec<u8> {
    [b"H", &id.to_be_bytes()[..]].concat()
}

/// A question or an answer; what is longer than a text may be is cut.
fn frame(kind: u8, number: u32, text: &[u8]) -> Vec<u8> {
    let text = &text[..text.len().min(MAX_TEXT_BYTES)];
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    [&[kind], &number.to_be_bytes()[..], &length.to_be_bytes(), text].concat()
}

/// Receives one frame. `None`: the stream has ended, and not in the middle of a frame.
fn receive(stream: &mut impl Read) -> io::Result<Option<Frame>> {
    let mut kind = Vec::new();
    stream.by_ref().take(1).read_to_end(&mut kind)?;
    let Some(&kind) = kind.first() else { return Ok(None) };
    if kind == b'H' {
        return Ok(Some(Frame::Hello(u64::from_be_bytes(receive_array(stream)?))));
    }
    if kind != b'Q' && kind != b'A' {
        return Err(ErrorKind::InvalidData.into());
    }
    let number = u32::from_be_bytes(receive_array(stream)?);
    let length = usize::from(u16::from_be_bytes(receive_array(stream)?));
    if length > MAX_TEXT_BYTES {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut text = vec![0; length];
    stream.read_exact(&mut text)?;
    Ok(Some(if kind == b'Q' { Frame::Question { number, text } } else { Frame::Answer { text } }))
}

/// The next `N` bytes, in however many pieces they come.
fn receive_array<const N: usize>(stream: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Who has opened a connection, as the node sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opener {
    Us,
    Peer,
}

/// Whose connection survives, if two nodes have opened one each. The ids are never equal.
fn favoured(us: u64, peer: u64) -> Opener {
    todo!("the connection survives that the node with the larger id has opened")
}

/// One connection with a peer.
#[derive(Clone)]
struct Line {
    stream: Arc<TcpStream>,
    opener: Opener,
}

impl Line {
    /// Tells the peer that nothing more will be sent over this line. What the peer has sent before
    /// it knows that may still be on its way, so nothing else is closed here.
    fn end(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }
}

/// Another node, as long as we have a connection with it: the line that all answers go over.
/// Only the holder of the lock sends there.
#[derive(Default)]
struct Peer(Mutex<Option<Line>>);

impl Peer {
    fn line(&self) -> MutexGuard<'_, Option<Line>> {
        // What is in there is valid whatever has panicked while holding it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new line has said hello: it becomes the line, or is ended at once.
    fn admit(&self, new: &Line, favoured: Opener) {
        let mut line = self.line();
        todo!("keep the new line or the one there is, and end the other")
    }

    /// A line has ended, for whatever reason. If it was the one in use, there is none any more.
    fn forget(&self, gone: &Line) {
        todo!("only if this is the very line in use")
    }

    /// Sends an answer over the line in use, wherever the question came from.
    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        todo!("under the lock, so that the line in use does not change meanwhile")
    }
}

/// What all threads of the node share.
struct Node {
    id: u64,
    peers: Mutex<HashMap<u64, Arc<Peer>>>,
}

impl Node {
    /// Talks with everybody who connects.
    fn serve(self: &Arc<Self>, listener: &TcpListener) {
        for connection in listener.incoming() {
            let begun = connection.and_then(|stream| {
                let node = Arc::clone(self);
                thread::Builder::new().spawn(move || node.talk(stream, Opener::Peer))
            });
            if let Err(error) = begun {
                serve::pause_after(&error);
            }
        }
    }

    /// One connection from its first byte to its last. What goes wrong with it ends only it.
    fn talk(&self, stream: TcpStream, opener: Opener) {
        let line = Line { stream: Arc::new(stream), opener };
        match self.converse(&line) {
            Ok(()) => log!("a connection has ended"),
            Err(error) => log!("a connection has ended: {}", explain(&error)),
        }
    }

    /// The hellos, and then one question after another.
    fn converse(&self, line: &Line) -> io::Result<()> {
        line.stream.set_nodelay(true)?;
        line.stream.set_write_timeout(Some(TIMEOUT))?;
        todo!("say hello, hear hello, tell yourself from others, admit the line, answer")
    }

    /// The peer with this id; a new one, if we have no connection with it.
    fn peer(&self, id: u64) -> Arc<Peer> {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that no connection holds any more are gone.
        peers.retain(|_, peer| Arc::strong_count(peer) > 1);
        Arc::clone(peers.entry(id).or_default())
    }
}

/// Answers all questions that come in, until the stream ends.
fn answer_all(incoming: &mut impl Read, peer: &Peer) -> io::Result<()> {
    todo!("each question is answered over the line in use; anything else is an error")
}
