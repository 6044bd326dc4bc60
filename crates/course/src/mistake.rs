//! Classic mistakes: `lessons/NN-topic/mistakes/EXERCISE-NAME.patch`, unified diffs on the
//! solution, with a header that says what must find them:
//!
//! ```text
//! # title: one read is taken for the whole message
//! # title-zh: 把一次读取当成了整条消息
//! # caught-by: a_message_lasts_until_the_half_close, a_large_message (timeout)
//! ```
//!
//! Without a word in parentheses a check finds it by `fail`: a mistake that is only found by
//! waiting would be found in a slow machine's correct program, too.
//!
//! Where two threads of the wrong program race, a check may or may not see it. Such checks stand in
//! a line of their own, `# perhaps: another_check`; at least one check must catch it every time.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use toml::Value;

use crate::exercise::Exercise;
use crate::language::Text;
use crate::lesson::Lesson;
use crate::verdict::Verdict;

/// Checks that do not pass, and how.
pub type Failures = BTreeSet<(String, Verdict)>;

/// One patch.
#[derive(Clone, Debug)]
pub struct Mistake {
    /// The file's name without its end, `answer-one-read`.
    pub name: String,
    /// What is wrong, in one line.
    pub title: Text,
    /// Which checks find it, and how.
    pub caught_by: Failures,
    /// Which checks find it on some runs, and how.
    pub perhaps: Failures,
    /// What it changes in the solution: a unified diff, from its first `---` on.
    pub diff: String,
}

/// Why a patch is no mistake.
#[derive(Debug)]
pub enum MistakeError {
    /// It cannot be read.
    Unreadable(PathBuf, io::Error),
    /// Its header has no line for this key.
    Missing(PathBuf, &'static str),
    /// A line of its header names something that is not a verdict.
    NoVerdict(PathBuf, String),
}

impl fmt::Display for MistakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(file, error) => write!(f, "cannot read {}: {error}", file.display()),
            Self::Missing(file, key) => write!(f, "{} has no `# {key}: …`", file.display()),
            Self::NoVerdict(file, line) => {
                write!(f, "{}: no verdict is called so: {line}", file.display())
            }
        }
    }
}

impl std::error::Error for MistakeError {}

impl Mistake {
    /// Reads one patch.
    ///
    /// # Errors
    /// When it cannot be read, or its header says too little.
    pub fn read(file: &Path) -> Result<Self, MistakeError> {
        let unreadable = |error| MistakeError::Unreadable(file.to_owned(), error);
        let text = fs::read_to_string(file).map_err(unreadable)?;
        let said = |key: &'static str| {
            header(&text, key).ok_or_else(|| MistakeError::Missing(file.to_owned(), key))
        };
        let read = |line: &str| {
            let unknown = || MistakeError::NoVerdict(file.to_owned(), line.to_owned());
            checks(line).ok_or_else(unknown)
        };
        Ok(Self {
            name: file.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            title: Text { en: said("title")?.to_owned(), zh: said("title-zh")?.to_owned() },
            caught_by: read(said("caught-by")?)?,
            perhaps: header(&text, "perhaps").map_or(Ok(Failures::new()), read)?,
            // The header is for us; the diff begins with its first `---`.
            diff: text.find("--- ").map_or(String::new(), |at| text[at..].to_owned()),
        })
    }

    /// Each check that the patch names has failed, in a way that it names, and no other one has.
    /// Where it names two ways for one check, a case that hangs may keep the others from being run.
    #[must_use]
    pub fn is_caught(&self, failures: &Failures) -> bool {
        let has_failed = |check| failures.iter().any(|(failed, _)| failed == check);
        let is_named = |failure| self.caught_by.contains(failure) || self.perhaps.contains(failure);
        !self.caught_by.is_empty()
            && self.caught_by.iter().all(|(check, _)| has_failed(check))
            && failures.iter().all(is_named)
    }
}

/// The mistakes that can be made in an exercise.
///
/// # Errors
/// When a patch cannot be read, or its header says too little.
pub fn mistakes(lesson: &Lesson, exercise: &Exercise) -> Result<Vec<Mistake>, MistakeError> {
    patches(lesson, exercise).iter().map(|file| Mistake::read(file)).collect()
}

/// The patches of an exercise: `mistakes/EXERCISE-….patch`.
#[must_use]
pub fn patches(lesson: &Lesson, exercise: &Exercise) -> Vec<PathBuf> {
    let prefix = format!("{}-", exercise.name);
    let is_own = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix))
    };
    all_patches(lesson).into_iter().filter(is_own).collect()
}

/// Everything in the lesson's `mistakes/`.
#[must_use]
pub fn all_patches(lesson: &Lesson) -> Vec<PathBuf> {
    let entries = fs::read_dir(lesson.folder.join("mistakes")).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// `check, other check (timeout)`
fn checks(line: &str) -> Option<Failures> {
    line.split(',')
        .map(|check| match check.trim().split_once(" (") {
            None => Some((check.trim().to_owned(), Verdict::Fail)),
            Some((name, how)) => {
                let how = Value::from(how.trim_end_matches(')'));
                Some((name.to_owned(), how.try_into().ok()?))
            }
        })
        .collect()
}

fn header<'a>(patch: &'a str, key: &str) -> Option<&'a str> {
    let prefix = format!("# {key}: ");
    patch.lines().take_while(|line| line.starts_with('#')).find_map(|l| l.strip_prefix(&prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_catches_by_fail_unless_the_header_says_otherwise() {
        let expected = [("a", Verdict::Fail), ("b", Verdict::Timeout), ("c", Verdict::NotReady)];
        let expected = expected.map(|(check, how)| (check.to_owned(), how)).into();
        assert_eq!(checks("a, b (timeout), c (not-ready)"), Some(expected));
        assert_eq!(checks("a (slow)"), None);
    }

    #[test]
    fn every_named_check_must_catch_it_and_no_other_may() {
        let failures = |line| checks(line).unwrap();
        let mistake = Mistake {
            name: "answer-race".to_owned(),
            caught_by: failures("a, b, b (timeout)"),
            perhaps: failures("c"),
            title: Text { en: String::new(), zh: String::new() },
            diff: String::new(),
        };
        for caught in ["a, b", "a, b (timeout)", "a, b, b (timeout), c"] {
            assert!(mistake.is_caught(&failures(caught)), "{caught}");
        }
        for missed in ["a", "a, c", "a (timeout), b", "a, b, c (timeout)", "a, b, d"] {
            assert!(!mistake.is_caught(&failures(missed)), "{missed}");
        }
        let never = Mistake { caught_by: Failures::new(), ..mistake };
        assert!(!never.is_caught(&failures("c")));
    }
}
