//! The server: one socket for everybody, and a receiver that keeps the uploads apart; each mode has
//! its own.

mod arrived;
mod assembly;
mod incoming;
pub mod reliable;
pub mod room;
pub mod token;
mod transfer;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use netbasics::cli::{log_limited, program, ready};
use netbasics::net::socket;
use netbasics::net::socket_error::{SocketError, explain};
use netbasics::system::datagrams::Datagrams;
use netbasics::system::inbox::Inbox;
use netbasics::system::stop::Stop;
use netbasics::values::port::Endpoint;

use crate::keyword::KeywordReceiver;
use crate::link::Link;

use reliable::ReliableReceiver;
use token::Tokens;

/// How often the server looks for senders that fell silent.
const TICK: Duration = Duration::from_millis(50);
/// How long datagrams that had arrived before Ctrl-C are still taken after it, at most.
const LAST_DATAGRAMS: Duration = Duration::from_millis(100);

/// How a file travels in datagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// Numbered, acknowledged, sent again, verified
    Reliable,
    /// Datagrams and then END, as in the tutorial: nobody notices what is lost
    Keyword,
}

/// Receive files into a folder until Ctrl-C
#[derive(Clone, clap::Args)]
pub struct Options {
    /// The folder that uploads appear in; create it first
    #[arg(long)]
    pub dir: PathBuf,
    /// How files travel
    #[arg(long, value_enum, default_value_t = Mode::Reliable)]
    pub mode: Mode,
    /// The largest file to accept, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 16 * 1024 * 1024 * 1024)]
    pub max_bytes: u64,
    /// Give an upload up when nothing comes for so long
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = program::seconds)]
    pub idle: Duration,
    /// Do not send answer N (the first is 0), as if the network had lost it
    #[arg(long, value_name = "N")]
    pub lose: Option<u64>,
}

pub fn run(addr: &Endpoint, options: &Options) -> Result<()> {
    let mut receiver = open_receiver(options)?;
    let socket = socket::bind_udp(addr)?;
    let stop = Stop::on_ctrl_c()?;
    // A bound UDP socket is ready: there is no listen(2) and no accept(2).
    ready::announce(socket.local_addr()?)?;
    let mut link = Link::new(Datagrams::new(socket)?, options.lose);
    serve(&mut link, receiver.as_mut(), options.idle, &stop)
}

/// What a mode does with the datagrams that arrive.
pub trait Receiver {
    /// Takes a datagram from `peer`; returns the answer, if there is one.
    fn receive(&mut self, datagram: &[u8], peer: SocketAddr, now: Instant) -> Option<Vec<u8>>;
    /// The answers that are due after a batch of datagrams.
    fn answers(&mut self) -> Vec<(SocketAddr, Vec<u8>)>;
    /// Drops the uploads of peers that have not been heard from for `idle`.
    fn forget(&mut self, now: Instant, idle: Duration);
}

/// The receiver of the chosen mode.
///
/// # Errors
/// [`program::Usage`] when the folder is not one.
pub fn open_receiver(options: &Options) -> Result<Box<dyn Receiver>> {
    let inbox = Inbox::open_argument(&options.dir)?;
    Ok(match options.mode {
        Mode::Reliable => {
            let tokens = Tokens::new().context("the system gave no random number")?;
            Box::new(ReliableReceiver::new(inbox, options.max_bytes, tokens))
        }
        Mode::Keyword => Box::new(KeywordReceiver::new(inbox, options.max_bytes)),
    })
}

// listing: begin serve
/// Receives and answers until `stop` is raised.
pub fn serve(
    link: &mut Link,
    receiver: &mut dyn Receiver,
    idle: Duration,
    stop: &Stop,
) -> Result<()> {
    let mut last_look = Instant::now();
    while !stop.is_raised() {
        if !take_batch(link, receiver)? {
            // poll(2): until a datagram is there, or until Ctrl-C.
            link.wait(stop, TICK)?;
        }
        // Also when datagrams come without a pause.
        if last_look.elapsed() >= TICK {
            last_look = Instant::now();
            receiver.forget(last_look, idle);
        }
    }
    // What had arrived before is still taken.
    let until = Instant::now() + LAST_DATAGRAMS;
    while Instant::now() < until && take_batch(link, receiver)? {}
    receiver.forget(Instant::now(), Duration::ZERO);
    Ok(())
}

/// Takes the datagrams that are there and answers them; `false` if there are none.
fn take_batch(link: &mut Link, receiver: &mut dyn Receiver) -> Result<bool> {
    let (now, mut answers) = (Instant::now(), Vec::new());
    let take = |datagram: &[u8], peer| {
        let answer = receiver.receive(datagram, peer, now);
        answers.extend(answer.map(|answer| (peer, answer)));
    };
    let came = match link.receive(Duration::ZERO, take) {
        Ok(came) => came,
        Err(error) => return Err(SocketError::on("receive on", link.local_addr()?)(error).into()),
    };
    answers.extend(receiver.answers());
    for (peer, answer) in answers {
        // A peer that cannot be reached is its own trouble: it will ask again, or not.
        if let Err(error) = link.send(&answer, peer) {
            log_limited!("cannot answer {peer}: {}", explain(&error));
        }
    }
    Ok(came > 0)
}
// listing: end serve
