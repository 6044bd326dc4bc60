//! Rows of a table in a terminal that is narrower than they are.

use std::io;

use terminal_size::{Width, terminal_size_of};
use unicode_width::UnicodeWidthChar;

/// In less than this many columns nobody reads a text: it goes below the rest of its row.
const LEAST_COLUMNS: usize = 24;

/// How many columns the terminal has on which standard output is shown; `None` for a file or a pipe.
#[must_use]
pub fn width() -> Option<usize> {
    terminal_size_of(io::stdout()).map(|(Width(columns), _)| usize::from(columns))
}

/// A row of a table: `start`, and `text` behind it. What does not fit into `width` columns goes on in
/// the next line, under the text's beginning; if there is hardly room there, the text has lines of its
/// own, `indent` columns in. `start` may be coloured.
#[must_use]
pub fn row(start: &str, text: &str, indent: usize, width: Option<usize>) -> String {
    let column = columns(start);
    let is_too_wide = |width: &usize| column + columns(text) > *width && !text.is_empty();
    let Some(width) = width.filter(is_too_wide) else {
        return format!("{start}{text}");
    };
    let is_beside = width >= column + LEAST_COLUMNS;
    let indent = if is_beside { column } else { indent };
    let room = width.saturating_sub(indent).max(1);
    let next_line = format!("\n{}", " ".repeat(indent));
    let lines = lines(text, room).join(&next_line);
    let start = if is_beside { start.to_owned() } else { start.trim_end().to_owned() + &next_line };
    start + &lines
}

/// Markdown in a terminal that is narrower than its lines: paragraphs and items of lists are wrapped
/// again, between words; tables and code stay as they are.
#[must_use]
pub fn markdown(text: &str, width: Option<usize>) -> String {
    if width.is_none_or(|width| text.lines().all(|line| columns(line) <= width)) {
        return text.to_owned();
    }
    let wrapped = |block: &Block| match block {
        Block::Kept(line) => (*line).to_owned(),
        Block::Text { mark, text } => row(mark, text, 0, width),
    };
    blocks(text).iter().map(wrapped).collect::<Vec<_>>().join("\n")
}

/// A part of a Markdown text that has lines of its own.
enum Block<'a> {
    /// An empty line, or one of a table or of code.
    Kept(&'a str),
    /// A paragraph, or an item of a list behind its mark.
    Text { mark: &'a str, text: String },
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    for line in text.lines() {
        let (mark, rest) = line.split_at(mark_length(line));
        let is_kept = line.is_empty() || line.starts_with('|');
        match blocks.last_mut() {
            _ if is_kept => blocks.push(Block::Kept(line)),
            Some(Block::Text { text, .. }) if mark.is_empty() => {
                let is_spaced = !text.ends_with(is_wide);
                *text += if is_spaced { " " } else { "" };
                *text += line.trim_start();
            }
            _ if line.starts_with("    ") => blocks.push(Block::Kept(line)),
            _ => blocks.push(Block::Text { mark, text: rest.to_owned() }),
        }
    }
    blocks
}

/// How long the mark is that makes `line` an item of a list: `- `, `12. `.
fn mark_length(line: &str) -> usize {
    let number = line.trim_start_matches(|character: char| character.is_ascii_digit());
    match (number.strip_prefix(". "), line.strip_prefix("- ")) {
        (Some(rest), _) if number.len() < line.len() => line.len() - rest.len(),
        (_, Some(rest)) => line.len() - rest.len(),
        _ => 0,
    }
}

/// `text` in lines of at most `room` columns.
fn lines(text: &str, room: usize) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for piece in pieces(text, room) {
        // A blank at the end of a line is not seen.
        if columns(&line) + columns(piece.trim_end()) > room && !line.is_empty() {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
        }
        line += if line.is_empty() { piece.trim_start() } else { piece };
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// The pieces between which a line may end: words with the blanks behind them, Chinese characters, and
/// of a word that is wider than a line, such as a test's name or a URL, what `_`, `/`, `?` or `&` ends.
fn pieces(text: &str, room: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    for word in text.split_inclusive(' ') {
        let is_too_wide = columns(word.trim_end()) > room;
        let (mut begin, mut characters) = (0, word.char_indices().peekable());
        while let Some((_, character)) = characters.next() {
            let Some(&(at, next)) = characters.peek() else { break };
            let may_end =
                is_wide(character) || is_wide(next) || (is_too_wide && "_/?&".contains(character));
            let is_full = is_too_wide && columns(&word[begin..at]) >= room;
            if (may_end && !stays_behind(next)) || is_full {
                pieces.push(&word[begin..at]);
                begin = at;
            }
        }
        pieces.push(&word[begin..]);
    }
    pieces
}

fn is_wide(character: char) -> bool {
    character.width() == Some(2)
}

/// What never begins a line: blanks, and marks that close or end something.
fn stays_behind(character: char) -> bool {
    character == ' ' || ",.;:!?)]}，。、；：！？）》」』】”’…".contains(character)
}

/// How many columns `text` takes; colours (ECMA-48, SGR) take none.
fn columns(text: &str) -> usize {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or("");
    let rest = parts.map(|part| part.split_once('m').map_or(part, |(_, shown)| shown));
    let shown = std::iter::once(first).chain(rest).flat_map(str::chars);
    shown.filter_map(UnicodeWidthChar::width).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_row_that_fits_or_is_not_for_a_terminal_is_one_line() {
        assert_eq!(row("name  ", "some words", 4, Some(16)), "name  some words");
        assert_eq!(
            row("name  ", &"word ".repeat(99), 4, None),
            format!("name  {}", "word ".repeat(99))
        );
    }

    #[test]
    fn a_text_goes_on_under_its_beginning() {
        let shown = row("  name  ", "the text goes on under its own beginning", 4, Some(34));
        assert_eq!(shown, "  name  the text goes on under its\n        own beginning");
    }

    #[test]
    fn where_there_is_hardly_room_the_text_has_lines_of_its_own() {
        let shown = row("01 ipv4  [####]  ", "IPv4 addresses: classes and loopback", 3, Some(30));
        assert_eq!(shown, "01 ipv4  [####]\n   IPv4 addresses: classes and\n   loopback");
    }

    #[test]
    fn chinese_is_cut_between_characters_and_no_line_begins_with_a_comma() {
        let text = "列出每一课，和每个练习。";
        assert_eq!(lines(text, 12), ["列出每一课，", "和每个练习。"]);
        assert_eq!(lines(text, 10), ["列出每一", "课，和每个", "练习。"]);
    }

    #[test]
    fn a_long_name_is_cut_at_its_underscores() {
        let shown = row("  fail  ", "a_name_with_many_words_in_it", 4, Some(20));
        assert_eq!(shown, "  fail\n    a_name_with_\n    many_words_in_it");
    }

    #[test]
    fn a_url_is_cut_behind_its_separators() {
        let shown = row("URL  ", "http://localhost:8888/moon?lang=zh&page=2", 2, Some(30));
        assert_eq!(shown, "URL  http://localhost:8888/\n     moon?lang=zh&page=2");
    }

    #[test]
    fn a_start_without_a_text_stays_as_it_is() {
        assert_eq!(row("a start that is wide  ", "", 2, Some(10)), "a start that is wide  ");
    }

    #[test]
    fn markdown_is_wrapped_between_words_but_for_tables_and_code() {
        let text = "A paragraph of words in\ntwo lines.\n\n- An item that is too long and\n  goes on.\n\
                    12. Another one, whose number is wide\n\n    some code, kept exactly as it is\n\n\
                    | a | row of a table, as it is |\n\n一二三四五\n六七八";
        let expected = "A paragraph of words in two\nlines.\n\n- An item that is too long\n  and goes on.\n\
                        12. Another one, whose\n    number is wide\n\n    \
                        some code, kept exactly as it is\n\n| a | row of a table, as it is |\n\n\
                        一二三四五六七八";
        assert_eq!(markdown(text, Some(28)), expected);
        assert_eq!(markdown(text, Some(80)), text);
        assert_eq!(markdown(text, None), text);
    }

    #[test]
    fn colours_take_no_room() {
        let shown = row("\x1b[32mpass\x1b[0m ", "twelve chars", 2, Some(17));
        assert_eq!(shown, "\x1b[32mpass\x1b[0m twelve chars");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_terminal_and_nothing_is_lost(
            text in "[a-c_ ，好]{0,80}", start in "[ab ]{0,30}", width in 12_usize..70,
        ) {
            let shown = row(&start, &text, 4, Some(width));
            if columns(&start) + columns(&text) > width && columns(start.trim_end()) <= width {
                for line in shown.lines() {
                    // A comma stays with its character.
                    prop_assert!(columns(line) <= width + 2, "{line:?}");
                }
            }
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&shown), letters(&start) + &letters(&text));
        }
    }
}
