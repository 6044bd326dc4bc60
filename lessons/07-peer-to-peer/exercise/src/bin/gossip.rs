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
    todo!("receive the kind, then the id and the length, then the text; refuse nonsense")
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
        todo!("look the id up, remember it, and forget the one that is now too old")
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
        todo!("connect, take the peer in, hear it out; after any end pause and call again")
    }

    /// Makes a neighbour of a new connection, and tells it so; returns its number.
    fn take_in(&self, stream: TcpStream) -> io::Result<(u64, Arc<TcpStream>)> {
        stream.set_nodelay(true)?;
        todo!("a number, a bounded queue with H in it, a thread that sends from the queue")
    }

    /// Receives all that a neighbour sends, and then lets it go.
    fn hear_out(&self, number: u64, stream: &TcpStream) {
        todo!("pass on each message; at the end, whatever it was, the neighbour is gone")
    }

    /// Gives a new message to all neighbours but number `from`, from which it has come.
    fn pass_on(&self, id: Id, bytes: &Arc<[u8]>, from: u64) {
        todo!("if the id is new, queue the bytes for all others; close whose queue is full")
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
