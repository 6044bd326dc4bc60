//! The server: socket, bind; then recvfrom and sendto, on one socket for everyone.

mod room;

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::Result;
use netbasics::cli::{log_limited, program, ready};
use netbasics::net::socket;
use netbasics::net::socket_error::{SocketError, explain, is_timeout, is_unreachable_peer};
use netbasics::system::stop::Stop;
use netbasics::values::port::Endpoint;
use socket2::{Domain, Protocol, Socket, Type};

use room::Room;

/// How long a datagram may take that was said to be there.
const MOMENT: Duration = Duration::from_millis(10);
/// One byte more than the 16 bits of a UDP length can say: larger than any datagram.
pub const BUFFER_BYTES: usize = 65_536;
/// How much the system keeps for us, in bytes, until we receive it: some of the largest datagrams.
const QUEUE_BYTES: usize = 256 * 1024;
/// Longest `--reply`, in bytes; `answer` says why there is a limit.
const MAX_REPLY_BYTES: usize = 512;

/// Answer every datagram to its sender, until Ctrl-C
#[derive(clap::Args)]
pub struct Options {
    /// Answer with TEXT instead of with the bytes that came
    #[arg(long, value_name = "TEXT", value_parser = short_text)]
    pub reply: Option<String>,
    /// Be a chat room: what one member says, all the others receive; speaking makes a member
    #[arg(long, conflicts_with = "reply")]
    pub room: bool,
    /// Forget a member of the room who has said nothing for this long
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = program::seconds)]
    pub expire: Duration,
}

fn short_text(text: &str) -> Result<String, String> {
    if text.len() > MAX_REPLY_BYTES {
        return Err(format!("a reply has at most {MAX_REPLY_BYTES} bytes, not {}", text.len()));
    }
    Ok(text.to_owned())
}

/// Bind, announce, serve: three steps, so that a program that waits for the line can send at once.
pub fn run(addr: &Endpoint, options: &Options) -> Result<()> {
    let socket = open(addr)?;
    let stop = Stop::on_ctrl_c()?;
    ready::announce(socket.local_addr()?)?;
    serve(&socket, options, &stop)
}

/// Opens a bound socket. (Later lessons call `netbasics::net::socket::bind_udp` for this.)
pub fn open(addr: &Endpoint) -> Result<UdpSocket, SocketError> {
    let address = socket::resolve(addr)?;
    bind(address).map_err(SocketError::on("bind to", address))
}

// listing: begin bind
fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    // socket(2): a place where datagrams are sent from and arrive. No address yet.
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    // setsockopt(2), SO_RCVBUF and SO_SNDBUF: what does not fit the receive buffer when it arrives
    // is lost, and macOS sends nothing larger than the send buffer.
    socket.set_recv_buffer_size(QUEUE_BYTES)?;
    socket.set_send_buffer_size(QUEUE_BYTES)?;
    // bind(2): the address and port are ours now, and whatever arrives is kept for us. No listen
    // and no accept, for there are no connections; and no SO_REUSEADDR, for UDP has no TIME-WAIT.
    socket.bind(&address.into())?;
    Ok(socket.into())
}
// listing: end bind

// listing: begin serve
/// Answers datagrams until `stop` is raised.
pub fn serve(socket: &UdpSocket, options: &Options, stop: &Stop) -> Result<()> {
    // SO_RCVTIMEO: poll may announce a datagram that then turns out to be damaged and is thrown away
    // (select(2), BUGS), and recv_from must not wait for the next one.
    socket.set_read_timeout(Some(MOMENT))?;
    let mut room = Room::new(options.expire);
    let mut buffer = vec![0; BUFFER_BYTES];
    while !stop.is_raised() {
        // poll(2): waits until a datagram is there, or until Ctrl-C.
        if !stop.wait_readable(socket, None)? {
            continue;
        }
        // recvfrom(2): one whole datagram, and who sent it. The rest of a datagram that is larger
        // than the buffer is thrown away: Linux and macOS only set a flag that hardly anybody
        // reads (MSG_TRUNC), Windows makes it an error. Zero bytes are a datagram like any other.
        match socket.recv_from(&mut buffer) {
            Ok((length, sender)) if options.room => {
                room.hear(socket, sender, &buffer[..length], Instant::now());
            }
            Ok((length, sender)) => answer(socket, sender, &buffer[..length], options),
            Err(error) if is_timeout(&error) || error.kind() == ErrorKind::Interrupted => {}
            // An earlier answer found nobody: that was one peer of many.
            Err(error) if is_unreachable_peer(&error) => log_limited!("somebody is gone"),
            Err(error) => {
                return Err(SocketError::on("receive on", socket.local_addr()?)(error).into());
            }
        }
    }
    Ok(())
}
// listing: end serve

// listing: begin answer
/// Answers one datagram to its sender. (`log_limited!`: a flood of datagrams, which cost their
/// sender nothing, must not fill the disk with lines about them.)
///
/// Anybody can write anybody's address as the sender of a datagram, and then our answer hits
/// somebody who never asked (reflection). So an answer must not be much larger than what came, or
/// we would be a lever for an attacker (amplification): hence `MAX_REPLY_BYTES`. Serious protocols
/// first make the peer prove that it receives at its address (QUIC: RFC 9000, section 8).
fn answer(socket: &UdpSocket, sender: SocketAddr, message: &[u8], options: &Options) {
    match &options.reply {
        None => {
            log_limited!("{sender} sent {} bytes", message.len());
            send(socket, sender, message);
        }
        Some(text) => {
            log_limited!("{sender} says: {}", String::from_utf8_lossy(message));
            send(socket, sender, text.as_bytes());
        }
    }
}

/// Sends one datagram and tells whether the system took it; nobody knows whether it arrives. That
/// it cannot be sent to one peer is no reason to stop serving the others.
pub fn send(socket: &UdpSocket, peer: SocketAddr, datagram: &[u8]) -> bool {
    // sendto(2): the whole datagram or an error; there is no half, and so no "send all".
    let sent = socket.send_to(datagram, peer);
    if let Err(error) = &sent {
        log_limited!("cannot send to {peer}: {}", explain(error));
    }
    sent.is_ok()
}
// listing: end answer
