//! A command line as a person types it, cut into words and put together again.

use std::fmt;

/// Why a command line cannot be cut into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadCommandLine {
    /// There is no word in it.
    Empty,
    /// This quotation mark is opened and not closed.
    Unclosed(char),
    /// It ends in a backslash, which is for a character behind it.
    NothingEscaped,
}

impl fmt::Display for BadCommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it names no program"),
            Self::Unclosed(quote) => write!(f, "a {quote} is opened and not closed"),
            Self::NothingEscaped => f.write_str("it ends in a backslash with nothing behind it"),
        }
    }
}

impl std::error::Error for BadCommandLine {}

/// What a backslash outside of quotation marks is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Backslash {
    /// It takes its meaning from the character behind it, as in a shell (POSIX.1, section 2.2.1).
    Escapes,
    /// It separates the parts of a path, as on Windows.
    IsPath,
}

const HERE: Backslash = if cfg!(windows) { Backslash::IsPath } else { Backslash::Escapes };

/// Cuts at blanks, as a shell does: what is in `'…'` or `"…"` is not cut, and a backslash takes
/// its meaning from the character behind it. On Windows a backslash is part of a path.
///
/// # Errors
/// When a quotation mark is not closed, or there is no word.
pub fn words(line: &str) -> Result<Vec<String>, BadCommandLine> {
    cut(line, HERE)
}

fn cut(line: &str, backslash: Backslash) -> Result<Vec<String>, BadCommandLine> {
    let mut words = Vec::new();
    // An empty word has been begun by its quotation marks.
    let mut word: Option<String> = None;
    let mut rest = line.chars();
    while let Some(character) = rest.next() {
        match character {
            c if c.is_whitespace() => words.extend(word.take()),
            quote @ ('\'' | '"') => {
                let escapes = quote == '"' && backslash == Backslash::Escapes;
                word.get_or_insert_default().push_str(&quoted(&mut rest, quote, escapes)?);
            }
            '\\' if backslash == Backslash::Escapes => {
                let escaped = rest.next().ok_or(BadCommandLine::NothingEscaped)?;
                word.get_or_insert_default().push(escaped);
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    if words.is_empty() { Err(BadCommandLine::Empty) } else { Ok(words) }
}

/// What stands before the closing `quote`. In `"…"`, a backslash is for `"` and itself only.
fn quoted(
    rest: &mut std::str::Chars<'_>,
    quote: char,
    escapes: bool,
) -> Result<String, BadCommandLine> {
    let mut text = String::new();
    while let Some(character) = rest.next() {
        match character {
            c if c == quote => return Ok(text),
            '\\' if escapes && rest.as_str().starts_with(['"', '\\']) => text.extend(rest.next()),
            other => text.push(other),
        }
    }
    Err(BadCommandLine::Unclosed(quote))
}

/// A line that [`words`] cuts into these words again.
#[must_use]
pub fn joined<S: AsRef<str>>(words: &[S]) -> String {
    let words = words.iter().map(|word| join_word(word.as_ref(), HERE));
    words.collect::<Vec<_>>().join(" ")
}

fn join_word(word: &str, backslash: Backslash) -> String {
    let is_special = |c: char| c.is_whitespace() || matches!(c, '\'' | '"');
    let has_special =
        word.contains(is_special) || (word.contains('\\') && backslash == Backslash::Escapes);
    match has_special || word.is_empty() {
        false => word.to_owned(),
        true if !word.contains('\'') => format!("'{word}'"),
        // No mark can stand between two of its own kind: each piece gets the other one.
        true => format!("'{}'", word.split('\'').collect::<Vec<_>>().join("'\"'\"'")),
    }
}

/// `text` as one word of the shell that a person types it into, to be copied from a message.
#[must_use]
pub fn for_shell(text: &str) -> String {
    if cfg!(windows) || !text.contains(['"', '\\', '$', '`', '!']) {
        format!("\"{text}\"")
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case::plain("python3 my.py", &["python3", "my.py"])]
    #[case::many_blanks("  a\t b \n", &["a", "b"])]
    #[case::a_path_with_a_blank("'/my tools/python 3' x", &["/my tools/python 3", "x"])]
    #[case::double("\"/my tools/python\" \"a b\"", &["/my tools/python", "a b"])]
    #[case::inside_a_word("/my' 'tools/x --a=\"b c\"", &["/my tools/x", "--a=b c"])]
    #[case::empty_words("a '' \"\"", &["a", "", ""])]
    #[case::each_in_the_other("\"it's\" '\"'", &["it's", "\""])]
    fn a_line_is_cut_at_the_blanks_outside_of_quotes(
        #[case] line: &str,
        #[case] expected: &[&str],
        #[values(Backslash::Escapes, Backslash::IsPath)] backslash: Backslash,
    ) {
        assert_eq!(cut(line, backslash).unwrap(), expected);
    }

    #[rstest]
    #[case::escaped_blank(r"/my\ tools/x", Backslash::Escapes, &["/my tools/x"])]
    #[case::escaped_quote(r#""a\"b\\c\d""#, Backslash::Escapes, &[r#"a"b\c\d"#])]
    #[case::literal_in_single_quotes(r"'a\b'", Backslash::Escapes, &[r"a\b"])]
    #[case::path(r"C:\tools\my.exe x", Backslash::IsPath, &[r"C:\tools\my.exe", "x"])]
    #[case::path_with_blank(r#""C:\my tools\a.exe" x"#, Backslash::IsPath, &[r"C:\my tools\a.exe", "x"])]
    #[case::folder_in_quotes(r#""C:\my tools\" x"#, Backslash::IsPath, &[r"C:\my tools\", "x"])]
    fn a_backslash_is_what_it_is_on_the_system(
        #[case] line: &str,
        #[case] backslash: Backslash,
        #[case] expected: &[&str],
    ) {
        assert_eq!(cut(line, backslash).unwrap(), expected);
    }

    #[rstest]
    #[case::nothing("", BadCommandLine::Empty)]
    #[case::blanks(" \t", BadCommandLine::Empty)]
    #[case::single("a 'b", BadCommandLine::Unclosed('\''))]
    #[case::double("\"a b", BadCommandLine::Unclosed('"'))]
    fn what_cannot_be_cut_is_told(#[case] line: &str, #[case] why: BadCommandLine) {
        assert_eq!(words(line), Err(why));
    }

    proptest! {
        #[test]
        fn what_is_joined_is_cut_into_the_same_words(
            words in prop::collection::vec("[a '\"\\\\$\u{e9}]{0,6}", 1..5),
            is_path: bool,
        ) {
            let backslash = if is_path { Backslash::IsPath } else { Backslash::Escapes };
            let line: Vec<_> = words.iter().map(|word| join_word(word, backslash)).collect();
            prop_assert_eq!(cut(&line.join(" "), backslash), Ok(words));
        }
    }
}
