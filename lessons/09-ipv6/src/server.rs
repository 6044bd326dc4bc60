//! The server: it greets each client with the family and the address it came by, then echoes.
//!
//! Read `server/listen.rs` first: how one program listens for both families.

mod listen;

use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};
use netbasics::cli::{log, ready, serve};
use netbasics::net::socket_error::explain;
use netbasics::system::stop::Stop;
use netbasics::system::wait::Stoppable;
use netbasics::values::port::Endpoint;

use crate::family::{Family, text, unmapped};

pub use listen::open;

/// A client on whose connection nothing moves for so long is dropped.
const IDLE: Duration = Duration::from_secs(300);

/// Tell every client over which family it came, and from where; then echo, until Ctrl-C
#[derive(clap::Args)]
pub struct Options {
    // (In a documentation comment the brackets would be a link.)
    #[arg(long, help = "One socket for both families: needs --addr [::]:PORT")]
    pub dual: bool,
    /// Two sockets on one port, one for each family: needs the loopback or wildcard of either
    #[arg(long, conflicts_with = "dual")]
    pub two: bool,
}

/// Binds, announces, serves.
pub fn run(addr: &Endpoint, options: &Options) -> Result<()> {
    let listeners = open(addr, options)?;
    let stop = Stop::on_ctrl_c()?;
    for further in listeners.iter().skip(1) {
        log!("a second socket listens on {}", text(further.local_addr()?));
    }
    ready::announce(listeners[0].local_addr()?)?;
    serve(&listeners, &stop)
}

/// Serves the clients of every listener until `stop` is raised: at each of them a thread waits.
pub fn serve(listeners: &[TcpListener], stop: &Stop) -> Result<()> {
    thread::scope(|threads| {
        let mut accepting = Vec::new();
        for listener in listeners {
            let thread = thread::Builder::new().name(log::thread_name("accepting"));
            let started = thread.spawn_scoped(threads, || accept(listener, stop));
            // The scope waits for those that have started already.
            accepting.push(started.inspect_err(|_| stop.raise())?);
        }
        for thread in accepting {
            thread.join().map_err(|_| anyhow!("an accepting thread panicked"))??;
        }
        Ok(())
    })
}

/// Accepts clients, and starts a thread for each.
fn accept(listener: &TcpListener, stop: &Stop) -> io::Result<()> {
    thread::scope(|connections| {
        for (stream, peer) in serve::connections(listener, stop)? {
            let connection = thread::Builder::new().name(log::thread_name(peer));
            let started = connection.spawn_scoped(connections, move || attend(stream, peer, stop));
            if let Err(error) = started {
                log!("no thread for {}, so its connection is closed: {error}", text(peer));
            }
        }
        Ok(())
    })
}

/// One client from the greeting to the end; what goes wrong with it ends nobody else.
fn attend(stream: TcpStream, peer: SocketAddr, stop: &Stop) {
    let client = unmapped(peer);
    if client == peer {
        log!("{} connected over {}", text(peer), Family::of(client));
    } else {
        log!("{} connected: on this IPv6 socket that is the IPv4 client {client}", text(peer));
    }
    match converse(&stream, client, stop) {
        Ok(()) => log!("{} is done", text(client)),
        Err(error) => log!("{} is gone: {}", text(client), explain(&error)),
    }
    drop(stream);
}

/// Greets the client, then sends back whatever it says.
fn converse(stream: &TcpStream, client: SocketAddr, stop: &Stop) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let stoppable = Stoppable::new(stream, stop, IDLE)?;
    let greeting = format!("you came over {} from {}\n", Family::of(client), text(client));
    (&stoppable).write_all(greeting.as_bytes())?;
    io::copy(&mut &stoppable, &mut &stoppable)?;
    stream.shutdown(Shutdown::Write)
}
