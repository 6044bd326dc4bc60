//! What can be wrong with an address, in sentences.

use std::error::Error;
use std::fmt;

/// What is wrong, and at which *byte* of the scanned text: callers that scan a part of a longer
/// text shift it.
pub(super) type Fault = (usize, AddressProblem);

/// A text that is not an address or not a network: which text, where, and why.
///
/// Displayed as one line, such as `192.168.1.256: octet 4 is 256; an octet is at most 255`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressError {
    /// The whole text that was parsed.
    pub text: String,
    /// The character where the trouble begins, counted from 1; one past the end when something is
    /// missing there.
    pub position: usize,
    /// What is wrong.
    pub problem: AddressProblem,
}

impl AddressError {
    pub(crate) fn new(text: &str, (byte, problem): Fault) -> Self {
        Self { text: text.to_owned(), position: position_of(text, byte), problem }
    }
}

/// The number, counted from 1, of the character that begins at `byte`.
pub(crate) fn position_of(text: &str, byte: usize) -> usize {
    text.char_indices().take_while(|(at, _)| *at < byte).count() + 1
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", printable(&self.text), self.problem)?;
        if self.problem.is_about_a_character() {
            write!(f, " (character {})", self.position)?;
        }
        Ok(())
    }
}

impl Error for AddressError {}

/// What is wrong with an address. Octets and groups are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddressProblem {
    /// There is no text at all.
    Empty,
    /// Nothing stands between two dots, before the first, or after the last.
    EmptyOctet {
        /// Which octet.
        octet: usize,
    },
    /// More than 255.
    OctetTooLarge {
        /// Which octet.
        octet: usize,
        /// As it was written.
        digits: String,
    },
    /// `010` is ten for one program and eight for another, so it is refused.
    LeadingZero {
        /// Which octet.
        octet: usize,
        /// As it was written.
        digits: String,
    },
    /// An octet holds something else than 0 to 9.
    NotADigit {
        /// Which octet.
        octet: usize,
        /// The character that is no digit.
        found: char,
    },
    /// Not four octets.
    WrongOctetCount {
        /// How many there are.
        found: usize,
    },
    /// No colon, so that it cannot be IPv6.
    NoColon,
    /// A group of IPv6 holds something else than 0 to 9 and a to f.
    NotHexadecimal {
        /// Which group.
        group: usize,
        /// The character that is no hexadecimal digit.
        found: char,
    },
    /// More than four hexadecimal digits in one group.
    GroupTooLong {
        /// Which group.
        group: usize,
        /// As it was written.
        digits: String,
    },
    /// A single colon at the beginning or the end, or three in a row.
    StrayColon,
    /// `::` twice: nobody could tell how many zeros each stands for.
    SecondGap,
    /// Not eight groups, or eight and yet a `::`.
    WrongGroupCount {
        /// How many there are, an embedded IPv4 address counting for two.
        found: usize,
        /// Whether there is a `::`.
        gap: bool,
    },
    /// `%eth0`: the interface is not a part of the address.
    ZoneIndex,
    /// `fe80::1%`: a zone, but not which.
    EmptyZone,
    /// A character that no zone has in its name.
    NotInAZone {
        /// That character.
        found: char,
    },
    /// No `/LENGTH`.
    MissingPrefix,
    /// The prefix length holds something else than 0 to 9.
    PrefixNotADigit {
        /// The character that is no digit.
        found: char,
    },
    /// `/08`.
    PrefixLeadingZero {
        /// As it was written.
        digits: String,
    },
    /// More bits than an address has.
    PrefixTooLong {
        /// As it was written.
        digits: String,
        /// 32 for IPv4, 128 for IPv6.
        most: u8,
    },
}

impl AddressProblem {
    pub(super) fn prefix_too_long(digits: &str, most: u8) -> Self {
        Self::PrefixTooLong { digits: digits.to_owned(), most }
    }

    /// Whether one character is to blame, so that its position helps to find it.
    pub(crate) const fn is_about_a_character(&self) -> bool {
        matches!(
            self,
            Self::NotADigit { .. }
                | Self::NotHexadecimal { .. }
                | Self::StrayColon
                | Self::SecondGap
                | Self::ZoneIndex
                | Self::NotInAZone { .. }
                | Self::PrefixNotADigit { .. }
        )
    }

    fn fmt_ipv4(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyOctet { octet } => {
                write!(f, "octet {octet} is empty; an octet is a number from 0 to 255")
            }
            Self::OctetTooLarge { octet, digits } => {
                write!(f, "octet {octet} is {}; an octet is at most 255", printable(digits))
            }
            Self::LeadingZero { octet, digits } => write!(
                f,
                "octet {octet} is {}; a leading zero is refused, because some programs then read \
                 the number as octal",
                printable(digits)
            ),
            Self::NotADigit { octet, found } => {
                write!(f, "octet {octet} contains {found:?}; an octet is decimal digits only")
            }
            Self::WrongOctetCount { found } => write!(
                f,
                "{found} {}; an IPv4 address has 4, such as 192.168.1.1",
                if *found == 1 { "octet" } else { "octets" }
            ),
            _ => Ok(()),
        }
    }

    fn fmt_ipv6(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoColon => {
                f.write_str("no colon; an IPv6 address is groups joined by colons, such as ::1")
            }
            Self::NotHexadecimal { group, found } => {
                write!(f, "group {group} contains {found:?}; a group is digits 0-9 and a-f")
            }
            Self::GroupTooLong { group, digits } => {
                write!(f, "group {group} is {}; a group has at most 4 digits", printable(digits))
            }
            Self::StrayColon => f.write_str("a colon with no group beside it; zeros are ::"),
            Self::SecondGap => f.write_str("a second ::, but an address may have only one"),
            Self::WrongGroupCount { found, gap: true } => {
                write!(f, "{found} groups and a ::, which leaves nothing for :: to stand for")
            }
            Self::WrongGroupCount { found, gap: false } => {
                write!(f, "{found} groups; an IPv6 address has 8, or fewer and one ::")
            }
            Self::ZoneIndex => f.write_str("an interface name after '%' is not accepted here"),
            Self::EmptyZone => {
                f.write_str("nothing after the '%'; an interface stands there, as in fe80::1%eth0")
            }
            Self::NotInAZone { found } => write!(
                f,
                "the zone contains {found:?}; a zone is the name or the number of an interface"
            ),
            _ => Ok(()),
        }
    }

    fn fmt_prefix(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingPrefix => {
                f.write_str("no prefix length; a network is ADDRESS/LENGTH, such as 10.0.0.0/8")
            }
            Self::PrefixNotADigit { found } => {
                write!(f, "the prefix length contains {found:?}; it is a count of bits, such as 24")
            }
            Self::PrefixLeadingZero { digits } => {
                write!(f, "the prefix length is {}; leave out leading zeros", printable(digits))
            }
            Self::PrefixTooLong { digits, most } => write!(
                f,
                "the prefix length is {}; an IPv{} address has only {most} bits",
                printable(digits),
                if *most == 32 { 4 } else { 6 }
            ),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for AddressProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("nothing there; an address looks like 192.168.1.1 or ::1"),
            Self::EmptyOctet { .. }
            | Self::OctetTooLarge { .. }
            | Self::LeadingZero { .. }
            | Self::NotADigit { .. }
            | Self::WrongOctetCount { .. } => self.fmt_ipv4(f),
            Self::NoColon
            | Self::NotHexadecimal { .. }
            | Self::GroupTooLong { .. }
            | Self::StrayColon
            | Self::SecondGap
            | Self::WrongGroupCount { .. }
            | Self::ZoneIndex
            | Self::EmptyZone
            | Self::NotInAZone { .. } => self.fmt_ipv6(f),
            Self::MissingPrefix
            | Self::PrefixNotADigit { .. }
            | Self::PrefixLeadingZero { .. }
            | Self::PrefixTooLong { .. } => self.fmt_prefix(f),
        }
    }
}

/// `text` as it may stand in a message of one line: characters that do not print are escaped, a
/// long text is cut, and an empty one is named.
pub(crate) fn printable(text: &str) -> String {
    const MOST: usize = 60;
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    let mut shown = String::new();
    for c in text.chars().take(MOST) {
        match c {
            '\'' | '"' | '\\' => shown.push(c),
            _ => shown.extend(c.escape_debug()),
        }
    }
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}
