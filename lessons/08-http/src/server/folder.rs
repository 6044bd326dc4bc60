//! The folder that is served, and how no path leads out of it.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use netbasics::cli::log;
use netbasics::cli::program::{Usage, plain};
use netbasics::system::files::{explain_folder, known_length, open_file};

use super::target::{NO_SUCH_FILE, is_plain_name};
use crate::http::head::Fault;

/// What a folder shows of itself. We list no folders: what nobody links to stays unseen.
const INDEX: &str = "index.html";

pub struct Folder {
    /// Its path without symbolic links.
    root: PathBuf,
}

pub enum Found {
    File {
        file: File,
        name: PathBuf,
    },
    /// A folder that was asked for without the '/' at its end.
    Folder,
}

impl Folder {
    /// # Errors
    /// [`Usage`] when it is no folder.
    pub fn open(dir: &Path) -> Result<Self, Usage> {
        let shown = dir.display();
        match fs::canonicalize(dir) {
            Ok(root) if root.is_dir() => Ok(Self { root }),
            Ok(_) => Err(Usage(format!("--dir {shown} is not a folder"))),
            Err(error) => {
                let reason = explain_folder(dir, &error);
                Err(Usage(format!("cannot open --dir {shown}: {reason}")))
            }
        }
    }

    // listing: begin find
    /// Opens the file at `place`, or the index of the folder there.
    ///
    /// `place` holds plain names only, but a plain name may be a symbolic link that leads anywhere.
    /// So the system is asked where the path really ends, and that must be below our folder, and
    /// there not behind a name that we would not have taken. (Somebody who can write into the
    /// folder can still swap a file for a link between the question and the opening. On Linux
    /// openat2(2) with `RESOLVE_BENEATH` closes that gap.)
    pub fn find(&self, place: &Path, as_folder: bool) -> Result<Found, Fault> {
        let mut path = self.real(&self.root.join(place))?;
        if path.is_dir() {
            if !as_folder {
                return Ok(Found::Folder);
            }
            path = self.real(&path.join(INDEX))?;
        } else if as_folder && !place.as_os_str().is_empty() {
            return Err(NO_SUCH_FILE);
        }
        // A file, and not a pipe or a device, on which an open could wait forever.
        let file = open_file(&path).map_err(|error| cannot_open(&path, &error))?;
        // The answer's head promises a length, and a file of /proc has none before it is read.
        if !matches!(known_length(&file), Ok(Some(_))) {
            let unknown = io::Error::new(ErrorKind::InvalidInput, "nobody knows its length yet");
            return Err(cannot_open(&path, &unknown));
        }
        Ok(Found::File { file, name: path })
    }

    /// Where `path` ends, without symbolic links, if that is a place of ours.
    fn real(&self, path: &Path) -> Result<PathBuf, Fault> {
        let real = fs::canonicalize(path).map_err(|_| NO_SUCH_FILE)?;
        let inside = real.strip_prefix(&self.root).map_err(|_| NO_SUCH_FILE)?;
        let mut names = inside.iter().map(|name| name.to_str());
        if names.all(|name| name.is_some_and(is_plain_name)) { Ok(real) } else { Err(NO_SUCH_FILE) }
    }
    // listing: end find
}

/// The client learns no more than that there is nothing for it; we say the reason here.
fn cannot_open(path: &Path, error: &io::Error) -> Fault {
    log!("cannot open {}: {}", path.display(), plain(error));
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::InvalidInput => NO_SUCH_FILE,
        _ => Fault { status: 500, why: "the file cannot be opened just now" },
    }
}
