//! `subnet`: where a network begins and ends.

use std::net::Ipv4Addr;

use graded::Case;
use ipnet::Ipv4Net;
use rstest::rstest;

use super::{expect_code, expect_lines, expect_refusals, expect_usage};

const GOOD: [(&str, &str); 2] = [
    ("10.1.2.3/8", "10.0.0.0/8 10.255.255.255 10.0.0.1 10.255.255.254 16777214"),
    ("192.168.1.77/24", "192.168.1.0/24 192.168.1.255 192.168.1.1 192.168.1.254 254"),
];

fn case() -> Case {
    Case::of("01", "subnet")
}

#[rstest]
#[case::class_a("10.1.2.3/8", "10.0.0.0/8 10.255.255.255 10.0.0.1 10.255.255.254 16777214")]
#[case::class_c("192.0.2.200/24", "192.0.2.0/24 192.0.2.255 192.0.2.1 192.0.2.254 254")]
fn a_prefix_that_ends_with_an_octet(#[case] text: &str, #[case] line: &str) {
    expect_lines(&case(), &[text], &[line]);
}

#[rstest]
#[case::private("172.20.1.1/12", "172.16.0.0/12 172.31.255.255 172.16.0.1 172.31.255.254 1048574")]
#[case::half_of_a_24("192.0.2.200/25", "192.0.2.128/25 192.0.2.255 192.0.2.129 192.0.2.254 126")]
#[case::two_hosts("192.0.2.9/30", "192.0.2.8/30 192.0.2.11 192.0.2.9 192.0.2.10 2")]
#[case::half_of_everything(
    "200.1.2.3/1",
    "128.0.0.0/1 255.255.255.255 128.0.0.1 255.255.255.254 2147483646"
)]
fn a_prefix_that_ends_within_an_octet(#[case] text: &str, #[case] line: &str) {
    expect_lines(&case(), &[text], &[line]);
}

#[rstest]
fn any_address_and_prefix() {
    let case = case();
    let nets: Vec<Ipv4Net> = (0..40).map(|_| random_net(&case)).collect();
    let texts: Vec<String> = nets.iter().map(Ipv4Net::to_string).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let lines: Vec<String> = nets.iter().map(|net| line_of(*net)).collect();
    expect_lines(&case, &texts, &lines.iter().map(String::as_str).collect::<Vec<_>>());
}

/// A prefix from 1 to 30; the others have rules of their own and points of their own.
fn random_net(case: &Case) -> Ipv4Net {
    let prefix = u8::try_from(case.random_length(1, 30)).unwrap_or(24);
    Ipv4Net::new_assert(random_address(case), prefix)
}

fn random_address(case: &Case) -> Ipv4Addr {
    let bytes = case.random_bytes(4);
    Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3])
}

/// As a well-known library counts, and not as the solution does.
fn line_of(net: Ipv4Net) -> String {
    let hosts = (1_u64 << (32 - net.prefix_len())) - 2;
    let after = u32::from(net.network()) + 1;
    let before = u32::from(net.broadcast()) - 1;
    let (first, last) = (Ipv4Addr::from(after), Ipv4Addr::from(before));
    format!("{} {} {first} {last} {hosts}", net.trunc(), net.broadcast())
}

#[rstest]
#[case::even("192.0.2.8/31", "192.0.2.8/31 - 192.0.2.8 192.0.2.9 2")]
#[case::odd("192.0.2.9/31", "192.0.2.8/31 - 192.0.2.8 192.0.2.9 2")]
#[case::the_last_two(
    "255.255.255.255/31",
    "255.255.255.254/31 - 255.255.255.254 255.255.255.255 2"
)]
fn a_line_between_two_has_no_broadcast(#[case] text: &str, #[case] line: &str) {
    expect_lines(&case(), &[text], &[line]);
}

#[rstest]
#[case::any("192.0.2.9/32", "192.0.2.9/32 - 192.0.2.9 192.0.2.9 1")]
#[case::the_first("0.0.0.0/32", "0.0.0.0/32 - 0.0.0.0 0.0.0.0 1")]
#[case::the_last("255.255.255.255/32", "255.255.255.255/32 - 255.255.255.255 255.255.255.255 1")]
fn one_address_is_one_host(#[case] text: &str, #[case] line: &str) {
    expect_lines(&case(), &[text], &[line]);
}

#[rstest]
#[case::as_a_prefix("198.51.100.7/0")]
#[case::as_a_mask("198.51.100.7/0.0.0.0")]
fn everything_is_one_network(#[case] text: &str) {
    let line = "0.0.0.0/0 255.255.255.255 0.0.0.1 255.255.255.254 4294967294";
    expect_lines(&case(), &[text], &[line]);
}

#[rstest]
#[case::of_24("10.1.2.3/255.255.255.0", "10.1.2.0/24 10.1.2.255 10.1.2.1 10.1.2.254 254")]
#[case::of_20("10.1.2.3/255.255.240.0", "10.1.0.0/20 10.1.15.255 10.1.0.1 10.1.15.254 4094")]
#[case::of_32("10.1.2.3/255.255.255.255", "10.1.2.3/32 - 10.1.2.3 10.1.2.3 1")]
fn a_mask_is_read_as_a_prefix(#[case] text: &str, #[case] line: &str) {
    expect_lines(&case(), &[text], &[line]);
}

#[rstest]
#[case::a_hole_between_octets("10.1.2.3/255.0.255.0")]
#[case::a_hole_within_an_octet("10.1.2.3/255.255.253.0")]
#[case::upside_down("10.1.2.3/0.0.0.255")]
fn a_mask_with_a_hole_is_refused(#[case] bad: &str) {
    expect_refusals(&case(), GOOD, &[bad]);
}

#[rstest]
#[case::no_length(&["10.0.0.1", "10.0.0.1/"])]
#[case::too_long(&["10.0.0.1/33", "10.0.0.1/4294967296"])]
#[case::another_way_to_write_a_number(&["10.0.0.1/+8", "10.0.0.1/08", "10.0.0.1/8 ", "10.0.0.1/0x8"])]
#[case::bad_address(&["10.0.0.256/8", "10.0.0/8", "/8", "host/8"])]
#[case::two_slashes(&["10.0.0.1/8/8"])]
fn what_is_no_network_is_named_and_the_others_still_print(#[case] bad: &[&str]) {
    expect_refusals(&case(), GOOD, bad);
}

#[rstest]
#[case::one_a_line("10.1.2.3/32\n10.1.2.4/32\n", 0)]
#[case::empty_lines_and_blanks("\n  10.1.2.3/32 \r\n\n\t10.1.2.4/32", 0)]
#[case::a_bad_one("10.1.2.3/32\n10.1.2.3\n10.1.2.4/32", 2)]
fn standard_input_works_like_arguments(#[case] input: &str, #[case] code: i32) {
    let case = case();
    let output = case.run(&["-"], input);
    let lines = "10.1.2.3/32 - 10.1.2.3 10.1.2.3 1\n10.1.2.4/32 - 10.1.2.4 10.1.2.4 1\n";
    case.expect_equal("standard output", lines, &output.stdout);
    expect_code(&case, &output, code);
    expect_usage(&case);
}
