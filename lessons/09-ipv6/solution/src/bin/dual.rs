//! Exercise `dual`: a server for clients of both families, which knows how addresses are written.
//!
//! It tells every client who it is, `IPv6 ::1 40000` or `IPv4 127.0.0.1 40000`, and then answers
//! each line that holds an IPv6 address, in whatever form, with the one form in which it should be
//! written (RFC 5952), and every other line with `invalid`.
//!
//! Try it: `cargo run -p exercise-09 --bin dual -- server --addr '[::]:8888'`, and in another
//! terminal `nc -4 localhost 8888` and `nc -6 localhost 8888`. Grade it: `cargo xtask grade 09/dual`.

use std::fmt::Write as _;
use std::io::{self, BufReader, Write};
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::process::ExitCode;
use std::thread;

use clap::Parser;
use netbasics::cli::{log, program, ready, serve};
use netbasics::net::frame::{self, FrameError};
use netbasics::net::socket;
use netbasics::net::socket_error::SocketError;
use netbasics::values::port::Endpoint;
use socket2::{Domain, Protocol, Socket, Type};

/// The longest line that is answered, in bytes, its newline not counted. (The longest address has 45.)
const MAX_LINE_BYTES: usize = 100;

/// Serves both families, and writes IPv6 addresses as they should be written
#[derive(Parser)]
struct Cli {
    /// Where to listen; port 0: any free one; :: has both families
    #[arg(long, global = true, value_name = "HOST:PORT", default_value = "127.0.0.1:8888")]
    addr: Endpoint,
    #[command(subcommand)]
    role: Role,
}

#[derive(clap::Subcommand)]
enum Role {
    /// Serve everybody, until Ctrl-C
    Server,
}

fn main() -> ExitCode {
    let Cli { addr, role: Role::Server } = Cli::parse();
    program::end(run(&addr))
}

/// Bind, announce, serve.
fn run(addr: &Endpoint) -> anyhow::Result<()> {
    let address = socket::resolve(addr)?;
    let listener = listen(address).map_err(SocketError::on("listen on", addr))?;
    ready::announce(listener.local_addr()?)?;
    serve(&listener);
    Ok(())
}

/// Opens the socket: for both families at `[::]`, for that of the address anywhere else.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Lets a restarted server have its port back at once.
    socket::reuse_address(&socket)?;
    // exercise: begin "say whether an IPv6 socket takes IPv4 clients, then bind and listen"
    if address.is_ipv6() {
        // Said in any case, as systems differ in what holds if nothing is said (ipv6(7)).
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    socket.bind(&address.into())?;
    socket.listen(socket::BACKLOG)?;
    Ok(socket.into())
    // exercise: end
}

/// Serves each client on a thread of its own. What goes wrong with one ends only that one.
fn serve(listener: &TcpListener) {
    loop {
        let begun = listener.accept().and_then(|(stream, peer)| {
            let greeting = greeting(peer);
            thread::Builder::new().spawn(move || match converse(&stream, &greeting) {
                Ok(()) => log!("{peer} is done"),
                Err(error) => log!("{peer} is gone: {error}"),
            })
        });
        if let Err(error) = begun {
            serve::pause_after(&error);
        }
    }
}

/// Greets one client and answers its lines, until it half-closes.
fn converse(mut stream: &TcpStream, greeting: &str) -> Result<(), FrameError> {
    stream.set_nodelay(true)?;
    stream.write_all(greeting.as_bytes())?;
    let mut incoming = BufReader::new(stream);
    while let Some(line) = frame::read_line(&mut incoming, MAX_LINE_BYTES)? {
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        let answer = std::str::from_utf8(line).ok().and_then(address_in);
        let answer = answer.map_or("invalid".to_owned(), |address| canonical(address.segments()));
        stream.write_all((answer + "\n").as_bytes())?;
    }
    Ok(())
}

/// `FAMILY ADDRESS PORT` and a newline. A client that has come over IPv4 to a socket of IPv6 looks
/// as if it had an address in `::ffff:0:0/96` (RFC 4291, section 2.5.5.2).
fn greeting(peer: SocketAddr) -> String {
    // exercise: begin "the family, the address (of IPv4 as IPv4, of IPv6 canonical), the port"
    let port = peer.port();
    match peer {
        SocketAddr::V4(peer) => format!("IPv4 {} {port}\n", peer.ip()),
        SocketAddr::V6(peer) => match peer.ip().to_ipv4_mapped() {
            Some(ip) => format!("IPv4 {ip} {port}\n"),
            None => format!("IPv6 {} {port}\n", canonical(peer.ip().segments())),
        },
    }
    // exercise: end
}

/// The address that a line holds, and nothing besides.
fn address_in(line: &str) -> Option<Ipv6Addr> {
    // exercise: begin "the standard library reads every form; it takes no zone, prefix or brackets"
    line.parse().ok()
    // exercise: end
}

/// The one form in which these eight groups should be written (RFC 5952, sections 4 and 5). This is
/// what `Ipv6Addr` prints; here it is made by hand.
fn canonical(groups: [u16; 8]) -> String {
    // exercise: begin "hexadecimal without leading zeros, `::` for the longest run, mapped as IPv4"
    if let [0, 0, 0, 0, 0, 0xffff, high, low] = groups {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        return format!("::ffff:{a}.{b}.{c}.{d}");
    }
    let gap = longest_zeros(groups);
    let mut text = String::new();
    for (index, group) in groups.iter().enumerate() {
        if index == gap.start && !gap.is_empty() {
            text.push_str("::");
        }
        if gap.contains(&index) {
            continue;
        }
        if !text.is_empty() && !text.ends_with(':') {
            text.push(':');
        }
        // Writing to a string does not fail.
        let _ = write!(text, "{group:x}");
    }
    text
    // exercise: end
}

/// Which groups `::` stands for: the longest run of zeros of at least two groups, the first one if
/// several are equally long; an empty range if there is none.
fn longest_zeros(groups: [u16; 8]) -> Range<usize> {
    // exercise: begin "look at the run of zeros that begins at each group, and keep the longest"
    let mut longest = 0..0;
    for start in 0..groups.len() {
        let length = groups[start..].iter().take_while(|group| **group == 0).count();
        if length >= 2 && length > longest.len() {
            longest = start..start + length;
        }
    }
    longest
    // exercise: end
}
