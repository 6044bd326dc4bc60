//! The server: one thread for each upload, and a file appears whole or not at all.

mod ahead;
mod receive;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use netbasics::cli::{log, program, ready, serve};
use netbasics::net::socket;
use netbasics::system::inbox::Inbox;
use netbasics::system::stop::Stop;
use netbasics::system::wait::Stoppable;
use netbasics::values::port::Endpoint;

use crate::protocol::{Framing, Receipt};
use receive::Stored;

/// Receive files into a folder until Ctrl-C
#[derive(Clone, clap::Args)]
pub struct Options {
    /// The folder that uploads appear in; create it first
    #[arg(long)]
    pub dir: PathBuf,
    /// How the end of a file is marked
    #[arg(long, value_enum, default_value_t = Framing::Sized)]
    pub framing: Framing,
    /// The largest file to accept, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 16 * 1024 * 1024 * 1024)]
    pub max_bytes: u64,
    /// Give an upload up when nothing comes for so long
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = program::seconds)]
    pub idle: Duration,
}

pub fn run(addr: &Endpoint, options: Options) -> Result<()> {
    let server = Server::new(options, Stop::on_ctrl_c()?)?;
    let listener = socket::listen_tcp(addr)?;
    ready::announce(listener.local_addr()?)?;
    server.serve(&listener)
}

/// What every connection needs to know.
pub struct Server {
    options: Options,
    inbox: Inbox,
    stop: Stop,
}

impl Server {
    /// # Errors
    /// [`program::Usage`] when the folder is not one.
    pub fn new(options: Options, stop: Stop) -> Result<Self> {
        let inbox = Inbox::open_argument(&options.dir)?;
        Ok(Self { options, inbox, stop })
    }

    // listing: begin serve
    pub fn serve(&self, listener: &TcpListener) -> Result<()> {
        thread::scope(|uploads| {
            for (stream, peer) in serve::connections(listener, &self.stop)? {
                let upload = thread::Builder::new().name(log::thread_name(peer));
                if let Err(error) = upload.spawn_scoped(uploads, move || self.attend(stream, peer))
                {
                    log!("no thread for {peer}, so its connection is closed: {error}");
                }
            }
            Ok(())
        })
    }

    /// One upload from its first byte to its receipt.
    fn attend(&self, stream: TcpStream, peer: SocketAddr) {
        let outcome = self.receive(&stream).map_err(|error| self.reason(&error));
        match &outcome {
            Ok(Stored { name, length, digest }) => {
                let digest = digest.map(|digest| format!(", SHA-256 {digest}")).unwrap_or_default();
                log!("stored {name} from {peer}: {length} bytes{digest}");
            }
            Err(reason) => log!("nothing stored from {peer}: {reason}"),
        }
        self.answer(stream, outcome);
    }
    // listing: end serve

    fn receive(&self, stream: &TcpStream) -> Result<Stored> {
        // A silent client gives its thread back after a while, and Ctrl-C ends every read.
        let stream = &Stoppable::new(stream, &self.stop, self.options.idle)?;
        let limit = self.options.max_bytes;
        match self.options.framing {
            Framing::Sized => receive::sized(stream, &self.inbox, limit),
            Framing::Eof => receive::until_eof(stream, &self.inbox, limit),
        }
    }

    /// Why nothing was stored. What Ctrl-C cuts short must not be blamed on the client.
    fn reason(&self, error: &anyhow::Error) -> String {
        if self.stop.is_raised() { receive::STOPPED.to_owned() } else { format!("{error:#}") }
    }

    /// Sends the receipt, where the framing has one. A client that is gone cannot read it.
    fn answer(&self, stream: TcpStream, outcome: Result<Stored, String>) {
        let receipt = match outcome {
            _ if self.options.framing == Framing::Eof => return,
            Ok(Stored { digest: None, .. }) => return,
            Ok(Stored { name, length, digest: Some(digest) }) => {
                Receipt::Stored { length, digest, name }
            }
            Err(reason) => Receipt::Refused(reason),
        };
        let Ok(stoppable) = Stoppable::new(&stream, &self.stop, self.options.idle) else { return };
        if receipt.write(&mut &stoppable).is_ok() {
            socket::lingering_close_within(stream, &self.stop);
        }
    }
}
