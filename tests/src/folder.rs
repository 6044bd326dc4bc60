//! A folder that the program under test works in.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use netlab::program::poll;
use tempfile::TempDir;

use crate::patience::{Wait, patience};
use crate::shared::Shared;
use crate::step_log::Difference;

/// The working directory lies so deep in a folder that nobody else uses, so that `../../../x` is
/// still found.
const DEPTH: [&str; 3] = ["outside", "around", "work"];

/// The program's working directory and what lies around it, which belongs to the test.
#[derive(Debug)]
pub struct WorkDir {
    folder: TempDir,
    /// What the test itself has put there.
    known: Vec<String>,
    /// What the program was given.
    given: PathBuf,
}

impl WorkDir {
    /// What somebody else has put there.
    pub fn strangers(&self) -> Vec<String> {
        let mut level = self.folder.path().to_owned();
        let mut strangers = Vec::new();
        for deeper in DEPTH {
            strangers.extend(names_in(&level).into_iter().filter(|name| name != deeper));
            level.push(deeper);
        }
        let is_strange = |name: &String| !self.known.contains(name);
        strangers.extend(names_in(&level).into_iter().filter(is_strange));
        strangers
    }
}

/// A fresh folder of the case's own. The program is told to work [`inside`](Self::inside) it, and
/// the expectations look there. At the end of the case nothing may lie around that place, so a
/// file name like `../x` is found out. It is removed with the case.
#[derive(Debug)]
pub struct Folder {
    shared: Shared,
    /// Its place among the folders of the case.
    place: usize,
    work_dir: PathBuf,
}

impl Folder {
    pub(crate) fn new(shared: Shared) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let work_dir = folder.path().join(DEPTH.iter().collect::<PathBuf>());
        fs::create_dir_all(&work_dir)?;
        let mut state = shared.state();
        state.folders.push(WorkDir { folder, known: Vec::new(), given: work_dir.clone() });
        let place = state.folders.len() - 1;
        drop(state);
        Ok(Self { shared, place, work_dir })
    }

    /// The path of an empty folder called `name`, to be given to the program. From now on the
    /// expectations look there.
    ///
    /// # Panics
    /// When it cannot be made; that is no failure of the program.
    #[must_use]
    pub fn inside(&self, name: &str) -> String {
        let given = self.known(name);
        fs::create_dir_all(&given)
            .unwrap_or_else(|error| panic!("cannot make {}: {error}", given.display()));
        let path = utf8(&given);
        self.shared.state().folders[self.place].given = given;
        path
    }

    /// Puts a file beside the folder of the program, for it to read; its path.
    ///
    /// # Panics
    /// When it cannot be written; that is no failure of the program.
    #[must_use]
    pub fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.known(name);
        fs::write(&path, content)
            .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
        utf8(&path)
    }

    fn known(&self, name: &str) -> PathBuf {
        self.shared.state().folders[self.place].known.push(name.to_owned());
        self.work_dir.join(name)
    }

    /// Where the expectations look.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.shared.state().folders[self.place].given.clone()
    }

    /// Expects that the file `name` is there, now, with exactly this content.
    pub fn expect_file(&self, name: &str, content: &[u8]) {
        self.shared.step(format!("the file {name} must hold {}", crate::bytes::brief(content)));
        match fs::read(self.path().join(name)) {
            Ok(stored) if stored == content => {}
            Ok(stored) => {
                let what = format!("{name} does not hold what it should");
                self.shared.fail(Difference::fail(what).with(content, &stored));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let there = listed(&names_in(&self.path()));
                let what = format!("there is no file {name}; the folder holds {there}");
                self.shared.fail(Difference::fail(what));
            }
            Err(error) => {
                self.shared.fail(Difference::fail(format!("{name} cannot be read: {error}")));
            }
        }
    }

    /// Expects that the folder comes to hold exactly these names, in whatever order.
    pub fn expect_only(&self, names: &[&str]) {
        let mut expected: Vec<String> = names.iter().map(ToString::to_string).collect();
        expected.sort();
        self.shared.step(format!("the folder must hold {}, nothing else", listed(&expected)));
        let wait = Wait::begin(&self.shared);
        let is_so = poll(patience(), || (names_in(&self.path()) == expected).then_some(()));
        drop(wait);
        if is_so.is_none() {
            let found = listed(&names_in(&self.path()));
            self.shared.fail(Difference::fail(format!("the folder holds {found}")));
        }
    }

    /// Expects that the folder becomes empty.
    pub fn expect_nothing(&self) {
        self.expect_only(&[]);
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "no file".to_owned() } else { names.join(", ") }
}

/// In order. A name may vanish while we look: then it is none.
fn names_in(folder: &Path) -> Vec<String> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Vec::new(),
        Err(error) => panic!("cannot list {}: {error}", folder.display()),
    };
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn utf8(path: &Path) -> String {
    path.to_str().unwrap_or_else(|| panic!("{} is not UTF-8", path.display())).to_owned()
}
