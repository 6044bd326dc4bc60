//! Exercise `answer`: a server that answers every message with its length.
//!
//! A message is everything that a client sends until it closes its sending half. There is no
//! other mark: a message may hold any bytes, come in any number of pieces, or be empty. The
//! server answers once, with the line `你好, N bytes`, closes, and waits for the next client.
//!
//! Try it: `cargo run -p exercise-02 --bin answer -- server`, and in another terminal
//! `printf hello | nc -N 127.0.0.1 8888`. Grade it: `cargo xtask grade 02/answer`.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;

use clap::Parser;
use netbasics::cli::{log, program, ready};
use netbasics::net::socket;
use netbasics::net::socket_error::explain;
use netbasics::values::port::Endpoint;

/// Answers each message with its length
#[derive(Parser)]
struct Cli {
    /// Where to listen; port 0: any free one
    #[arg(long, global = true, value_name = "HOST:PORT", default_value = "127.0.0.1:8888")]
    addr: Endpoint,
    #[command(subcommand)]
    role: Role,
}

#[derive(clap::Subcommand)]
enum Role {
    /// Answer one client after another, until Ctrl-C
    Server,
}

fn main() -> ExitCode {
    let Cli { addr, role: Role::Server } = Cli::parse();
    program::end(run(&addr))
}

/// Bind, announce, serve.
fn run(addr: &Endpoint) -> anyhow::Result<()> {
    let listener = socket::listen_tcp(addr)?;
    ready::announce(listener.local_addr()?)?;
    serve(&listener);
    Ok(())
}

/// Answers one client after another. What goes wrong with one of them ends only that one.
fn serve(listener: &TcpListener) {
    todo!("accept one client after another and answer each, whatever the last one did")
}

/// Receives one message, answers it, closes. Returns the length of the message in bytes.
fn answer(mut stream: TcpStream) -> io::Result<u64> {
    todo!("receive the whole message, then send the line `你好, N bytes`")
}

/// Receives until the client has closed its sending half, and counts the bytes on the way.
fn message_length(stream: &mut TcpStream) -> io::Result<u64> {
    todo!("receive until the end of the stream and count the bytes")
}
