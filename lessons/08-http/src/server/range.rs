//! Which part of a file is asked for (RFC 9110, section 14.1.2).

use crate::http::head::{OWS, Request};

#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    Whole,
    /// From the first to the last byte, both of them included, counted from 0.
    Bytes {
        first: u64,
        last: u64,
    },
    /// A part that the file does not have.
    Outside,
}

/// The part that `request` asks for, of a file of `length` bytes.
///
/// A server may always send the whole (section 14.2). We do so for what we do not understand, and
/// for several parts at once. Ranges are for GET alone.
pub fn part(request: &Request, length: u64) -> Part {
    let Some(range) = request.fields.only("Range") else { return Part::Whole };
    if request.method != "GET" {
        return Part::Whole;
    }
    let Some((unit, range)) = range.split_once('=') else { return Part::Whole };
    let Some((first, last)) = range.trim_matches(OWS).split_once('-') else { return Part::Whole };
    match (unit, number(first), number(last)) {
        (unit, ..) if !unit.eq_ignore_ascii_case("bytes") => Part::Whole,
        // `bytes=-5`: the last five.
        (_, None, Some(0)) if first.is_empty() => Part::Outside,
        // The last five of an empty file are all that it has.
        (_, None, Some(_)) if first.is_empty() && length == 0 => Part::Whole,
        (_, None, Some(count)) if first.is_empty() => within(length.saturating_sub(count), length),
        // `bytes=5-`: all from the sixth on.
        (_, Some(first), None) if last.is_empty() => within(first, length),
        (_, Some(first), Some(last)) if first <= last => {
            within(first, length.min(last.saturating_add(1)))
        }
        _ => Part::Whole,
    }
}

/// From `first` up to but not including `end`.
fn within(first: u64, end: u64) -> Part {
    if first < end { Part::Bytes { first, last: end - 1 } } else { Part::Outside }
}

/// Digits only; as many as one likes.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn asked(method: &str, fields: &str, length: u64) -> Part {
        let head = format!("{method} / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        part(&Request::parse(head.as_bytes()).unwrap(), length)
    }

    #[rstest]
    #[case::the_first_byte("bytes=0-0", 10, Part::Bytes { first: 0, last: 0 })]
    #[case::the_middle("bytes=2-4", 10, Part::Bytes { first: 2, last: 4 })]
    #[case::to_the_end("bytes=9-", 10, Part::Bytes { first: 9, last: 9 })]
    #[case::beyond_the_end("bytes=5-99", 10, Part::Bytes { first: 5, last: 9 })]
    #[case::far_beyond("bytes=5-99999999999999999999999", 10, Part::Bytes { first: 5, last: 9 })]
    #[case::the_largest_number("bytes=5-18446744073709551615", 10, Part::Bytes { first: 5, last: 9 })]
    #[case::the_last_three("bytes=-3", 10, Part::Bytes { first: 7, last: 9 })]
    #[case::more_than_there_are("bytes=-30", 10, Part::Bytes { first: 0, last: 9 })]
    #[case::any_case("BYTES=0-1", 10, Part::Bytes { first: 0, last: 1 })]
    #[case::behind_the_end("bytes=10-", 10, Part::Outside)]
    #[case::far_behind("bytes=99999999999999999999-", 10, Part::Outside)]
    #[case::the_last_none("bytes=-0", 10, Part::Outside)]
    #[case::of_nothing("bytes=0-", 0, Part::Outside)]
    #[case::the_last_of_nothing("bytes=-1", 0, Part::Whole)]
    #[case::a_blank_in_front("bytes= 2-4", 10, Part::Bytes { first: 2, last: 4 })]
    #[case::another_blank_in_front("bytes=\u{a0}2-4", 10, Part::Whole)]
    #[case::backwards("bytes=4-2", 10, Part::Whole)]
    #[case::several("bytes=0-1,4-5", 10, Part::Whole)]
    #[case::another_unit("lines=0-1", 10, Part::Whole)]
    #[case::no_numbers("bytes=-", 10, Part::Whole)]
    #[case::a_sign("bytes=+1-2", 10, Part::Whole)]
    #[case::no_unit("0-1", 10, Part::Whole)]
    fn a_range_names_a_part(#[case] range: &str, #[case] length: u64, #[case] expected: Part) {
        assert_eq!(asked("GET", &format!("Range: {range}\r\n"), length), expected);
    }

    #[rstest]
    #[case::none("GET", "")]
    #[case::for_a_head("HEAD", "Range: bytes=0-1\r\n")]
    #[case::two_fields("GET", "Range: bytes=0-1\r\nRange: bytes=2-3\r\n")]
    fn else_it_is_the_whole(#[case] method: &str, #[case] fields: &str) {
        assert_eq!(asked(method, fields, 10), Part::Whole);
    }
}
