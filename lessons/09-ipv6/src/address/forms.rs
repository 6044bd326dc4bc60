//! Other texts for the same address, and which rules of RFC 5952 a text breaks.

use std::net::Ipv6Addr;
use std::ops::Range;

use super::canonical::{GROUPS_BEFORE_IPV4, Groups, canonical, dotted, gap, ipv4_at_the_end};

/// Texts that a program has to accept (RFC 4291, section 2.2) and that are not the canonical one:
/// all digits, no `::`, `::` for each other run of zeros, the end as IPv4, capital letters.
pub fn other_forms(address: Ipv6Addr) -> Vec<String> {
    let groups = address.segments();
    let words = groups.map(|group| format!("{group:x}"));
    let mut forms = vec![groups.map(|group| format!("{group:04x}")).join(":"), words.join(":")];
    for run in zero_runs(groups) {
        forms.push(format!("{}::{}", words[..run.start].join(":"), words[run.end..].join(":")));
    }
    let (before, end) = groups.split_at(GROUPS_BEFORE_IPV4);
    forms.push(match gap(before) {
        None => format!("{}:{}", words[..GROUPS_BEFORE_IPV4].join(":"), dotted(end)),
        Some(gap) => {
            let (left, right) = (&words[..gap.start], &words[gap.end..GROUPS_BEFORE_IPV4]);
            let right = [right, &[dotted(end).to_string()]].concat();
            format!("{}::{}", left.join(":"), right.join(":"))
        }
    });
    forms.push(canonical(address).to_uppercase());
    let mut shown = vec![canonical(address)];
    forms.retain(|form| {
        !shown.contains(form) && {
            shown.push(form.clone());
            true
        }
    });
    forms
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

/// A text taken apart. (It is the text of an address: somebody has parsed it before.)
struct Written<'a> {
    words: Vec<&'a str>,
    /// The groups for which its `::` stands.
    gap: Option<Range<usize>>,
    /// Whether the last word is an IPv4 address.
    ends_in_ipv4: bool,
}

impl<'a> Written<'a> {
    fn of(text: &'a str) -> Self {
        let (left, right) = text.split_once("::").unwrap_or((text, ""));
        let words_of = |part: &'a str| part.split(':').filter(|word| !word.is_empty());
        let words: Vec<&str> = words_of(left).chain(words_of(right)).collect();
        let ends_in_ipv4 = text.contains('.');
        let start = words_of(left).count();
        let end = 8 - words_of(right).count() - usize::from(ends_in_ipv4);
        let gap = text.contains("::").then_some(start..end);
        Self { words, gap, ends_in_ipv4 }
    }
}

// listing: begin broken_rules
/// What keeps `text`, which means `address`, from being the canonical text: a section of RFC 5952
/// and what it says.
pub fn broken_rules(text: &str, address: Ipv6Addr) -> Vec<(&'static str, &'static str)> {
    let written = Written::of(text);
    let gap_fault = written.gap_fault(address);
    let holds_ipv4 = ipv4_at_the_end(address.segments()).is_some();
    let is_capital = |c: char| c.is_ascii_uppercase();
    let rules = [
        ("4.1", "leading zeros of a group are left out", written.words.iter().any(is_padded)),
        ("4.2.1", ":: stands for as many zero groups as it can", gap_fault == Some("4.2.1")),
        ("4.2.2", ":: does not stand for one group alone", gap_fault == Some("4.2.2")),
        ("4.2.3", ":: stands for the longest run, or the first", gap_fault == Some("4.2.3")),
        ("4.3", "letters are small", text.contains(is_capital)),
        ("5", "1.2.3.4 is for prefixes that tell of it", written.ends_in_ipv4 && !holds_ipv4),
        ("5", "this prefix tells that IPv4 follows", holds_ipv4 && !written.ends_in_ipv4),
    ];
    let broken = rules.into_iter().filter(|(_, _, is_broken)| *is_broken);
    broken.map(|(section, rule, _)| (section, rule)).collect()
}
// listing: end broken_rules

fn is_padded(word: &&str) -> bool {
    word.len() > 1 && word.starts_with('0') && !word.contains('.')
}

impl Written<'_> {
    /// The section that the place of `::`, or its absence, breaks.
    fn gap_fault(&self, address: Ipv6Addr) -> Option<&'static str> {
        let groups = address.segments();
        let most =
            if ipv4_at_the_end(groups).is_some() { GROUPS_BEFORE_IPV4 } else { groups.len() };
        let right = gap(&groups[..most]);
        // In front of an IPv4 address that was written in hexadecimal, a `::` may go on into it:
        // that is the fault of the notation.
        let written = self.gap.clone().map(|gap| gap.start..gap.end.min(most));
        match (written, right) {
            (written, right) if written == right => None,
            _ if self.gap.as_ref().is_some_and(|gap| gap.len() == 1) => Some("4.2.2"),
            (Some(gap), Some(right)) if gap.start < right.start || gap.end > right.end => {
                Some("4.2.3")
            }
            _ => Some("4.2.1"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("2001:db8::1", &[])]
    #[case("2001:0db8::0001", &["4.1"])]
    #[case("2001:db8:0:0:0:0:2:1", &["4.2.1"])]
    #[case("2001:db8::0:1", &["4.2.1"])]
    #[case("2001:db8::1:1:1:1:1", &["4.2.2"])]
    #[case("2001:0:0:1:0:0:0:1", &["4.2.1"])]
    #[case("2001::1:0:0:0:1", &["4.2.3"])]
    #[case("2001:db8:0:0:1::1", &["4.2.3"])]
    #[case("2001:DB8::1", &["4.3"])]
    #[case("2001:DB8:0:0:8:0800:200C:417A", &["4.1", "4.2.1", "4.3"])]
    #[case("::ffff:192.0.2.1", &[])]
    #[case("::ffff:c000:201", &["5"])]
    #[case("64:ff9b::", &["5"])]
    #[case("::192.0.2.1", &["5"])]
    #[case("::0.0.0.1", &["4.2.1", "5"])]
    fn the_rules_that_a_text_breaks_are(#[case] text: &str, #[case] sections: &[&str]) {
        let broken = broken_rules(text, text.parse().unwrap());
        let found: Vec<&str> = broken.iter().map(|(section, _)| *section).collect();
        assert_eq!(found, sections);
    }

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
