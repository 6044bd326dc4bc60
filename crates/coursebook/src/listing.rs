//! One listing: the lines of a file between two anchor comments.

use std::error::Error;
use std::fmt;
use std::fs;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Component, Path};

use crate::anchors::{Numbered, between, without_markers};

/// Lines of a file, ready to be shown.
#[derive(Debug, PartialEq, Eq)]
pub struct Listing {
    /// The file, named from the top of the workspace.
    pub file: String,
    /// The word after the code fence: which language the code is in.
    pub language: &'static str,
    /// The numbers of the shown lines in the file, counted from 1.
    pub lines: RangeInclusive<usize>,
    /// The lines without marker lines and without their common indentation.
    pub code: String,
}

/// Why a listing cannot be shown.
#[derive(Debug)]
pub enum ListingError {
    /// The directive names no file.
    NoFile,
    /// The path is absolute, climbs with `..`, or follows a link out of the workspace.
    OutsideWorkspace(String),
    /// No such file.
    MissingFile(String),
    /// The file is there but cannot be read as text.
    Unreadable(String, io::Error),
    /// The file has no anchor of that name; the last field holds those it has, sorted.
    MissingAnchor(String, String, Vec<String>),
    /// The anchor begins, at the given line, but does not end after it.
    OpenAnchor(String, String, usize),
    /// The anchor is there more than once; the last field is the line of the repetition.
    RepeatedAnchor(String, String, usize),
    /// There is nothing to show but blank lines and markers.
    Empty(String),
}

/// Reads the listing that `reference` (`FILE` or `FILE:ANCHOR`) names.
///
/// # Errors
///
/// [`ListingError`] if the file, the anchor or its lines are missing or ambiguous.
pub fn read(workspace: &Path, reference: &str) -> Result<Listing, ListingError> {
    let (file, anchor) = match reference.split_once(':') {
        Some((file, anchor)) => (file.trim(), Some(anchor.trim())),
        None => (reference.trim(), None),
    };
    let text = read_inside(workspace, file)?;
    let (language, comment) = language_of(file);
    let all: Vec<Numbered> = (1..).zip(text.lines()).collect();
    let chosen = match anchor {
        Some(anchor) => between(&all, file, anchor, comment)?,
        None => &all,
    };
    let shown = without_markers(chosen, comment);
    let (Some((first, _)), Some((last, _))) = (shown.first(), shown.last()) else {
        return Err(ListingError::Empty(reference.to_owned()));
    };
    let (lines, code) = (*first..=*last, dedent(&shown));
    Ok(Listing { file: file.to_owned(), language, lines, code })
}

/// The text of `file`, which must lie inside the workspace even when links are followed.
fn read_inside(workspace: &Path, file: &str) -> Result<String, ListingError> {
    if file.is_empty() {
        return Err(ListingError::NoFile);
    }
    let outside = || ListingError::OutsideWorkspace(file.to_owned());
    if !Path::new(file).components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(outside());
    }
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => ListingError::MissingFile(file.to_owned()),
        _ => ListingError::Unreadable(file.to_owned(), error),
    };
    let real = workspace.join(file).canonicalize().map_err(failed)?;
    if !real.starts_with(workspace.canonicalize().map_err(failed)?) {
        return Err(outside());
    }
    fs::read_to_string(real).map_err(failed)
}

/// The fence's language for `file`, and what begins a comment in it.
fn language_of(file: &str) -> (&'static str, &'static str) {
    match Path::new(file).extension().and_then(|extension| extension.to_str()) {
        Some("rs") => ("rust", "//"),
        Some("toml") => ("toml", "#"),
        Some("py") => ("python", "#"),
        Some("sh") => ("sh", "#"),
        _ => ("text", "#"),
    }
}

/// The lines joined, less the indentation that all of them share.
fn dedent(lines: &[Numbered]) -> String {
    let indentation = |line: &str| line.len() - line.trim_start().len();
    let filled = lines.iter().filter(|(_, line)| !line.trim().is_empty());
    let shared = filled.map(|(_, line)| indentation(line)).min().unwrap_or(0);
    let cut: Vec<&str> = lines.iter().map(|(_, line)| line.get(shared..).unwrap_or("")).collect();
    cut.join("\n")
}

impl fmt::Display for ListingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFile => {
                f.write_str("a listing needs a file: {{#listing lessons/…/src/main.rs:ANCHOR}}")
            }
            Self::OutsideWorkspace(file) => {
                write!(f, "{file} leads out of the workspace: name a file from its top folder")
            }
            Self::MissingFile(file) => {
                write!(
                    f,
                    "there is no file {file} (files are named from the workspace's top folder)"
                )
            }
            Self::Unreadable(file, error) => write!(f, "cannot read {file}: {error}"),
            Self::MissingAnchor(file, name, known) if known.is_empty() => {
                write!(f, "{file} has no listing \"{name}\"; it has no listings at all")
            }
            Self::MissingAnchor(file, name, known) => {
                write!(f, "{file} has no listing \"{name}\"; it has: {}", known.join(", "))
            }
            Self::OpenAnchor(file, name, line) => {
                write!(f, "listing \"{name}\" begins at {file}:{line} and does not end after it")
            }
            Self::RepeatedAnchor(file, name, line) => {
                write!(f, "listing \"{name}\" begins or ends a second time at {file}:{line}")
            }
            Self::Empty(reference) => write!(f, "listing {reference} has no lines to show"),
        }
    }
}

impl Error for ListingError {}
