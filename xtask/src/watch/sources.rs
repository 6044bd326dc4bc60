//! The other files of the lessons: modules and manifests beside the exercises' own files.
//!
//! An exercise may have a `mod count;` of its own, and then a change of that file is a change of the
//! program. Which files there are can change at any time, so every look walks the folders again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use grader::progress;

/// Folders whose files are no sources.
const NO_SOURCES: [&str; 2] = ["target", "mistakes"];

/// What is known of a file. It is read again only when the first two have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    fingerprint: String,
}

/// All sources below some folders but those that are looked at elsewhere.
pub struct Sources {
    folders: Vec<PathBuf>,
    others: Vec<PathBuf>,
    seen: BTreeMap<PathBuf, Stamp>,
}

impl Sources {
    /// As they are now; `others` are left out.
    pub fn new(folders: Vec<PathBuf>, others: Vec<PathBuf>) -> Self {
        let mut sources = Self { folders, others, seen: BTreeMap::new() };
        sources.look(true);
        sources
    }

    /// The files that are new, gone, or have other content than at the last look, and whether some
    /// may still be on their way: editors remove and truncate while they save.
    pub fn look(&mut self, is_settled: bool) -> (Vec<PathBuf>, bool) {
        let now = self.walk();
        let (mut changed, mut is_unsettled) = (Vec::new(), false);
        for path in self.seen.keys().chain(now.keys()).collect::<BTreeSet<_>>() {
            let (before, after) = (self.seen.get(path), now.get(path));
            let content = |stamp: Option<&Stamp>| stamp.map(|stamp| stamp.fingerprint.clone());
            if content(before) == content(after) {
                continue;
            }
            if after.is_none_or(|stamp| stamp.length == 0) && !is_settled {
                is_unsettled = true;
            } else {
                changed.push(path.clone());
            }
        }
        if is_unsettled {
            let stamps = changed.iter().filter_map(|path| now.get_key_value(path));
            self.seen.extend(stamps.map(|(path, stamp)| (path.clone(), stamp.clone())));
        } else {
            self.seen = now;
        }
        (changed, is_unsettled)
    }

    fn walk(&self) -> BTreeMap<PathBuf, Stamp> {
        let mut found = BTreeMap::new();
        let mut folders = self.folders.clone();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let (path, name) = (entry.path(), entry.file_name());
                let name = name.to_string_lossy();
                if name.starts_with('.')
                    || NO_SOURCES.contains(&&*name)
                    || self.others.contains(&path)
                {
                    continue;
                }
                if path.is_dir() {
                    folders.push(path);
                } else if name.ends_with(".rs") || name.ends_with(".toml") {
                    found.extend(self.stamp(&path).map(|stamp| (path, stamp)));
                }
            }
        }
        found
    }

    fn stamp(&self, path: &Path) -> Option<Stamp> {
        let about = path.metadata().ok()?;
        let (length, modified) = (about.len(), about.modified().ok());
        let is_same = |seen: &&Stamp| seen.length == length && seen.modified == modified;
        if let Some(same) = self.seen.get(path).filter(is_same).filter(|_| modified.is_some()) {
            return Some(same.clone());
        }
        let fingerprint = progress::fingerprint(&fs::read(path).ok()?);
        Some(Stamp { length, modified, fingerprint })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_gone_or_changed_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("src/bin")).unwrap();
        fs::write(path("src/bin/one.rs"), "own").unwrap();
        fs::write(path("Cargo.toml"), "[package]").unwrap();
        let mut sources =
            Sources::new(vec![folder.path().to_owned()], vec![path("src/bin/one.rs")]);
        assert_eq!(sources.look(true), (vec![], false));
        fs::write(path("src/bin/one.rs"), "changed").unwrap();
        fs::write(path("src/bin/one.rs.swp"), "no source").unwrap();
        assert_eq!(sources.look(true), (vec![], false));
        fs::write(path("src/count.rs"), "first").unwrap();
        assert_eq!(sources.look(false), (vec![path("src/count.rs")], false));
        assert_eq!(sources.look(false), (vec![], false));
        // Truncated, and then written: one change.
        fs::write(path("src/count.rs"), "").unwrap();
        fs::write(path("Cargo.toml"), "[package] # too").unwrap();
        assert_eq!(sources.look(false), (vec![path("Cargo.toml")], true));
        fs::write(path("src/count.rs"), "second").unwrap();
        assert_eq!(sources.look(true), (vec![path("src/count.rs")], false));
        fs::remove_file(path("src/count.rs")).unwrap();
        assert_eq!(sources.look(false), (vec![], true));
        assert_eq!(sources.look(true), (vec![path("src/count.rs")], false));
        assert_eq!(sources.look(true), (vec![], false));
    }
}
