//! The server: socket, bind, listen, accept; then a thread of its own for each connection.

use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use netbasics::frame::read_line;
use netbasics::port::Endpoint;
use netbasics::stop::Stop;
use netbasics::trouble::{Trouble, explain};
use netbasics::{program, ready, say, socket};
use socket2::{Domain, Protocol, Socket, Type};

/// How many finished handshakes the system keeps for us until we accept them.
const BACKLOG: i32 = 1024;
/// Longest line, in bytes, that `--reply` takes for one message.
const MAX_LINE_BYTES: usize = 64 * 1024;

/// Echo every connection, many at a time, until Ctrl-C
#[derive(clap::Args)]
pub struct Options {
    /// Answer each message (a line) with TEXT instead of echoing the bytes
    #[arg(long, value_name = "TEXT")]
    pub reply: Option<String>,
    /// Close a connection on which nothing moves for so long
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = program::seconds)]
    pub idle: Duration,
}

/// Bind, announce, serve: three steps, so that whoever waits for the line can connect at once.
pub fn run(addr: &Endpoint, options: &Options) -> Result<()> {
    let listener = open(addr)?;
    let stop = Stop::on_ctrl_c()?;
    ready::announce(listener.local_addr()?)?;
    serve(&listener, options, &stop)
}

/// Opens a listening socket. (Later lessons call `netbasics::socket::listen_tcp` for this.)
pub fn open(addr: &Endpoint) -> Result<TcpListener, Trouble> {
    let address = socket::resolve(addr)?;
    listen(address).map_err(Trouble::on("listen on", address))
}

// listing: begin listen
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    // socket(2): one end of a future conversation, as a TCP byte stream. No address yet.
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // setsockopt(2), SO_REUSEADDR: connections of an earlier run may still be in TIME-WAIT (RFC
    // 9293, section 3.6.1); without this, a restart fails with "address already in use".
    socket::allow_restart(&socket)?;
    // bind(2): the address and port are ours now.
    socket.bind(&address.into())?;
    // listen(2): from here on the system completes handshakes for us, and a client can connect.
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
// listing: end listen

// listing: begin serve
/// Accepts connections until `stop` is raised. What goes wrong with one of them ends only that.
pub fn serve(listener: &TcpListener, options: &Options, stop: &Stop) -> Result<()> {
    // Ctrl-C makes one last connection to our own listener, so that accept returns.
    let _waker = stop.wakes(listener)?;
    thread::scope(|connections| {
        loop {
            // accept(2): the next client in the queue, as a *new* socket; `listener` stays as it is.
            let accepted = listener.accept();
            if stop.is_raised() {
                return Ok(());
            }
            let (stream, peer) = match accepted {
                Ok(connection) => connection,
                // A client that is gone already, or no free descriptors: no reason to end.
                Err(error) => {
                    socket::pause_after(&error);
                    continue;
                }
            };
            let connection = thread::Builder::new().name(say::thread_name(peer));
            let started =
                connection.spawn_scoped(connections, move || attend(&stream, peer, options, stop));
            if let Err(error) = started {
                say!("no thread for {peer}, so its connection is closed: {error}");
            }
        }
    })
}
// listing: end serve

/// One client from its first byte to its last, and one line about how it ended.
fn attend(stream: &TcpStream, peer: SocketAddr, options: &Options, stop: &Stop) {
    say!("{peer} connected");
    match converse(stream, peer, options, stop) {
        Ok(()) => say!("{peer} is done"),
        Err(error) => say!("{peer} is gone: {error:#}"),
    }
    // Dropping the stream is close(2): the descriptor is given back, and the connection ends.
}

// listing: begin converse
fn converse(stream: &TcpStream, peer: SocketAddr, options: &Options, stop: &Stop) -> Result<()> {
    let _waker = stop.shuts_down(stream, Shutdown::Both)?;
    // SO_RCVTIMEO, SO_SNDTIMEO: a client that falls silent, or stops reading what we send, must
    // not keep its thread for ever.
    stream.set_read_timeout(Some(options.idle))?;
    stream.set_write_timeout(Some(options.idle))?;
    // TCP_NODELAY: send short messages at once instead of waiting for more (RFC 9293, 3.7.4).
    stream.set_nodelay(true)?;
    match &options.reply {
        None => echo(stream)?,
        Some(text) => answer(stream, peer, text)?,
    }
    // shutdown(2): we have nothing more to say either. The client reads the end of the stream.
    stream.shutdown(Shutdown::Write)?;
    Ok(())
}
// listing: end converse

// listing: begin echo
/// Sends back whatever comes, until the client has nothing more to send.
fn echo(mut stream: &TcpStream) -> Result<()> {
    let mut buffer = [0; 4096];
    loop {
        // recv(2): what has arrived so far, at least one byte. TCP is a stream, so this may be
        // half a message or three of them; an echo need not care.
        let length = stream.read(&mut buffer).map_err(|error| anyhow::anyhow!(explain(&error)))?;
        if length == 0 {
            // Zero bytes mean that the client has closed its sending half.
            return Ok(());
        }
        send_all(stream, &buffer[..length])?;
    }
}

/// send(2) may take only some of the bytes when its buffer is full; this sends the rest too, as
/// Python's `sendall` does. The standard library calls it `write_all`, and so do we from here on.
fn send_all(mut stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let taken = stream.write(bytes)?;
        bytes = &bytes[taken..];
    }
    Ok(())
}
// listing: end echo

// listing: begin answer
/// Answers every message with `text`. Here boundaries matter, so a message is a line.
fn answer(mut stream: &TcpStream, peer: SocketAddr, text: &str) -> Result<()> {
    let mut incoming = BufReader::new(stream);
    while let Some(message) = read_line(&mut incoming, MAX_LINE_BYTES)? {
        say!("{peer} says: {}", String::from_utf8_lossy(&message));
        stream.write_all(format!("{text}\n").as_bytes())?;
    }
    Ok(())
}
// listing: end answer
