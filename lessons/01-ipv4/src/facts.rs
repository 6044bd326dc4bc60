//! What can be said about an address, a special purpose and a port (for a network see `network`).
//!
//! Each struct is a few fields of the JSON object, and its `Display` a few words of the sentence.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use netbasics::values::address::{Class, SpecialBlock, special_block, special_block_of_net};
use netbasics::values::port::PortKind;
use serde::Serialize;

/// The address itself and, for IPv4, its class.
#[derive(Serialize)]
pub struct AddressFacts {
    version: u8,
    address: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class_block: Option<String>,
}

impl AddressFacts {
    pub fn of(address: IpAddr) -> Self {
        Self::of_network(IpNet::from(address))
    }

    /// A network larger than a class (`0.0.0.0/0`) has none.
    pub fn of_network(net: IpNet) -> Self {
        let class = match net {
            IpNet::V4(net) => Some(Class::of(net.addr())).filter(|c| c.block().contains(&net)),
            IpNet::V6(_) => None,
        };
        Self {
            version: if net.addr().is_ipv4() { 4 } else { 6 },
            address: net.addr(),
            class: class.map(|class| class.to_string()),
            class_block: class.map(|class| class.block().to_string()),
        }
    }
}

impl fmt::Display for AddressFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.class, &self.class_block) {
            (Some(class), Some(block)) => write!(f, "class {class} ({block})"),
            _ if self.version == 4 => write!(f, "IPv4, more than one class"),
            _ => write!(f, "IPv6, which has no classes"),
        }
    }
}

/// What the address or the whole network is set aside for.
#[derive(Serialize)]
pub struct SpecialFacts {
    special: &'static str,
    special_block: String,
    special_name: &'static str,
    special_source: &'static str,
}

impl SpecialFacts {
    pub fn of(address: IpAddr) -> Option<Self> {
        special_block(address).map(Self::new)
    }

    pub fn of_network(net: IpNet) -> Option<Self> {
        special_block_of_net(net).map(Self::new)
    }

    fn new(block: &SpecialBlock) -> Self {
        Self {
            special: block.special.name(),
            special_block: block.net.to_string(),
            special_name: block.name,
            special_source: block.source,
        }
    }
}

impl fmt::Display for SpecialFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {})", self.special, self.special_block, self.special_source)
    }
}

/// What the port number says.
#[derive(Serialize)]
pub struct PortFacts {
    port: u16,
    port_kind: &'static str,
}

impl PortFacts {
    pub fn of(port: u16) -> Self {
        Self { port, port_kind: PortKind::of(port).name() }
    }
}

impl fmt::Display for PortFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = PortKind::of(self.port).range();
        write!(f, "port {} {} ({}-{})", self.port, self.port_kind, range.start(), range.end())
    }
}
