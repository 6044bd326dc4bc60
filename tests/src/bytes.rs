//! Bytes for a person: as text, in hex, and where two of them first differ.

use std::fmt::Write;

/// How many bytes of a payload are shown, as text or in hex.
const SHOWN_TEXT: usize = 48;
const SHOWN_HEX: usize = 12;
/// How many bytes a line of hex has.
const ROW: usize = 16;

/// The length and the beginning: as text where it is text, else in hex.
pub fn brief(bytes: &[u8]) -> String {
    let length = match bytes.len() {
        0 => return "nothing".to_owned(),
        1 => "1 byte".to_owned(),
        length => format!("{length} bytes"),
    };
    let (shown, limit) = match std::str::from_utf8(bytes) {
        Ok(text) if text.chars().all(is_readable) => {
            (quoted(text.chars().take(SHOWN_TEXT)), text.chars().count() > SHOWN_TEXT)
        }
        _ => (hex(bytes, 0, SHOWN_HEX), bytes.len() > SHOWN_HEX),
    };
    format!("{length}  {shown}{}", if limit { " …" } else { "" })
}

fn is_readable(character: char) -> bool {
    !character.is_control() || matches!(character, '\0' | '\t' | '\n' | '\r')
}

/// As a string literal, with everything unprintable escaped.
fn quoted(text: impl Iterator<Item = char>) -> String {
    let mut quoted = String::from("\"");
    for character in text {
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

fn first_difference(a: &[u8], b: &[u8]) -> Option<usize> {
    let common = a.iter().zip(b).take_while(|(x, y)| x == y).count();
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
}
