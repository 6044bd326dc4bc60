//! Exercise `both`: one store, served over TCP and over UDP at the same time, on the same port.
//!
//! Whatever the transport, a command is text, and so is its answer, which ends with a newline:
//!
//! ```text
//! set KEY VALUE     ok
//! get KEY           value VALUE, or none
//! add KEY NUMBER    value SUM
//! del KEY           ok, or none
//! anything else     error
//! ```
//!
//! Try it: `cargo run -p exercise-06 --bin both -- server`, and in two more terminals
//! `nc 127.0.0.1 8888` and `nc -u 127.0.0.1 8888`. Grade it: `cargo xtask grade 06/both`.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Result, bail};
use clap::Parser;
use netbasics::cli::{log, program, ready, serve};
use netbasics::net::socket;
use netbasics::net::socket_error::explain;
use netbasics::values::port::Endpoint;

#[path = "../command.rs"]
mod command;

use command::{Command, MAX_COMMAND_BYTES};

/// How many keys there may be at a time.
const MAX_KEYS: usize = 1000;
/// How many numbers are tried before we give up finding one that is free over both.
const TRIES: usize = 100;

/// Keeps values under keys, over TCP and UDP
#[derive(Parser)]
struct Cli {
    /// Where to listen and receive; port 0: any number that is free over both
    #[arg(long, global = true, value_name = "HOST:PORT", default_value = "127.0.0.1:8888")]
    addr: Endpoint,
    #[command(subcommand)]
    role: Role,
}

#[derive(clap::Subcommand)]
enum Role {
    /// Serve until it is killed
    Server,
}

fn main() -> ExitCode {
    let Cli { addr, role: Role::Server } = Cli::parse();
    program::end(run(&addr))
}

/// Bind both, announce, serve both.
fn run(addr: &Endpoint) -> Result<()> {
    let (listener, socket) = bind_both(addr)?;
    ready::announce(listener.local_addr()?)?;
    serve(&listener, &socket);
    Ok(())
}

/// A TCP and a UDP socket with the same address. If the port is 0 and the number that the system
/// picks for the one is taken for the other, another one is picked.
fn bind_both(addr: &Endpoint) -> Result<(TcpListener, UdpSocket)> {
    todo!("the number that TCP has got, for UDP as well; with port 0, try again")
}

/// Serves UDP on one thread and each TCP connection on one of its own, all from the same store.
fn serve(listener: &TcpListener, socket: &UdpSocket) {
    todo!("one store; a thread for UDP, and a thread for each connection")
}

/// Answers each datagram with one, until the process is killed.
fn answer_datagrams(socket: &UdpSocket, store: &Store) {
    let answered =
        serve::datagrams(socket, |datagram, _| anyhow::Ok(Some(answer_datagram(datagram, store))));
    if let Err(error) = answered {
        log!("{error}");
    }
}

/// The answer to one. Where TCP needs a newline to tell the end of a command, a datagram is one.
fn answer_datagram(datagram: &[u8], store: &Store) -> Vec<u8> {
    todo!("the command is the datagram, less one newline at its end if there is one")
}

/// Answers one TCP client until its stream ends.
fn converse(stream: &TcpStream, store: &Store) {
    if let Err(error) = answer_lines(stream, store) {
        log!("a client is gone: {}", explain(&error));
    }
}

/// Answers each line as soon as its newline has come.
fn answer_lines(mut stream: &TcpStream, store: &Store) -> io::Result<()> {
    stream.set_nodelay(true)?;
    todo!("line by line: carry out what ends with a newline, and keep no endless line")
}

/// All keys with their values, for all threads.
#[derive(Default)]
struct Store(Mutex<Values>);

impl Store {
    /// The answer to a command, with its newline.
    fn answer(&self, text: &[u8]) -> Vec<u8> {
        let answer = Command::parse(text).and_then(|command| self.carry_out(&command));
        [answer.unwrap_or(b"error".to_vec()).as_slice(), b"\n"].concat()
    }

    /// Carries out one command; `None` if that cannot be, and then nothing has changed.
    fn carry_out(&self, command: &Command) -> Option<Vec<u8>> {
        todo!("lock once, from the first look to the last change")
    }
}

type Values = HashMap<Vec<u8>, Vec<u8>>;

/// Stores `value` under `key`, unless that would be one key too many.
fn put(values: &mut Values, key: &[u8], value: &[u8]) -> Option<()> {
    let has_place = values.len() < MAX_KEYS || values.contains_key(key);
    has_place.then(|| _ = values.insert(key.to_vec(), value.to_vec()))
}

fn value_or_none(value: Option<&Vec<u8>>) -> Vec<u8> {
    value.map_or(b"none".to_vec(), |value| [b"value ", value.as_slice()].concat())
}
