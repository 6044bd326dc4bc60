//! Exercise `reply`: a server that sends every datagram back to its sender, backwards.
//!
//! Opening the socket and saying so is written already; what makes it a server is yours.
//!
//! Try it: `cargo run -p exercise-04 --bin reply -- server`, and in another terminal
//! `cargo run -p lesson-04 -- client hello`. Grade it: `cargo xtask grade 04/reply`.

use std::net::UdpSocket;
use std::process::ExitCode;

use clap::Parser;
use netbasics::cli::{log, program, ready};
use netbasics::net::{socket, socket_error, udp};
use netbasics::values::port::Endpoint;

/// Sends datagrams back, backwards
#[derive(Parser)]
struct Cli {
    /// Where to receive; port 0: any free one
    #[arg(long, global = true, value_name = "HOST:PORT", default_value = "127.0.0.1:8888")]
    addr: Endpoint,
    #[command(subcommand)]
    role: Role,
}

#[derive(clap::Subcommand)]
enum Role {
    /// Answer until it is killed
    Server,
}

fn main() -> ExitCode {
    let Cli { addr, role: Role::Server } = Cli::parse();
    program::end(run(&addr))
}

/// Bind, announce, serve.
fn run(addr: &Endpoint) -> anyhow::Result<()> {
    // A bound socket that may send and receive the largest datagrams on every system.
    let socket = socket::bind_udp(addr)?;
    ready::announce(socket.local_addr()?)?;
    serve(&socket)
}

/// Answers every datagram on `socket` to its sender, with the same bytes in reverse order, until
/// the process is killed.
fn serve(socket: &UdpSocket) -> anyhow::Result<()> {
    // exercise: begin "receive each datagram, send it back reversed, and let no single peer stop you"
    // Larger than any datagram: what does not fit the buffer is lost.
    let mut buffer = vec![0; 65_536];
    loop {
        // Nothing, where an earlier answer has found nobody, and the system says so here.
        let Some((length, sender)) = udp::receive_from(socket, &mut buffer)? else { continue };
        // Only what came, be it nothing: the rest of the buffer is left over from others.
        let answer = &mut buffer[..length];
        answer.reverse();
        if let Err(error) = socket.send_to(answer, sender) {
            log!("cannot answer {sender}: {}", socket_error::explain(&error));
        }
    }
    // exercise: end
}
