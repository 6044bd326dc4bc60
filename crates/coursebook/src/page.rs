//! One page: every directive `{{#…}}` is replaced by what it stands for.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;
use std::path::Path;

use crate::explorer;
use crate::formats::{self, FormatError};
use crate::languages::InTheBook;
use crate::listing::{self, Listing, ListingError};
use crate::quiz::{self, QuizError};
use crate::recording::{self, RecordingError};
use crate::tables::{self, TableError};
use course::Language;

/// A page with its directives carried out.
#[derive(Default)]
pub(crate) struct Page {
    pub(crate) text: String,
    pub(crate) counts: Counts,
    /// Its directives and its headings, in order: both languages of a page have the same.
    pub(crate) outline: Vec<Outlined>,
    /// The files that its listings are cut from.
    pub(crate) files: BTreeSet<String>,
}

/// What a directive needs to know beside its own words.
struct Context<'a> {
    workspace: &'a Path,
    language: Language,
    /// How many folders the page lies below the site's.
    depth: usize,
}

/// A directive as it is written, or a heading by its depth and id: `## #the-idea`.
pub(crate) struct Outlined {
    pub(crate) line: usize,
    pub(crate) what: String,
}

/// How many of what a page or a book shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Pieces of compiled files.
    pub listings: usize,
    /// Outputs of programs.
    pub runs: usize,
    /// Sequence diagrams.
    pub diagrams: usize,
    /// Questions with choices.
    pub questions: usize,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.listings += more.listings;
        self.runs += more.runs;
        self.diagrams += more.diagrams;
        self.questions += more.questions;
    }
}

/// Why a directive cannot be carried out.
#[derive(Debug)]
pub enum PageError {
    /// The listing it names cannot be shown.
    Listing(ListingError),
    /// The recording it names cannot be shown.
    Recording(RecordingError),
    /// The quiz it names cannot be shown.
    Quiz(QuizError),
    /// The course cannot be told of.
    Table(TableError),
    /// The wire format it names cannot be shown.
    Format(FormatError),
    /// There is no directive of that name.
    UnknownDirective(String),
    /// Other text stands on the directive's line, or its closing braces are missing.
    NotAlone,
}

/// The directives there are.
const KNOWN: &[&str] = &[
    "listing", "run", "diagram", "quiz", "outline", "rubric", "mistakes", "explorer", "layout",
    "limits", "drawing",
];

const OPEN: &str = "{{#";
const ESCAPED: &str = r"\{{#";

/// Carries out the directives of a page's `source`.
///
/// `depth` says how many folders the page lies below the site's. A directive has a line to itself. Inside fenced code blocks nothing is a directive; elsewhere
/// a backslash before the braces makes them ordinary text.
///
/// # Errors
///
/// Everything that is wrong with the page, with line numbers counted from 1.
pub(crate) fn expand(
    source: &str,
    workspace: &Path,
    language: Language,
    depth: usize,
) -> Result<Page, Vec<(usize, PageError)>> {
    let context = Context { workspace, language, depth };
    let mut page = Page::default();
    let mut errors = Vec::new();
    let mut fence = Fence::default();
    let mut lines = (1..).zip(source.lines()).peekable();
    while let Some((number, line)) = lines.next() {
        if fence.covers(line) {
            page.text += line;
        } else if !has_directive(line) {
            page.outline.extend(heading(line).map(|what| Outlined { line: number, what }));
            page.text += &line.replace(ESCAPED, OPEN);
        } else {
            match carry_out(line, &context, &mut page) {
                Ok(shown) => page.text += &indented(&shown, indentation(line)),
                Err(error) => errors.push((number, error)),
            }
            page.outline.push(Outlined { line: number, what: line.trim().to_owned() });
        }
        let next = lines.peek().map_or("", |(_, next)| next);
        if !(language == Language::Chinese && fence.is_closed() && is_one_sentence(line, next)) {
            page.text.push('\n');
        }
    }
    if errors.is_empty() { Ok(page) } else { Err(errors) }
}

/// Whether a line's end is nothing but the end of a line. A browser shows it as a blank, and between
/// two Chinese characters there is none.
fn is_one_sentence(line: &str, next: &str) -> bool {
    let is_chinese = |c: char| matches!(c, '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ff00}'..='\u{ffef}' | '“' | '”' | '…');
    let is_heading = line.starts_with('#');
    !is_heading && line.ends_with(is_chinese) && next.starts_with(is_chinese)
}

/// A heading's depth and id: the one that it says (`## 思路 {#the-idea}`), or the one that mdBook
/// makes of its words.
fn heading(line: &str) -> Option<String> {
    let words = line.trim_start_matches('#');
    let depth = line.len() - words.len();
    if !(1..=6).contains(&depth) || !words.starts_with(' ') {
        return None;
    }
    let said = words.trim_end().strip_suffix('}').and_then(|it| it.rsplit_once("{#"));
    let id = said.map_or_else(|| id_of(words.trim()), |(_, id)| id.to_owned());
    Some(format!("{} #{id}", &line[..depth]))
}

/// Letters, digits, `-` and `_` in lower case; blanks become `-`; the rest falls away.
fn id_of(words: &str) -> String {
    let kept = words.chars().filter_map(|c| match c {
        c if c.is_alphanumeric() || matches!(c, '-' | '_') => Some(c.to_ascii_lowercase()),
        c if c.is_whitespace() => Some('-'),
        _ => None,
    });
    kept.collect()
}

fn has_directive(line: &str) -> bool {
    line.match_indices(OPEN).any(|(at, _)| !line[..at].ends_with('\\'))
}

/// What a line with a directive stands for, as Markdown.
fn carry_out(line: &str, context: &Context<'_>, page: &mut Page) -> Result<String, PageError> {
    let Context { workspace, language, depth } = *context;
    let counts = &mut page.counts;
    let after = line.split_once(OPEN).map_or("", |(_, after)| after);
    let name: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    if !KNOWN.contains(&name.as_str()) {
        return Err(PageError::UnknownDirective(name));
    }
    let trimmed = line.trim();
    let inner = trimmed.strip_prefix(OPEN).and_then(|rest| rest.strip_suffix("}}"));
    let inner = inner.filter(|inner| !inner.contains("{{") && !inner.contains("}}"));
    let wanted = inner.and_then(|inner| inner.strip_prefix(&name)).ok_or(PageError::NotAlone)?;
    let wanted = wanted.trim();
    match name.as_str() {
        "run" => {
            counts.runs += 1;
            let terminals = recording::terminals(workspace, wanted);
            terminals.map(|all| show_terminals(&all)).map_err(PageError::Recording)
        }
        "diagram" => {
            counts.diagrams += 1;
            let drawn = recording::diagram(workspace, wanted, language);
            let show = |(image, text): (String, String)| show_diagram(&image, &text, language);
            drawn.map(show).map_err(PageError::Recording)
        }
        "quiz" => {
            let (shown, questions) =
                quiz::show(workspace, wanted, language).map_err(PageError::Quiz)?;
            counts.questions += questions;
            Ok(shown)
        }
        "layout" => formats::layout(workspace, wanted, language).map_err(PageError::Format),
        "limits" => formats::limits(workspace, wanted, language).map_err(PageError::Format),
        "drawing" => formats::drawing(workspace, wanted).map_err(PageError::Format),
        "explorer" => Ok(explorer::form(language)),
        "outline" => tables::outline(workspace, language).map_err(PageError::Table),
        "rubric" => tables::rubric(workspace, wanted, language).map_err(PageError::Table),
        "mistakes" => tables::mistakes(workspace, wanted, language).map_err(PageError::Table),
        _ => {
            counts.listings += 1;
            let listing = listing::read(workspace, wanted).map_err(PageError::Listing)?;
            page.files.insert(listing.file.clone());
            Ok(show_listing(&listing, language, depth))
        }
    }
}

fn indented(text: &str, indentation: &str) -> String {
    if indentation.is_empty() {
        return text.to_owned();
    }
    text.lines().map(|line| format!("{indentation}{line}")).collect::<Vec<_>>().join("\n")
}

/// Each terminal as a block of its own.
fn show_terminals(terminals: &[String]) -> String {
    let block = |text: &String| {
        let fence = "`".repeat(longest_run(text, '`').max(2) + 1);
        format!("{fence}console\n{text}\n{fence}")
    };
    terminals.iter().map(block).collect::<Vec<_>>().join("\n\n")
}

/// The image in the page itself, so that it can follow the page's colours, and below it the same as
/// text. A blank line would end what Markdown takes for HTML.
fn show_diagram(image: &str, text: &str, language: Language) -> String {
    let start = image.find("<style>").unwrap_or(0);
    let end = image.find("</style>").map_or(start, |at| at + "</style>".len());
    let image = format!("{}{}", &image[..start], &image[end..]);
    let image = image.lines().filter(|line| !line.trim().is_empty()).collect::<Vec<_>>();
    let text = escaped(text.trim_end()).replace("\n\n", "\n&nbsp;\n");
    format!(
        "<figure class=\"diagram\">\n<div class=\"scroll\" tabindex=\"0\">{}</div>\n\
         <details><summary>{}</summary><pre>{text}</pre></details>\n</figure>\n",
        image.join("\n"),
        language.as_text()
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn indentation(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

/// The listing as a fenced block with a caption below it.
fn show_listing(listing: &Listing, language: Language, depth: usize) -> String {
    let fence = "`".repeat(longest_run(&listing.code, '`').max(2) + 1);
    let mut lines = vec![format!("{fence}{}", listing.language)];
    lines.extend(listing.code.lines().map(|line| keep_hash(line, listing.language)));
    lines.extend([fence, String::new(), language.caption(&listing.file, &listing.lines, depth)]);
    lines.join("\n")
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
    /// Whether the last line belonged to no block that goes on.
    fn is_closed(&self) -> bool {
        self.open.is_none()
    }

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
            Self::Recording(error) => error.fmt(f),
            Self::Quiz(error) => error.fmt(f),
            Self::Table(error) => error.fmt(f),
            Self::Format(error) => error.fmt(f),
            Self::UnknownDirective(name) => write!(
                f,
                "there is no directive {{{{#{name}}}}}; known: {} (write \\{{{{# for the braces \
                 themselves)",
                KNOWN.join(", ")
            ),
            Self::NotAlone => f.write_str(
                "a directive such as {{#listing FILE:ANCHOR}} needs a line to itself, closing braces \
                 included",
            ),
        }
    }
}

impl Error for PageError {}
