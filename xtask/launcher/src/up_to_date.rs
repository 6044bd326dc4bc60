//! Whether a program has to be built (again).
//!
//! Cargo knows best, but to ask it takes a tenth of a second, with every command. So the times of
//! the files are compared: all that the program was built from, as cargo has written it down beside
//! it (`xtask.d`), the manifests, and the program that asks, which cargo builds again for another
//! compiler or other flags. When in doubt, cargo is asked.

use std::collections::BTreeSet;
use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A program in cargo's target folder, and what tells its age.
pub struct Built {
    /// Where it is.
    pub program: PathBuf,
    /// The program that asks.
    asking: PathBuf,
    /// As old as the beginning of the last build that ended well: what is newer is not in it.
    stamp: PathBuf,
}

/// Whether it has to be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// There is nothing to build.
    UpToDate,
    /// It was built before, and may have changed since.
    InDoubt,
    /// It was never built here.
    Missing,
}

/// A build that has begun.
pub struct Begun<'a> {
    stamp: &'a Path,
    new: PathBuf,
}

impl Built {
    /// The program `name` in this folder.
    ///
    /// # Errors
    /// When the system does not tell which program this is.
    pub fn new(folder: &Path, name: &str) -> io::Result<Self> {
        let program = folder.join(name).with_extension(env::consts::EXE_EXTENSION);
        let stamp = folder.join(name).with_extension("stamp");
        Ok(Self { program, asking: env::current_exe()?, stamp })
    }

    /// As [`new`](Self::new), in the folder of the program that asks.
    ///
    /// # Errors
    /// As there.
    pub fn beside_us(name: &str) -> io::Result<Self> {
        let us = env::current_exe()?;
        Self::new(us.parent().unwrap_or(Path::new("")), name)
    }

    /// Whether it has to be built.
    #[must_use]
    pub fn state(&self) -> State {
        let Ok(stamp) = modified(&self.stamp) else {
            return if self.program.is_file() { State::InDoubt } else { State::Missing };
        };
        let is_older = |file: &PathBuf| modified(file).is_ok_and(|time| time < stamp);
        let is_up_to_date = self.program.is_file()
            && self.sources().is_ok_and(|sources| {
                manifests(&sources).iter().chain(&sources).all(is_older) && is_older(&self.asking)
            });
        if is_up_to_date { State::UpToDate } else { State::InDoubt }
    }

    /// The time of the new stamp is the file system's own, as the sources' times are.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn begin(&self) -> io::Result<Begun<'_>> {
        if let Some(folder) = self.stamp.parent() {
            fs::create_dir_all(folder)?;
        }
        let new = self.stamp.with_extension("begun");
        File::create(&new)?;
        Ok(Begun { stamp: &self.stamp, new })
    }

    fn sources(&self) -> io::Result<Vec<PathBuf>> {
        Ok(prerequisites(&fs::read_to_string(self.program.with_extension("d"))?))
    }
}

impl Begun<'_> {
    /// It ended well.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn finish(self) -> io::Result<()> {
        fs::rename(self.new, self.stamp)
    }
}

fn modified(file: &Path) -> io::Result<SystemTime> {
    file.metadata()?.modified()
}

/// The manifest of each package that the sources belong to, the workspace's, and what goes with it.
fn manifests(sources: &[PathBuf]) -> Vec<PathBuf> {
    let folders: BTreeSet<&Path> = sources.iter().flat_map(|source| source.ancestors()).collect();
    let names = ["Cargo.toml", "Cargo.lock", ".cargo/config.toml", "rust-toolchain.toml"];
    let places = folders.iter().flat_map(|folder| names.map(|name| folder.join(name)));
    places.filter(|file| file.is_file()).collect()
}

/// What stands behind `program:` in a rule as make(1) writes it. A blank in a path has a backslash
/// before it.
fn prerequisites(rule: &str) -> Vec<PathBuf> {
    let mut words = vec![String::new()];
    let mut characters = rule.lines().next().unwrap_or_default().chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if characters.next_if_eq(&' ').is_some() => push(&mut words, ' '),
            ' ' => words.push(String::new()),
            other => push(&mut words, other),
        }
    }
    words.into_iter().skip(1).filter(|word| !word.is_empty()).map(PathBuf::from).collect()
}

fn push(words: &mut [String], character: char) {
    if let Some(word) = words.last_mut() {
        word.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_contain_blanks_and_a_drive() {
        let rule = r"C:\my\ course\target\xtask.exe: C:\my\ course\src\main.rs C:\a\b.rs";
        let expected = [r"C:\my course\src\main.rs", r"C:\a\b.rs"].map(PathBuf::from);
        assert_eq!(prerequisites(rule), expected);
        assert!(prerequisites("").is_empty());
    }
}
