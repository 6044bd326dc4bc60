//! Exercise `crowd`: a server for many clients at once, none of which can hold up another.
//!
//! Everybody who finds a place is greeted with `welcome`, and then everything that they send comes
//! back. A client that finds none is told `full`. A client that is silent, or takes nothing of what
//! we have for it, loses its place after a while. Lesson 2's server shows the threads; the places,
//! and that each comes free again whatever its client does, are new.
//!
//! Try it: `cargo run -p exercise-02 --bin crowd -- server --max 2`, and in three other terminals
//! `nc 127.0.0.1 8888`. Grade it: `cargo xtask grade 02/crowd`.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use clap::{Parser, value_parser};
use netbasics::cli::{log, program, ready, serve};
use netbasics::net::socket;
use netbasics::net::socket_error::{explain, is_timeout};
use netbasics::values::port::Endpoint;

/// Echoes many clients at once
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
    /// Serve everybody who finds a place, until Ctrl-C
    Server(Options),
}

#[derive(clap::Args)]
struct Options {
    /// How long nothing may move on a connection before it is closed
    #[arg(long, value_name = "MILLISECONDS", default_value = "60000")]
    #[arg(value_parser = value_parser!(u64).range(1..=86_400_000))]
    idle: u64,
    /// How many clients have a place at the same time
    #[arg(long, value_name = "CLIENTS", default_value = "100")]
    #[arg(value_parser = value_parser!(u64).range(1..=10_000))]
    max: u64,
}

fn main() -> ExitCode {
    let Cli { addr, role: Role::Server(options) } = Cli::parse();
    program::end(run(&addr, &options))
}

/// Bind, announce, serve.
fn run(addr: &Endpoint, options: &Options) -> anyhow::Result<()> {
    let listener = socket::listen_tcp(addr)?;
    ready::announce(listener.local_addr()?)?;
    serve(&listener, options);
    Ok(())
}

/// A permit: one of the places, taken as long as this value lives. Move it into the client's
/// thread: it is dropped, and the place free again, however that thread ends, even by a panic.
struct Permit(Arc<AtomicU64>);

impl Permit {
    /// Takes one of `max` places, if one is free; `taken` counts those that are not.
    fn take(taken: &Arc<AtomicU64>, max: u64) -> Option<Self> {
        // Only the thread that accepts takes places, so between these two lines nobody else does.
        if taken.load(Ordering::SeqCst) == max {
            return None;
        }
        taken.fetch_add(1, Ordering::SeqCst);
        Some(Self(Arc::clone(taken)))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Accepts clients: a place for each as long as there is one, and a word for those who find none.
fn serve(listener: &TcpListener, options: &Options) {
    let taken = Arc::new(AtomicU64::new(0));
    let idle = Duration::from_millis(options.idle);
    for connection in listener.incoming() {
        // exercise: begin "seat the client if there is a place, else refuse it; go on in any case"
        match (connection, Permit::take(&taken, options.max)) {
            (Ok(stream), Some(permit)) => seat(stream, permit, idle),
            (Ok(stream), None) => refuse(&stream),
            // A client that is gone already, or no free descriptors: no reason to end.
            (Err(error), _) => serve::pause_after(&error),
        }
        // exercise: end
    }
}

/// Tells a client that there is no place for it. The connection closes when `serve` drops it.
fn refuse(mut stream: &TcpStream) {
    // So few bytes always fit into the send buffer of a new connection, so nobody waits here. If
    // the client is gone, there is nobody to tell.
    let _ = stream.write_all(b"full\n");
}

/// Serves one client on a thread of its own, so that whatever it waits for, nobody else does.
fn seat(stream: TcpStream, permit: Permit, idle: Duration) {
    // exercise: begin "start a thread that converses with the client and keeps its place meanwhile"
    let started = thread::Builder::new().spawn(move || {
        match converse(&stream, idle) {
            Ok(()) => log!("a client is done"),
            Err(error) => log!("a client is gone: {}", explain(&error)),
        }
        drop((stream, permit));
    });
    // What the thread would have owned is dropped: the client is dropped, its place is free.
    if let Err(error) = started {
        log!("no thread for a client, so its connection is closed: {error}");
    }
    // exercise: end
}

/// Greets one client and echoes what it sends, until it half-closes or nothing moves for `idle`.
fn converse(mut stream: &TcpStream, idle: Duration) -> io::Result<()> {
    stream.set_nodelay(true)?;
    // exercise: begin "set both time limits, send `welcome`, echo; tell a silent client `idle`"
    // Each call has this limit for itself, so every byte that moves starts a new one.
    stream.set_read_timeout(Some(idle))?;
    stream.set_write_timeout(Some(idle))?;
    stream.write_all(b"welcome\n")?;
    let mut buffer = [0; 4096];
    loop {
        let length = match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => length,
            Err(error) => {
                // EINTR: a signal came first (Ctrl-Z, and then `fg`). Ask again.
                if error.kind() == ErrorKind::Interrupted {
                    continue;
                }
                if is_timeout(&error) {
                    stream.write_all(b"idle\n")?;
                }
                return Err(error);
            }
        };
        // Nothing more is read before the client has taken this: what it does not take waits in
        // the buffers of the two systems, and TCP makes it stop sending when those are full.
        stream.write_all(&buffer[..length])?;
    }
    // exercise: end
}
