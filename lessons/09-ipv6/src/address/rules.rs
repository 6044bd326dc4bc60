//! Which rules of RFC 5952 a text breaks.

use std::net::Ipv6Addr;
use std::ops::Range;

use super::canonical::{GROUPS_BEFORE_IPV4, gap, ipv4_at_the_end};

/// A section of RFC 5952, and what it says.
pub type Rule = (&'static str, &'static str);

/// What keeps `text`, which means `address`, from being the canonical text.
pub fn broken_rules(text: &str, address: Ipv6Addr) -> Vec<Rule> {
    let written = Written::of(text);
    let holds_ipv4 = ipv4_at_the_end(address.segments()).is_some();
    let mut broken = Vec::new();
    if written.words.iter().any(|word| is_padded(word)) {
        broken.push(("4.1", "leading zeros of a group are left out"));
    }
    broken.extend(written.broken_gap_rule(address));
    if text.contains(|c: char| c.is_ascii_uppercase()) {
        broken.push(("4.3", "letters are lowercase"));
    }
    if written.ends_in_ipv4 && !holds_ipv4 {
        broken.push(("5", "only after a prefix that says so, the end is written as IPv4"));
    }
    if holds_ipv4 && !written.ends_in_ipv4 {
        broken.push(("5", "this prefix says that IPv4 follows, and it is written as IPv4"));
    }
    broken
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
        let words = words_of(left).chain(words_of(right)).collect();
        let ends_in_ipv4 = text.contains('.');
        let end = 8 - words_of(right).count() - usize::from(ends_in_ipv4);
        let gap = text.contains("::").then(|| words_of(left).count()..end);
        Self { words, gap, ends_in_ipv4 }
    }

    /// The rule that the place of `::`, or its absence, breaks.
    fn broken_gap_rule(&self, address: Ipv6Addr) -> Option<Rule> {
        let groups = address.segments();
        let holds_ipv4 = ipv4_at_the_end(groups).is_some();
        let most = if holds_ipv4 { GROUPS_BEFORE_IPV4 } else { groups.len() };
        let right = gap(&groups[..most]);
        // If an IPv4 address was written in hexadecimal, a `::` may go on into it, and the other
        // rule that this breaks is said already.
        let written = self.gap.clone().map(|gap| gap.start..gap.end.min(most));
        match (written, right) {
            (written, right) if written == right => None,
            _ if self.gap.as_ref().is_some_and(|gap| gap.len() == 1) => {
                Some(("4.2.2", ":: does not stand for one group alone"))
            }
            (Some(gap), Some(right)) if gap.start < right.start || gap.end > right.end => {
                Some(("4.2.3", ":: stands for the longest run of zeros, or the first of them"))
            }
            _ => Some(("4.2.1", ":: stands for as many groups of zeros as it can")),
        }
    }
}

fn is_padded(word: &str) -> bool {
    word.len() > 1 && word.starts_with('0') && !word.contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("2001:db8::1", &[])]
    #[case("2001:0db8::0001", &["4.1"])]
    #[case("2001:db8:0000:1:1:1:1:1", &["4.1"])]
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
}
