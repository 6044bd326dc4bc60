//! What is wrong with the book, where, and what to do about it.

use std::error::Error;
use std::fmt;

use crate::page::PageError;

/// One mistake in the book's sources.
#[derive(Debug)]
pub struct Problem {
    /// The file, named from the top of the workspace.
    pub file: String,
    /// The line in that file, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub fault: Fault,
}

/// The kinds of mistakes.
#[derive(Debug)]
pub enum Fault {
    /// A directive of a page cannot be carried out.
    Page(PageError),
    /// `SUMMARY.md` names a chapter that has no file.
    MissingChapter(String),
    /// A chapter has a file that `SUMMARY.md` does not name.
    UnlistedChapter,
    /// A chapter exists in Chinese only; holds the name of the English file it needs.
    NoEnglishChapter(String),
    /// A Chinese chapter shows something else than the English one, or its heading has another id;
    /// `None` is the end of the chapter.
    NotAsInEnglish {
        /// What the English chapter has.
        expected: Option<String>,
        /// What stands here.
        found: Option<String>,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.fault)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Page(error) => error.fmt(f),
            Self::MissingChapter(chapter) => {
                write!(f, "there is no file {chapter}: write the chapter or take this line out")
            }
            Self::UnlistedChapter => f.write_str(
                "no line of SUMMARY.md leads to this chapter: add one or remove the file",
            ),
            Self::NoEnglishChapter(english) => {
                write!(f, "there is no {english}: a chapter is written in English first")
            }
            Self::NotAsInEnglish { expected, found } => {
                let name = |it: &Option<String>| it.clone().unwrap_or("nothing more".to_owned());
                write!(
                    f,
                    "the English chapter has {} where this one has {} (a heading's id is written \
                     behind it: ## 思路 {{#the-idea}})",
                    name(expected),
                    name(found)
                )
            }
        }
    }
}

/// Every mistake of the book: one line each, then how many there are.
#[derive(Debug)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.0 {
            writeln!(f, "{problem}")?;
        }
        let count = self.0.len();
        write!(f, "{count} mistake{} in the book", if count == 1 { "" } else { "s" })
    }
}

impl Error for Problems {}
