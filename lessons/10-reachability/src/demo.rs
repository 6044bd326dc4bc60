//! Three ports and two pings: an open port, a closed one, one that does not answer, and the two
//! loopback addresses.

mod filtered;

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::time::Duration;

use anyhow::Result;
use netbasics::duet::duet;
use netbasics::port::Endpoint;
use netbasics::program::OutputError;
use netbasics::stop::Stop;
use netbasics::{say, socket};

use crate::client::SHORT;
use crate::{ping, port, server};
use filtered::Filtered;

/// How long the demo waits for a port that does not answer. On the loopback interface nothing is
/// lost, so this is long.
const PATIENCE: Duration = Duration::from_millis(300);

/// Runs a target and somebody who asks as two threads of this process.
pub fn run(addr: Endpoint) -> Result<()> {
    let outcome = duet(
        move |ready, stop| {
            let listener = socket::listen_tcp(&addr)?;
            ready.announce(listener.local_addr()?);
            server::serve(&listener, &stop)
        },
        ask,
    );
    outcome.server.and(outcome.client)
}

fn ask(target: SocketAddr) -> Result<()> {
    check(target)?;
    check(closed_port(target.ip())?)?;
    match Filtered::open(target.ip()) {
        Ok(filtered) => check(filtered.address()?)?,
        Err(error) => say!("no port that does not answer: {error}"),
    }
    for loopback in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
        if let Err(error) = ping::ping((loopback, 0).into(), &SHORT, &Stop::new()) {
            // Where the system gives us no ICMP socket for one, it gives none for the other.
            say!("{error:#}");
            break;
        }
    }
    Ok(())
}

fn check(target: SocketAddr) -> Result<()> {
    let verdict = port::check(target, PATIENCE)?;
    writeln!(say::output(), "{target} is {verdict}").map_err(OutputError)?;
    Ok(())
}

/// A port that was free a moment ago.
fn closed_port(host: IpAddr) -> Result<SocketAddr> {
    let listener = TcpListener::bind((host, 0))?;
    Ok(listener.local_addr()?)
}
