//! The grade as a file, in the forms that other programs and platforms read.
//!
//! All of them show one [`Grade`], whose points come from [`crate::score`] alone; so they agree.
//! Each module says where its format is described. What a submission printed is
//! [plain](crate::plain) already when it comes here; what a format needs on top (quoting, shorter
//! texts) is each module's own affair.

pub mod classroom50;
pub mod exercism;
pub mod gradescope;
pub mod json;
pub mod junit;
pub mod markdown;

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::SystemTime;

use chrono::{DateTime, Utc};

use crate::Problem;
use crate::protocol::Verdict;
use crate::score::{self, CaseResult, CheckScore, ExerciseScore};
use crate::submission::Submission;
use course::{Exercise, Language, Lesson};

/// A grade: the scores of some exercises, and what they are the scores of.
#[derive(Clone, Debug)]
pub struct Grade {
    /// What was graded.
    pub submission: Submission,
    /// What all random payloads follow from.
    pub seed: u64,
    /// When grading began.
    pub began: SystemTime,
    /// The language of the reports that a person reads.
    pub language: Language,
    /// All exercises that are to be graded, also those whose turn has not come yet: what there is
    /// to win is known from the beginning, and half a grade does not look like a whole one.
    pub exercises: Vec<ExerciseScore>,
}

impl Grade {
    /// A grade that begins now, with nothing graded yet.
    #[must_use]
    pub fn new(submission: Submission, seed: u64, wanted: &[(&Lesson, &Exercise)]) -> Self {
        let exercises = wanted.iter().map(|(lesson, exercise)| score::waiting(lesson, exercise));
        Self {
            submission,
            seed,
            began: SystemTime::now(),
            language: Language::of_the_system(),
            exercises: exercises.collect(),
        }
    }

    /// The points earned.
    #[must_use]
    pub fn points(&self) -> u32 {
        self.exercises.iter().map(ExerciseScore::points).sum()
    }

    /// The points there are.
    #[must_use]
    pub fn out_of(&self) -> u32 {
        self.exercises.iter().map(ExerciseScore::out_of).sum()
    }

    /// How many cases have no result yet.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.exercises.iter().map(|exercise| exercise.pending).sum()
    }

    /// How long the cases took, in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        let checks = self.exercises.iter().flat_map(|exercise| &exercise.checks);
        checks.flat_map(|check| &check.cases).map(|case| case.seconds).sum()
    }

    /// Whether the grading itself went wrong somewhere.
    #[must_use]
    pub fn is_grader_error(&self) -> bool {
        self.exercises.iter().any(|exercise| !exercise.problems.is_empty())
    }

    /// Whether a platform may take this for a grade, if only for the beginning of one: the grading
    /// went well so far, and something has been graded.
    #[must_use]
    pub fn is_grade(&self) -> bool {
        let mut checks = self.exercises.iter().flat_map(|exercise| &exercise.checks);
        let has_begun = self.pending() == 0 || checks.any(|check| !check.cases.is_empty());
        has_begun && !self.is_grader_error()
    }

    /// Takes in a score, in place of an earlier one of the same exercise.
    pub fn update(&mut self, score: &ExerciseScore) {
        let same = |old: &&mut ExerciseScore| {
            (&old.lesson, &old.exercise) == (&score.lesson, &score.exercise)
        };
        match self.exercises.iter_mut().find(same) {
            Some(old) => *old = score.clone(),
            None => self.exercises.push(score.clone()),
        }
    }

    /// When grading began, in UTC and whole seconds: `2026-09-01T12:00:00Z` (RFC 3339, section
    /// 5.6).
    fn began_utc(&self) -> String {
        DateTime::<Utc>::from(self.began).format("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// The sentence for a grade that is not the last word: cases have not run yet, or only some
    /// were asked for.
    fn caveat(&self) -> Option<String> {
        let pending = self.pending();
        if pending > 0 {
            return Some(match self.language {
                Language::English => {
                    format!("Not finished: {pending} cases or more have not run yet.")
                }
                Language::Chinese => format!("评分尚未完成：至少还有 {pending} 个用例没有运行。"),
            });
        }
        let partial = self.exercises.iter().any(|exercise| exercise.partial);
        let words = self.language.words(
            "Only some of the cases were run: the points say little.",
            "只运行了部分用例，分数仅供参考。",
        );
        partial.then(|| words.to_owned())
    }
}

/// The kinds of report, as they are named on the command line.
pub const KINDS: [&str; 6] = ["json", "gradescope", "classroom50", "exercism", "junit", "markdown"];

/// A kind of report.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Our own form, with everything in it.
    Json,
    /// `results.json` for Gradescope.
    Gradescope,
    /// `result.json` for Classroom 50, and whose work it is.
    Classroom50(classroom50::Identity),
    /// `results.json` for Exercism.
    Exercism,
    /// The XML of `JUnit`.
    Junit,
    /// A page for the summary of a CI job.
    Markdown,
}

impl Kind {
    /// The kind called `name`. What it needs to know beside the grade it reads from environment
    /// variables, through `variable`.
    ///
    /// # Errors
    /// A sentence for the person who typed it, when there is no such kind or a variable is missing.
    pub fn named(name: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Self, Problem> {
        Ok(match name {
            "json" => Self::Json,
            "gradescope" => Self::Gradescope,
            "classroom50" => Self::Classroom50(classroom50::Identity::read(variable)?),
            "exercism" => Self::Exercism,
            "junit" => Self::Junit,
            "markdown" => Self::Markdown,
            _ => {
                let kinds = KINDS.join(", ");
                return Err(format!("there is no report {name:?}; there are: {kinds}").into());
            }
        })
    }

    /// As on the command line.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Gradescope => "gradescope",
            Self::Classroom50(_) => "classroom50",
            Self::Exercism => "exercism",
            Self::Junit => "junit",
            Self::Markdown => "markdown",
        }
    }

    /// The report's text. `None` where this [is no grade](Grade::is_grade) and the format has no
    /// words for that: the platform must then find no file, and says itself that grading failed,
    /// rather than take a grader's mistake for a student's zero.
    #[must_use]
    pub fn render(&self, grade: &Grade) -> Option<String> {
        match self {
            Self::Json => Some(json::render(grade)),
            Self::Gradescope => gradescope::render(grade),
            Self::Classroom50(identity) => classroom50::render(grade, identity),
            Self::Exercism => Some(exercism::render(grade)),
            Self::Junit => Some(junit::render(grade)),
            Self::Markdown => Some(markdown::render(grade)),
        }
    }

    /// Writes the report to `path`, or removes what is there if there is none to be written.
    ///
    /// # Errors
    /// As [`write_atomically`].
    pub fn write(&self, grade: &Grade, path: &Path) -> io::Result<()> {
        match self.render(grade) {
            Some(text) => write_atomically(path, &text),
            None => match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
        }
    }
}

/// Writes `text` to `path` so that a reader sees the old file or the new one, never a part: into a
/// temporary file in the same folder, then rename(2). The folder is made if it is missing.
///
/// # Errors
/// When the folder cannot be made or written to.
pub fn write_atomically(path: &Path, text: &str) -> io::Result<()> {
    let mut file = begin_beside(path)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

/// Whether `path` could be written now, without touching it.
///
/// # Errors
/// As [`write_atomically`].
pub fn try_to_write(path: &Path) -> io::Result<()> {
    begin_beside(path).map(drop)
}

fn begin_beside(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new();
    file.prefix(".report");
    // A temporary file is its owner's only, but a report is for others: what the umask allows.
    #[cfg(unix)]
    file.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    file.tempfile_in(folder)
}

/// What a check has to say where a page shows many: the first of its cases that failed, and its
/// story. The others often fail for the same reason; they are named below it. A grader-error is
/// not among them.
fn first_failure(check: &CheckScore) -> Option<(&CaseResult, String)> {
    let mut failures = check.failures().filter(|case| case.verdict != Verdict::GraderError);
    let first = failures.next()?;
    let others: Vec<String> = failures.map(|it| format!("{} ({})", it.name, it.verdict)).collect();
    let mut story = first.report.trim_end().to_owned();
    if !others.is_empty() {
        story = format!("{story}\n\nalso: {}", others.join(", "));
    }
    Some((first, story))
}

/// `value` as text, with line feeds.
fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_replaces_the_file_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("grade.json");
        write_atomically(&path, "one").unwrap();
        write_atomically(&path, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn trying_to_write_leaves_the_old_report_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("grade.json");
        fs::write(&path, "old").unwrap();
        try_to_write(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(try_to_write(&path.join("below a file")).is_err());
    }

    #[test]
    fn an_unknown_kind_is_answered_with_all_there_are() {
        let error = Kind::named("jsn", |_| None).unwrap_err().to_string();
        assert!(KINDS.iter().all(|kind| error.contains(kind)), "{error}");
        let known = KINDS.iter().filter(|kind| **kind != "classroom50");
        known.for_each(|kind| assert_eq!(Kind::named(kind, |_| None).unwrap().name(), *kind));
    }
}
