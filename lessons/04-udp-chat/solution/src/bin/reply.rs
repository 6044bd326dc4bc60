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
    // exercise: begin "receive each datagram, send it back reversed, and let no single peer stop you"
    // Larger than any datagram: what does not fit the buffer is lost.
    let mut buffer = vec![0; 65_536];
    loop {
        let (length, sender) = match socket.recv_from(&mut buffer) {
            Ok(received) => received,
            // An earlier answer found nobody. Windows says so here; Linux and macOS keep it to
            // themselves.
            Err(error) if trouble::is_unreachable_peer(&error) => continue,
            Err(error) => return Err(error),
        };
        // Only what came, be it nothing: the rest of the buffer is left over from others.
        let answer = &mut buffer[..length];
        answer.reverse();
        if let Err(error) = socket.send_to(answer, sender) {
            eprintln!("cannot answer {sender}: {error}");
        }
    }
    // exercise: end
}
