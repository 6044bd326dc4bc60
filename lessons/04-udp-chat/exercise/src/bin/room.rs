//! Exercise `room`: a room that tells its members who comes, who says what, and who is gone.
//!
//! ```text
//! to the room:      nothing at all     I am here (still)
//!                   S text             I say this
//!                   B                  bye
//! from the room:    W number           welcome, this is your number
//!                   J number           this member has joined
//!                   S number text      this member says that
//!                   L number           this member has left
//!                   N                  no: nothing has changed
//! ```
//!
//! A letter is one byte, a number is four, unsigned, big-endian. Try it:
//! `cargo run -p exercise-04 --bin room -- server`, and in two more terminals `nc -u 127.0.0.1 8888`,
//! where you type `Shello`. Grade it: `cargo xtask grade 04/room`.

use std::collections::VecDeque;
use std::net::{SocketAddr, UdpSocket};
use std::num::{NonZeroU32, NonZeroUsize};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use netbasics::cli::{program, ready};
use netbasics::net::{socket, udp};
use netbasics::values::port::Endpoint;

/// The longest text that fits into one datagram with `S` and a number before it.
const MAX_TEXT_BYTES: usize = socket::MAX_DATAGRAM_V4 - 5;

/// A room for many
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
    /// Keep the room until it is killed
    Server {
        /// A member that has been silent for this long has left
        #[arg(long, value_name = "MILLISECONDS", default_value = "300000")]
        expiry: NonZeroU32,
        /// How many members there may be at a time
        #[arg(long, value_name = "N", default_value = "16")]
        places: NonZeroUsize,
    },
}

fn main() -> ExitCode {
    let Cli { addr, role: Role::Server { expiry, places } } = Cli::parse();
    program::end(run(&addr, Duration::from_millis(expiry.get().into()), places.get()))
}

/// Bind, announce, serve.
fn run(addr: &Endpoint, expiry: Duration, places: usize) -> anyhow::Result<()> {
    let socket = socket::bind_udp(addr)?;
    ready::announce(socket.local_addr()?)?;
    Room { socket, expiry, places, members: VecDeque::new(), last_number: 0 }.serve()
}

struct Member {
    address: SocketAddr,
    number: u32,
    heard: Instant,
}

struct Room {
    socket: UdpSocket,
    expiry: Duration,
    places: usize,
    /// In the order of their last datagrams: the longest silence comes first.
    members: VecDeque<Member>,
    last_number: u32,
}

impl Room {
    /// Hears one datagram after another, and wakes up in between when a member's time is up.
    fn serve(&mut self) -> anyhow::Result<()> {
        let mut buffer = vec![0; 65_536]; // More than any datagram has.
        loop {
            let time_left = self.expire(Instant::now());
            self.socket.set_read_timeout(time_left)?;
            if let Some((length, sender)) = udp::receive_from(&self.socket, &mut buffer)? {
                self.hear(sender, &buffer[..length], Instant::now());
            }
        }
    }

    /// Removes the members that have been silent for too long, the longest silence first; returns
    /// how long it is until the next one's time is up, or `None` if nobody is there.
    fn expire(&mut self, now: Instant) -> Option<Duration> {
        todo!("members whose time is up leave, the first one first; how long has the next one?")
    }

    /// Does what one datagram says.
    fn hear(&mut self, sender: SocketAddr, datagram: &[u8], now: Instant) {
        todo!("nothing at all, S and a text, B alone, or anything else")
    }

    /// The number of `sender`, a member from now on; `None` if it is refused, as there is no place.
    fn admit(&mut self, sender: SocketAddr, now: Instant) -> Option<u32> {
        todo!("renew a member; or welcome a new one and tell the others; or refuse it")
    }

    /// Removes the member at `address`, if there is one, and tells the others.
    fn leave(&mut self, address: SocketAddr) {
        if let Some(member) = self.remove(address) {
            self.tell_others(address, &packet(b'L', member.number, b""));
        }
    }

    fn remove(&mut self, address: SocketAddr) -> Option<Member> {
        let place = self.members.iter().position(|member| member.address == address)?;
        self.members.remove(place)
    }

    fn tell_others(&self, address: SocketAddr, packet: &[u8]) {
        for other in self.members.iter().filter(|member| member.address != address) {
            self.send(other.address, packet);
        }
    }

    /// If it cannot be sent to one, the others are served all the same.
    fn send(&self, to: SocketAddr, packet: &[u8]) {
        let _ = self.socket.send_to(packet, to);
    }
}

fn packet(kind: u8, number: u32, text: &[u8]) -> Vec<u8> {
    [&[kind], number.to_be_bytes().as_slice(), text].concat()
}
