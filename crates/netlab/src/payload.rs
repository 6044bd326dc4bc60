//! A payload in one line that a person can read: text as text, everything else as hex.

use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

/// A payload is shown as hex if more than one in this many of its characters could only be escaped.
const TEXT_HAS_ONE_ESCAPE_IN: usize = 4;

/// One line for the beginning of `payload`, at most `columns` wide on a terminal; ends in `…` if
/// it was cut, and never contains a character that a terminal obeys.
///
/// - Text is in quotes: `"hello\n"`. Control characters and bytes that are not UTF-8 are hex
///   (`\x07`), as are invisible characters that could turn the text around (`\u{202e}`).
/// - Anything else is hex: `50 4b 03 04 …`.
/// - No bytes at all are an empty string.
#[must_use]
pub fn in_one_line(payload: &[u8], columns: usize) -> String {
    show(payload, columns).0
}

/// As [`in_one_line`], and how many bytes of the payload the line does not show.
#[must_use]
pub fn show(payload: &[u8], columns: usize) -> (String, usize) {
    if payload.is_empty() {
        return (String::new(), 0);
    }
    // A column seldom takes more bytes than a character has at most, and accents must not make a
    // line endless; but the last character must not be cut in two.
    let beginning = &payload[..payload.len().min(columns * 4 + 4)];
    let (line, shown) = if is_text(beginning) {
        quoted(beginning, columns, beginning.len() < payload.len())
    } else {
        hex(beginning, columns, beginning.len() < payload.len())
    };
    (line, payload.len() - shown)
}

/// `12345` as `12,345`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 byte`, `12,345 bytes`.
#[must_use]
pub fn bytes(length: u64) -> String {
    format!("{} byte{}", grouped(length), if length == 1 { "" } else { "s" })
}

/// One character of a payload: how it is written, and how many bytes it stands for.
struct Shown {
    text: String,
    bytes: usize,
    is_escape: bool,
}

fn is_text(payload: &[u8]) -> bool {
    let (mut all, mut escapes) = (0, 0);
    for shown in characters(payload) {
        all += 1;
        escapes += usize::from(shown.is_escape);
    }
    escapes * TEXT_HAS_ONE_ESCAPE_IN <= all
}

fn characters(payload: &[u8]) -> impl Iterator<Item = Shown> {
    payload.utf8_chunks().flat_map(|chunk| {
        let valid = chunk.valid().chars().map(character);
        let invalid = chunk.invalid().iter().map(|byte| escape(format!("\\x{byte:02x}"), 1));
        valid.chain(invalid)
    })
}

fn character(c: char) -> Shown {
    let text = match c {
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        c if c.is_ascii_control() => return escape(format!("\\x{:02x}", u32::from(c)), 1),
        c if is_unseen(c) => return escape(c.escape_unicode().to_string(), c.len_utf8()),
        c => c.to_string(),
    };
    Shown { text, bytes: c.len_utf8(), is_escape: false }
}

fn escape(text: String, bytes: usize) -> Shown {
    Shown { text, bytes, is_escape: true }
}

/// Characters that are not seen but turn or hide others, and those that are never to be exchanged
/// (XML 1.0, section 2.2, forbids U+FFFE and U+FFFF). Joiners, variation selectors and accents stay,
/// as emoji and many scripts are written with them.
fn is_unseen(c: char) -> bool {
    let is_invisible = matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180e}' | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202f}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{e000}'..='\u{f8ff}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    c.is_control() || c.width().is_none() || is_invisible || u32::from(c) & 0xfffe == 0xfffe
}

/// The width of `text` on a terminal, in columns.
pub(crate) fn columns(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

fn quoted(payload: &[u8], columns: usize, goes_on: bool) -> (String, usize) {
    let (line, shown) = fill(characters(payload), columns.saturating_sub(3), "");
    let is_cut = goes_on || shown < payload.len();
    (format!("\"{line}{}\"", if is_cut { "…" } else { "" }), shown)
}

fn hex(payload: &[u8], columns: usize, goes_on: bool) -> (String, usize) {
    let pairs = payload.iter().map(|byte| escape(format!("{byte:02x}"), 1));
    let (mut line, shown) = fill(pairs, columns.saturating_sub(2), " ");
    if goes_on || shown < payload.len() {
        let _ = write!(line, " …"); // writing to a String does not fail
    }
    (line, shown)
}

/// As many of `parts` as fit, and for how many bytes they stand.
fn fill(parts: impl Iterator<Item = Shown>, width: usize, between: &str) -> (String, usize) {
    let (mut line, mut used, mut shown) = (String::new(), 0, 0);
    for part in parts {
        let before = if line.is_empty() { "" } else { between };
        used += before.len() + columns(&part.text);
        if used > width {
            break;
        }
        line.push_str(before);
        line.push_str(&part.text);
        shown += part.bytes;
    }
    (line, shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hostile;

    #[test]
    fn text_is_quoted_and_what_a_terminal_would_obey_is_hex() {
        assert_eq!(in_one_line(b"hello\n", 40), r#""hello\n""#);
        assert_eq!(in_one_line("你好".as_bytes(), 40), "\"你好\"");
        assert_eq!(in_one_line(b"red \x1b[31m alarm \x07", 40), r#""red \x1b[31m alarm \x07""#);
        assert_eq!(in_one_line("ab\u{202e}cdefgh".as_bytes(), 40), r#""ab\u{202e}cdefgh""#);
        assert_eq!(
            in_one_line("👩\u{200d}🔬 e\u{301}".as_bytes(), 40),
            "\"👩\u{200d}🔬 e\u{301}\""
        );
        let hostile = "a long text that ends badly: ".repeat(8) + hostile::TEXT;
        assert_eq!(hostile::complaint(in_one_line(hostile.as_bytes(), 900).as_bytes()), None);
        assert_eq!(in_one_line(b"a \xff in a text", 40), r#""a \xff in a text""#);
        assert_eq!(in_one_line(br#"say "x\y""#, 40), r#""say \"x\\y\"""#);
        assert_eq!(in_one_line(b"", 40), "");
    }

    #[test]
    fn what_is_not_text_is_hex() {
        assert_eq!(in_one_line(b"PK\x03\x04\x00\xff", 40), "50 4b 03 04 00 ff");
        assert_eq!(show(&[7; 1000], 14), ("07 07 07 07 …".to_owned(), 996));
    }

    #[test]
    fn what_is_cut_ends_in_an_ellipsis_and_fits() {
        assert_eq!(show(&[b'x'; 1000], 10), (r#""xxxxxxx…""#.to_owned(), 993));
        assert_eq!(show("你好世界你好".as_bytes(), 10), ("\"你好世…\"".to_owned(), 9));
        for width in 4..40 {
            let text = "naïve 你好 \x07".repeat(99);
            assert!(columns(&in_one_line(text.as_bytes(), width)) <= width, "{width}");
            assert!(columns(&in_one_line(&[0xfe; 99], width)) <= width, "{width}");
        }
    }

    #[test]
    fn a_long_text_is_text_even_if_it_is_cut_inside_a_character() {
        for start in 0..4 {
            let text = format!("{}{}", "a".repeat(start), "好".repeat(99));
            assert!(in_one_line(text.as_bytes(), 20).starts_with('"'), "{start}");
        }
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(12_345_678), "12,345,678");
        assert_eq!(bytes(1), "1 byte");
    }
}
