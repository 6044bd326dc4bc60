//! A file over QUIC (RFC 9000): somebody else's reliable protocol over UDP, to be measured.
//!
//! One bidirectional stream carries the length of the file (8 bytes, big-endian), its bytes and
//! their SHA-256. The server writes a file, compares the digest and answers with one byte. This
//! keeps the program contract of the lessons, so that the bench starts it as it starts them.

mod client;
mod server;
mod transport;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

/// What the server answers when the file is there and its digest is right.
const STORED: u8 = 1;
/// The name in the server's certificate.
const NAME: &str = "localhost";
/// How much is read from or written to a file at a time, in bytes.
const BLOCK: usize = 256 * 1024;

/// A file over QUIC
#[derive(Parser)]
struct Cli {
    /// Where to listen, or whom to send to
    #[arg(long, global = true, value_name = "HOST:PORT", default_value = "127.0.0.1:8888")]
    addr: SocketAddr,
    /// The server makes a certificate for itself and leaves it here; the client trusts only this
    #[arg(long, global = true, value_name = "FILE", default_value = "certificate.der")]
    certificate: PathBuf,
    /// Congestion control with BBR instead of quinn's default, CUBIC
    #[arg(long, global = true)]
    bbr: bool,
    /// Windows of 32 MiB, and socket buffers of 8 MiB, instead of quinn's and the system's defaults
    #[arg(long, global = true)]
    large_windows: bool,
    #[command(subcommand)]
    role: Role,
}

#[derive(clap::Subcommand)]
enum Role {
    /// Receive files into a folder
    Server {
        /// The folder
        #[arg(long)]
        dir: PathBuf,
    },
    /// Send a file
    Client {
        /// The file
        file: PathBuf,
    },
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    match &cli.role {
        Role::Server { dir } => runtime.block_on(server::run(cli, dir)),
        Role::Client { file } => runtime.block_on(client::run(cli, file)),
    }
}
