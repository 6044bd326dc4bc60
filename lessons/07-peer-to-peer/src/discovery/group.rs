//! A multicast group: joined, spoken to and heard on the loopback interface.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::time::Duration;

use netbasics::net::socket_error::is_timeout;
use netbasics::system::stop::Stop;
use socket2::{Domain, Protocol, Socket, Type};

use crate::wire::{Contact, MAGIC, NodeId, VERSION};

const ANNOUNCEMENT_BYTES: usize = 15;
/// How long a datagram may take that was said to be there: it may turn out to be damaged.
const MOMENT: Duration = Duration::from_millis(10);
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
        hearing.set_read_timeout(Some(MOMENT))?;
        Ok(Self { address, hearing, speaking })
    }
    // listing: end join

    pub fn announce(&self, id: NodeId, port: u16) -> io::Result<()> {
        let (id, port) = (id.0.to_be_bytes(), port.to_be_bytes());
        let datagram = [&MAGIC[..], &[VERSION], &id, &port].concat();
        self.speaking.send_to(&datagram, self.address).map(drop)
    }

    // listing: begin hear
    /// Waits for an announcement, for `limit` or until `stop` is raised.
    ///
    /// Anybody on this machine can write one, and there is no connection that would prove anything.
    /// So we believe as little as we can: that it is worth a try to connect to this port, at the
    /// address that the datagram came from, if that is of this machine. Who is there we then ask.
    pub fn hear(&self, stop: &Stop, limit: Duration) -> io::Result<Option<Contact>> {
        if !stop.wait_readable(&self.hearing, limit)? {
            return Ok(None);
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use netlab::port::free_port;
    use netlab::record::Transport;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn an_announcement_is_believed_as_far_as_it_goes() {
        let datagram = b"PEER\x01\0\0\0\0\0\0\0\x07\x22\xb8";
        let expected = Contact { id: NodeId(7), address: "127.0.0.1:8888".parse().unwrap() };
        assert_eq!(contact(datagram, HERE), Some(expected));
        let elsewhere = "192.0.2.1".parse().unwrap();
        assert_eq!(contact(datagram, elsewhere), None, "not from this machine");
        for length in 0..datagram.len() {
            assert_eq!(contact(&datagram[..length], HERE), None, "{length} bytes of it");
        }
        assert_eq!(contact(&[&datagram[..], b"x"].concat(), HERE), None, "a byte more");
    }

    /// What arrives takes no time; where nothing does, multicast does not work.
    const PATIENCE: Duration = Duration::from_secs(2);

    #[test]
    fn what_is_announced_is_heard_or_multicast_does_not_work_here() {
        let port = free_port(Transport::Udp);
        let address = SocketAddrV4::new(Ipv4Addr::new(239, 255, 77, 9), port);
        let Ok(group) = Group::join(address, Ipv4Addr::LOCALHOST) else { return };
        let other = Group::join(address, Ipv4Addr::LOCALHOST).expect("two share a port");
        if group.announce(NodeId(7), 9).is_err() {
            return;
        }
        let stop = Stop::new();
        if let Some(contact) = group.hear(&stop, PATIENCE).unwrap() {
            assert_eq!(contact, Contact { id: NodeId(7), address: SocketAddr::new(HERE, 9) });
            assert_eq!(other.hear(&stop, PATIENCE).unwrap(), Some(contact), "both hear it");
        }
    }
}
