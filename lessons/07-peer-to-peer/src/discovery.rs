//! Discovery: nodes find each other without being told an address, by multicast.
//!
//! A datagram to a group address reaches every socket that has joined the group. Groups are class D,
//! 224.0.0.0/4; of these nobody assigns 239.0.0.0/8: it is for everybody's own use, inside borders of
//! their own (RFC 2365, section 4: "administratively scoped"), and 239.255.0.0/16 for use inside the
//! narrowest ones (section 6.1: "local scope"). Ours does not even leave the machine, as we join and
//! send on the loopback interface only.
//!
//! ```text
//! an announcement, 15 bytes:   "PEER" 4 | version 1 | node id 8 | port on which it listens 2
//! ```

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::time::{Duration, Instant};

use netbasics::program::plain;
use netbasics::say;
use netbasics::stop::Stop;
use netbasics::trouble::is_timeout;
use socket2::{Domain, Protocol, Socket, Type};

use crate::carry::Orders;
use crate::node::Event;
use crate::wire::{Contact, MAGIC, NodeId, VERSION};

const ANNOUNCEMENT_BYTES: usize = 15;
/// How often a node announces itself: this long after the first time, then twice as long, up to an
/// end. A datagram may be lost, and somebody may come when we have long been here.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// How long our own announcement may take to come back to us.
const ECHO_WITHIN: Duration = Duration::from_secs(2);
/// How often a listening thread looks whether it should end.
const TICK: Duration = Duration::from_millis(100);

/// How Windows says that a datagram is larger than the buffer. (Others cut it off.) Then it is no
/// announcement.
const WSAEMSGSIZE: i32 = 10_040;

/// A group that we have joined.
pub struct Group {
    address: SocketAddrV4,
    hearing: UdpSocket,
    speaking: UdpSocket,
}

impl Group {
    // listing: begin join
    /// Joins the group at `address`; what we say there comes from `ip`, an address of loopback.
    pub fn join(address: SocketAddrV4, ip: Ipv4Addr) -> io::Result<Self> {
        let new = || Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP));
        let hearing = new()?;
        // SO_REUSEADDR: several nodes of this machine hear on one port. With a group address (and
        // only with that) each of them gets every datagram.
        hearing.set_reuse_address(true)?;
        // bind(2) to the group: nothing that was sent elsewhere arrives here. Windows binds to
        // addresses of the machine only.
        let anywhere = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, address.port());
        hearing.bind(&address.into()).or_else(|_| hearing.bind(&anywhere.into()))?;
        // IP_ADD_MEMBERSHIP: the loopback interface lets this group in, and no other interface does.
        hearing.join_multicast_v4(address.ip(), &Ipv4Addr::LOCALHOST)?;

        let speaking = new()?;
        speaking.bind(&SocketAddrV4::new(ip, 0).into())?;
        // IP_MULTICAST_IF: out through loopback, whatever the routing table says of 239.0.0.0/8.
        speaking.set_multicast_if_v4(&Ipv4Addr::LOCALHOST)?;
        // IP_MULTICAST_TTL: 1, the default, passes no router (RFC 1112, section 6.1); 0 does not
        // leave this machine, should the interface be another one than we think.
        speaking.set_multicast_ttl_v4(0)?;
        // IP_MULTICAST_LOOP: our own machine gets it, too. (It is the default; here all rests on it.)
        speaking.set_multicast_loop_v4(true)?;
        let (hearing, speaking) = (UdpSocket::from(hearing), UdpSocket::from(speaking));
        hearing.set_read_timeout(Some(TICK))?;
        Ok(Self { address, hearing, speaking })
    }
    // listing: end join

    fn announce(&self, id: NodeId, port: u16) -> io::Result<()> {
        let (id, port) = (id.0.to_be_bytes(), port.to_be_bytes());
        let datagram = [&MAGIC[..], &[VERSION], &id, &port].concat();
        self.speaking.send_to(&datagram, self.address).map(drop)
    }

    // listing: begin hear
    /// Waits a moment for an announcement.
    ///
    /// Anybody on this machine can write one, and there is no connection that would prove anything.
    /// So we believe as little as we can: that it is worth a try to connect to this port, at the
    /// address that the datagram came from, if that is of this machine. Who is there we then ask.
    fn hear(&self) -> io::Result<Option<Contact>> {
        let mut buffer = [0; ANNOUNCEMENT_BYTES + 1];
        match self.hearing.recv_from(&mut buffer) {
            Ok((length, from)) => Ok(contact(&buffer[..length], from.ip())),
            Err(error) if is_timeout(&error) || error.kind() == ErrorKind::Interrupted => Ok(None),
            Err(error) if error.raw_os_error() == Some(WSAEMSGSIZE) => Ok(None),
            Err(error) => Err(error),
        }
    }
    // listing: end hear
}

// listing: begin contact
fn contact(datagram: &[u8], from: IpAddr) -> Option<Contact> {
    let (magic, rest) = datagram.split_first_chunk()?;
    let ([version], rest) = rest.split_first_chunk()?;
    let (id, rest) = rest.split_first_chunk()?;
    let port = u16::from_be_bytes(rest.try_into().ok()?);
    let is_ours = *magic == MAGIC && *version == VERSION && port != 0 && from.is_loopback();
    let id = NodeId(u64::from_be_bytes(*id));
    is_ours.then_some(Contact { id, address: SocketAddr::new(from, port) })
}
// listing: end contact

/// Announces a node and tells it of others, until it has `ended`.
pub fn run(group: SocketAddrV4, own: Contact, orders: &Orders, ended: &Stop) {
    let Some(ip) = announced_as(own.address.ip()) else {
        return say_unavailable("it is for nodes that listen on IPv4's loopback");
    };
    if let Err(error) = Group::join(group, ip).and_then(|group| attend(&group, own, orders, ended))
    {
        say_unavailable(&plain(&error));
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
        match group.hear()? {
            Some(contact) if contact.id == own.id => echo_until = None,
            Some(contact) => _ = orders.tell(Event::Announced(contact)),
            None => {}
        }
        if echo_until.is_some_and(|until| Instant::now() >= until) {
            say_unavailable("what we announce does not come back to us");
            echo_until = None;
        }
    }
    Ok(())
}

pub fn say_unavailable(why: &str) {
    say!("multicast does not work here ({why}): name the others with --peer HOST:PORT");
}

/// Whether an announcement comes back on this machine, for nodes that listen on `ip`: tried with
/// one of nobody.
pub fn works(address: SocketAddrV4, ip: IpAddr) -> io::Result<()> {
    let ip = announced_as(ip).ok_or_else(|| io::Error::other("it is for IPv4's loopback"))?;
    let group = Group::join(address, ip)?;
    let id = NodeId(getrandom::u64().map_err(io::Error::other)?);
    let until = Instant::now() + ECHO_WITHIN;
    group.announce(id, address.port())?;
    while Instant::now() < until {
        if group.hear()?.is_some_and(|contact| contact.id == id) {
            return Ok(());
        }
    }
    Err(io::Error::other("what we announce does not come back to us"))
}
