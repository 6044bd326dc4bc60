//! Why the book cannot be checked or built.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::links::DeadLink;
use crate::problem::Problems;
use course::Language;

/// Why the book cannot be checked or built.
#[derive(Debug)]
pub enum BookError {
    /// Neither this folder nor one above it has a `mdbook/book.toml`.
    NotFound(PathBuf),
    /// The site would be written into the book's sources.
    OutInsideSources(PathBuf),
    /// A file of the book cannot be read or written.
    File(PathBuf, io::Error),
    /// mdBook cannot read the named file.
    Syntax(PathBuf, mdbook_driver::errors::Error),
    /// mdBook cannot render the book.
    Render(Language, mdbook_driver::errors::Error),
    /// These words of mdBook's are on no page any more, so that nobody translates them.
    UnknownWords(String),
    /// Links of the built site lead nowhere.
    DeadLinks(Vec<DeadLink>),
    /// The pages have mistakes.
    Problems(Problems),
}

impl fmt::Display for BookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(folder) => write!(
                f,
                "no mdbook/book.toml in {} or above: run this inside the course's folder",
                folder.display()
            ),
            Self::OutInsideSources(out) => write!(
                f,
                "cannot build into {}: the book's sources are there; try --out target/book",
                out.display()
            ),
            Self::File(file, error) => write!(f, "cannot use {}: {error}", file.display()),
            Self::Syntax(file, error) => write!(f, "cannot read {}: {error:#}", file.display()),
            Self::Render(language, error) => {
                write!(f, "cannot build the {} book: {error:#}", language.name())
            }
            Self::UnknownWords(words) => write!(
                f,
                "mdBook has other words than it had: no page says {words:?}; see \
                 crates/coursebook/src/site.rs"
            ),
            Self::DeadLinks(dead) => {
                dead.iter().try_for_each(|link| writeln!(f, "{link}"))?;
                write!(f, "{} dead links in the book", dead.len())
            }
            Self::Problems(problems) => problems.fmt(f),
        }
    }
}

impl Error for BookError {}

impl From<Problems> for BookError {
    fn from(problems: Problems) -> Self {
        Self::Problems(problems)
    }
}
