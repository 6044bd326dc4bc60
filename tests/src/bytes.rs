//! Bytes for a person: as text, in hex, and where two of them first differ.

use std::fmt::Write;

/// How many bytes of a payload are shown, as text or in hex.
const SHOWN_TEXT: usize = 48;
const SHOWN_HEX: usize = 12;
/// How many characters of a longer text are shown from its end, where its last word and its
/// newline stand, or are missing.
const SHOWN_TAIL: usize = 8;
/// How many bytes are compared at a time.
const BLOCK: usize = 4096;
/// How many bytes a line of hex has.
const ROW: usize = 16;

/// As in `33.6 MiB`, rounded up: more than a limit never looks like the limit.
#[must_use]
pub fn mebibytes(bytes: u64) -> String {
    let tenths = (bytes * 10).div_ceil(1024 * 1024);
    match tenths % 10 {
        0 => format!("{} MiB", tenths / 10),
        rest => format!("{}.{rest} MiB", tenths / 10),
    }
}

/// The length and what it looks like: as text where it is text, else the beginning in hex.
pub fn brief(bytes: &[u8]) -> String {
    let length = match bytes.len() {
        0 => return "nothing".to_owned(),
        1 => "1 byte".to_owned(),
        length => format!("{length} bytes"),
    };
    let shown = match std::str::from_utf8(bytes).ok().and_then(text_of) {
        Some(text) => text,
        None if bytes.len() > SHOWN_HEX => hex(bytes, 0, SHOWN_HEX) + " …",
        None => hex(bytes, 0, SHOWN_HEX),
    };
    format!("{length}  {shown}")
}

/// A whole text, or the beginning and the end of a long one; nothing where these are not readable.
/// (What lies between may have 32 MiB, and is not looked at.)
fn text_of(text: &str) -> Option<String> {
    let head = text.char_indices().nth(SHOWN_TEXT).map_or(text.len(), |(end, _)| end);
    let tail = text.char_indices().nth_back(SHOWN_TAIL - 1).map_or(0, |(start, _)| start);
    let parts = if tail <= head { vec![text] } else { vec![&text[..head], &text[tail..]] };
    let readable = parts.iter().all(|part| part.chars().all(is_readable));
    readable.then(|| parts.into_iter().map(quoted).collect::<Vec<_>>().join(" … "))
}

fn is_readable(character: char) -> bool {
    !character.is_control() || matches!(character, '\0' | '\t' | '\n' | '\r')
}

/// As a string literal, with everything unprintable escaped.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '\'' => quoted.push('\''),
            '\0' => quoted.push_str("\\0"),
            other => quoted.extend(other.escape_debug()),
        }
    }
    quoted + "\""
}

/// Expected against got: both as text, and both in hex around the first byte that differs.
pub fn compare(expected: &[u8], got: &[u8]) -> String {
    let mut text = format!("expected  {}\n     got  {}\n", brief(expected), brief(got));
    // Beside nothing at all there is nothing to compare.
    let Some(at) =
        first_difference(expected, got).filter(|_| !expected.is_empty() && !got.is_empty())
    else {
        return text;
    };
    let row = at / ROW * ROW;
    let _ = writeln!(text, "first difference at byte {at}:");
    let _ = writeln!(text, "expected  {row:06x}  {}", row_of(expected, row));
    let _ = writeln!(text, "     got  {row:06x}  {}", row_of(got, row));
    // Ten columns of label, six of offset, two blanks; then three for each byte.
    let _ = writeln!(text, "{}^^", " ".repeat(10 + 6 + 2 + 3 * (at - row)));
    text
}

/// Whole blocks first: byte by byte, a debug build takes a second for a large file.
fn first_difference(a: &[u8], b: &[u8]) -> Option<usize> {
    let blocks = a.chunks_exact(BLOCK).zip(b.chunks_exact(BLOCK));
    let same = BLOCK * blocks.take_while(|(x, y)| x == y).count();
    let rest = a[same..].iter().zip(&b[same..]);
    let common = same + rest.take_while(|(x, y)| x == y).count();
    (common < a.len().max(b.len())).then_some(common)
}

fn hex(bytes: &[u8], from: usize, count: usize) -> String {
    let bytes = bytes.iter().skip(from).take(count);
    bytes.map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

fn row_of(bytes: &[u8], from: usize) -> String {
    let end = if bytes.len() < from + ROW { " (end)" } else { "" };
    (hex(bytes, from, ROW) + end).trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_shown_as_text_and_other_bytes_in_hex() {
        assert_eq!(brief("你好\n\0".as_bytes()), "8 bytes  \"你好\\n\\0\"");
        assert_eq!(brief(b"\xff"), "1 byte  ff");
        assert_eq!(brief(b"\x11A"), "2 bytes  11 41");
        assert_eq!(brief(b""), "nothing");
    }

    #[test]
    fn of_a_long_text_the_end_is_shown_too_as_its_newline_may_be_missing() {
        let long = |end: &str| brief(["x".repeat(60).as_str(), end].concat().as_bytes());
        let head = format!("\"{}\"", "x".repeat(SHOWN_TEXT));
        assert_eq!(long("a.txt"), format!("65 bytes  {head} … \"xxxa.txt\""));
        assert_eq!(long("a.txt\n"), format!("66 bytes  {head} … \"xxa.txt\\n\""));
        // What is not shown decides nothing.
        assert!(long("\x07 a much longer end").ends_with("nger end\""));
        assert!(long("\x07 end").starts_with("65 bytes  78 78"));
    }

    #[test]
    fn more_than_a_limit_never_looks_like_the_limit() {
        assert_eq!(mebibytes(32 * 1024 * 1024), "32 MiB");
        assert_eq!(mebibytes(32 * 1024 * 1024 + 1), "32.1 MiB");
        assert_eq!(mebibytes(70_574_080), "67.4 MiB");
    }

    #[test]
    fn the_mark_stands_under_the_first_byte_that_differs() {
        let report = compare(b"0123456789abcdefXY", b"0123456789abcdefXZ");
        let lines: Vec<&str> = report.lines().collect();
        assert_eq!(lines[2], "first difference at byte 17:");
        let at = lines[5].find('^').unwrap();
        assert_eq!((&lines[3][at..at + 2], &lines[4][at..at + 2]), ("59", "5a"));
    }

    #[test]
    fn a_missing_byte_is_marked_at_the_end() {
        let report = compare(b"ab", b"a");
        assert!(report.contains("first difference at byte 1:"));
        assert!(report.contains("61 (end)"), "{report}");
    }

    #[test]
    fn a_difference_is_found_wherever_it_is() {
        let whole = vec![7; 2 * BLOCK + 3];
        for at in [0, BLOCK - 1, BLOCK, 2 * BLOCK, 2 * BLOCK + 2] {
            let mut other = whole.clone();
            other[at] = 8;
            assert_eq!(first_difference(&whole, &other), Some(at));
            assert_eq!(first_difference(&whole, &whole[..at]), Some(at));
        }
        assert_eq!(first_difference(&whole, &whole.clone()), None);
    }
}
