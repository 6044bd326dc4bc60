//! The arithmetic of a network: mask, host part, broadcast, number of hosts.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use netbasics::values::address::Class;
use serde::Serialize;

/// Where the network part of an address ends, and what that leaves for hosts.
#[derive(Serialize)]
pub struct NetworkFacts {
    network: String,
    /// Whether the class alone says so, which since CIDR says little.
    by_class: bool,
    host_part: IpAddr,
    host_bits: u8,
    mask: IpAddr,
    /// For IPv4 the broadcast address.
    last: IpAddr,
    /// `None` for IPv6: the numbers are beyond reading.
    #[serde(skip_serializing_if = "Option::is_none")]
    hosts: Option<u64>,
}

impl NetworkFacts {
    /// The network of an IPv4 address by its class; classes D and E, and IPv6, have none.
    pub fn by_class(address: IpAddr) -> Option<Self> {
        let IpAddr::V4(v4) = address else { return None };
        let prefix_len = Class::of(v4).network_bits()?;
        let net = IpNet::new(address, prefix_len).ok()?;
        Some(Self { by_class: true, ..Self::of(net) })
    }

    pub fn of(net: IpNet) -> Self {
        Self {
            network: net.trunc().to_string(),
            by_class: false,
            host_part: host_part(net),
            host_bits: net.max_prefix_len() - net.prefix_len(),
            mask: net.netmask(),
            last: net.broadcast(),
            hosts: match net {
                IpNet::V4(net) => Some(host_count(net)),
                IpNet::V6(_) => None,
            },
        }
    }
}

// listing: begin host_part
/// The bits of the address that the mask does not cover.
fn host_part(net: IpNet) -> IpAddr {
    match net {
        IpNet::V4(net) => Ipv4Addr::from(net.addr().to_bits() & net.hostmask().to_bits()).into(),
        IpNet::V6(net) => IpAddr::V6((net.addr().to_bits() & net.hostmask().to_bits()).into()),
    }
}
// listing: end host_part

/// The first address names the network and the last is its broadcast, so neither is a host's; a
/// link between two routers (/31, RFC 3021) and a single address (/32) do without the two.
fn host_count(net: Ipv4Net) -> u64 {
    let addresses = 1 << (32 - net.prefix_len());
    if addresses > 2 { addresses - 2 } else { addresses }
}

impl fmt::Display for NetworkFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by_class = if self.by_class { " by class" } else { "" };
        write!(f, "network {}{by_class}, host part {}", self.network, self.host_part)?;
        match self.hosts {
            _ if self.by_class => Ok(()),
            // A /31 or /32 has no broadcast address.
            Some(hosts) if self.host_bits < 2 => {
                write!(f, ", mask {}, last {}, hosts {hosts}", self.mask, self.last)
            }
            Some(hosts) => {
                write!(f, ", mask {}, broadcast {}, hosts {hosts}", self.mask, self.last)
            }
            None => write!(f, ", last {}, 2^{} addresses", self.last, self.host_bits),
        }
    }
}
