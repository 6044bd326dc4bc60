//! Exercise `reply`: a server that sends every datagram back to its sender, backwards.
//!
//! `reply server [--addr HOST:PORT]`. Opening the socket and saying so is written already; what
//! makes it a server is yours.

use std::error::Error;
use std::io;
use std::net::UdpSocket;
use std::process::ExitCode;

use netbasics::port::{Endpoint, EndpointError};
use netbasics::program::Usage;
use netbasics::{program, ready, socket, trouble};

fn main() -> ExitCode {
    program::end(run())
}

/// Bind, announce, serve.
fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let addr = read_addr(&arguments)?;
    // A bound socket that may send and receive the largest datagrams on every system.
    let socket = socket::bind_udp(&addr)?;
    ready::announce(socket.local_addr()?)?;
    serve(&socket)?;
    Ok(())
}

/// The address on the command line, or the usual one.
fn read_addr(arguments: &[String]) -> Result<Endpoint, Usage> {
    let addr = match arguments {
        [role] if role == "server" => "127.0.0.1:8888",
        [role, option, addr] if role == "server" && option == "--addr" => addr,
        _ => return Err(Usage("usage: reply server [--addr HOST:PORT]".to_owned())),
    };
    addr.parse().map_err(|error: EndpointError| Usage(error.to_string()))
}

/// Answers every datagram on `socket` to its sender, with the same bytes in reverse order, until
/// the process is killed.
fn serve(socket: &UdpSocket) -> io::Result<()> {
    todo!("receive each datagram, send it back reversed, and let no single peer stop you")
}
