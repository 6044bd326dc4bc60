//! What a hostile peer sends to play with a terminal, and whether it has got there.

/// In one line, between letters that must stay readable: escape sequences in both forms (ECMA-48),
/// control characters, separators of lines, bidirectional controls (Unicode Standard Annex #9), and
/// characters that nobody sees.
pub const TEXT: &str = "你好 \u{1b}[2J\u{9b}31m\0\u{7}\u{8}\rforged\u{b}\u{c}\u{7f}\u{85} \
    one\u{2028}two\u{2029} \u{202a}\u{202b}\u{202c}\u{202d}\u{202e}gpj.exe \
    \u{2066}\u{2067}\u{2068}\u{2069}\u{200e}\u{200f}\u{61c} a\u{200b}b\u{2060}\u{feff} שלום";

/// What of [`TEXT`] has to be seen wherever it is shown.
const READABLE: [&str; 4] = ["你好", "forged", "gpj.exe", "שלום"];

/// What is wrong with how [`TEXT`] was shown; `None` if it is readable and does nothing.
///
/// `shown` may be several lines and have more in it. Line feeds, also with a carriage return in
/// front, and tabs are harmless.
#[must_use]
pub fn complaint(shown: &[u8]) -> Option<String> {
    let Ok(text) = std::str::from_utf8(shown) else {
        return Some(format!("not UTF-8: {}", shown.escape_ascii()));
    };
    if let Some(part) = READABLE.iter().find(|part| !text.contains(**part)) {
        return Some(format!("{part} is missing in {text:?}"));
    }
    let rest = text.replace("\r\n", "\n");
    let acts = |c: char| TEXT.contains(c) && !is_readable(c) || c.is_control();
    let found = rest.chars().find(|&c| acts(c) && !matches!(c, '\n' | '\t'))?;
    Some(format!("U+{:04X} is shown as it is in {text:?}", u32::from(found)))
}

fn is_readable(c: char) -> bool {
    c == ' ' || c.is_alphanumeric() || c.is_ascii_punctuation()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_shown_as_it_is_is_complained_of() {
        for character in TEXT.chars().filter(|&c| !is_readable(c)) {
            let shown = format!("你好 forged gpj.exe שלום {character}");
            assert!(complaint(shown.as_bytes()).is_some(), "{character:?}");
        }
        assert!(complaint(b"\xff").is_some());
        assert!(complaint("forged gpj.exe שלום".as_bytes()).is_some(), "part of it is missing");
    }

    #[test]
    fn text_that_is_escaped_is_not() {
        let shown: String = TEXT.escape_debug().collect();
        assert_eq!(complaint(format!("says:\t{shown}\r\n").as_bytes()), None);
    }
}
