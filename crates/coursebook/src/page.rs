//! One page: every directive `{{#…}}` is replaced by what it stands for.

use std::error::Error;
use std::fmt;
use std::path::Path;

use crate::Language;
use crate::listing::{self, Listing, ListingError};

/// A page with its directives carried out.
pub(crate) struct Page {
    pub(crate) text: String,
    pub(crate) listings: usize,
}

/// Why a directive cannot be carried out.
#[derive(Debug)]
pub enum PageError {
    /// The listing it names cannot be shown.
    Listing(ListingError),
    /// There is no directive of that name.
    UnknownDirective(String),
    /// Other text stands on the directive's line, or its closing braces are missing.
    NotAlone,
}

const OPEN: &str = "{{#";
const ESCAPED: &str = r"\{{#";

/// Carries out the directives of a page's `source`.
///
/// A directive has a line to itself. Inside fenced code blocks nothing is a directive; elsewhere
/// a backslash before the braces makes them ordinary text.
///
/// # Errors
///
/// Everything that is wrong with the page, with line numbers counted from 1.
pub(crate) fn expand(
    source: &str,
    workspace: &Path,
    language: Language,
) -> Result<Page, Vec<(usize, PageError)>> {
    let mut page = Page { text: String::new(), listings: 0 };
    let mut errors = Vec::new();
    let mut fence = Fence::default();
    for (number, line) in (1..).zip(source.lines()) {
        if fence.covers(line) {
            page.text += line;
        } else if !has_directive(line) {
            page.text += &line.replace(ESCAPED, OPEN);
        } else {
            match read_directive(line, workspace) {
                Ok(listing) => {
                    page.text += &show(&listing, language, indentation(line));
                    page.listings += 1;
                }
                Err(error) => errors.push((number, error)),
            }
        }
        page.text.push('\n');
    }
    if errors.is_empty() { Ok(page) } else { Err(errors) }
}

fn has_directive(line: &str) -> bool {
    line.match_indices(OPEN).any(|(at, _)| !line[..at].ends_with('\\'))
}

/// Reads the listing that a line with a directive asks for.
fn read_directive(line: &str, workspace: &Path) -> Result<Listing, PageError> {
    let after = line.split_once(OPEN).map_or("", |(_, after)| after);
    let name: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    if name != "listing" {
        return Err(PageError::UnknownDirective(name));
    }
    let trimmed = line.trim();
    let inner = trimmed.strip_prefix(OPEN).and_then(|rest| rest.strip_suffix("}}"));
    let inner = inner.filter(|inner| !inner.contains("{{") && !inner.contains("}}"));
    let arguments = inner.and_then(|inner| inner.strip_prefix(&name)).ok_or(PageError::NotAlone)?;
    listing::read(workspace, arguments.trim()).map_err(PageError::Listing)
}

fn indentation(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

/// The listing as a fenced block with a caption below it, indented like its directive so that it
/// stays inside a list item.
fn show(listing: &Listing, language: Language, indentation: &str) -> String {
    let fence = "`".repeat(longest_run(&listing.code, '`').max(2) + 1);
    let mut lines = vec![format!("{fence}{}", listing.language)];
    lines.extend(listing.code.lines().map(|line| keep_hash(line, listing.language)));
    lines.extend([fence, String::new(), language.caption(&listing.file, &listing.lines)]);
    let indented = lines.iter().map(|line| format!("{indentation}{line}"));
    indented.collect::<Vec<_>>().join("\n")
}

/// mdBook hides a Rust line that begins with a lone `#` and takes one `#` from one that begins
/// with two; one more `#` makes it show either as written.
fn keep_hash(line: &str, language: &str) -> String {
    let code = line.trim_start();
    let is_special = code == "#" || code.starts_with("# ") || code.starts_with("##");
    if language == "rust" && is_special {
        format!("{}#{code}", indentation(line))
    } else {
        line.to_owned()
    }
}

fn longest_run(text: &str, wanted: char) -> usize {
    text.split(|c| c != wanted).map(str::len).max().unwrap_or(0)
}

/// Which lines belong to fenced code blocks (`CommonMark` 0.31, section 4.5).
#[derive(Default)]
struct Fence {
    /// The character and length of the fence of the block we are in.
    open: Option<(char, usize)>,
}

impl Fence {
    /// Whether `line` is a fence or stands between two; call it for each line in order.
    fn covers(&mut self, line: &str) -> bool {
        let text = line.trim_start_matches([' ', '\t', '>']).trim_end();
        let Some(mark) = text.chars().next().filter(|c| matches!(c, '`' | '~')) else {
            return self.open.is_some();
        };
        let after = text.trim_start_matches(mark);
        let length = text.len() - after.len();
        match self.open {
            Some((open, least)) => {
                if mark == open && length >= least && after.is_empty() {
                    self.open = None;
                }
                true
            }
            // A line such as ```code``` is inline code, not the opening of a block.
            None if length >= 3 && !(mark == '`' && after.contains('`')) => {
                self.open = Some((mark, length));
                true
            }
            None => false,
        }
    }
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listing(error) => error.fmt(f),
            Self::UnknownDirective(name) => write!(
                f,
                "there is no directive {{{{#{name}}}}}; known: {{{{#listing FILE:ANCHOR}}}} \
                 (write \\{{{{# for the braces themselves)"
            ),
            Self::NotAlone => f.write_str(
                "a directive {{#listing FILE:ANCHOR}} needs a line to itself, closing braces included",
            ),
        }
    }
}

impl Error for PageError {}
