//! What an address can be set aside for, and a row of the registry that says so.

use std::fmt;

use ipnet::IpNet;

/// What a block of addresses was set aside for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Special {
    /// IPv4 "this network": a host that does not know its own address yet speaks from here.
    ThisNetwork,
    /// IPv6 `::`, the absence of an address.
    Unspecified,
    /// Never leaves the machine.
    Loopback,
    /// For networks of one's own; not routed on the Internet (RFC 1918).
    Private,
    /// The IPv6 counterpart of private (RFC 4193).
    UniqueLocal,
    /// Between a provider's address translator and its customers.
    Shared,
    /// Valid on one link only; routers do not forward it.
    LinkLocal,
    /// For examples in books and manuals.
    Documentation,
    /// For measuring devices in a laboratory.
    Benchmarking,
    /// One address for a group of hosts.
    Multicast,
    /// For future use.
    Reserved,
    /// 255.255.255.255: every host on this link.
    Broadcast,
    /// An IPv4 address written as an IPv6 address.
    Ipv4Mapped,
    /// IPv4 hosts as IPv6 hosts see them through a translator.
    Translation,
    /// IPv6 carried inside IPv4 (6to4, Teredo).
    Tunnel,
    /// Routers drop what is sent here, on purpose.
    Discard,
    /// Where a packet needs an address and no host is meant: as its source, when the sender has none
    /// (RFC 7600), or inside a tunnel (RFC 9780).
    Dummy,
    /// Set aside by the IETF for one protocol or one service.
    Protocol,
}

impl Special {
    /// The purpose in the words this course uses everywhere, such as `link-local`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ThisNetwork => "this-network",
            Self::Unspecified => "unspecified",
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::UniqueLocal => "unique-local",
            Self::Shared => "shared",
            Self::LinkLocal => "link-local",
            Self::Documentation => "documentation",
            Self::Benchmarking => "benchmarking",
            Self::Multicast => "multicast",
            Self::Reserved => "reserved",
            Self::Broadcast => "broadcast",
            Self::Ipv4Mapped => "ipv4-mapped",
            Self::Translation => "translation",
            Self::Tunnel => "tunnel",
            Self::Discard => "discard",
            Self::Dummy => "dummy",
            Self::Protocol => "protocol",
        }
    }
}

impl fmt::Display for Special {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One row of the registry of special-purpose addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpecialBlock {
    /// The addresses it covers.
    pub net: IpNet,
    /// What they are for.
    pub special: Special,
    /// The name in the registry.
    pub name: &'static str,
    /// Where this is written, such as `RFC 1122 section 3.2.1.3`.
    pub source: &'static str,
}
