//! From the address that a person wrote to those that a socket takes.

use std::io;
use std::net::{SocketAddr, SocketAddrV6, ToSocketAddrs};
use std::vec;

use crate::values::port::{Endpoint, Host};

impl ToSocketAddrs for Endpoint {
    type Iter = vec::IntoIter<SocketAddr>;

    /// Looks a name up (`getaddrinfo(3)`), which may take seconds; an address needs no look-up. The
    /// name of an interface does: its number is what is in a socket address.
    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        match &self.host {
            Host::V4(address) => Ok(vec![SocketAddr::from((*address, self.port))].into_iter()),
            Host::V6(address) => Ok(vec![SocketAddr::from((*address, self.port))].into_iter()),
            Host::V6Zone(address, zone) => {
                let number = zone.parse().or_else(|_| interface_number(zone))?;
                Ok(vec![SocketAddrV6::new(*address, self.port, 0, number).into()].into_iter())
            }
            Host::Name(name) => (name.as_str(), self.port).to_socket_addrs(),
        }
    }
}

/// The number of an interface. getaddrinfo(3) looks its name up behind a link-local address only,
/// although others have a zone, too, such as `::1` (RFC 4007, section 4): so it is given one.
fn interface_number(name: &str) -> io::Result<u32> {
    let found = (format!("fe80::1%{name}"), 0).to_socket_addrs()?.next();
    match found {
        Some(SocketAddr::V6(address)) if address.scope_id() != 0 => Ok(address.scope_id()),
        _ => Err(io::Error::new(io::ErrorKind::NotFound, "no interface has this name")),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    const LINK_LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);

    #[test]
    fn an_address_needs_no_look_up() {
        let endpoint: Endpoint = "[::1]:80".parse().unwrap();
        let addresses: Vec<SocketAddr> = endpoint.to_socket_addrs().unwrap().collect();
        assert_eq!(addresses, ["[::1]:80".parse().unwrap()]);
    }

    #[test]
    fn a_zone_by_number_needs_no_look_up_and_one_by_name_does() {
        let endpoint: Endpoint = "[fe80::1%7]:80".parse().unwrap();
        let addresses: Vec<SocketAddr> = endpoint.to_socket_addrs().unwrap().collect();
        assert_eq!(addresses, [SocketAddrV6::new(LINK_LOCAL, 80, 0, 7).into()]);
        let nowhere: Endpoint = "[fe80::1%no-such-zone]:80".parse().unwrap();
        nowhere.to_socket_addrs().unwrap_err();
        if cfg!(target_os = "linux") {
            for loopback in ["[fe80::1%lo]:80", "[::1%lo]:80"] {
                let loopback: Endpoint = loopback.parse().unwrap();
                let addresses: Vec<SocketAddr> = loopback.to_socket_addrs().unwrap().collect();
                assert!(matches!(addresses[..], [SocketAddr::V6(v6)] if v6.scope_id() != 0));
            }
        }
    }
}
