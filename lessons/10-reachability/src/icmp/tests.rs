//! Messages byte for byte, the checksum's properties, headers, and what is no message.

use super::checksum::{checksum, is_right, is_right_v6};
use super::packet::{Header, split};
use super::*;
use rstest::rstest;
use std::net::Ipv6Addr;

/// Bytes that look random and are the same in every run: a linear congruential generator.
fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

/// RFC 1071, section 3: the sum of these eight bytes is 0xddf2.
const EXAMPLE: [u8; 8] = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];

#[test]
fn the_rfcs_own_example_is_summed_as_there() {
    assert_eq!(checksum(&EXAMPLE), !0xddf2);
}

#[rstest]
#[case::nothing(&[], 0xffff)]
#[case::zeros(&[0, 0, 0, 0], 0xffff)]
#[case::ones(&[0xff, 0xff], 0)]
#[case::carry_comes_in_again(&[0xff, 0xff, 0x00, 0x01], !0x0001)]
#[case::an_odd_byte_is_a_high_byte(&[0x12], !0x1200)]
#[case::odd_after_a_pair(&[0x00, 0x01, 0xf2], !0xf201)]
fn sums_at_the_edges(#[case] bytes: &[u8], #[case] expected: u16) {
    assert_eq!(checksum(bytes), expected);
}

#[test]
fn an_odd_length_is_the_same_as_with_a_zero_behind() {
    for length in (1..200).step_by(2) {
        let mut odd = bytes(length as u64, length);
        let before = checksum(&odd);
        odd.push(0);
        assert_eq!(before, checksum(&odd));
    }
}

/// RFC 1071, section 2: the order of the 16-bit numbers does not matter (which is also why the sum
/// does not show when two have changed places), and swapping all bytes swaps the sum's bytes.
#[test]
fn order_does_not_matter_and_swapped_bytes_swap_the_sum() {
    for seed in 0..100 {
        let original = bytes(seed, 64);
        let reordered: Vec<u8> = original.chunks(2).rev().flatten().copied().collect();
        assert_eq!(checksum(&original), checksum(&reordered));
        let swapped: Vec<u8> = original.chunks(2).flat_map(|pair| [pair[1], pair[0]]).collect();
        assert_eq!(checksum(&original).swap_bytes(), checksum(&swapped));
    }
}

/// RFC 1624, equation 3: when one number `m` becomes `n`, the new checksum is ~(~C + ~m + n). A
/// router that counts down an IPv4 packet's TTL need not read the rest again.
#[test]
fn a_change_can_be_reckoned_without_the_rest() {
    for seed in 0..200 {
        let mut message = bytes(seed, 60);
        let before = checksum(&message);
        let (old, new) = ([message[4], message[5]], [message[6], message[7]]);
        message[4..6].copy_from_slice(&new);
        let parts = [(!before).to_be_bytes(), [!old[0], !old[1]], new].concat();
        assert_eq!(checksum(&parts), checksum(&message));
    }
}

#[test]
fn whatever_single_bit_is_turned_over_the_sum_shows_it() {
    let message = echo_request(Family::V4, &Echo { identifier: 7, sequence: 1, data: b"hello" });
    assert!(is_right(&message));
    for bit in 0..message.len() * 8 {
        let mut damaged = message.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(!is_right(&damaged), "bit {bit}");
    }
}

#[test]
fn a_request_is_laid_out_as_the_rfcs_have_it() {
    let echo = Echo { identifier: 0x0102, sequence: 0x0304, data: b"hi!" };
    // 0x0800 + 0x0102 + 0x0304 + 0x6869 + 0x2100 = 0x956f
    let expected = [8, 0, 0x6a, 0x90, 1, 2, 3, 4, b'h', b'i', b'!'];
    assert_eq!(echo_request(Family::V4, &echo), expected);
    // The system fills in ICMPv6's checksum.
    let expected = [128, 0, 0, 0, 1, 2, 3, 4, b'h', b'i', b'!'];
    assert_eq!(echo_request(Family::V6, &echo), expected);
}

#[rstest]
#[case::v4(Family::V4)]
#[case::v6(Family::V6)]
fn what_is_sent_is_read_back(#[case] family: Family) {
    for length in [0, 1, 56, 1452] {
        let data = bytes(9, length);
        let echo = Echo { identifier: 0xbeef, sequence: u16::MAX, data: &data };
        let message = echo_request(family, &echo);
        assert_eq!(parse(family, &message), Some(Message::EchoRequest(echo)));
    }
}

#[rstest]
#[case::reply_v4(Family::V4, 0, 0, Message::EchoReply(ECHO))]
#[case::reply_v6(Family::V6, 129, 0, Message::EchoReply(ECHO))]
#[case::port(Family::V4, 3, 3, problem("port unreachable: no program has that port"))]
#[case::firewall(
    Family::V4,
    3,
    13,
    problem("communication administratively prohibited: a firewall forbids it")
)]
#[case::unknown_code(
    Family::V4,
    3,
    99,
    problem("destination unreachable, for a reason without a name")
)]
#[case::time(
    Family::V4,
    11,
    0,
    problem("time exceeded: it passed more routers than it was allowed to")
)]
#[case::port_v6(Family::V6, 1, 4, problem("port unreachable: no program has that port"))]
#[case::too_big(Family::V6, 2, 0, problem("packet too big for a link on the way"))]
#[case::time_v6(
    Family::V6,
    3,
    1,
    problem("time exceeded: a fragment of it was missing for too long")
)]
#[case::the_other_familys_reply(Family::V4, 129, 0, Message::Other { kind: 129, code: 0 })]
#[case::the_other_familys_error(Family::V6, 11, 0, Message::Other { kind: 11, code: 0 })]
fn each_kind_is_known_by_its_type(
    #[case] family: Family,
    #[case] kind: u8,
    #[case] code: u8,
    #[case] expected: Message,
) {
    let message = [kind, code, 0, 0, 0, 5, 0, 6, b'd'];
    assert_eq!(parse(family, &message), Some(expected));
}

const ECHO: Echo = Echo { identifier: 5, sequence: 6, data: b"d" };

fn problem(says: &'static str) -> Message<'static> {
    Message::Problem { says, quoted: b"d" }
}

#[test]
fn what_is_shorter_than_a_header_is_no_message() {
    for length in 0..HEADER_BYTES {
        assert_eq!(parse(Family::V4, &[0; HEADER_BYTES][..length]), None);
    }
    assert!(parse(Family::V4, &[0; HEADER_BYTES]).is_some());
}

#[test]
fn no_bytes_whatever_make_it_panic() {
    for seed in 0..2000 {
        let mut packet = bytes(seed, usize::try_from(seed % 80).unwrap());
        // Every other one claims to be an IP packet.
        if let (Some(first), true) = (packet.first_mut(), seed % 2 == 0) {
            *first = (if seed % 4 == 0 { 0x40 } else { 0x60 }) | (*first & 0x0f);
        }
        let (_, message) = split(&packet);
        let _ = (parse(Family::V4, message), parse(Family::V6, message), is_right(message));
    }
}

// The IP header in front

fn ipv4_packet(header_bytes: usize) -> Vec<u8> {
    let mut packet = vec![0; header_bytes];
    packet[0] = 0x40 | u8::try_from(header_bytes / 4).unwrap();
    packet[9] = 1;
    packet[12..20].copy_from_slice(&[127, 0, 0, 1, 127, 0, 0, 2]);
    packet.extend([8, 0, 0, 0, 0, 0, 0, 0]);
    packet
}

#[rstest]
#[case::without_options(20)]
#[case::with_options(60)]
fn an_ipv4_header_is_cut_off_at_the_length_that_it_says(#[case] length: usize) {
    let packet = ipv4_packet(length);
    let (source, destination) = ([127, 0, 0, 1].into(), [127, 0, 0, 2].into());
    let header = Header { bytes: length, protocol: 1, source, destination };
    assert_eq!(split(&packet), (Some(header), &packet[length..]));
}

#[rstest]
#[case::nothing(vec![])]
#[case::a_message_without_header(vec![0; 64])]
#[case::an_ipv6_message_without_header(vec![129; 64])]
#[case::header_shorter_than_its_addresses(vec![0x44; 64])]
#[case::header_longer_than_the_packet(vec![0x4f; 59])]
#[case::half_of_an_ipv6_header(vec![0x60; 39])]
fn what_is_no_whole_header_is_left_where_it_is(#[case] packet: Vec<u8>) {
    assert_eq!(split(&packet), (None, &packet[..]));
}

#[test]
fn ipv6s_checksum_counts_the_addresses_in() {
    let source: Ipv6Addr = "2001:db8::1".parse().unwrap();
    let destination: Ipv6Addr = "2001:db8::2".parse().unwrap();
    let mut message =
        echo_request(Family::V6, &Echo { identifier: 1, sequence: 2, data: b"hello" });
    // What the system does for us: the checksum of the pseudo-header and the message in one.
    let mut whole = [source.octets(), destination.octets()].concat();
    whole.extend([0, 0, 0, 13, 0, 0, 0, 58]);
    whole.extend(&message);
    message[CHECKSUM].copy_from_slice(&checksum(&whole).to_be_bytes());
    assert!(is_right_v6(source, destination, &message));
    assert!(!is_right_v6(source, Ipv6Addr::LOCALHOST, &message));
    assert!(!is_right(&message));
    let mut packet = vec![0x60, 0, 0, 0, 0, 13, 58, 64];
    packet.extend([source.octets(), destination.octets()].concat());
    packet.extend(&message);
    let (header, rest) = split(&packet);
    let header = header.unwrap();
    assert!(header.carries_icmp() && header.vouches_for(rest));
}
