//! Anchors: the comment lines of a file that say where its listings begin and end.
//!
//! ```text
//! // listing: begin accept
//! let (stream, peer) = listener.accept()?;
//! // listing: end accept
//! ```
//!
//! In files where `#` begins a comment the anchors do too. Anchors may nest and overlap; no marker
//! line ever appears in the book.

use crate::listing::ListingError;

/// A line and its number in the file, counted from 1.
pub(crate) type Numbered<'a> = (usize, &'a str);

/// The lines after `begin anchor` and before `end anchor`.
pub(crate) fn between<'a, 'b>(
    lines: &'a [Numbered<'b>],
    file: &str,
    anchor: &str,
    comment: &str,
) -> Result<&'a [Numbered<'b>], ListingError> {
    let positions = |verb| {
        lines
            .iter()
            .enumerate()
            .filter(move |(_, (_, line))| marker(line, comment) == Some(("listing", verb, anchor)))
    };
    let number = |index: usize| lines[index].0;
    let mut begins = positions("begin").map(|(index, _)| index);
    let mut ends = positions("end").map(|(index, _)| index);
    let (file, name) = (file.to_owned(), anchor.to_owned());
    let Some(begin) = begins.next() else {
        return Err(ListingError::MissingAnchor(file, name, anchors(lines, comment)));
    };
    let end = ends.next().filter(|end| *end > begin);
    let Some(end) = end else {
        return Err(ListingError::OpenAnchor(file, name, number(begin)));
    };
    match begins.next().or(ends.next()) {
        Some(again) => Err(ListingError::RepeatedAnchor(file, name, number(again))),
        None => Ok(&lines[begin + 1..end]),
    }
}

/// The names of all listings that begin in `lines`, sorted, each once.
fn anchors(lines: &[Numbered], comment: &str) -> Vec<String> {
    let mut names: Vec<String> = lines
        .iter()
        .filter_map(|(_, line)| match marker(line, comment) {
            Some(("listing", "begin", name)) => Some(name.to_owned()),
            _ => None,
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Splits a marker line, `// listing: begin NAME` or `// exercise: end`, into family, verb and
/// the rest; `None` if the line is no marker.
fn marker<'a>(line: &'a str, comment: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let (family, order) = line.trim().strip_prefix(comment)?.trim_start().split_once(':')?;
    let order = order.trim();
    let (verb, rest) = order.split_once(char::is_whitespace).unwrap_or((order, ""));
    let known = matches!(family, "listing" | "exercise") && matches!(verb, "begin" | "end");
    known.then_some((family, verb, rest.trim()))
}

/// `lines` without markers and without blank lines at either end.
pub(crate) fn without_markers<'a>(lines: &[Numbered<'a>], comment: &str) -> Vec<Numbered<'a>> {
    let kept: Vec<Numbered> =
        lines.iter().copied().filter(|(_, line)| marker(line, comment).is_none()).collect();
    let has_code = |(_, line): &Numbered| !line.trim().is_empty();
    match (kept.iter().position(has_code), kept.iter().rposition(has_code)) {
        (Some(first), Some(last)) => kept[first..=last].to_vec(),
        _ => Vec::new(),
    }
}
