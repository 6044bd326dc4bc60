//! Exercise `pong`: the answering half of ping, over UDP, as ICMP itself needs privileges.
//!
//! ```text
//! byte 0        1        2        3        4        5        6        7        8
//!      +--------+--------+--------+--------+--------+--------+--------+--------+------
//!      |  type  |  code  |    checksum     |   identifier    | sequence number | data
//!      +--------+--------+--------+--------+--------+--------+--------+--------+------
//! ```
//!
//! Each datagram carries one such message (RFC 792, "Echo or Echo Reply Message"); numbers of two
//! bytes are unsigned and big-endian. Try it: `cargo run -p exercise-10 --bin pong -- server`, and in
//! another terminal
//! `printf '\10\0\367\374\0\1\0\2' | nc -u -w 1 127.0.0.1 8888 | xxd`.
//! Grade it: `cargo xtask grade 10/pong`.

use std::process::ExitCode;

use clap::Parser;
use netbasics::cli::{program, ready, serve};
use netbasics::net::socket;
use netbasics::values::port::Endpoint;

/// What an echo request begins with: its type and its code.
const ECHO_REQUEST: [u8; 2] = [8, 0];
/// The same of an echo reply.
const ECHO_REPLY: [u8; 2] = [0, 0];
/// Type, code, checksum, identifier and sequence number, in bytes.
const HEADER_BYTES: usize = 8;

/// Answers ICMP echo requests that come in UDP datagrams
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
    /// Answer until it is killed
    Server,
}

fn main() -> ExitCode {
    let Cli { addr, role: Role::Server } = Cli::parse();
    program::end(run(&addr))
}

/// Bind, announce, serve: each datagram goes to [`reply_to`], and what that returns goes back.
fn run(addr: &Endpoint) -> anyhow::Result<()> {
    let socket = socket::bind_udp(addr)?;
    ready::announce(socket.local_addr()?)?;
    serve::datagrams(&socket, |message, _| anyhow::Ok(reply_to(message)))?;
    Ok(())
}

/// The echo reply to `message`, or `None` if that is anything but an echo request without damage.
fn reply_to(message: &[u8]) -> Option<Vec<u8>> {
    // exercise: begin "an echo request with the right checksum becomes a reply with its own one"
    let is_request = message.len() >= HEADER_BYTES && message.starts_with(&ECHO_REQUEST);
    // With its checksum in the sum, an undamaged message gives all ones (RFC 1071, section 1).
    if !is_request || sum(message) != 0xffff {
        return None;
    }
    let mut reply = message.to_vec();
    reply[..2].copy_from_slice(&ECHO_REPLY);
    // Zero while it is computed, as it is part of what it is computed over.
    reply[2..4].fill(0);
    let checksum = !sum(&reply);
    reply[2..4].copy_from_slice(&checksum.to_be_bytes());
    Some(reply)
    // exercise: end
}

/// The one's complement sum of the 16-bit words of `message` (RFC 1071, section 1); its checksum is
/// the complement of this.
fn sum(message: &[u8]) -> u16 {
    // exercise: begin "add the words, the last one padded with a zero; carries go around to the end"
    let words = message.chunks(2).map(|word| match *word {
        [high, low] => u16::from_be_bytes([high, low]),
        [high] => u16::from_be_bytes([high, 0]),
        _ => 0,
    });
    words.fold(0, |sum: u16, word| {
        let (sum, has_carried) = sum.overflowing_add(word);
        // Never overflows again: the largest two words give 0xfffe and a carry.
        sum + u16::from(has_carried)
    })
    // exercise: end
}
