//! The server: socket, bind, listen, accept; then a thread of its own for each connection.
//!
//! Read this file first, then `server/conversation.rs` and `client.rs`, and at last
//! `server/events.rs`: the same server with one thread for all connections. `bind(2)` means the
//! system call `bind`, which chapter 2 of the manual describes: `man 2 bind`. RFC 9293 is the
//! standard that defines TCP. Lines such as `listing: begin …` mark what the book prints.

mod connection;
mod conversation;
mod events;

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use netbasics::cli::{log, program, ready, serve};
use netbasics::net::frame::FrameError;
use netbasics::net::socket;
use netbasics::net::socket_error::SocketError;
use netbasics::system::stop::Stop;
use netbasics::values::port::Endpoint;
use socket2::{Domain, Protocol, Socket, Type};

/// How many finished handshakes the system keeps for us until we accept them.
const BACKLOG: i32 = 1024;

/// Echo every connection, many at a time, until Ctrl-C
#[derive(clap::Args)]
pub struct Options {
    /// Answer each line with TEXT, and show the line here, instead of echoing the bytes
    #[arg(long, value_name = "TEXT")]
    pub reply: Option<String>,
    /// With --reply: answer each read instead of each line, as many a first tutorial does. A client
    /// that sends `hello` without a line feed is answered; but TCP keeps no messages apart, so what
    /// the network cuts into five pieces may be answered five times
    #[arg(long, requires = "reply")]
    pub each_read: bool,
    /// Close a connection on which nothing moves for so long
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = program::seconds)]
    pub idle: Duration,
    /// Serve all connections with one thread, instead of one thread for each
    #[arg(long)]
    pub events: bool,
}

/// Binds, announces, serves: the line `listening on …` comes when clients can connect and not
/// before, so a client started after it need not wait or try.
pub fn run(addr: &Endpoint, options: &Options) -> Result<()> {
    let listener = open(addr)?;
    let stop = Stop::on_ctrl_c()?;
    ready::announce(listener.local_addr()?)?;
    if options.events {
        events::serve(listener, options, &stop)
    } else {
        serve(&listener, options, &stop)
    }
}

/// Opens a listening socket. (Later lessons call `netbasics::net::socket::listen_tcp` for this.)
pub fn open(addr: &Endpoint) -> Result<TcpListener, SocketError> {
    let address = socket::resolve(addr)?;
    listen(address).map_err(SocketError::on("listen on", address))
}

// listing: begin listen
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    // socket(2): one end of a future conversation, as a TCP byte stream. No address yet.
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // setsockopt(2), SO_REUSEADDR: the system remembers connections of an earlier run for a while
    // (TIME-WAIT: RFC 9293, section 3.6.1); without this, a restart within that time fails with
    // "address already in use".
    socket::reuse_address(&socket)?;
    // bind(2): the address and port are ours now.
    socket.bind(&address.into())?;
    // listen(2): from here on the system answers clients for us (the handshake) and keeps up to
    // BACKLOG of them in a queue until we accept them.
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
// listing: end listen

// listing: begin serve
/// Accepts connections until `stop` is raised. What goes wrong with one of them ends only that.
pub fn serve(listener: &TcpListener, options: &Options, stop: &Stop) -> Result<()> {
    // O_NONBLOCK: accept never waits, for a client may be gone again before we get to it.
    listener.set_nonblocking(true)?;
    // Threads of a scope may borrow `options` and `stop`, and the scope ends when the last of them
    // has ended: Ctrl-C waits until every client is dropped.
    thread::scope(|connections| {
        while !stop.is_raised() {
            // poll(2): waits until a client is in the queue, or until Ctrl-C.
            if !stop.wait_readable(listener, None)? {
                continue;
            }
            // accept(2): the next client in the queue, as a *new* socket; `listener` stays as it is.
            let (stream, peer) = match listener.accept() {
                Ok(connection) => connection,
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                // No free descriptors, for instance: no reason to end.
                Err(error) => {
                    serve::pause_after(&error);
                    continue;
                }
            };
            let connection = thread::Builder::new().name(log::thread_name(peer));
            let started =
                connection.spawn_scoped(connections, move || attend(stream, peer, options, stop));
            if let Err(error) = started {
                log!("no thread for {peer}, so its connection is closed: {error}");
            }
        }
        Ok(())
    })
}
// listing: end serve

/// One client from its first byte to its last, and one line about how it ended.
fn attend(stream: TcpStream, peer: SocketAddr, options: &Options, stop: &Stop) {
    log!("{peer} connected");
    report_end(peer, conversation::converse(&stream, peer, options, stop));
    // close(2): the connection ends, and the system gets its resources back. Dropping a stream
    // does this anyway; here it is said.
    drop(stream);
}

fn report_end(peer: SocketAddr, outcome: Result<(), FrameError>) {
    match outcome {
        Ok(()) => log!("{peer} is done"),
        Err(error) => log!("{peer} is gone: {error}"),
    }
}
