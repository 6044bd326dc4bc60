//! Classic mistakes: `lessons/NN-topic/mistakes/EXERCISE-NAME.patch`, unified diffs on the
//! solution, with a header that says what must find them:
//!
//! ```text
//! # title: one read is taken for the whole message
//! # caught-by: a_message_lasts_until_the_half_close, a_large_message (timeout)
//! ```
//!
//! Without a word in parentheses a check finds it by `fail`: a mistake that is only found by
//! waiting would be found in a slow machine's correct program, too.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use toml::Value;

use super::variants::read;
use crate::course::{Exercise, Lesson};
use crate::protocol::Verdict;

/// Checks that do not pass, and how.
pub type Failures = BTreeSet<(String, Verdict)>;

/// One patch.
#[derive(Clone, Debug)]
pub struct Mistake {
    /// The file's name without its end, `answer-one-read`.
    pub name: String,
    /// Which checks find it, and how.
    pub caught_by: Failures,
    text: String,
}

impl Mistake {
    fn read(file: &std::path::Path) -> Result<Self, String> {
        let text = read(file)?;
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let missing = |key: &str| format!("{} has no `# {key}: …`", file.display());
        header(&text, "title").ok_or_else(|| missing("title"))?;
        let line = header(&text, "caught-by").ok_or_else(|| missing("caught-by"))?;
        let caught_by = caught_by(line)
            .ok_or_else(|| format!("{}: no verdict is called so: {line}", file.display()))?;
        Ok(Self { name, caught_by, text })
    }

    /// The solution with this mistake.
    pub(super) fn made_in(&self, solution: &str) -> Result<String, String> {
        let problem = |error: &dyn std::fmt::Display| format!("{}.patch: {error}", self.name);
        // The header is for us; the diff begins with its first `---`.
        let diff = self.text.find("--- ").map_or("", |at| &self.text[at..]);
        let patch = diffy::Patch::from_str(diff).map_err(|error| problem(&error))?;
        diffy::apply(solution, &patch).map_err(|error| problem(&error))
    }
}

/// The mistakes that can be made in an exercise.
///
/// # Errors
/// When a patch cannot be read, or its header says too little.
pub fn mistakes(lesson: &Lesson, exercise: &Exercise) -> Result<Vec<Mistake>, String> {
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
fn caught_by(line: &str) -> Option<Failures> {
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
        assert_eq!(caught_by("a, b (timeout), c (not-ready)"), Some(expected));
        assert_eq!(caught_by("a (slow)"), None);
    }
}
