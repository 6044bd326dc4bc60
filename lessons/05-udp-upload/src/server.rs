//! The server: one socket for everybody, and a receiver that keeps the uploads apart.

mod reliable;
mod transfer;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;
use netbasics::inbox::Inbox;
use netbasics::port::Endpoint;
use netbasics::stop::Stop;
use netbasics::trouble::{Trouble, explain, is_timeout, is_unreachable_peer};
use netbasics::{program, ready, say, socket};

use crate::keyword::KeywordReceiver;
use crate::link::Link;

use reliable::ReliableReceiver;

/// How often the server looks up from waiting: for Ctrl-C, and for senders that fell silent.
const TICK: Duration = Duration::from_millis(50);
/// How many datagrams that have arrived before Ctrl-C are still handled after it.
const LAST_DATAGRAMS: u32 = 10_000;
/// Larger than any datagram; what does not fit would be cut off (recvfrom(2)).
const BUFFER_BYTES: usize = 65_536;

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
    /// The folder that uploads appear in; it must exist
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
    let mut receiver = receiver(options)?;
    let socket = socket::bind_udp(addr)?;
    let stop = Stop::on_ctrl_c()?;
    // A bound UDP socket is ready: there is no listen(2) and no accept(2).
    ready::announce(socket.local_addr()?)?;
    serve(&Link::new(socket, options.lose), receiver.as_mut(), options.idle, &stop)
}

/// What a mode does with the datagrams that arrive.
pub trait Receiver {
    /// Takes a datagram; returns the answer to its sender, if there is one.
    fn receive(&mut self, datagram: &[u8], sender: SocketAddr, now: Instant) -> Option<Vec<u8>>;
    /// Drops what has not been heard of for `idle`.
    fn forget(&mut self, now: Instant, idle: Duration);
}

/// # Errors
/// [`program::Usage`] when the folder is not one.
pub fn receiver(options: &Options) -> Result<Box<dyn Receiver>, program::Usage> {
    let inbox = Inbox::open_argument(&options.dir)?;
    Ok(match options.mode {
        Mode::Reliable => Box::new(ReliableReceiver::new(inbox, options.max_bytes)),
        Mode::Keyword => Box::new(KeywordReceiver::new(inbox, options.max_bytes)),
    })
}

// listing: begin serve
/// Receives and answers until `stop` is raised and everything that had arrived is handled.
pub fn serve(link: &Link, receiver: &mut dyn Receiver, idle: Duration, stop: &Stop) -> Result<()> {
    link.socket.set_read_timeout(Some(TICK))?;
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut left_after_stop = LAST_DATAGRAMS;
    let mut last_look = Instant::now();
    while left_after_stop > 0 {
        // recvfrom(2): one whole datagram, and who has sent it.
        match link.socket.recv_from(&mut buffer) {
            Ok((length, sender)) => answer(link, receiver, &buffer[..length], sender),
            Err(error) if is_timeout(&error) && stop.is_raised() => return Ok(()),
            // Nothing came; or a signal came; or an earlier answer found nobody.
            Err(error) if is_timeout(&error) || error.kind() == ErrorKind::Interrupted => {}
            Err(error) if is_unreachable_peer(&error) => {}
            Err(error) => {
                return Err(Trouble::on("receive on", "the server's socket")(error).into());
            }
        }
        if last_look.elapsed() >= TICK {
            last_look = Instant::now();
            receiver.forget(last_look, idle);
        }
        left_after_stop -= u32::from(stop.is_raised());
    }
    Ok(())
}
// listing: end serve

fn answer(link: &Link, receiver: &mut dyn Receiver, datagram: &[u8], sender: SocketAddr) {
    let Some(answer) = receiver.receive(datagram, sender, Instant::now()) else { return };
    // One sender that cannot be reached is its own trouble: it will ask again, or not.
    if let Err(error) = link.send_to(&answer, sender) {
        say!("cannot answer {sender}: {}", explain(&error));
    }
}
