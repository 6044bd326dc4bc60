//! How far the student is: the last grade of each exercise, kept in one file of the workspace.
//!
//! The file is a cache of what grading has found and is never the source of anything: a student who
//! deletes it loses the overview until the exercises are graded again. It is [`FILE`], which git
//! ignores, version 1:
//!
//! ```text
//! { "schema": "course-progress", "version": 1,
//!   "exercises": {
//!     "02/answer": { "points": 6, "out_of": 10,
//!                    "when": 1767225600,                 seconds since 1970-01-01 UTC
//!                    "fingerprint": "cbf29ce484222325"   of the file that was graded
//!     } } }
//! ```
//!
//! A fingerprint is the 64-bit FNV-1a hash of the exercise's file. It shows that the file has
//! changed since; it proves nothing to anybody.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::Problem;
use crate::report::write_atomically;
use crate::score::ExerciseScore;

/// The file's name in the root of the workspace.
pub const FILE: &str = ".progress.json";
/// An empty file beside it. Who writes holds its lock meanwhile, so that of two processes neither
/// writes over what the other has just written.
const LOCK: &str = ".progress.lock";
const SCHEMA: &str = "course-progress";
const VERSION: u32 = 1;

/// The last grade of each exercise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    schema: String,
    version: u32,
    exercises: BTreeMap<String, Entry>,
}

/// The last grade of one exercise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The points earned.
    pub points: u32,
    /// The points there were.
    pub out_of: u32,
    /// When, in seconds since 1970-01-01 UTC.
    pub when: u64,
    /// Of the file that was graded: [`fingerprint`].
    pub fingerprint: String,
}

/// Why the file was not used.
#[derive(Debug)]
pub struct Damaged {
    file: PathBuf,
    why: String,
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, why) = (self.file.display(), &self.why);
        write!(f, "{file} is ignored ({why}); the next grading writes a new one")
    }
}

impl std::error::Error for Damaged {}

impl Default for Progress {
    fn default() -> Self {
        Self { schema: SCHEMA.to_owned(), version: VERSION, exercises: BTreeMap::new() }
    }
}

impl Progress {
    /// What is known, and why that is nothing if the file cannot be used.
    #[must_use]
    pub fn read(workspace: &Path) -> (Self, Option<Damaged>) {
        let file = workspace.join(FILE);
        match parse(&file) {
            Ok(progress) => (progress, None),
            Err(why) => (Self::default(), Some(Damaged { file, why: why.to_string() })),
        }
    }

    /// The last grade of `exercise` in lesson number `lesson`.
    #[must_use]
    pub fn of(&self, lesson: &str, exercise: &str) -> Option<&Entry> {
        self.exercises.get(&format!("{lesson}/{exercise}"))
    }
}

impl Entry {
    /// Whether all points were earned.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.points == self.out_of
    }

    /// Whether the file is another than the one that was graded.
    #[must_use]
    pub fn is_outdated(&self, file: &Path) -> bool {
        fs::read(file).map_or(true, |content| fingerprint(&content) != self.fingerprint)
    }
}

/// Remembers the grade of a file whose content had the fingerprint `graded` *before* it was built:
/// what was saved in the meantime has not been graded. A score of some cases only, or one with
/// problems, is no grade and is not kept.
///
/// # Errors
/// When the file cannot be written. A damaged one is replaced.
pub fn record(workspace: &Path, score: &ExerciseScore, graded: &str) -> io::Result<()> {
    if score.partial || score.pending > 0 || !score.problems.is_empty() {
        return Ok(());
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let entry = Entry {
        points: score.points(),
        out_of: score.out_of(),
        when: now.map_or(0, |now| now.as_secs()),
        fingerprint: graded.to_owned(),
    };
    let _lock = lock(workspace);
    let (mut progress, _) = Progress::read(workspace);
    progress.exercises.insert(format!("{}/{}", score.lesson, score.exercise), entry);
    let text = serde_json::to_string_pretty(&progress)? + "\n";
    write_atomically(&workspace.join(FILE), &text)
}

/// The 64-bit FNV-1a hash of a file's content, in hexadecimal.
#[must_use]
pub fn fingerprint(content: &[u8]) -> String {
    let hash = content.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

fn parse(file: &Path) -> Result<Progress, Problem> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Progress::default()),
        Err(error) => return Err(error.to_string().into()),
    };
    let progress: Progress = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    if progress.schema != SCHEMA || progress.version != VERSION {
        return Err(format!("it is not {SCHEMA} version {VERSION}").into());
    }
    Ok(progress)
}

/// The lock ends with the returned file. On a file system that has none we go on without: then
/// one of two grades that come in the same millisecond may be lost, and is there again after the
/// next grading.
fn lock(workspace: &Path) -> Option<File> {
    let file = File::create(workspace.join(LOCK)).ok()?;
    file.lock().ok()?;
    Some(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::CheckScore;
    use course::Text;
    use rstest::rstest;

    fn score(exercise: &str, points: u32) -> ExerciseScore {
        let usually = Text { en: String::new(), zh: String::new() };
        let (name, cases) = ("c".into(), vec![]);
        let check = CheckScore { name, points, out_of: 4, usually, pending: 0, cases };
        ExerciseScore {
            lesson: "02".into(),
            exercise: exercise.into(),
            checks: vec![check],
            pending: 0,
            partial: false,
            problems: vec![],
        }
    }

    fn points(workspace: &Path, exercise: &str) -> Option<u32> {
        let (progress, damaged) = Progress::read(workspace);
        assert!(damaged.is_none(), "{damaged:?}");
        progress.of("02", exercise).map(|entry| entry.points)
    }

    #[test]
    fn a_grade_is_remembered_until_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(points(folder.path(), "answer"), None);
        for earned in [3, 4] {
            record(folder.path(), &score("answer", earned), "f").unwrap();
            assert_eq!(points(folder.path(), "answer"), Some(earned));
        }
        assert_eq!(points(folder.path(), "lines"), None);
    }

    #[test]
    fn a_file_that_was_changed_since_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("answer.rs");
        fs::write(&file, "old").unwrap();
        record(folder.path(), &score("answer", 4), &fingerprint(b"old")).unwrap();
        let (progress, _) = Progress::read(folder.path());
        let entry = progress.of("02", "answer").unwrap();
        assert!(entry.is_done() && !entry.is_outdated(&file));
        fs::write(&file, "new").unwrap();
        assert!(entry.is_outdated(&file));
        fs::remove_file(&file).unwrap();
        assert!(entry.is_outdated(&file));
    }

    #[test]
    fn what_is_no_grade_is_not_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let partial = ExerciseScore { partial: true, ..score("answer", 4) };
        let broken = ExerciseScore { problems: vec!["b".into()], ..score("answer", 4) };
        let unfinished = ExerciseScore { pending: 1, ..score("answer", 4) };
        for score in [partial, broken, unfinished] {
            record(folder.path(), &score, "f").unwrap();
        }
        assert_eq!(points(folder.path(), "answer"), None);
        assert!(!folder.path().join(FILE).exists());
    }

    #[rstest]
    #[case::no_json("{ \"schema\": ")]
    #[case::another_schema("{\"schema\":\"x\",\"version\":1,\"exercises\":{}}")]
    #[case::a_later_version("{\"schema\":\"course-progress\",\"version\":2,\"exercises\":{}}")]
    #[case::empty("")]
    fn a_damaged_file_is_ignored_with_a_reason_and_replaced(#[case] content: &str) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), content).unwrap();
        let (progress, damaged) = Progress::read(folder.path());
        assert_eq!(progress, Progress::default());
        assert!(damaged.unwrap().to_string().contains(FILE));
        record(folder.path(), &score("answer", 4), "f").unwrap();
        assert_eq!(points(folder.path(), "answer"), Some(4));
    }

    #[test]
    fn grades_that_come_at_once_do_not_lose_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<String> = (0..20).map(|number| format!("e{number}")).collect();
        std::thread::scope(|scope| {
            for name in &names {
                scope.spawn(|| record(folder.path(), &score(name, 2), "f").unwrap());
            }
        });
        for name in &names {
            assert_eq!(points(folder.path(), name), Some(2), "{name}");
        }
    }

    #[test]
    fn the_fingerprint_is_the_published_one() {
        assert_eq!(fingerprint(b""), "cbf29ce484222325");
        assert_eq!(fingerprint(b"foobar"), "85944171f73967e8");
    }
}
