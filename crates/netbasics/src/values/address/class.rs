//! The five classes of IPv4 addresses (RFC 791 section 3.2 for A to C, RFC 1112 section 4 for D
//! and E).

use std::fmt;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

/// The class of an IPv4 address, told from its first bits.
///
/// | class | first bits | first octet | network bits | host bits |
/// | --- | --- | --- | --- | --- |
/// | A | `0` | 0–127 | 8 | 24 |
/// | B | `10` | 128–191 | 16 | 16 |
/// | C | `110` | 192–223 | 24 | 8 |
/// | D | `1110` | 224–239 | – | – |
/// | E | `1111` | 240–255 | – | – |
///
/// Classes are history since CIDR (RFC 1519, now RFC 4632): nothing may be concluded from them
/// about the size of a network today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// For a few very large networks.
    A,
    /// For large networks.
    B,
    /// For small networks.
    C,
    /// Multicast: one address stands for a group of hosts.
    D,
    /// Reserved, once called experimental.
    E,
}

impl Class {
    /// All classes, in the order of their addresses.
    pub const ALL: [Self; 5] = [Self::A, Self::B, Self::C, Self::D, Self::E];

    // listing: begin of
    /// The class of `address`: one more leading 1 bit, one class further on.
    #[must_use]
    pub const fn of(address: Ipv4Addr) -> Self {
        match address.octets()[0].leading_ones() {
            0 => Self::A,
            1 => Self::B,
            2 => Self::C,
            3 => Self::D,
            _ => Self::E,
        }
    }
    // listing: end of

    /// The bits every address of the class begins with, such as `110`.
    #[must_use]
    pub const fn first_bits(self) -> &'static str {
        match self {
            Self::A => "0",
            Self::B => "10",
            Self::C => "110",
            Self::D => "1110",
            Self::E => "1111",
        }
    }

    /// Every address of the class as one block: half of all addresses for A, a quarter for B, and
    /// so on.
    #[must_use]
    pub const fn block(self) -> Ipv4Net {
        let (first_octet, prefix_len) = match self {
            Self::A => (0, 1),
            Self::B => (128, 2),
            Self::C => (192, 3),
            Self::D => (224, 4),
            Self::E => (240, 4),
        };
        Ipv4Net::new_assert(Ipv4Addr::new(first_octet, 0, 0, 0), prefix_len)
    }

    /// The first address that could be given to a host (in D: to a group).
    ///
    /// By its bits class A begins at 0.0.0.0, but 0.0.0.0/8 is reserved for "this network".
    #[must_use]
    pub const fn first_usable(self) -> Ipv4Addr {
        match self {
            Self::A => Ipv4Addr::new(1, 0, 0, 1),
            Self::B => Ipv4Addr::new(128, 0, 0, 1),
            Self::C => Ipv4Addr::new(192, 0, 0, 1),
            Self::D => Ipv4Addr::new(224, 0, 0, 0),
            Self::E => Ipv4Addr::new(240, 0, 0, 0),
        }
    }

    /// The last address that could be given to a host (in D: to a group).
    ///
    /// By its bits class A ends at 127.255.255.255, but 127.0.0.0/8 is loopback. Class E ends one
    /// address early, because 255.255.255.255 is the limited broadcast.
    #[must_use]
    pub const fn last_usable(self) -> Ipv4Addr {
        match self {
            Self::A => Ipv4Addr::new(126, 255, 255, 254),
            Self::B => Ipv4Addr::new(191, 255, 255, 254),
            Self::C => Ipv4Addr::new(223, 255, 255, 254),
            Self::D => Ipv4Addr::new(239, 255, 255, 255),
            Self::E => Ipv4Addr::new(255, 255, 255, 254),
        }
    }

    /// How many bits named the network, the class's own first bits included; `None` for D and E,
    /// whose addresses have no network part.
    #[must_use]
    pub const fn network_bits(self) -> Option<u8> {
        match self {
            Self::A => Some(8),
            Self::B => Some(16),
            Self::C => Some(24),
            Self::D | Self::E => None,
        }
    }

    /// How many bits named the host in its network; `None` for D and E.
    #[must_use]
    pub const fn host_bits(self) -> Option<u8> {
        match self.network_bits() {
            Some(network_bits) => Some(32 - network_bits),
            None => None,
        }
    }

    /// The mask that went with the class before masks were written down, such as 255.255.255.0;
    /// `None` for D and E.
    #[must_use]
    pub fn default_mask(self) -> Option<Ipv4Addr> {
        self.network_bits().map(|bits| Ipv4Addr::from_bits(u32::MAX << (32 - bits)))
    }

    /// The network `address` belongs to by its class alone, such as 192.168.1.0/24 for
    /// 192.168.1.77; `None` for D and E.
    #[must_use]
    pub fn network_of(address: Ipv4Addr) -> Option<Ipv4Net> {
        let network_bits = Self::of(address).network_bits()?;
        Ipv4Net::new(address, network_bits).ok().map(|net| net.trunc())
    }

    /// How many addresses the block of the class holds, reserved ones included.
    #[must_use]
    pub const fn addresses(self) -> u64 {
        1 << (32 - self.block().prefix_len())
    }

    /// What the class was meant for, in one line.
    #[must_use]
    pub const fn purpose(self) -> &'static str {
        match self {
            Self::A => "a few very large networks (0/8 and 127/8 are reserved)",
            Self::B => "large networks",
            Self::C => "small networks",
            Self::D => "multicast: one address for a group of hosts",
            Self::E => "reserved (255.255.255.255 is limited broadcast)",
        }
    }
}

impl fmt::Display for Class {
    /// The letter alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("0.0.0.0", Class::A)]
    #[case("1.0.0.1", Class::A)]
    #[case("126.255.255.254", Class::A)]
    #[case("127.0.0.1", Class::A)]
    #[case("127.255.255.255", Class::A)]
    #[case("128.0.0.0", Class::B)]
    #[case("191.255.255.255", Class::B)]
    #[case("192.0.0.0", Class::C)]
    #[case("223.255.255.255", Class::C)]
    #[case("224.0.0.0", Class::D)]
    #[case("239.255.255.255", Class::D)]
    #[case("240.0.0.0", Class::E)]
    #[case("255.255.255.255", Class::E)]
    fn class_changes_exactly_at_its_boundary(#[case] address: Ipv4Addr, #[case] class: Class) {
        assert_eq!(Class::of(address), class);
        assert!(class.block().contains(&address));
    }

    #[rstest]
    #[case(Class::A, "1.0.0.1", "126.255.255.254", Some("255.0.0.0"), 2_147_483_648)]
    #[case(Class::B, "128.0.0.1", "191.255.255.254", Some("255.255.0.0"), 1_073_741_824)]
    #[case(Class::C, "192.0.0.1", "223.255.255.254", Some("255.255.255.0"), 536_870_912)]
    #[case(Class::D, "224.0.0.0", "239.255.255.255", None, 268_435_456)]
    #[case(Class::E, "240.0.0.0", "255.255.255.254", None, 268_435_456)]
    fn class_knows_its_range_mask_and_size(
        #[case] class: Class,
        #[case] first: Ipv4Addr,
        #[case] last: Ipv4Addr,
        #[case] mask: Option<&str>,
        #[case] addresses: u64,
    ) {
        assert_eq!((class.first_usable(), class.last_usable()), (first, last));
        assert_eq!(class.default_mask().map(|m| m.to_string()).as_deref(), mask);
        assert_eq!(class.addresses(), addresses);
        assert_eq!((Class::of(first), Class::of(last)), (class, class));
    }

    #[test]
    fn the_five_blocks_cover_every_address_once() {
        assert_eq!(Class::ALL.iter().map(|class| class.addresses()).sum::<u64>(), 1 << 32);
        for pair in Class::ALL.windows(2) {
            let (last, next) = (pair[0].block().broadcast(), pair[1].block().network());
            assert_eq!(last.to_bits() + 1, next.to_bits());
        }
    }

    #[test]
    fn first_bits_are_those_of_the_block() {
        for class in Class::ALL {
            let bits = format!("{:032b}", class.block().network().to_bits());
            assert!(bits.starts_with(class.first_bits()));
            assert_eq!(class.first_bits().len(), usize::from(class.block().prefix_len()));
        }
    }

    #[test]
    fn network_by_class_drops_the_host_part() {
        let network = Class::network_of(Ipv4Addr::new(192, 168, 1, 77)).unwrap();
        assert_eq!(network.to_string(), "192.168.1.0/24");
        assert_eq!(Class::network_of(Ipv4Addr::new(224, 0, 0, 1)), None);
        assert_eq!(Class::B.host_bits(), Some(16));
    }
}
