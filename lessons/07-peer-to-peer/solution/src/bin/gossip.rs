//! Exercise `gossip`: a node that passes on what it hears, to everybody else and only once.
//!
//! ```text
//! H                                    I am here: from now on you are one of my neighbours
//! M  origin 8  number 4  length 2  text     a message; origin and number are its id
//! ```
//!
//! A letter is one byte; numbers are unsigned, big-endian. Every neighbour speaks like that, whether
//! it has called us or we have called it: there are no clients and no servers in this network.
//!
//! Try it: `cargo run -p exercise-07 --bin gossip -- server`, in a second terminal
//! `… -- server --addr 127.0.0.1:8889 --peer 127.0.0.1:8888`, and in a third one
//! `… -- client hello`: both nodes hear it. Grade it: `cargo xtask grade 07/gossip`.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::BuildHasher;
use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use clap::Parser;
use netbasics::cli::{log, program, ready, serve};
use netbasics::net::socket;
use netbasics::net::socket_error::explain;
use netbasics::values::port::{self, Endpoint};

/// The longest text of a message, in bytes.
const MAX_TEXT_BYTES: usize = 1024;
/// How many ids are remembered, the latest ones.
const REMEMBERED_IDS: usize = 1000;
/// How many messages may wait for a neighbour that does not take them.
const MAX_WAITING: usize = 1000;
/// How long a peer may take to be connected to.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A node that passes on what it hears
#[derive(Parser)]
struct Cli {
    /// Where to listen (server; port 0: any free one), or whom to tell (client)
    #[arg(long, global = true, value_name = "HOST:PORT", default_value = "127.0.0.1:8888")]
    addr: Endpoint,
    #[command(subcommand)]
    role: Role,
}

#[derive(clap::Subcommand)]
enum Role {
    /// Be a node of the network, until Ctrl-C
    Server {
        /// A node to connect to; may be given several times
        #[arg(long, value_name = "HOST:PORT", value_parser = port::destination)]
        peer: Vec<Endpoint>,
        /// How long to wait before a peer is called again
        #[arg(long, value_name = "MILLISECONDS", default_value = "1000")]
        retry: NonZeroU32,
    },
    /// Tell the network one thing
    Client {
        /// What to say
        text: String,
    },
}

fn main() -> ExitCode {
    let Cli { addr, role } = Cli::parse();
    program::end(match role {
        Role::Server { peer, retry } => run(&addr, peer, Duration::from_millis(retry.get().into())),
        Role::Client { text } => tell(&addr, text.as_bytes()),
    })
}

/// Bind, announce, serve; and call the peers meanwhile, each from a thread of its own.
fn run(addr: &Endpoint, peers: Vec<Endpoint>, retry: Duration) -> anyhow::Result<()> {
    let listener = socket::listen_tcp(addr)?;
    ready::announce(listener.local_addr()?)?;
    let node = Arc::new(Node::default());
    for peer in peers {
        let node = Arc::clone(&node);
        thread::Builder::new().spawn(move || node.call(&peer, retry))?;
    }
    node.serve(&listener);
    Ok(())
}

/// Sends one message with an id that nobody has used before: the whole client.
fn tell(addr: &Endpoint, text: &[u8]) -> anyhow::Result<()> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(
            program::Usage(format!("the text is longer than {MAX_TEXT_BYTES} bytes")).into()
        );
    }
    // The keys of a hash map are different in each program, and nobody can guess them.
    let origin = RandomState::new().hash_one(text).to_be_bytes();
    let length = u16::try_from(text.len())?.to_be_bytes();
    let mut stream = socket::connect_tcp(addr, CONNECT_TIMEOUT)?;
    stream.write_all(&[b"HM", &origin[..], &1_u32.to_be_bytes(), &length, text].concat())?;
    socket::lingering_close(stream);
    Ok(())
}

/// Origin and number: what makes a message this one, whichever way it comes.
type Id = [u8; 12];

/// What a neighbour sends.
enum Frame {
    Here,
    /// With all its bytes, as they are passed on.
    Message {
        id: Id,
        bytes: Arc<[u8]>,
    },
}

/// Receives one frame. `None`: the neighbour has ended its stream, and not in the middle of a frame.
fn receive(stream: &mut impl Read) -> io::Result<Option<Frame>> {
    // exercise: begin "receive the kind, then the id and the length, then the text; refuse nonsense"
    let mut kind = Vec::new();
    stream.by_ref().take(1).read_to_end(&mut kind)?;
    match kind.first() {
        None => return Ok(None),
        Some(b'H') => return Ok(Some(Frame::Here)),
        Some(b'M') => {}
        Some(_) => return Err(ErrorKind::InvalidData.into()),
    }
    // `read_exact` reads as often as it takes: a frame comes in any pieces.
    let (mut id, mut length) = ([0; 12], [0; 2]);
    stream.read_exact(&mut id)?;
    stream.read_exact(&mut length)?;
    let mut text = vec![0; u16::from_be_bytes(length).into()];
    if text.len() > MAX_TEXT_BYTES {
        return Err(ErrorKind::InvalidData.into());
    }
    stream.read_exact(&mut text)?;
    let bytes = [b"M", &id[..], &length, &text].concat().into();
    Ok(Some(Frame::Message { id, bytes }))
    // exercise: end
}

/// The ids of the latest messages.
#[derive(Default)]
struct Seen {
    /// To find one quickly.
    ids: HashSet<Id>,
    /// The same ids in the order in which they came, the oldest first.
    order: VecDeque<Id>,
}

impl Seen {
    /// Whether `id` is none of the latest ids; then it is the latest one now.
    fn is_new(&mut self, id: Id) -> bool {
        // exercise: begin "look the id up, remember it, and forget the one that is now too old"
        if !self.ids.insert(id) {
            return false;
        }
        self.order.push_back(id);
        if self.order.len() > REMEMBERED_IDS
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
        // exercise: end
    }
}

/// A connection, as those see it who have something for the node at its other end.
struct Neighbour {
    stream: Arc<TcpStream>,
    /// What is still to be sent to it. A thread of its own takes it from there.
    queue: SyncSender<Arc<[u8]>>,
}

#[derive(Default)]
struct State {
    seen: Seen,
    neighbours: HashMap<u64, Neighbour>,
    /// The number of the latest neighbour; no number is given twice.
    latest: u64,
}

/// What all threads of the node share.
#[derive(Default)]
struct Node(Mutex<State>);

impl Node {
    fn state(&self) -> MutexGuard<'_, State> {
        // What is in there is valid whatever has panicked while holding it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a neighbour of everybody who connects.
    fn serve(self: &Arc<Self>, listener: &TcpListener) {
        for connection in listener.incoming() {
            let begun = connection.and_then(|stream| {
                let (number, stream) = self.take_in(stream)?;
                let node = Arc::clone(self);
                thread::Builder::new().spawn(move || node.hear_out(number, &stream))
            });
            if let Err(error) = begun {
                serve::pause_after(&error);
            }
        }
    }

    /// Connects to a peer, hears it out, and begins again after a pause, forever.
    fn call(&self, peer: &Endpoint, retry: Duration) {
        // exercise: begin "connect, take the peer in, hear it out; after any end pause and call again"
        loop {
            match socket::connect_tcp(peer, CONNECT_TIMEOUT) {
                Ok(stream) => match self.take_in(stream) {
                    Ok((number, stream)) => self.hear_out(number, &stream),
                    Err(error) => log!("cannot use the connection to {peer}: {error}"),
                },
                Err(error) => log!("{error}"),
            }
            thread::sleep(retry);
        }
        // exercise: end
    }

    /// Makes a neighbour of a new connection, and tells it so; returns its number.
    fn take_in(&self, stream: TcpStream) -> io::Result<(u64, Arc<TcpStream>)> {
        stream.set_nodelay(true)?;
        // exercise: begin "a number, a bounded queue with H in it, a thread that sends from the queue"
        let stream = Arc::new(stream);
        let (queue, queued) = sync_channel(MAX_WAITING);
        // The first thing in the queue, and nothing is passed on before the lock is free again:
        // a client that has read it knows that all that is new from then on will come, too.
        let _ = queue.try_send(Arc::from(*b"H"));
        let mut state = self.state();
        thread::Builder::new().spawn({
            let stream = Arc::clone(&stream);
            move || send_all(&stream, &queued)
        })?;
        state.latest += 1;
        let number = state.latest;
        state.neighbours.insert(number, Neighbour { stream: Arc::clone(&stream), queue });
        Ok((number, stream))
        // exercise: end
    }

    /// Receives all that a neighbour sends, and then lets it go.
    fn hear_out(&self, number: u64, stream: &TcpStream) {
        // exercise: begin "pass on each message; at the end, whatever it was, the neighbour is gone"
        let mut incoming = BufReader::new(stream);
        let end = loop {
            match receive(&mut incoming) {
                Ok(Some(Frame::Here)) => {}
                Ok(Some(Frame::Message { id, bytes })) => self.pass_on(id, &bytes, number),
                Ok(None) => break "it has ended its stream".to_owned(),
                Err(error) => break explain(&error),
            }
        };
        // No `?` above, so that this line is reached whatever has happened.
        self.state().neighbours.remove(&number);
        let _ = stream.shutdown(Shutdown::Both);
        log!("neighbour {number} is gone: {end}");
        // exercise: end
    }

    /// Gives a new message to all neighbours but number `from`, from which it has come.
    fn pass_on(&self, id: Id, bytes: &Arc<[u8]>, from: u64) {
        // exercise: begin "if the id is new, queue the bytes for all others; close whose queue is full"
        let mut state = self.state();
        if !state.seen.is_new(id) {
            return;
        }
        log!("neighbour {from} says: {}", beginning_of(&bytes[15..]));
        state.neighbours.retain(|number, neighbour| {
            // `try_send` never waits: what one neighbour does not take is no other's affair.
            let is_kept = *number == from || neighbour.queue.try_send(Arc::clone(bytes)).is_ok();
            if !is_kept {
                // Wakes the two threads that are busy with this connection, so that they end.
                let _ = neighbour.stream.shutdown(Shutdown::Both);
            }
            is_kept
        });
        // exercise: end
    }
}

/// As much of a text as one line of a terminal shows.
fn beginning_of(text: &[u8]) -> String {
    String::from_utf8_lossy(text).chars().take(60).collect()
}

/// Sends what is in the queue until nobody puts anything in any more, or the connection fails.
fn send_all(mut stream: &TcpStream, queue: &Receiver<Arc<[u8]>>) {
    for bytes in queue {
        if stream.write_all(&bytes).is_err() {
            // The thread that receives notices, too, and tidies up.
            let _ = stream.shutdown(Shutdown::Both);
            return;
        }
    }
}
