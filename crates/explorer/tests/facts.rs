//! What is said of addresses and networks.

use explorer::explain;
use rstest::rstest;

#[rstest]
#[case::its_class("192.168.1.77", "class\tC")]
#[case::its_bits("192.168.1.77", "bits\t11000000 10101000 00000001 01001101")]
#[case::its_purpose("192.168.1.77", "purpose\tprivate")]
#[case::all_of_127_is_loopback("127.200.3.4", "purpose\tloopback")]
#[case::nothing_special("8.8.8.8", "purpose\tnone")]
#[case::class_e("250.1.2.3", "class\tE")]
#[case::network("10.1.2.3/20", "network\t10.1.0.0/20")]
#[case::host_part("10.1.2.3/20", "host\t0.0.2.3")]
#[case::mask("10.1.2.3/20", "mask\t255.255.240.0")]
#[case::broadcast("10.1.2.3/20", "broadcast\t10.1.15.255")]
#[case::first_host("10.1.2.3/20", "first-host\t10.1.0.1")]
#[case::last_host("10.1.2.3/20", "last-host\t10.1.15.254")]
#[case::hosts("10.1.2.3/20", "hosts\t4094")]
#[case::hosts_of_all("0.0.0.0/0", "hosts\t4294967294")]
#[case::hosts_of_a_link("192.0.2.8/31", "hosts\t2")]
#[case::split_in_four("10.0.0.0/8", "split\t10.192.0.0/10")]
#[case::split_of_31("192.0.2.8/31", "split\t192.0.2.9/32")]
#[case::canonical_ipv6("2001:DB8:0:0::1", "address\t2001:db8::1")]
#[case::groups("2001:db8::1", "groups\t2001:0db8:0000:0000:0000:0000:0000:0001")]
#[case::ipv6_loopback("::1", "purpose\tloopback")]
#[case::ipv6_addresses("2001:db8::/32", "addresses\t2^96")]
#[case::ipv6_all("::/0", "addresses\t2^128")]
#[case::a_bad_octet("256.1.1.1", "error\t256.1.1.1: octet 1 is 256; an octet is at most 255")]
#[case::blanks_around(" 127.0.0.1 ", "address\t127.0.0.1")]
fn a_fact_is_among_the_facts(#[case] input: &str, #[case] fact: &str) {
    let said = explain(input);
    assert!(said.lines().any(|line| line == fact), "{fact:?} in:\n{said}");
}

#[test]
fn a_single_address_has_no_parts_and_no_broadcast() {
    let said = explain("192.0.2.1/32");
    assert!(!said.contains("split\t") && !said.contains("broadcast\t"), "{said}");
}
