//! The look-up of an address in the registry.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};

use super::purpose::{Special, SpecialBlock};
use super::registry::{IPV4_BLOCKS, IPV6_BLOCKS};

/// The loopback block of IPv4: all of 127.0.0.0/8, not only 127.0.0.1 (RFC 1122 section 3.2.1.3).
pub const LOOPBACK_V4: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8);

impl Special {
    /// The special purpose of an IPv4 address; `None` if it has none.
    #[must_use]
    pub fn of_v4(address: Ipv4Addr) -> Option<Self> {
        Self::of(IpAddr::V4(address))
    }

    /// The special purpose of an IPv6 address; `None` if it has none.
    #[must_use]
    pub fn of_v6(address: Ipv6Addr) -> Option<Self> {
        Self::of(IpAddr::V6(address))
    }

    /// The special purpose of an address; `None` if it has none.
    #[must_use]
    pub fn of(address: IpAddr) -> Option<Self> {
        special_block(address).map(|block| block.special)
    }
}

/// The smallest special block that holds `address`: 255.255.255.255 is the limited broadcast, not
/// merely a part of the reserved 240.0.0.0/4.
#[must_use]
pub fn special_block(address: IpAddr) -> Option<&'static SpecialBlock> {
    special_block_of_net(IpNet::from(address))
}

// listing: begin special_block_of_net
/// The smallest special block that holds *every* address of `net`; `None` for a network that is
/// ordinary or only in part special, such as 0.0.0.0/0.
#[must_use]
pub fn special_block_of_net(net: IpNet) -> Option<&'static SpecialBlock> {
    let blocks = match net {
        IpNet::V4(_) => IPV4_BLOCKS,
        IpNet::V6(_) => IPV6_BLOCKS,
    };
    blocks.iter().filter(|b| b.net.contains(&net)).max_by_key(|b| b.net.prefix_len())
}
// listing: end special_block_of_net

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::Special::{
        Benchmarking, Broadcast, Discard, Documentation, Dummy, Ipv4Mapped, LinkLocal, Loopback,
        Multicast, Private, Protocol, Reserved, Shared, ThisNetwork, Translation, Tunnel,
        UniqueLocal, Unspecified,
    };
    use super::*;

    const ORDINARY: Option<Special> = None;

    /// The block's purpose holds from its first to its last address, and not beside them.
    #[rstest]
    #[case(ThisNetwork, "0.0.0.0", "0.255.255.255", ORDINARY, ORDINARY)]
    #[case(Private, "10.0.0.0", "10.255.255.255", ORDINARY, ORDINARY)]
    #[case(Shared, "100.64.0.0", "100.127.255.255", ORDINARY, ORDINARY)]
    #[case(Loopback, "127.0.0.0", "127.255.255.255", ORDINARY, ORDINARY)]
    #[case(LinkLocal, "169.254.0.0", "169.254.255.255", ORDINARY, ORDINARY)]
    #[case(Private, "172.16.0.0", "172.31.255.255", ORDINARY, ORDINARY)]
    #[case(Protocol, "192.0.0.0", "192.0.0.255", ORDINARY, ORDINARY)]
    #[case(Documentation, "192.0.2.0", "192.0.2.255", ORDINARY, ORDINARY)]
    #[case(Protocol, "192.31.196.0", "192.31.196.255", ORDINARY, ORDINARY)]
    #[case(Protocol, "192.52.193.0", "192.52.193.255", ORDINARY, ORDINARY)]
    #[case(Tunnel, "192.88.99.0", "192.88.99.255", ORDINARY, ORDINARY)]
    #[case(Private, "192.168.0.0", "192.168.255.255", ORDINARY, ORDINARY)]
    #[case(Protocol, "192.175.48.0", "192.175.48.255", ORDINARY, ORDINARY)]
    #[case(Benchmarking, "198.18.0.0", "198.19.255.255", ORDINARY, ORDINARY)]
    #[case(Documentation, "198.51.100.0", "198.51.100.255", ORDINARY, ORDINARY)]
    #[case(Documentation, "203.0.113.0", "203.0.113.255", ORDINARY, ORDINARY)]
    #[case(Multicast, "224.0.0.0", "239.255.255.255", ORDINARY, Some(Reserved))]
    #[case(Reserved, "240.0.0.0", "255.255.255.254", Some(Multicast), Some(Broadcast))]
    #[case(Broadcast, "255.255.255.255", "255.255.255.255", Some(Reserved), ORDINARY)]
    #[case(Unspecified, "::", "::", ORDINARY, Some(Loopback))]
    #[case(Loopback, "::1", "::1", Some(Unspecified), ORDINARY)]
    #[case(Ipv4Mapped, "::ffff:0.0.0.0", "::ffff:255.255.255.255", ORDINARY, ORDINARY)]
    #[case(Translation, "64:ff9b::", "64:ff9b::ffff:ffff", ORDINARY, ORDINARY)]
    #[case(Translation, "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", ORDINARY, ORDINARY)]
    #[case(Discard, "100::", "100::ffff:ffff:ffff:ffff", ORDINARY, Some(Dummy))]
    #[case(Dummy, "100:0:0:1::", "100::1:ffff:ffff:ffff:ffff", Some(Discard), ORDINARY)]
    #[case(Dummy, "192.0.0.8", "192.0.0.8", Some(Protocol), Some(Protocol))]
    #[case(Tunnel, "2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", ORDINARY, Some(Protocol))]
    #[case(
        Benchmarking,
        "2001:2::",
        "2001:2:0:ffff:ffff:ffff:ffff:ffff",
        Some(Protocol),
        Some(Protocol)
    )]
    #[case(
        Protocol,
        "2001:3::",
        "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
        Some(Protocol),
        ORDINARY
    )]
    #[case(
        Documentation,
        "2001:db8::",
        "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
        ORDINARY,
        ORDINARY
    )]
    #[case(Tunnel, "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ORDINARY, ORDINARY)]
    #[case(Protocol, "2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff", ORDINARY, ORDINARY)]
    #[case(Documentation, "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", ORDINARY, ORDINARY)]
    #[case(Protocol, "5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ORDINARY, ORDINARY)]
    #[case(UniqueLocal, "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ORDINARY, ORDINARY)]
    #[case(LinkLocal, "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ORDINARY, ORDINARY)]
    #[case(Multicast, "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ORDINARY, ORDINARY)]
    fn block_ends_where_the_registry_says(
        #[case] special: Special,
        #[case] first: IpAddr,
        #[case] last: IpAddr,
        #[case] before: Option<Special>,
        #[case] after: Option<Special>,
    ) {
        assert_eq!(Special::of(first), Some(special), "{first}");
        assert_eq!(Special::of(last), Some(special), "{last}");
        if let Some(address) = neighbour(first, false) {
            assert_eq!(Special::of(address), before, "{address} is before the first");
        }
        if let Some(address) = neighbour(last, true) {
            assert_eq!(Special::of(address), after, "{address} is after the last");
        }
    }

    /// What a row of IANA's file says, as far as the tables have it.
    struct Row {
        nets: Vec<IpNet>,
        name: String,
        rfcs: Vec<String>,
    }

    /// The rows of a file in `registries`. A field with a comma, a quotation mark or a line break in
    /// it is in quotation marks, and those inside it are doubled (RFC 4180, section 2).
    fn rows(csv: &str) -> Vec<Row> {
        let text: String =
            csv.lines().filter(|line| !line.starts_with('#')).flat_map(|l| [l, "\n"]).collect();
        let (mut records, mut fields, mut field, mut is_quoted) =
            (vec![], vec![], String::new(), false);
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '"' if is_quoted && rest.next_if_eq(&'"').is_some() => field.push('"'),
                '"' => is_quoted = !is_quoted,
                ',' | '\n' if !is_quoted => {
                    fields.push(std::mem::take(&mut field));
                    if c == '\n' {
                        records.push(std::mem::take(&mut fields));
                    }
                }
                other => field.push(other),
            }
        }
        assert!(records.iter().all(|fields| fields.len() == 10), "{records:?}");
        assert_eq!(
            (&*records[0][0], &*records[0][1], &*records[0][2]),
            ("Address Block", "Name", "RFC")
        );
        records[1..].iter().map(|fields| row(fields)).collect()
    }

    fn row(fields: &[String]) -> Row {
        // `192.0.0.0/24 [2]`: the number of a footnote.
        let blocks = fields[0].split(',').map(|block| block.split('[').next().unwrap().trim());
        let rfcs = fields[2].split("[RFC").skip(1).filter_map(|text| text.split(']').next());
        Row {
            nets: blocks.map(|block| block.parse().unwrap()).collect(),
            name: fields[1].replace('"', ""),
            rfcs: rfcs.map(|number| format!("RFC {number}")).collect(),
        }
    }

    #[rstest]
    #[case::ipv4(IPV4_BLOCKS, include_str!("../../../registries/iana-ipv4-special-registry.csv"), 25)]
    #[case::ipv6(IPV6_BLOCKS, include_str!("../../../registries/iana-ipv6-special-registry.csv"), 25)]
    fn the_table_has_every_row_of_the_registry_and_multicast(
        #[case] table: &[SpecialBlock],
        #[case] csv: &str,
        #[case] count: usize,
    ) {
        let rows = rows(csv);
        assert_eq!(rows.len(), count);
        let mut listed = vec![];
        for row in &rows {
            for net in &row.nets {
                let block = special_block_of_net(*net).filter(|block| block.net == *net);
                let block = block.unwrap_or_else(|| panic!("{net} ({}) is missing", row.name));
                assert_eq!(block.name, row.name, "{net}");
                let rfc = block.source.split(" section").next().unwrap();
                let rfc = rfc.split(" appendix").next().unwrap();
                assert!(
                    row.rfcs.iter().any(|number| number == rfc),
                    "{net}: {rfc}, {:?}",
                    row.rfcs
                );
                // Its first and its last address get its answer, unless a smaller block has them.
                for address in [net.network(), net.broadcast()] {
                    let found = special_block(address).unwrap();
                    assert!(net.contains(&found.net), "{address}: {}", found.net);
                }
                listed.push(block);
            }
        }
        let others = table.iter().filter(|block| !listed.contains(block));
        assert_eq!(others.map(|block| block.special).collect::<Vec<_>>(), [Multicast]);
    }

    #[rstest]
    #[case("192.0.0.7", "IPv4 Service Continuity Prefix")]
    #[case("192.0.0.9", "Port Control Protocol Anycast")]
    #[case("192.0.0.171", "NAT64/DNS64 Discovery")]
    #[case("192.0.0.11", "IETF Protocol Assignments")]
    #[case("192.88.99.2", "6a44-relay anycast address")]
    #[case("100:0:0:1::1", "Dummy IPv6 Prefix")]
    #[case("2001:1::3", "DNS-SD Service Registration Protocol Anycast")]
    #[case("2001:1::4", "IETF Protocol Assignments")]
    #[case("2001:4:112::1", "AS112-v6")]
    #[case("2001:2f::1", "ORCHIDv2")]
    #[case("2001:3f::1", "Drone Remote ID Protocol Entity Tags (DETs) Prefix")]
    fn a_row_inside_another_has_its_own_name(#[case] address: IpAddr, #[case] name: &str) {
        assert_eq!(special_block(address).map(|block| block.name), Some(name));
    }

    fn neighbour(address: IpAddr, next: bool) -> Option<IpAddr> {
        match address {
            IpAddr::V4(a) if next => a.to_bits().checked_add(1).map(|b| Ipv4Addr::from(b).into()),
            IpAddr::V4(a) => a.to_bits().checked_sub(1).map(|b| Ipv4Addr::from(b).into()),
            IpAddr::V6(a) if next => a.to_bits().checked_add(1).map(|b| Ipv6Addr::from(b).into()),
            IpAddr::V6(a) => a.to_bits().checked_sub(1).map(|b| Ipv6Addr::from(b).into()),
        }
    }

    #[test]
    fn tables_are_in_order_and_hold_networks_without_host_bits() {
        for table in [IPV4_BLOCKS, IPV6_BLOCKS] {
            assert!(table.iter().all(|block| block.net == block.net.trunc()));
            assert!(table.windows(2).all(|pair| pair[0].net < pair[1].net));
        }
    }

    #[test]
    fn the_smallest_block_wins() {
        let block = special_block(Ipv4Addr::BROADCAST.into()).unwrap();
        assert_eq!((block.special, block.name), (Broadcast, "Limited Broadcast"));
        let block = special_block(Ipv4Addr::UNSPECIFIED.into()).unwrap();
        assert_eq!(block.name, "This host on this network");
    }

    #[rstest]
    #[case("192.168.7.0/24", Some(Private))]
    #[case("192.168.0.0/16", Some(Private))]
    #[case("192.168.0.0/15", None)]
    #[case("0.0.0.0/0", None)]
    #[case("fe80::/64", Some(LinkLocal))]
    fn network_is_special_only_if_all_of_it_is(
        #[case] net: IpNet,
        #[case] special: Option<Special>,
    ) {
        assert_eq!(special_block_of_net(net).map(|block| block.special), special);
    }

    #[test]
    fn loopback_is_the_block_of_the_registry() {
        let block = special_block(Ipv4Addr::LOCALHOST.into()).unwrap();
        assert_eq!(block.net, IpNet::V4(LOOPBACK_V4));
    }
}
