//! The IANA registries of special-purpose addresses, as tables.
//!
//! The registries were set up by RFC 6890 and amended by RFC 8190; they live at
//! <https://www.iana.org/assignments/iana-ipv4-special-registry> and
//! <https://www.iana.org/assignments/iana-ipv6-special-registry>. Their rows, with a date, are kept
//! in the folder `registries` of this crate, and a test compares them with these tables. Multicast is
//! not in them, since it has registries of its own, and stands here too, because a student will ask.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::purpose::Special::{
    self, Benchmarking, Broadcast, Discard, Documentation, Dummy, Ipv4Mapped, LinkLocal, Loopback,
    Multicast, Private, Protocol, Reserved, Shared, ThisNetwork, Translation, Tunnel, UniqueLocal,
    Unspecified,
};
use super::purpose::SpecialBlock;

/// The special blocks of IPv4 in the order of their addresses; a block may lie inside another.
pub const IPV4_BLOCKS: &[SpecialBlock] = &[
    v4([0, 0, 0, 0], 8, ThisNetwork, "This network", "RFC 791 section 3.2"),
    v4([0, 0, 0, 0], 32, ThisNetwork, "This host on this network", "RFC 1122 section 3.2.1.3"),
    v4([10, 0, 0, 0], 8, Private, "Private-Use", "RFC 1918 section 3"),
    v4([100, 64, 0, 0], 10, Shared, "Shared Address Space", "RFC 6598 section 7"),
    v4([127, 0, 0, 0], 8, Loopback, "Loopback", "RFC 1122 section 3.2.1.3"),
    v4([169, 254, 0, 0], 16, LinkLocal, "Link Local", "RFC 3927 section 2.1"),
    v4([172, 16, 0, 0], 12, Private, "Private-Use", "RFC 1918 section 3"),
    v4([192, 0, 0, 0], 24, Protocol, "IETF Protocol Assignments", "RFC 6890 section 2.1"),
    v4([192, 0, 0, 0], 29, Protocol, "IPv4 Service Continuity Prefix", "RFC 7335"),
    v4([192, 0, 0, 8], 32, Dummy, "IPv4 dummy address", "RFC 7600"),
    v4([192, 0, 0, 9], 32, Protocol, "Port Control Protocol Anycast", "RFC 7723"),
    v4([192, 0, 0, 10], 32, Protocol, "Traversal Using Relays around NAT Anycast", "RFC 8155"),
    v4([192, 0, 0, 170], 32, Protocol, "NAT64/DNS64 Discovery", "RFC 7050 section 2.2"),
    v4([192, 0, 0, 171], 32, Protocol, "NAT64/DNS64 Discovery", "RFC 7050 section 2.2"),
    v4([192, 0, 2, 0], 24, Documentation, "Documentation (TEST-NET-1)", "RFC 5737 section 3"),
    v4([192, 31, 196, 0], 24, Protocol, "AS112-v4", "RFC 7535"),
    v4([192, 52, 193, 0], 24, Protocol, "AMT", "RFC 7450"),
    v4([192, 88, 99, 0], 24, Tunnel, "Deprecated (6to4 Relay Anycast)", "RFC 7526"),
    v4([192, 88, 99, 2], 32, Tunnel, "6a44-relay anycast address", "RFC 6751"),
    v4([192, 168, 0, 0], 16, Private, "Private-Use", "RFC 1918 section 3"),
    v4([192, 175, 48, 0], 24, Protocol, "Direct Delegation AS112 Service", "RFC 7534"),
    v4([198, 18, 0, 0], 15, Benchmarking, "Benchmarking", "RFC 2544 appendix C.2.2"),
    v4([198, 51, 100, 0], 24, Documentation, "Documentation (TEST-NET-2)", "RFC 5737 section 3"),
    v4([203, 0, 113, 0], 24, Documentation, "Documentation (TEST-NET-3)", "RFC 5737 section 3"),
    v4([224, 0, 0, 0], 4, Multicast, "Multicast", "RFC 1112 section 4"),
    v4([240, 0, 0, 0], 4, Reserved, "Reserved", "RFC 1112 section 4"),
    v4([255, 255, 255, 255], 32, Broadcast, "Limited Broadcast", "RFC 919 section 7"),
];

/// The special blocks of IPv6 in the order of their addresses; a block may lie inside another.
pub const IPV6_BLOCKS: &[SpecialBlock] = &[
    v6([0; 8], 128, Unspecified, "Unspecified Address", "RFC 4291 section 2.5.2"),
    v6([0, 0, 0, 0, 0, 0, 0, 1], 128, Loopback, "Loopback Address", "RFC 4291 section 2.5.3"),
    v6(
        [0, 0, 0, 0, 0, 0xffff, 0, 0],
        96,
        Ipv4Mapped,
        "IPv4-mapped Address",
        "RFC 4291 section 2.5.5.2",
    ),
    v6(starting([0x64, 0xff9b, 0]), 96, Translation, "IPv4-IPv6 Translat.", "RFC 6052 section 2.1"),
    v6(starting([0x64, 0xff9b, 1]), 48, Translation, "IPv4-IPv6 Translat.", "RFC 8215"),
    v6(starting([0x100, 0, 0]), 64, Discard, "Discard-Only Address Block", "RFC 6666"),
    v6([0x100, 0, 0, 1, 0, 0, 0, 0], 64, Dummy, "Dummy IPv6 Prefix", "RFC 9780"),
    v6(starting([0x2001, 0, 0]), 23, Protocol, "IETF Protocol Assignments", "RFC 2928"),
    v6(starting([0x2001, 0, 0]), 32, Tunnel, "TEREDO", "RFC 4380 section 2.6"),
    v6([0x2001, 1, 0, 0, 0, 0, 0, 1], 128, Protocol, "Port Control Protocol Anycast", "RFC 7723"),
    v6(
        [0x2001, 1, 0, 0, 0, 0, 0, 2],
        128,
        Protocol,
        "Traversal Using Relays around NAT Anycast",
        "RFC 8155",
    ),
    v6(
        [0x2001, 1, 0, 0, 0, 0, 0, 3],
        128,
        Protocol,
        "DNS-SD Service Registration Protocol Anycast",
        "RFC 9665",
    ),
    v6(starting([0x2001, 2, 0]), 48, Benchmarking, "Benchmarking", "RFC 5180 section 8"),
    v6(starting([0x2001, 3, 0]), 32, Protocol, "AMT", "RFC 7450"),
    v6(starting([0x2001, 4, 0x112]), 48, Protocol, "AS112-v6", "RFC 7535"),
    v6(starting([0x2001, 0x10, 0]), 28, Protocol, "Deprecated (previously ORCHID)", "RFC 4843"),
    v6(starting([0x2001, 0x20, 0]), 28, Protocol, "ORCHIDv2", "RFC 7343"),
    v6(
        starting([0x2001, 0x30, 0]),
        28,
        Protocol,
        "Drone Remote ID Protocol Entity Tags (DETs) Prefix",
        "RFC 9374",
    ),
    v6(starting([0x2001, 0xdb8, 0]), 32, Documentation, "Documentation", "RFC 3849 section 2"),
    v6(starting([0x2002, 0, 0]), 16, Tunnel, "6to4", "RFC 3056 section 2"),
    v6(
        starting([0x2620, 0x4f, 0x8000]),
        48,
        Protocol,
        "Direct Delegation AS112 Service",
        "RFC 7534",
    ),
    v6(starting([0x3fff, 0, 0]), 20, Documentation, "Documentation", "RFC 9637"),
    v6(starting([0x5f00, 0, 0]), 16, Protocol, "Segment Routing (SRv6) SIDs", "RFC 9602"),
    v6(starting([0xfc00, 0, 0]), 7, UniqueLocal, "Unique-Local", "RFC 4193 section 3.1"),
    v6(starting([0xfe80, 0, 0]), 10, LinkLocal, "Link-Local Unicast", "RFC 4291 section 2.5.6"),
    v6(starting([0xff00, 0, 0]), 8, Multicast, "Multicast", "RFC 4291 section 2.7"),
];

const fn v4(
    octets: [u8; 4],
    prefix_len: u8,
    special: Special,
    name: &'static str,
    source: &'static str,
) -> SpecialBlock {
    let [a, b, c, d] = octets;
    let net = IpNet::new_assert(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), prefix_len);
    SpecialBlock { net, special, name, source }
}

const fn v6(
    groups: [u16; 8],
    prefix_len: u8,
    special: Special,
    name: &'static str,
    source: &'static str,
) -> SpecialBlock {
    let g = groups;
    let address = Ipv6Addr::new(g[0], g[1], g[2], g[3], g[4], g[5], g[6], g[7]);
    let net = IpNet::new_assert(IpAddr::V6(address), prefix_len);
    SpecialBlock { net, special, name, source }
}

/// The first three groups of an IPv6 address; the other five are zero.
const fn starting([a, b, c]: [u16; 3]) -> [u16; 8] {
    [a, b, c, 0, 0, 0, 0, 0]
}
