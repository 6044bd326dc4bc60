//! The exercises' files: being told that something happened, and looking what has changed.
//!
//! The two are apart on purpose. What an editor does to save a file is up to the editor: it
//! truncates and writes, or writes another file and renames it, and the system tells of each step.
//! None of that is believed. Every event only means "look again", and a look compares contents, so
//! one save is one change however many events it makes, and a save without a change is none.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::time::Duration;

use anyhow::{Context, Result};
use grader::progress;
use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{Config, PollWatcher, RecommendedWatcher, RecursiveMode, Watcher};

use super::Event;

/// How often files are looked at where the system does not tell of changes.
const POLL: Duration = Duration::from_millis(250);

/// What is in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    Gone,
    Empty,
    Text(String),
}

/// A change of the file with this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Saved(usize),
    Gone(usize),
    /// It was gone before.
    Back(usize),
}

/// The files that are looked at, and what stood in them when they were looked at last.
pub struct Files(Vec<(PathBuf, Content)>);

/// What a look has found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Look {
    pub changes: Vec<Change>,
    /// A file is gone or empty that was not before. That is how many editors begin to save, so it
    /// counts only if it is still so after a moment.
    pub is_unsettled: bool,
}

impl Files {
    pub fn new(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let files = paths.into_iter().map(|path| {
            let content = content(&path);
            (path, content)
        });
        Self(files.collect())
    }

    /// What has changed since the last look. With `is_settled` a moment has passed.
    pub fn look(&mut self, is_settled: bool) -> Look {
        let mut look = Look::default();
        for (number, (path, seen)) in self.0.iter_mut().enumerate() {
            let now = content(path);
            if now == *seen {
                continue;
            }
            if matches!(now, Content::Gone | Content::Empty) && !is_settled {
                look.is_unsettled = true;
                continue;
            }
            look.changes.push(match (&*seen, &now) {
                (_, Content::Gone) => Change::Gone(number),
                (Content::Gone, _) => Change::Back(number),
                _ => Change::Saved(number),
            });
            *seen = now;
        }
        look
    }

    pub fn is_one_gone(&self) -> bool {
        self.0.iter().any(|(_, content)| *content == Content::Gone)
    }
}

fn content(path: &Path) -> Content {
    match fs::read(path) {
        Err(_) => Content::Gone,
        Ok(bytes) if bytes.is_empty() => Content::Empty,
        Ok(bytes) => Content::Text(progress::fingerprint(&bytes)),
    }
}

/// Tells of whatever happens below `lessons/` and `tests/`, for as long as it lives.
pub struct Watch {
    _watcher: Box<dyn Watcher>,
    /// Why the system does not tell and files are polled, if that is so.
    pub fallback: Option<notify::Error>,
}

/// Begins to watch, with the system's own means or, where there are none, by polling.
pub fn watch(root: &Path, polls: bool, events: &Sender<Event>) -> Result<Watch> {
    let system = if polls { None } else { Some(by_the_system(root, events)) };
    let fallback = match system {
        Some(Ok(watcher)) => return Ok(Watch { _watcher: watcher, fallback: None }),
        Some(Err(error)) => Some(error),
        None => None,
    };
    let config = Config::default().with_poll_interval(POLL).with_compare_contents(true);
    let mut watcher = PollWatcher::new(teller(root, events), config)?;
    let lessons = root.join("lessons");
    add(&mut watcher, root).with_context(|| format!("cannot watch {}", lessons.display()))?;
    Ok(Watch { _watcher: Box::new(watcher), fallback })
}

fn by_the_system(root: &Path, events: &Sender<Event>) -> notify::Result<Box<dyn Watcher>> {
    let mut watcher = RecommendedWatcher::new(teller(root, events), Config::default())?;
    add(&mut watcher, root)?;
    Ok(Box::new(watcher))
}

fn add(watcher: &mut dyn Watcher, root: &Path) -> notify::Result<()> {
    watcher.watch(&root.join("lessons"), RecursiveMode::Recursive)?;
    // Without graded tests there is nothing to grade, which the grader explains.
    let _ = watcher.watch(&root.join("tests"), RecursiveMode::Recursive);
    Ok(())
}

/// Turns what the system tells into events of ours. Reading a file is told, too: passing that on
/// would have our own look cause the next one.
fn teller(root: &Path, events: &Sender<Event>) -> impl notify::EventHandler + use<> {
    // Some systems tell the path without symbolic links in it.
    let roots = [root.to_owned(), root.canonicalize().unwrap_or_default()];
    let (tests, events) = (roots.map(|root| root.join("tests")), events.clone());
    let is_test = move |path: &PathBuf| tests.iter().any(|tests| path.starts_with(tests));
    move |told: notify::Result<notify::Event>| {
        let is_reading = |kind: &EventKind| {
            let wrote = EventKind::Access(AccessKind::Close(AccessMode::Write));
            matches!(kind, EventKind::Access(_)) && *kind != wrote
        };
        let event = match told {
            Ok(told) if is_reading(&told.kind) => return,
            Ok(told) if told.paths.iter().any(&is_test) => Event::TestsMoved,
            // An error may hide anything: looking does no harm.
            Ok(_) | Err(_) => Event::FilesMoved,
        };
        let _ = events.send(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_files() -> (tempfile::TempDir, PathBuf, Files) {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["a.rs", "b.rs"].map(|name| folder.path().join(name));
        for path in &paths {
            fs::write(path, "one").unwrap();
        }
        let first = paths[0].clone();
        (folder, first, Files::new(paths))
    }

    fn changes(list: &[Change]) -> Look {
        Look { changes: list.to_vec(), is_unsettled: false }
    }

    #[test]
    fn a_save_is_one_change_and_a_save_without_a_change_is_none() {
        let (_folder, file, mut files) = two_files();
        fs::write(&file, "two").unwrap();
        assert_eq!(files.look(false), changes(&[Change::Saved(0)]));
        assert_eq!(files.look(false), changes(&[]));
        fs::write(&file, "two").unwrap();
        assert_eq!(files.look(true), changes(&[]));
    }

    #[test]
    fn truncating_and_writing_is_one_change() {
        let (_folder, file, mut files) = two_files();
        fs::write(&file, "").unwrap();
        assert_eq!(files.look(false), Look { changes: vec![], is_unsettled: true });
        fs::write(&file, "two").unwrap();
        assert_eq!(files.look(true), changes(&[Change::Saved(0)]));
    }

    #[test]
    fn renaming_the_old_and_writing_the_new_is_one_change() {
        let (folder, file, mut files) = two_files();
        fs::rename(&file, folder.path().join("a.rs~")).unwrap();
        assert_eq!(files.look(false), Look { changes: vec![], is_unsettled: true });
        fs::write(&file, "one").unwrap();
        assert_eq!(files.look(true), changes(&[]));
    }

    #[test]
    fn a_file_that_stays_gone_or_empty_is_a_change() {
        let (folder, file, mut files) = two_files();
        fs::write(folder.path().join("b.rs"), "").unwrap();
        fs::remove_file(&file).unwrap();
        assert_eq!(files.look(true), changes(&[Change::Gone(0), Change::Saved(1)]));
        assert!(files.is_one_gone());
        fs::write(&file, "back").unwrap();
        assert_eq!(files.look(false), changes(&[Change::Back(0)]));
        assert!(!files.is_one_gone());
    }
}
