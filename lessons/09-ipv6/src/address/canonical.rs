//! The canonical text of an IPv6 address: RFC 5952, rule by rule.
//!
//! The standard library writes addresses in the same way, with one exception: it does not know the
//! prefix `64:ff9b::/96`, and writes `64:ff9b::c000:221` where we write `64:ff9b::192.0.2.33`.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

/// The groups of an address: 16 bits each, in the order of the text, which is that of the network.
pub type Groups = [u16; 8];
/// How many groups stand before an IPv4 address in the last 32 bits.
pub const GROUPS_BEFORE_IPV4: usize = 6;

/// Prefixes of 96 bits after which an IPv4 address follows, as everybody knows: mapped addresses
/// (RFC 4291, section 2.5.5.2) and those behind a translator (RFC 6052, section 2.1).
const BEFORE_IPV4: [[u16; GROUPS_BEFORE_IPV4]; 2] =
    [[0, 0, 0, 0, 0, 0xffff], [0x64, 0xff9b, 0, 0, 0, 0]];

// listing: begin canonical
/// The one text, of all that mean `address`, which programs should write (RFC 5952).
pub fn canonical(address: Ipv6Addr) -> String {
    let groups = address.segments();
    let (hexadecimal, ipv4) = match ipv4_at_the_end(groups) {
        Some(ipv4) => (&groups[..GROUPS_BEFORE_IPV4], Some(ipv4)),
        None => (&groups[..], None),
    };
    // No leading zeros, but one digit at least (section 4.1); small letters (section 4.3).
    let mut words: Vec<String> = hexadecimal.iter().map(|group| format!("{group:x}")).collect();
    // The last two groups as IPv4 has them, where everybody knows what they are (section 5).
    words.extend(ipv4.map(|ipv4| ipv4.to_string()));
    match gap(hexadecimal) {
        None => words.join(":"),
        Some(gap) => {
            format!("{}::{}", words[..gap.start].join(":"), words[gap.end..].join(":"))
        }
    }
}

/// The zero groups that `::` stands for: as many as possible (section 4.2.1), more than one (section
/// 4.2.2), and the first of several runs of the same length (section 4.2.3).
pub fn gap(groups: &[u16]) -> Option<Range<usize>> {
    let (mut longest, mut run) = (0..0, 0..0);
    for (at, group) in groups.iter().enumerate() {
        let start = if *group == 0 { run.start } else { at + 1 };
        run = start..at + 1;
        if run.len() > longest.len() {
            longest = run.clone();
        }
    }
    (longest.len() > 1).then_some(longest)
}

/// The IPv4 address in the last 32 bits, if the prefix tells that there is one.
pub fn ipv4_at_the_end(groups: Groups) -> Option<Ipv4Addr> {
    let (prefix, end) = groups.split_at(GROUPS_BEFORE_IPV4);
    let known = BEFORE_IPV4.iter().any(|known| known == prefix);
    known.then(|| dotted(end))
}
// listing: end canonical

/// Two groups as an IPv4 address.
pub fn dotted(end: &[u16]) -> Ipv4Addr {
    Ipv4Addr::from(end.iter().fold(0, |bits, group| bits << 16 | u32::from(*group)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    /// The examples of RFC 5952, and the ends of each rule.
    #[rstest]
    #[case::leading_zeros_4_1("2001:0db8::0001", "2001:db8::1")]
    #[case::a_group_of_zeros_4_1("2001:db8:0000:1:1:1:1:1", "2001:db8:0:1:1:1:1:1")]
    #[case::as_much_as_possible_4_2_1("2001:db8:0:0:0:0:2:1", "2001:db8::2:1")]
    #[case::to_the_last_zero_4_2_1("2001:db8::0:1", "2001:db8::1")]
    #[case::one_group_4_2_2("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1")]
    #[case::the_longest_4_2_3("2001:0:0:1:0:0:0:1", "2001:0:0:1::1")]
    #[case::the_first_of_two_4_2_3("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1")]
    #[case::small_letters_4_3(
        "2001:DB8:AAAA:BBBB:CCCC:DDDD:EEEE:AAAA",
        "2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaaa"
    )]
    #[case::mapped_5("::FFFF:C000:201", "::ffff:192.0.2.1")]
    #[case::translated_5("64:ff9b::c000:221", "64:ff9b::192.0.2.33")]
    #[case::translated_zero_5("64:ff9b::", "64:ff9b::0.0.0.0")]
    #[case::compatible_is_no_known_prefix("::192.0.2.1", "::c000:201")]
    #[case::all_zeros("0:0:0:0:0:0:0:0", "::")]
    #[case::gap_at_the_end("1:0:0:0:0:0:0:0", "1::")]
    #[case::gap_at_the_beginning("0:0:0:0:0:0:0:1", "::1")]
    #[case::no_zeros("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8")]
    #[case::single_zeros_only("0:1:0:1:0:1:0:1", "0:1:0:1:0:1:0:1")]
    #[case::runs_at_both_ends("0:0:1:1:1:1:0:0", "::1:1:1:1:0:0")]
    fn the_canonical_text_is(#[case] address: Ipv6Addr, #[case] text: &str) {
        assert_eq!(canonical(address), text);
    }

    /// Addresses with many zeros, among them those that hold an IPv4 address.
    fn addresses() -> impl Strategy<Value = Ipv6Addr> {
        let group = prop_oneof![4 => Just(0), 1 => 0_u16..=0x0fff, 1 => any::<u16>()];
        let any_groups = proptest::array::uniform8(group).prop_map(Ipv6Addr::from);
        let known = (0..BEFORE_IPV4.len(), any::<[u16; 2]>()).prop_map(|(prefix, end)| {
            let mut groups = [0; 8];
            groups[..GROUPS_BEFORE_IPV4].copy_from_slice(&BEFORE_IPV4[prefix]);
            groups[GROUPS_BEFORE_IPV4..].copy_from_slice(&end);
            Ipv6Addr::from(groups)
        });
        prop_oneof![4 => any_groups, 1 => known]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn it_is_what_the_standard_library_writes_but_for_one_prefix(address in addresses()) {
            prop_assert_eq!(canonical(address).parse(), Ok(address));
            if address.segments()[..GROUPS_BEFORE_IPV4] != BEFORE_IPV4[1] {
                prop_assert_eq!(canonical(address), address.to_string());
            }
        }
    }
}
