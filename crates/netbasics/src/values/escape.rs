//! Text of strangers, made harmless before a terminal or a log shows it.
//!
//! What a peer has sent may clear the screen or forge a line (control characters, ECMA-48), make a
//! line read backwards (the bidirectional controls of Unicode Standard Annex #9, against which
//! Unicode Technical Report #36, section 2.5, warns), break it in two (U+2028, U+2029) or hide
//! something in it (characters that have no glyph). All of these are written out, in the notation
//! of Rust's string literals: `\u{1b}[2J`. Bytes that are not UTF-8 become `\xff`.
//!
//! Letters stay as they are, those that are written from right to left among them, since their
//! direction is a property of their own. Of the invisible characters two kinds stay, because people
//! need them: the joiners U+200C and U+200D (Persian, the scripts of India, emoji such as 👩‍🔬) and
//! the variation selectors (emoji, rare Chinese characters). They change how their neighbours look,
//! and nothing else.

use std::io::{self, Write};

/// `text` in one line: everything that acts on a terminal is written out, line feeds and tabs too.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        push(&mut line, character);
    }
    line
}

/// As [`escaped`], for bytes that should be UTF-8 but need not be.
#[must_use]
pub fn escaped_bytes(bytes: &[u8]) -> String {
    bytes.utf8_chunks().fold(String::with_capacity(bytes.len()), |mut line, chunk| {
        line.push_str(&escaped(chunk.valid()));
        push_bytes(&mut line, chunk.invalid());
        line
    })
}

/// Whether `text` has nothing that [`escaped`] would have to write out.
#[must_use]
pub fn is_harmless(text: &str) -> bool {
    !text.chars().any(acts)
}

fn push(line: &mut String, character: char) {
    if acts(character) {
        line.extend(character.escape_default());
    } else {
        line.push(character);
    }
}

fn push_bytes(line: &mut String, bytes: &[u8]) {
    for byte in bytes {
        line.push_str("\\x");
        line.extend(
            [byte >> 4, byte & 0xf]
                .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])),
        );
    }
}

/// Whether a character does something instead of being something to read.
fn acts(character: char) -> bool {
    let is_invisible = matches!(character,
        // Soft hyphen, grapheme joiner, bidirectional mark of Arabic, fillers of Hangul and Khmer.
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180e}' | '\u{3164}' | '\u{ffa0}'
        // No width, bidirectional marks, line and paragraph separator, bidirectional controls.
        | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        // Byte order mark, annotations, and tags, which can carry a text that nobody sees.
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    // The last two code points of each plane are never characters (Unicode, section 23.7).
    character.is_control() || is_invisible || u32::from(character) & 0xfffe == 0xfffe
}

/// A writer that passes on harmless text: as [`escaped_bytes`], but line feeds, carriage returns
/// before them, and tabs are kept.
///
/// The text may come in any pieces: a character whose last bytes are missing waits for them, and is
/// written out as bytes when the writer is dropped.
#[derive(Debug)]
pub struct EscapedWriter<W: Write> {
    inner: W,
    /// The beginning of a character, or a carriage return of which nobody knows what follows.
    held: Vec<u8>,
}

impl<W: Write> EscapedWriter<W> {
    /// Passes on to `inner`.
    pub const fn new(inner: W) -> Self {
        Self { inner, held: Vec::new() }
    }
}

impl<W: Write> Write for EscapedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        let complete = self.held.len() - unfinished(&self.held);
        let text = escaped_lines(&self.held[..complete]);
        self.held.drain(..complete);
        self.inner.write_all(text.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<W: Write> Drop for EscapedWriter<W> {
    fn drop(&mut self) {
        if !self.held.is_empty() {
            let rest = escaped_bytes(&self.held);
            let _ = self.inner.write_all(rest.as_bytes()).and_then(|()| self.inner.flush());
        }
    }
}

/// Bytes at the end of `bytes` that mean nothing before the next ones are known.
fn unfinished(bytes: &[u8]) -> usize {
    if bytes.ends_with(b"\r") {
        return 1;
    }
    // Only at the end of all bytes can a character be short of its last ones.
    let last = bytes.utf8_chunks().last().map_or(&[][..], |chunk| chunk.invalid());
    let is_beginning = std::str::from_utf8(last).is_err_and(|error| error.error_len().is_none());
    if is_beginning { last.len() } else { 0 }
}

fn escaped_lines(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let mut characters = chunk.valid().chars().peekable();
        while let Some(character) = characters.next() {
            let ends_line = character == '\r' && characters.peek() == Some(&'\n');
            if ends_line || matches!(character, '\n' | '\t') {
                text.push(character);
            } else {
                push(&mut text, character);
            }
        }
        push_bytes(&mut text, chunk.invalid());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case::colour("\x1b[31m你好\r\n", r"\u{1b}[31m你好\r\n")]
    #[case::controls_of_one_byte("\0\x07\x08\t\x7f", r"\u{0}\u{7}\u{8}\t\u{7f}")]
    #[case::escape_of_one_character("\u{9b}2J\u{85}", r"\u{9b}2J\u{85}")]
    #[case::overrides("a\u{202e}fdp.exe", r"a\u{202e}fdp.exe")]
    #[case::all_bidirectional(
        "\u{202a}\u{202b}\u{202c}\u{202d}\u{2066}\u{2067}\u{2068}\u{2069}\u{200e}\u{200f}\u{61c}",
        r"\u{202a}\u{202b}\u{202c}\u{202d}\u{2066}\u{2067}\u{2068}\u{2069}\u{200e}\u{200f}\u{61c}"
    )]
    #[case::separators("one\u{2028}two\u{2029}", r"one\u{2028}two\u{2029}")]
    #[case::invisible("pass\u{200b}word\u{feff}\u{2060}", r"pass\u{200b}word\u{feff}\u{2060}")]
    #[case::hidden_tags("hi\u{e0041}", r"hi\u{e0041}")]
    #[case::no_character("\u{fffe}\u{1ffff}", r"\u{fffe}\u{1ffff}")]
    fn what_acts_on_a_terminal_is_written_out(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(escaped(text), expected);
        assert!(!is_harmless(text));
    }

    #[rstest]
    #[case::chinese("你好，世界")]
    #[case::right_to_left("שלום עולם، مرحبا")]
    #[case::persian_with_a_joiner("می\u{200c}خواهم")]
    #[case::emoji("👩\u{200d}🔬 ❤\u{fe0f} 🇨🇳")]
    #[case::combining("e\u{301} नमस्ते")]
    #[case::backslashes(r"C:\new 'quoted'")]
    fn what_people_write_stays(#[case] text: &str) {
        assert_eq!(escaped(text), text);
        assert!(is_harmless(text));
    }

    #[test]
    fn bytes_that_are_no_text_are_written_out_one_by_one() {
        assert_eq!(escaped_bytes(b"a\xff\xe4\xbdb\x1b"), r"a\xff\xe4\xbdb\u{1b}");
    }

    fn written(pieces: &[&[u8]]) -> String {
        let mut output = Vec::new();
        let mut writer = EscapedWriter::new(&mut output);
        for piece in pieces {
            writer.write_all(piece).unwrap();
        }
        drop(writer);
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn a_writer_keeps_lines_and_tabs_and_nothing_else_that_acts() {
        let text = written(&[b"name:\tvalue\r\nbad\rgood\n\x1b[2J\0\xff\r"]);
        assert_eq!(text, "name:\tvalue\r\nbad\\rgood\n\\u{1b}[2J\\u{0}\\xff\\r");
    }

    #[test]
    fn a_character_that_never_ends_is_shown_at_the_end() {
        assert_eq!(written(&[b"ab", b"\xe4\xbd"]), r"ab\xe4\xbd");
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(
            bytes in prop::collection::vec(any::<u8>(), 0..60),
            text in "[a你\u{e9}\u{1f600}\u{202e}\r\n\x1b]{0,20}",
            size in 1_usize..9,
        ) {
            let bytes = [text.as_bytes(), &bytes].concat();
            let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
            let shown = written(&pieces);
            prop_assert_eq!(&shown, &written(&[&bytes]));
            prop_assert!(shown.replace("\r\n", "").chars().all(|c| matches!(c, '\n' | '\t') || !acts(c)));
        }

        #[test]
        fn what_is_escaped_is_harmless_and_stays_so(text in any::<String>()) {
            let once = escaped(&text);
            prop_assert!(is_harmless(&once));
            prop_assert_eq!(escaped(&once), once);
        }
    }
}
