//! Listening: for one family, for both with one socket, for both with two.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use anyhow::{Result, bail};
use netbasics::cli::log;
use netbasics::cli::program::Usage;
use netbasics::net::socket;
use netbasics::net::socket_error::SocketError;
use netbasics::values::port::Endpoint;
use socket2::{Domain, Protocol, Socket, Type};

use super::Options;
use crate::family::{missing_ipv6, needs_zone, zone_advice};

/// How many finished handshakes the system keeps for us until we accept them.
const BACKLOG: i32 = 1024;
/// The wildcard of IPv6, which may stand for the addresses of IPv4, too.
const ALL_OF_BOTH: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
/// How often a port that is free for one family may turn out to be taken in the other.
const TRIES: usize = 16;

/// Opens the listening sockets: one, or with `--two` one for each family this machine has.
pub fn open(addr: &Endpoint, options: &Options) -> Result<Vec<TcpListener>> {
    let address = socket::resolve(addr)?;
    if options.dual {
        Ok(vec![dual(address)?])
    } else if options.two {
        two(address)
    } else {
        Ok(vec![one(address)?])
    }
}

/// One socket for one family.
fn one(address: SocketAddr) -> Result<TcpListener> {
    if address.is_ipv6()
        && let Some(missing) = missing_ipv6()
    {
        let port = address.port();
        bail!("cannot listen on {address}: {missing}: try --addr 127.0.0.1:{port}");
    }
    if needs_zone(address) {
        bail!("cannot listen on {address}: {}", zone_advice(address));
    }
    let listener = listen(address, Takes::ItsFamily)?;
    if address.ip() == ALL_OF_BOTH {
        log!("this socket keeps to IPv6; with --dual or --two, IPv4 clients can come, too");
    }
    Ok(listener)
}

/// Whom a socket takes.
#[derive(Clone, Copy, PartialEq)]
enum Takes {
    ItsFamily,
    BothFamilies,
}

// listing: begin listen
fn listen(address: SocketAddr, takes: Takes) -> Result<TcpListener, SocketError> {
    let open = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket::reuse_address(&socket)?;
        if address.is_ipv6() {
            // setsockopt(2), IPV6_V6ONLY. Without this line it depends on the system: Linux and
            // macOS take both families, Windows and FreeBSD only IPv6, and OpenBSD does so whatever
            // anybody says. A portable program always says what it wants, and before bind.
            socket.set_only_v6(takes == Takes::ItsFamily)?;
        }
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    };
    open().map_err(SocketError::on("listen on", address))
}
// listing: end listen

// listing: begin dual
/// One socket for both families. It has to be bound to `::`, the wildcard: an IPv6 socket that is
/// bound to one IPv6 address has no IPv4 address at which anybody could reach it.
fn dual(address: SocketAddr) -> Result<TcpListener> {
    if address.ip() != ALL_OF_BOTH {
        let problem = format!(
            "--dual is for the address [::], which stands for all of both families, not for \
             {address}: try --addr [::]:{}",
            address.port()
        );
        return Err(Usage(problem).into());
    }
    if let Some(missing) = missing_ipv6() {
        log!("{missing}: only IPv4 clients can come, and the socket is one of IPv4");
        return Ok(listen((Ipv4Addr::UNSPECIFIED, address.port()).into(), Takes::ItsFamily)?);
    }
    let listener = listen(address, Takes::BothFamilies)?;
    log!("one socket takes both families, and shows the IPv4 clients as ::ffff:a.b.c.d");
    Ok(listener)
}
// listing: end dual

// listing: begin two
/// Two sockets, one for each family, on one port. Nobody's address is mapped, and it works on every
/// system; in return there are two places to wait at. The family that was asked for comes first.
fn two(address: SocketAddr) -> Result<Vec<TcpListener>> {
    let partner = partner(address.ip())?;
    if let Some(missing) = missing_ipv6() {
        log!("{missing}: only IPv4 clients can come");
        let ipv4 = if address.is_ipv4() { address.ip() } else { partner };
        return Ok(vec![listen((ipv4, address.port()).into(), Takes::ItsFamily)?]);
    }
    for _ in 0..TRIES {
        let first = listen(address, Takes::ItsFamily)?;
        let port = first.local_addr()?.port();
        match listen((partner, port).into(), Takes::ItsFamily) {
            Ok(second) => return Ok(vec![first, second]),
            // The system picked a port that is free for the first family. Let it pick another.
            Err(taken) if address.port() == 0 && taken.error.kind() == io::ErrorKind::AddrInUse => {
            }
            Err(error) => return Err(error.into()),
        }
    }
    bail!("no port is free for both families: try --addr {}:8888", address.ip())
}
// listing: end two

/// The address that means in the other family what `ip` means in its own.
fn partner(ip: IpAddr) -> Result<IpAddr, Usage> {
    match ip {
        IpAddr::V4(Ipv4Addr::LOCALHOST) => Ok(Ipv6Addr::LOCALHOST.into()),
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ok(Ipv6Addr::UNSPECIFIED.into()),
        IpAddr::V6(Ipv6Addr::LOCALHOST) => Ok(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ok(Ipv4Addr::UNSPECIFIED.into()),
        ip => Err(Usage(format!(
            "--two is for 127.0.0.1, [::1], 0.0.0.0 and [::]; nobody can tell which address of the \
             other family goes with {ip}"
        ))),
    }
}
