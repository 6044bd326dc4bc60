//! Other texts for the same address.

use std::net::Ipv6Addr;
use std::ops::Range;

use super::canonical::{GROUPS_BEFORE_IPV4, Groups, canonical, dotted, gap};

/// Texts that a program has to accept (RFC 4291, section 2.2), and that are not the canonical one:
/// all digits, no `::`, `::` for each other run of zeros, the end as IPv4, capital letters.
pub fn other_forms(address: Ipv6Addr) -> Vec<String> {
    let groups = address.segments();
    let words = groups.map(|group| format!("{group:x}"));
    let mut forms = vec![groups.map(|group| format!("{group:04x}")).join(":"), words.join(":")];
    forms.extend(zero_runs(groups).into_iter().map(|run| shortened(&words, Some(run))));
    // RFC 4291 allows this for any address, whether its last 32 bits mean an IPv4 address or not.
    let (before, end) = groups.split_at(GROUPS_BEFORE_IPV4);
    let mut mixed = words[..GROUPS_BEFORE_IPV4].to_vec();
    mixed.push(dotted(end).to_string());
    forms.push(shortened(&mixed, gap(before)));
    forms.push(canonical(address).to_uppercase());
    let mut seen = vec![canonical(address)];
    forms.retain(|form| {
        let is_new = !seen.contains(form);
        seen.push(form.clone());
        is_new
    });
    forms
}

/// The words with `::` in place of some of them.
fn shortened(words: &[String], gap: Option<Range<usize>>) -> String {
    match gap {
        None => words.join(":"),
        Some(gap) => format!("{}::{}", words[..gap.start].join(":"), words[gap.end..].join(":")),
    }
}

/// Every run of zero groups, as long as it is.
fn zero_runs(groups: Groups) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for at in (0..groups.len()).filter(|at| groups[*at] == 0) {
        match runs.last_mut() {
            Some(run) if run.end == at => run.end += 1,
            _ => runs.push(at..at + 1),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::rules::broken_rules;
    use proptest::prelude::*;

    #[test]
    fn the_other_forms_of_an_address_are() {
        let forms = other_forms("2001:db8:0:0:1:0:0:1".parse().unwrap());
        let expected = [
            "2001:0db8:0000:0000:0001:0000:0000:0001",
            "2001:db8:0:0:1:0:0:1",
            "2001:db8:0:0:1::1",
            "2001:db8::1:0:0.0.0.1",
            "2001:DB8::1:0:0:1",
        ];
        assert_eq!(forms, expected);
    }

    fn addresses() -> impl Strategy<Value = Ipv6Addr> {
        let group = prop_oneof![3 => Just(0), 1 => Just(0xffff), 1 => any::<u16>()];
        proptest::array::uniform8(group).prop_map(Ipv6Addr::from)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn every_form_means_the_address_and_breaks_a_rule(address in addresses()) {
            for form in other_forms(address) {
                prop_assert_eq!(form.parse(), Ok(address), "{}", form);
                prop_assert!(!broken_rules(&form, address).is_empty(), "{}", form);
            }
            prop_assert_eq!(broken_rules(&canonical(address), address), []);
        }
    }
}
