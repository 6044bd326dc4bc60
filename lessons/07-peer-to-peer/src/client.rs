//! A node that visits: it joins at another one, says something and leaves. (It listens, too, and
//! while it is here others connect to it: it is the same node as a "server".)

use std::error::Error;
use std::fmt;
use std::io::{self, IsTerminal};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use netbasics::cli::program::Usage;
use netbasics::cli::{log, ready};
use netbasics::net::socket;
use netbasics::net::socket_error::SocketError;
use netbasics::system::stop::Stop;
use netbasics::values::port::Endpoint;

use crate::driver::{self, Orders};
use crate::input;
use crate::node::{Event, News};
use crate::options::{Discover, NodeOptions};

/// How long it may take until the other node is a neighbour.
const JOIN_WITHIN: Duration = Duration::from_secs(10);

/// Join at the node at --addr, say something, and leave
#[derive(clap::Args)]
pub struct Options {
    /// What to say, each message by itself; without any, standard input is said line by line
    #[arg(value_name = "MESSAGE")]
    pub messages: Vec<String>,
    #[command(flatten)]
    pub node: NodeOptions,
}

// listing: begin client
pub fn run(addr: &Endpoint, options: &Options) -> Result<()> {
    let messages: Result<Vec<_>, Usage> = options.messages.iter().map(|m| input::text(m)).collect();
    let (messages, stop) = (messages?, Stop::on_ctrl_c()?);
    // A name may have several addresses, and the other node only one of them.
    socket::try_each_address("connect to", addr, |peer| {
        match visit(peer, messages.clone(), options, &stop).map_err(anyhow::Error::downcast) {
            Err(Ok(NotJoined(error))) => Err(error),
            Err(Err(error)) => Ok(Err(error)),
            Ok(()) => Ok(Ok(())),
        }
    })?
}

/// Nobody listens at the address of the other node, or no connection comes about.
#[derive(Debug)]
struct NotJoined(io::Error);

impl fmt::Display for NotJoined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for NotJoined {}

fn visit(peer: SocketAddr, messages: Vec<String>, options: &Options, stop: &Stop) -> Result<()> {
    let listener = listen_towards(peer)?;
    let address = listener.local_addr()?;
    log!("{}", ready::line(address));
    let discover = options.node.discover.unwrap_or(Discover::Peers);
    let mut setup = options.node.setup(discover, address.port())?;
    setup.named = vec![peer];
    let (orders, inbox) = driver::inbox();
    let (joined, when_joined) = mpsc::channel();
    let said = speak(orders.clone(), messages, peer, when_joined)?;
    let group = options.node.group(discover);
    let mut joined = Some(joined);
    let taken = driver::run(&listener, setup, group, (orders, inbox), stop, &mut |news| {
        attend(news, peer, &mut joined)
    })?;
    // If the person has ended it, its input may still be waiting for a line.
    said.try_recv().unwrap_or(Ok(()))?;
    if taken == 0 && !stop.is_raised() {
        bail!("nobody has taken what was said: the connection with {peer} ended before");
    }
    Ok(())
}
// listing: end client

/// Listens where the nodes around `peer` can reach us: at the address that we have towards it. A UDP
/// socket that is connected knows that address, and sends nothing to find out.
fn listen_towards(peer: SocketAddr) -> Result<TcpListener, SocketError> {
    let local = socket::connect_udp(peer).map_err(|SocketError { error, .. }| error);
    let local = local.and_then(|socket| socket.local_addr());
    let local = local.map_err(SocketError::on("connect to", peer))?;
    socket::listen_tcp(SocketAddr::new(local.ip(), 0))
}

/// What the news mean to a visitor. One that stays may wait for a node that is not there yet; one
/// that came to see it may not. Once it has joined, that node is one of many, and may go like any
/// other.
fn attend(news: News, peer: SocketAddr, joined: &mut Option<Sender<()>>) -> Result<()> {
    match news {
        News::Joined(address) if address == peer => _ = joined.take().map(|tell| tell.send(())),
        News::NotJoined { address, error } if address == peer && joined.is_some() => {
            return Err(NotJoined(error).into());
        }
        news => news.say(),
    }
    Ok(())
}

/// On a thread of its own: waits until the other node is a neighbour, says everything, and leaves.
fn speak(
    orders: Orders,
    messages: Vec<String>,
    peer: SocketAddr,
    when_joined: Receiver<()>,
) -> io::Result<Receiver<Result<()>>> {
    let (tell, said) = mpsc::channel();
    let speaking = thread::Builder::new().name(log::thread_name("speaking"));
    speaking.spawn(move || {
        let outcome = match when_joined.recv_timeout(JOIN_WITHIN) {
            Err(_) => {
                Err(anyhow!("cannot join at {peer}: it has not welcomed us in {JOIN_WITHIN:?}"))
            }
            Ok(()) if !messages.is_empty() => {
                input::say_all(&orders, messages);
                Ok(())
            }
            Ok(()) => {
                if io::stdin().is_terminal() {
                    log!(
                        "type a line and press Enter; Ctrl-D ends (on Windows: Ctrl-Z, then Enter)"
                    );
                }
                input::say_lines(&orders, false)
            }
        };
        let _ = tell.send(outcome);
        orders.tell(Event::Leave)
    })?;
    Ok(said)
}
