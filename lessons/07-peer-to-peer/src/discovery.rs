//! Discovery: nodes find each other without being told an address, by multicast.
//!
//! A datagram to a group address reaches every socket that has joined the group. Groups are class D,
//! 224.0.0.0/4; of these nobody assigns 239.0.0.0/8: it is for everybody's own use, inside borders of
//! their own (RFC 2365, sections 3 and 4: "administratively scoped"), and 239.255.0.0/16 for use
//! inside the narrowest ones (section 6.1: "local scope"). Ours does not even leave the machine, as
//! we join and send on the loopback interface only.
//!
//! ```text
//! an announcement, 15 bytes:   "PEER" 4 | version 1 | node id 8 | port on which it listens 2
//! ```

mod group;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use netbasics::cli::log;
use netbasics::cli::program::plain;
use netbasics::net::socket_error::DOCTOR;
use netbasics::system::stop::Stop;

use crate::driver::Orders;
use crate::node::Event;
use crate::wire::{Contact, NodeId};
use group::Group;

/// How often a node announces itself: this long after the first time, then twice as long, up to an
/// end. A datagram may be lost, and somebody may come when we have long been here.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// How long our own announcement may take to come back to us.
const ECHO_WITHIN: Duration = Duration::from_secs(2);

/// Announces a node and tells it of others, until it has `ended`.
pub fn run(group: SocketAddrV4, own: Contact, orders: &Orders, ended: &Stop) {
    let Some(ip) = announced_as(own.address.ip()) else {
        return say_unavailable("it is for nodes that listen on IPv4's loopback");
    };
    if let Err(error) = Group::join(group, ip).and_then(|group| attend(&group, own, orders, ended))
    {
        say_unavailable(&format!("{}; {DOCTOR}", plain(&error)));
    }
}

/// From which address of the loopback interface the others reach a node that listens on `ip`.
fn announced_as(ip: IpAddr) -> Option<Ipv4Addr> {
    match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => Some(Ipv4Addr::LOCALHOST),
        IpAddr::V4(ip) if ip.is_loopback() => Some(ip),
        _ => None,
    }
}

fn attend(group: &Group, own: Contact, orders: &Orders, ended: &Stop) -> io::Result<()> {
    let (mut next, mut pause) = (Instant::now(), FIRST_PAUSE);
    let mut echo_until = Some(next + ECHO_WITHIN);
    while !ended.is_raised() {
        if Instant::now() >= next {
            group.announce(own.id, own.address.port())?;
            (next, pause) = (Instant::now() + pause, (pause * 2).min(LONGEST_PAUSE));
        }
        let until = echo_until.map_or(next, |echo| echo.min(next));
        match group.hear(ended, until.saturating_duration_since(Instant::now()))? {
            Some(contact) if contact.id == own.id => echo_until = None,
            Some(contact) => _ = orders.tell(Event::Announced(contact)),
            // Only now that nothing is left in the queue: after a pause, ours may stand behind others.
            None if echo_until.is_some_and(|until| Instant::now() >= until) => {
                say_unavailable(&format!("what we announce does not come back to us; {DOCTOR}"));
                echo_until = None;
            }
            None => {}
        }
    }
    Ok(())
}

pub fn say_unavailable(why: &str) {
    log!("multicast does not work here ({why}): name the others with --peer HOST:PORT");
}

/// Whether an announcement comes back on this machine, for nodes that listen on `ip`: tried with
/// one of nobody.
pub fn works(address: SocketAddrV4, ip: IpAddr) -> io::Result<()> {
    let ip = announced_as(ip).ok_or_else(|| io::Error::other("it is for IPv4's loopback"))?;
    let group = Group::join(address, ip)?;
    let id = NodeId(getrandom::u64().map_err(io::Error::other)?);
    let until = Instant::now() + ECHO_WITHIN;
    group.announce(id, address.port())?;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match group.hear(&Stop::new(), left)? {
            Some(contact) if contact.id == id => return Ok(()),
            // With no time left, this was a last look.
            None if left.is_zero() => break,
            _ => {}
        }
    }
    Err(io::Error::other("what we announce does not come back to us"))
}
