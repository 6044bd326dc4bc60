//! What an IPv6 address is for, how far it reaches, and which IPv4 address it carries.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netbasics::values::address::{Special, special_block};

use super::canonical::{dotted, ipv4_at_the_end};

/// What can be said about the address, each fact with its name.
pub fn facts(address: Ipv6Addr, zone: Option<&str>) -> Vec<(&'static str, String)> {
    let mut facts = vec![("kind", kind(address))];
    if let Some(scope) = scope(address) {
        facts.push(("scope", scope));
    }
    if let Some((how, ipv4)) = embedded_ipv4(address) {
        facts.push(("IPv4", format!("{ipv4}, {how}")));
    }
    if let Some(zone) = zone_fact(address, zone) {
        facts.push(("zone", zone));
    }
    facts
}

fn kind(address: Ipv6Addr) -> String {
    match special_block(IpAddr::V6(address)) {
        Some(block) => format!("{} ({}, {})", block.special, block.net, block.source),
        // RFC 4291, section 2.4: whatever else there is.
        None if address.segments()[0] >> 13 == 1 => {
            "global unicast: an ordinary address".to_owned()
        }
        None => "global unicast, but the IANA gives out only 2000::/3 so far".to_owned(),
    }
}

/// How far packets to the address go (RFC 4007, section 4; for multicast RFC 7346, section 2).
fn scope(address: Ipv6Addr) -> Option<String> {
    let scope = match Special::of_v6(address) {
        Some(Special::Unspecified | Special::Ipv4Mapped) => return None,
        Some(Special::Loopback) => "this machine (it counts as a link of its own)",
        Some(Special::LinkLocal) => "link: no router passes it on",
        Some(Special::UniqueLocal) => {
            "global by definition, but routed within one's own networks only"
        }
        Some(Special::Multicast) => match address.segments()[0] & 0xf {
            1 => "interface-local",
            2 => "link-local",
            3 => "realm-local",
            4 => "admin-local",
            5 => "site-local",
            8 => "organization-local",
            0xe => "global",
            _ => "reserved or unassigned",
        },
        _ => "global",
    };
    Some(scope.to_owned())
}

/// The IPv4 address that the address carries, and how.
fn embedded_ipv4(address: Ipv6Addr) -> Option<(&'static str, Ipv4Addr)> {
    let groups = address.segments();
    if let Some(ipv4) = ipv4_at_the_end(groups) {
        let how = match Special::of_v6(address) {
            Some(Special::Ipv4Mapped) => "mapped (RFC 4291, section 2.5.5.2)",
            _ => "behind a translator (RFC 6052, section 2.1)",
        };
        return Some((how, ipv4));
    }
    match groups {
        [0x2002, a, b, ..] => Some(("the router of 6to4 (RFC 3056, section 2)", dotted(&[a, b]))),
        // Turned over bit by bit, so that no address translator on the way mends it.
        [0x2001, 0, .., a, b] => {
            Some(("the client of Teredo (RFC 4380, section 4)", dotted(&[!a, !b])))
        }
        [0, 0, 0, 0, 0, 0, 1..=u16::MAX, _] => {
            let end = dotted(&groups[6..]);
            Some(("compatible, which is deprecated (RFC 4291, section 2.5.5.1)", end))
        }
        _ => None,
    }
}

/// The same link-local address may exist on every link, so a machine with several links has to be
/// told which one is meant: by name or by number, and both are its own (RFC 4007, sections 6 and 11).
fn zone_fact(address: Ipv6Addr, zone: Option<&str>) -> Option<String> {
    let is_on_a_link = address.is_unicast_link_local() || matches!(address.segments()[0], 0xff02);
    match zone {
        Some(zone) if is_on_a_link => Some(format!("the link on which this machine's {zone} is")),
        Some(zone) => {
            Some(format!("{zone}, which says nothing new: the address is valid on any link"))
        }
        None if is_on_a_link => Some(
            "missing: which link? Write the interface behind a %, as in %eth0 or %2".to_owned(),
        ),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::mapped("::ffff:192.0.2.33", Some("192.0.2.33"))]
    #[case::translated("64:ff9b::192.0.2.33", Some("192.0.2.33"))]
    #[case::six_to_four("2002:c000:221:1::1", Some("192.0.2.33"))]
    #[case::teredo("2001:0:4136:e378:8000:63bf:3fff:fdd2", Some("192.0.2.45"))]
    #[case::compatible("::192.0.2.33", Some("192.0.2.33"))]
    #[case::loopback("::1", None)]
    #[case::ordinary("2606:4700::192.0.2.33", None)]
    fn the_embedded_ipv4_address_is(#[case] address: Ipv6Addr, #[case] ipv4: Option<&str>) {
        let found = embedded_ipv4(address).map(|(_, ipv4)| ipv4.to_string());
        assert_eq!(found.as_deref(), ipv4);
    }

    #[rstest]
    #[case("::", None)]
    #[case("::1", Some("this machine"))]
    #[case("fe80::1", Some("link"))]
    #[case("fd00::1", Some("global by definition"))]
    #[case("ff02::1", Some("link-local"))]
    #[case("ff0e::1", Some("global"))]
    #[case("2001:db8::1", Some("global"))]
    fn the_scope_begins_with(#[case] address: Ipv6Addr, #[case] expected: Option<&str>) {
        let found = scope(address);
        assert_eq!(found.is_some(), expected.is_some());
        assert!(found.unwrap_or_default().starts_with(expected.unwrap_or_default()));
    }

    #[rstest]
    #[case("fe80::1", None, Some("missing"))]
    #[case("fe80::1", Some("eth0"), Some("the link on which this machine's eth0 is"))]
    #[case("2001:db8::1", Some("eth0"), Some("eth0, which says nothing new"))]
    #[case("2001:db8::1", None, None)]
    fn the_zone_is(
        #[case] address: Ipv6Addr,
        #[case] zone: Option<&str>,
        #[case] expected: Option<&str>,
    ) {
        let found = zone_fact(address, zone);
        assert_eq!(found.is_some(), expected.is_some());
        assert!(found.unwrap_or_default().starts_with(expected.unwrap_or_default()));
    }

    #[test]
    fn an_address_outside_of_2000_3_is_nobodys() {
        assert!(kind("4000::1".parse().unwrap()).ends_with("2000::/3 so far"));
        assert!(kind("2606:4700::1".parse().unwrap()).ends_with("an ordinary address"));
    }
}
