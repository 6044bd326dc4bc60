//! Text that a stranger's program has printed, made harmless.
//!
//! A graded program may print whatever it likes: escape sequences that clear a terminal or forge
//! a green line (ECMA-48), characters that XML does not allow (XML 1.0, section 2.2), marks that
//! make a line read backwards (Unicode Standard Annex #9), and a gigabyte of it. Here all of that
//! becomes short text that says what was there, in the notation of Rust's string literals.

/// How much of one text is kept, in bytes. Who prints more has made the point.
pub const KEPT_BYTES: usize = 64 * 1024;
/// The longest that the sentence about what was left out can be.
const LAST_WORDS_BYTES: usize = 48;

/// `text` without anything that does something instead of being something to read: control
/// characters other than line feed and tab, and invisible marks, are written out, as in
/// `\u{1b}[31m`. At most [`KEPT_BYTES`] of it, as with [`shortened`].
#[must_use]
pub fn plain(text: &str) -> String {
    bounded(text, KEPT_BYTES, |c, plain| match c {
        '\n' | '\t' => plain.push(c),
        _ if acts(c) => plain.extend(c.escape_default()),
        _ => plain.push(c),
    })
}

/// The beginning of `text`, cut at a character, and how much was left out; all of it together at
/// most `limit` bytes, if that is enough for these words.
#[must_use]
pub fn shortened(text: &str, limit: usize) -> String {
    bounded(text, limit, |c, shortened| shortened.push(c))
}

/// What `write` makes of `text`, as long as that is not more than `limit` bytes.
fn bounded(text: &str, limit: usize, write: impl Fn(char, &mut String)) -> String {
    let mut written = String::new();
    // How much is written, and of how much text, where there is still room for the last words.
    let mut cut = (0, 0);
    for (place, c) in text.char_indices() {
        if written.len() + LAST_WORDS_BYTES <= limit {
            cut = (written.len(), place);
        }
        write(c, &mut written);
        if written.len() > limit {
            written.truncate(cut.0);
            return format!("{written}\n[{} more bytes are left out]", text.len() - cut.1);
        }
    }
    written
}

/// Whether a character acts on a terminal, a page or a parser, or hides something from a reader.
/// Joiners and variation selectors stay, as emoji and many scripts are written with them.
fn acts(c: char) -> bool {
    let is_mark = matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180e}' | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}');
    // The last two code points of each plane are no characters, and XML refuses two of them.
    c.is_control() || is_mark || u32::from(c) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case::colour("\x1b[31mred\x1b[0m", r"\u{1b}[31mred\u{1b}[0m")]
    #[case::one_byte_escape("\u{9b}2J", r"\u{9b}2J")]
    #[case::over_written_line("bad\rgood", r"bad\rgood")]
    #[case::bell_and_backspace("\x07\x08", r"\u{7}\u{8}")]
    #[case::backwards("\u{202e}ssap", r"\u{202e}ssap")]
    #[case::no_character("\u{ffff}\u{1fffe}\0", r"\u{ffff}\u{1fffe}\u{0}")]
    #[case::text("你好, wörld\n\tσ→🎉", "你好, wörld\n\tσ→🎉")]
    fn what_acts_is_written_out(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(plain(text), expected);
    }

    #[test]
    fn what_is_left_out_is_counted() {
        assert_eq!(shortened(&"好".repeat(20), 55), "好好\n[54 more bytes are left out]");
        assert_eq!(shortened("just right", 10), "just right");
    }

    proptest! {
        #[test]
        fn nothing_that_acts_is_left_and_plain_text_stays(text in any::<String>()) {
            let once = plain(&text);
            prop_assert!(once.chars().all(|c| matches!(c, '\n' | '\t') || !acts(c)));
            prop_assert_eq!(plain(&once), once);
        }

        #[test]
        fn it_is_never_longer_than_said(text in "\\PC{0,300}|\x1b{0,300}", limit in 48_usize..400) {
            prop_assert!(shortened(&text, limit).len() <= limit);
        }
    }

    #[test]
    fn a_flood_of_controls_does_not_grow() {
        let plain = plain(&"\x1b".repeat(KEPT_BYTES));
        assert!(plain.len() <= KEPT_BYTES);
        let shown = plain.matches(r"\u{1b}").count();
        assert!(plain.ends_with(&format!("[{} more bytes are left out]", KEPT_BYTES - shown)));
    }
}
