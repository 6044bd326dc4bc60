//! Exercise `receive`: a server that stores what each client sends as a file of its own.
//!
//! A file is everything that a client sends until it half-closes the connection. The files are
//! called `1.bin`, `2.bin`, … in the order in which they are complete, and each client is told:
//! `stored N bytes as K.bin`.
//!
//! Try it: `cargo run -p exercise-03 --bin receive -- server --dir .`, and in another terminal
//! `nc -N 127.0.0.1 8888 < FILE`. Grade it: `cargo xtask grade 03/receive`.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;

use clap::Parser;
use netbasics::cli::{log, program, ready};
use netbasics::net::socket;
use netbasics::system::inbox::{FileName, Inbox, Upload};
use netbasics::values::port::Endpoint;

/// Stores what each client sends as a file
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
    /// Receive files, many at a time, until Ctrl-C
    Server {
        /// The folder that the files appear in; create it first
        #[arg(long)]
        dir: PathBuf,
    },
}

fn main() -> ExitCode {
    let Cli { addr, role: Role::Server { dir } } = Cli::parse();
    program::end(run(&addr, &dir))
}

/// Open the folder, bind, announce, serve.
fn run(addr: &Endpoint, dir: &std::path::Path) -> anyhow::Result<()> {
    let store = Store { inbox: Inbox::open_argument(dir)?, last: Mutex::new(0) };
    store.inbox.end_on_ctrl_c()?;
    let listener = socket::listen_tcp(addr)?;
    ready::announce(listener.local_addr()?)?;
    serve(&listener, &store);
    Ok(())
}

/// Serves many clients at once, each on a thread of its own.
fn serve(listener: &TcpListener, store: &Store) {
    todo!("accept one client after another, and start a thread that receives its file")
}

/// Receives one file, stores it, says so, closes.
fn receive(mut stream: TcpStream, store: &Store) -> io::Result<()> {
    todo!("begin an upload, copy the stream into it, publish it, answer with one line")
}

/// Copies until the end of the stream, however long it is; returns the number of bytes.
fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<u64> {
    todo!("read until the end of the stream, and write each piece as soon as it comes")
}

/// Where the files go.
struct Store {
    /// `begin()` gives an [`Upload`], a temporary file to write to.
    inbox: Inbox,
    /// The number of the file that was stored last.
    last: Mutex<u32>,
}

impl Store {
    /// Lets a complete upload appear under the next number; returns its name.
    fn publish(&self, upload: Upload) -> io::Result<FileName> {
        todo!("take the next number and publish; nobody else may take the same one")
    }
}
