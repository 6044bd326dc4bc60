use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;
use rstest::rstest;

use super::*;

#[rstest]
#[case("192.168.1.256", 11, "192.168.1.256: octet 4 is 256; an octet is at most 255")]
#[case(
    "999999999999.1.1.1",
    1,
    "999999999999.1.1.1: octet 1 is 999999999999; an octet is at most 255"
)]
#[case(
    "10.0.010.1",
    6,
    "10.0.010.1: octet 3 is 010; a leading zero is refused, because some programs then read \
     the number as octal"
)]
#[case(
    "10.0.x.1",
    6,
    "10.0.x.1: octet 3 contains 'x'; an octet is decimal digits only (character 6)"
)]
#[case(
    "10.0.0.1 ",
    9,
    "10.0.0.1 : octet 4 contains ' '; an octet is decimal digits only (character 9)"
)]
#[case(
    "10.0.0.-1",
    8,
    "10.0.0.-1: octet 4 contains '-'; an octet is decimal digits only (character 8)"
)]
#[case("10.0.1", 1, "10.0.1: 3 octets; an IPv4 address has 4, such as 192.168.1.1")]
#[case("7", 1, "7: 1 octet; an IPv4 address has 4, such as 192.168.1.1")]
#[case("1.2.3.4.5", 1, "1.2.3.4.5: 5 octets; an IPv4 address has 4, such as 192.168.1.1")]
#[case("1..3.4", 3, "1..3.4: octet 2 is empty; an octet is a number from 0 to 255")]
#[case("1.2.3.", 7, "1.2.3.: octet 4 is empty; an octet is a number from 0 to 255")]
#[case("", 1, "(empty): nothing there; an address looks like 192.168.1.1 or ::1")]
#[case(
    "1.2.３.4",
    5,
    "1.2.３.4: octet 3 contains '３'; an octet is decimal digits only (character 5)"
)]
#[case(
    "1.2\n.3.4",
    4,
    "1.2\\n.3.4: octet 2 contains '\\n'; an octet is decimal digits only (character 4)"
)]
fn ipv4_error_says_where_and_why(#[case] text: &str, #[case] at: usize, #[case] line: &str) {
    let error = parse_v4(text).unwrap_err();
    assert_eq!((error.position, error.to_string().as_str()), (at, line));
}

#[rstest]
#[case("", 1, "nothing there; an address looks like 192.168.1.1 or ::1")]
#[case("abcd", 1, "no colon; an IPv6 address is groups joined by colons, such as ::1")]
#[case("fe80::1%eth0", 8, "an interface name after '%' is not accepted here (character 8)")]
#[case("2001:db8::g", 11, "group 3 contains 'g'; a group is digits 0-9 and a-f (character 11)")]
#[case("[::1]", 1, "group 1 contains '['; a group is digits 0-9 and a-f (character 1)")]
#[case("2001:00db8::1", 6, "group 2 is 00db8; a group has at most 4 digits")]
#[case("1::2::3", 5, "a second ::, but an address may have only one (character 5)")]
#[case(":1:2:3:4:5:6:7", 1, "a colon with no group beside it; zeros are :: (character 1)")]
#[case("1:2:3:4:5:6:7:", 14, "a colon with no group beside it; zeros are :: (character 14)")]
#[case(":::", 3, "a colon with no group beside it; zeros are :: (character 3)")]
#[case("1:2:3", 1, "3 groups; an IPv6 address has 8, or fewer and one ::")]
#[case("1:2:3:4:5:6:7:8:9", 1, "9 groups; an IPv6 address has 8, or fewer and one ::")]
#[case("1:2:3:4::5:6:7:8", 1, "8 groups and a ::, which leaves nothing for :: to stand for")]
#[case("::ffff:1.2.3.400", 14, "octet 4 is 400; an octet is at most 255")]
#[case("1.2.3.4::1", 2, "group 1 contains '.'; a group is digits 0-9 and a-f (character 2)")]
fn ipv6_error_says_where_and_why(#[case] text: &str, #[case] at: usize, #[case] why: &str) {
    let error = parse_v6(text).unwrap_err();
    let shown = error.to_string();
    assert_eq!((error.position, shown.split_once(": ").unwrap().1), (at, why));
}

#[rstest]
#[case("fe80::1%", 9, "nothing after the '%'; an interface stands there, as in fe80::1%eth0")]
#[case(
    "fe80::1%eth 0",
    12,
    "the zone contains ' '; a zone is the name or the number of an interface (character 12)"
)]
#[case(
    "fe80::1%eth0%1",
    13,
    "the zone contains '%'; a zone is the name or the number of an interface (character 13)"
)]
#[case(
    "fe80::1%eth0/64",
    13,
    "the zone contains '/'; a zone is the name or the number of an interface (character 13)"
)]
#[case("fe80:::1%eth0", 7, "a colon with no group beside it; zeros are :: (character 7)")]
#[case("%eth0", 1, "nothing there; an address looks like 192.168.1.1 or ::1")]
fn zone_error_says_where_and_why(#[case] text: &str, #[case] at: usize, #[case] why: &str) {
    let error = parse_v6_zoned(text).unwrap_err();
    let shown = error.to_string();
    assert_eq!((error.position, shown.split_once(": ").unwrap().1), (at, why));
}

#[rstest]
#[case("::1", "::1", None)]
#[case("fe80::1%eth0", "fe80::1", Some("eth0"))]
#[case("fe80::1%2", "fe80::1", Some("2"))]
#[case("FF02::1%br-lan.7", "ff02::1", Some("br-lan.7"))]
fn a_zone_is_what_follows_the_percent_sign(
    #[case] text: &str,
    #[case] address: Ipv6Addr,
    #[case] zone: Option<&str>,
) {
    assert_eq!(parse_v6_zoned(text), Ok((address, zone)));
}

#[rstest]
#[case("10.0.0.0/33", 10, "the prefix length is 33; an IPv4 address has only 32 bits")]
#[case(
    "10.0.0.0/4294967304",
    10,
    "the prefix length is 4294967304; an IPv4 address has only 32 bits"
)]
#[case("::/129", 4, "the prefix length is 129; an IPv6 address has only 128 bits")]
#[case("10.0.0.0/", 10, "no prefix length; a network is ADDRESS/LENGTH, such as 10.0.0.0/8")]
#[case("10.0.0.0", 9, "no prefix length; a network is ADDRESS/LENGTH, such as 10.0.0.0/8")]
#[case("10.0.0.0/08", 10, "the prefix length is 08; leave out leading zeros")]
#[case(
    "10.0.0.0/255.0.0.0",
    13,
    "the prefix length contains '.'; it is a count of bits, such as 24 (character 13)"
)]
#[case(
    "10.0.0.0/8/8",
    11,
    "the prefix length contains '/'; it is a count of bits, such as 24 (character 11)"
)]
#[case("10.0.256.0/8", 6, "octet 3 is 256; an octet is at most 255")]
#[case("/8", 1, "nothing there; an address looks like 192.168.1.1 or ::1")]
fn network_error_says_where_and_why(#[case] text: &str, #[case] at: usize, #[case] why: &str) {
    let error = parse_net(text).unwrap_err();
    let shown = error.to_string();
    assert_eq!((error.position, shown.split_once(": ").unwrap().1), (at, why));
}

#[test]
fn a_network_keeps_its_host_bits() {
    let net = parse_net("192.168.1.77/24").unwrap();
    assert_eq!(net.to_string(), "192.168.1.77/24");
    assert_eq!(net.network().to_string(), "192.168.1.0");
}

#[test]
fn a_very_long_text_is_cut_in_the_message() {
    let error = parse_v4(&"9".repeat(100_000)).unwrap_err();
    assert!(error.to_string().len() < 200);
}

/// Texts that are almost addresses: most are wrong, and some are right.
const ALMOST_V4: &str = r"[0-9]{1,3}(\.[0-9]{1,3}){2,4}|[0-9.x ]{0,16}";
const ALMOST_V6: &str =
    r"[0-9a-f:]{0,12}|(::?)?([0-9a-f]{1,5}::?){0,8}([0-9a-g]{0,4}|1\.2\.3\.[0-9]{1,3})(%1)?";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text_is_parsed_without_panic(text in any::<String>()) {
        prop_assert_eq!(parse_v4(&text).is_ok(), text.parse::<Ipv4Addr>().is_ok());
        prop_assert_eq!(parse_v6(&text).is_ok(), text.parse::<Ipv6Addr>().is_ok());
        prop_assert_eq!(parse_ip(&text).is_ok(), text.parse::<IpAddr>().is_ok());
        if let Err(error) = parse_net(&text) {
            prop_assert_eq!(error.to_string().lines().count(), 1);
            prop_assert!(error.position <= text.chars().count() + 1);
        }
    }

    #[test]
    fn ipv4_is_read_as_the_standard_library_reads_it(text in ALMOST_V4) {
        prop_assert_eq!(parse_v4(&text).ok(), text.parse().ok());
    }

    #[test]
    fn ipv6_is_read_as_the_standard_library_reads_it(text in ALMOST_V6) {
        prop_assert_eq!(parse_v6(&text).ok(), text.parse::<Ipv6Addr>().ok());
        // An explanation that counts groups must not have counted what makes an address.
        let problem = parse_v6(&text).map_err(|error| error.problem);
        if let Err(AddressProblem::WrongGroupCount { found, gap }) = problem {
            prop_assert!(if gap { found >= 8 } else { found != 8 }, "{} groups", found);
        }
    }

    #[test]
    fn displayed_address_is_read_back(ip in any::<IpAddr>()) {
        prop_assert_eq!(parse_ip(&ip.to_string()), Ok(ip));
    }

    #[test]
    fn displayed_network_is_read_back(ip in any::<IpAddr>(), prefix_len in 0_u8..=128) {
        let most = if ip.is_ipv4() { 32 } else { 128 };
        let net = IpNet::new(ip, prefix_len.min(most)).unwrap();
        prop_assert_eq!(parse_net(&net.to_string()), Ok(net));
    }
}
