//! Three ports and two pings: an open port, a closed one, one that does not answer, and the two
//! loopback addresses.

mod filtered;

use std::io::{self, ErrorKind, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::Result;
use netbasics::cli::log;
use netbasics::cli::pair::pair;
use netbasics::cli::program::OutputError;
use netbasics::net::socket;
use netbasics::system::stop::Stop;
use netbasics::values::port::Endpoint;
use socket2::{Domain, Protocol, Socket, Type};

use crate::client::SHORT;
use crate::{ping, port, server};
use filtered::Filtered;

/// How long the demo waits for an answer that will come. (A reset is not believed at once by every
/// system: Windows asks a few times, for two seconds.)
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it waits for one that will not. On the loopback interface nothing is lost, so this is
/// long.
const SILENCE: Duration = Duration::from_millis(300);

/// Runs a target and a client as two threads of this process.
pub fn run(addr: Endpoint) -> Result<()> {
    let outcome = pair(
        move |ready, stop| {
            let listener = socket::listen_tcp(&addr)?;
            ready.announce(listener.local_addr()?);
            server::serve(&listener, &stop)
        },
        ask,
    );
    outcome.into_result()
}

fn ask(target: SocketAddr) -> Result<()> {
    check(target, PATIENCE)?;
    let closed = closed(target.ip())?;
    check(address_of(&closed)?, PATIENCE)?;
    match Filtered::open(target.ip()) {
        Ok(filtered) => check(address_of(&filtered.listener)?, SILENCE)?,
        Err(error) => log!("no port that does not answer: {error}"),
    }
    for loopback in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
        if let Err(error) = ping::ping((loopback, 0).into(), &SHORT, &Stop::new()) {
            // Where the system gives us no ICMP socket for one, it gives none for the other.
            log!("{error:#}");
            break;
        }
    }
    Ok(())
}

fn check(target: SocketAddr, timeout: Duration) -> Result<()> {
    let verdict = port::check(target, timeout)?;
    writeln!(log::output(), "{target} is {verdict}").map_err(OutputError)?;
    Ok(())
}

// listing: begin closed
/// A port that is closed as long as this lives: bind(2) without listen(2). The port is ours, so no
/// other program can open it meanwhile, and yet nobody listens.
fn closed(host: IpAddr) -> io::Result<Socket> {
    let any_port = SocketAddr::new(host, 0);
    let socket = Socket::new(Domain::for_address(any_port), Type::STREAM, Some(Protocol::TCP))?;
    socket.bind(&any_port.into())?;
    Ok(socket)
}
// listing: end closed

fn address_of(socket: &Socket) -> io::Result<SocketAddr> {
    socket.local_addr()?.as_socket().ok_or_else(|| ErrorKind::Unsupported.into())
}
