//! The inbox: a folder in which an uploaded file appears whole or not at all.
//!
//! ```text
//! begin()  → .upload-x7Qk2a.part      bytes are written here, under a lock
//! publish  → fsync the file, rename it to `report.txt` unless that exists
//!            (then `report-1.txt`, `report-2.txt`, …): stored; fsync the folder
//! drop     → the .part file is removed: a failed upload leaves nothing
//! ```
//!
//! The rename is atomic (rename(2)): a look into the folder shows no file or the whole
//! file. A server that was killed cannot clean up, so the next one that opens the inbox removes
//! the `.part` files that nobody holds the lock of. Some file systems have no locks (NFS without
//! lockd) or no fsync for a folder (SMB, overlays). They store files all the same, so that refuses
//! no upload.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::ErrorKind as Kind;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tempfile::{NamedTempFile, PersistError};

use crate::system::files::explain_folder;
use crate::values::exit::Usage;
use crate::values::os_error::is_refused_call;

pub use crate::values::file_name::{BadName, FileName};

const PART_PREFIX: &str = ".upload-";
const PART_SUFFIX: &str = ".part";
/// A part this young may belong to a process that is about to lock it.
const PART_GRACE: Duration = Duration::from_secs(60);
/// How many files of one name an inbox takes, before it refuses the next.
const MAX_SAME_NAME: u32 = 10_000;

/// A folder for uploads. Clones are the same inbox.
#[derive(Clone, Debug)]
pub struct Inbox {
    folder: PathBuf,
    parts: Parts,
}

/// The `.part` files that there are at the moment.
type Parts = Arc<Mutex<HashSet<PathBuf>>>;

fn lock(parts: &Parts) -> MutexGuard<'_, HashSet<PathBuf>> {
    // A set of paths is valid whatever panicked while holding it.
    parts.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inbox {
    /// Opens a folder that exists, and removes the remains of servers that were killed in it.
    ///
    /// # Errors
    /// When `folder` is not a folder or cannot be listed.
    pub fn open(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        for entry in fs::read_dir(&folder)?.flatten() {
            if is_part(&entry.file_name()) {
                remove_if_abandoned(&entry.path());
            }
        }
        Ok(Self { folder, parts: Parts::default() })
    }

    /// As [`open`](Self::open), for a folder that was named on a command line.
    ///
    /// # Errors
    /// A [`Usage`] that names the folder and the reason.
    pub fn open_argument(folder: &Path) -> Result<Self, Usage> {
        Self::open(folder).map_err(|error| {
            let reason = explain_folder(folder, &error);
            let folder = folder.display();
            Usage(format!("cannot use {folder} as the folder for uploads: {reason}"))
        })
    }

    /// Starts an upload in a temporary file of the inbox.
    ///
    /// # Errors
    /// When no file can be created there: a read-only folder, no space, no descriptors.
    pub fn begin(&self) -> io::Result<Upload> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(PART_PREFIX).suffix(PART_SUFFIX);
        readable_by_others(&mut builder);
        let mut parts = lock(&self.parts);
        let file = builder.tempfile_in(&self.folder)?;
        parts.insert(file.path().to_owned());
        drop(parts);
        let part = Part { path: file.path().to_owned(), parts: Arc::clone(&self.parts) };
        // A wish: only the clean-up after a killed server looks at it, and it removes nothing that
        // it cannot lock. So an upload goes on where the file system has no locks.
        let _ = file.as_file().lock();
        Ok(Upload { file, folder: self.folder.clone(), _part: part })
    }

    /// Has Ctrl-C (and SIGTERM, where there is one) end the process at once, with code 130, and
    /// remove the `.part` files before: for a server that waits in ways which nobody can end.
    ///
    /// # Errors
    /// When the process has already installed a handler: call it once.
    pub fn end_on_ctrl_c(&self) -> io::Result<()> {
        let parts = Arc::clone(&self.parts);
        ctrlc::set_handler(move || {
            // Locked until the end: no upload can begin any more.
            let parts = lock(&parts);
            for part in &*parts {
                // It may have got its name this moment, and then it stays.
                let _ = fs::remove_file(part);
            }
            std::process::exit(130);
        })
        .map_err(io::Error::other)
    }
}

/// A `.part` file, as long as it is one.
#[derive(Debug)]
struct Part {
    path: PathBuf,
    parts: Parts,
}

impl Drop for Part {
    fn drop(&mut self) {
        lock(&self.parts).remove(&self.path);
    }
}

/// A file on its way into an [`Inbox`]. Write its bytes, then [`publish`](Self::publish); dropped
/// before that, it leaves nothing behind.
#[derive(Debug)]
pub struct Upload {
    file: NamedTempFile,
    folder: PathBuf,
    /// After `file`, as fields are dropped in their order.
    _part: Part,
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_file_mut().flush()
    }
}

impl Read for Upload {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.file.as_file_mut().read(bytes)
    }
}

/// What comes out of order is written where it belongs, and can be read again.
impl Seek for Upload {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.file.as_file_mut().seek(to)
    }
}

impl Upload {
    /// The temporary file itself, for system calls that want one.
    #[must_use]
    pub fn as_file(&self) -> &File {
        self.file.as_file()
    }

    /// Makes the file appear under `name`, or under the next free name if that exists, and
    /// returns the name it got. When this returns, the file outlives a power cut, as far as the file
    /// system can promise that.
    ///
    /// # Errors
    /// When the file is not there: it could not be written, or not be renamed. Once it is, nothing
    /// is an error.
    pub fn publish(self, name: &FileName) -> io::Result<FileName> {
        match self.file.as_file().sync_all() {
            // Not every file system has it (fsync(2)): then nobody can promise more.
            Err(error) if is_refused_call(&error) || error.kind() == Kind::InvalidInput => {}
            synced => synced?,
        }
        let mut file = self.file;
        for number in 0..MAX_SAME_NAME {
            let candidate = name.numbered(number);
            match rename(file, &self.folder.join(candidate.as_str())) {
                Ok(()) => {
                    // From here on the file is stored, and to say otherwise would be wrong.
                    sync_folder(&self.folder);
                    return Ok(candidate);
                }
                Err(failed) if failed.error.kind() == Kind::AlreadyExists => file = failed.file,
                Err(failed) => return Err(failed.error),
            }
        }
        Err(io::Error::new(Kind::AlreadyExists, format!("too many files named {name}")))
    }
}

/// Gives the file its name unless that exists. Linux has a call for it that a sandbox may refuse;
/// link(2) never overwrites either, and the old name is removed afterwards.
fn rename(file: NamedTempFile, path: &Path) -> Result<(), PersistError> {
    match file.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(failed) if is_refused_call(&failed.error) => match fs::hard_link(&failed.file, path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == Kind::AlreadyExists => {
                Err(PersistError { error, file: failed.file })
            }
            Err(_) => Err(failed),
        },
        Err(failed) => Err(failed),
    }
}

fn is_part(name: &OsStr) -> bool {
    name.to_str().is_some_and(|n| n.starts_with(PART_PREFIX) && n.ends_with(PART_SUFFIX))
}

/// Removes a part that nobody works on: its owner's lock went away with its process.
fn remove_if_abandoned(part: &Path) {
    let is_old = fs::metadata(part)
        .and_then(|meta| meta.modified())
        .is_ok_and(|time| time.elapsed().is_ok_and(|age| age > PART_GRACE));
    if is_old && File::open(part).is_ok_and(|file| file.try_lock().is_ok()) {
        // Another server may have removed it in the meantime; that is as good.
        let _ = fs::remove_file(part);
    }
}

/// A temporary file is private to its owner by default; an uploaded file has the usual rights.
#[cfg(unix)]
fn readable_by_others(builder: &mut tempfile::Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(fs::Permissions::from_mode(0o666));
}

#[cfg(not(unix))]
fn readable_by_others(_builder: &mut tempfile::Builder<'_, '_>) {}

/// A rename lives in the folder, and a folder is made durable like a file (fsync(2)).
/// Where the file system refuses that, only a power cut could still undo the rename.
#[cfg(unix)]
fn sync_folder(folder: &Path) {
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

/// Windows has no way to do this for a folder, and does not need it: NTFS logs the rename.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::time::SystemTime;

    fn names_in(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn an_upload_is_invisible_under_its_name_until_it_is_published() {
        let folder = tempfile::tempdir().unwrap();
        let mut upload = Inbox::open(folder.path()).unwrap().begin().unwrap();
        upload.write_all(b"whole").unwrap();
        assert!(names_in(folder.path()).iter().all(|name| is_part(name.as_ref())));
        upload.publish(&"a.txt".parse().unwrap()).unwrap();
        assert_eq!(names_in(folder.path()), ["a.txt"]);
        assert_eq!(fs::read(folder.path().join("a.txt")).unwrap(), b"whole");
    }

    #[test]
    fn a_dropped_upload_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut upload = Inbox::open(folder.path()).unwrap().begin().unwrap();
        upload.write_all(b"half").unwrap();
        drop(upload);
        assert_eq!(names_in(folder.path()), [""; 0]);
    }

    /// What Ctrl-C would remove.
    #[test]
    fn an_inbox_knows_its_parts_until_they_are_published_or_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let inbox = Inbox::open(folder.path()).unwrap();
        let (one, two) = (inbox.clone().begin().unwrap(), inbox.begin().unwrap());
        let mut known: Vec<_> = lock(&inbox.parts).iter().cloned().collect();
        known.sort();
        let there = names_in(folder.path()).into_iter().map(|name| folder.path().join(name));
        assert_eq!(known, there.collect::<Vec<_>>());
        one.publish(&"a.txt".parse().unwrap()).unwrap();
        drop(two);
        assert!(lock(&inbox.parts).is_empty());
    }

    #[rstest]
    #[case::with_extension("a.txt", ["a-1.txt", "a-2.txt", "a.txt"])]
    #[case::without("a", ["a", "a-1", "a-2"])]
    #[case::two_dots("a.tar.gz", ["a.tar-1.gz", "a.tar-2.gz", "a.tar.gz"])]
    fn an_existing_file_is_never_overwritten(#[case] name: &str, #[case] expected: [&str; 3]) {
        let folder = tempfile::tempdir().unwrap();
        let inbox = Inbox::open(folder.path()).unwrap();
        let name = name.parse().unwrap();
        for _ in 0..3 {
            inbox.begin().unwrap().publish(&name).unwrap();
        }
        assert_eq!(names_in(folder.path()), expected);
    }

    #[test]
    fn parts_of_dead_servers_are_removed_and_those_of_live_ones_kept() {
        let folder = tempfile::tempdir().unwrap();
        let long_ago = SystemTime::now() - 2 * PART_GRACE;
        let dead = folder.path().join(".upload-dead.part");
        File::create(&dead).unwrap().set_modified(long_ago).unwrap();
        let live = Inbox::open(folder.path()).unwrap().begin().unwrap();
        live.as_file().set_modified(long_ago).unwrap();
        Inbox::open(folder.path()).unwrap();
        assert!(!dead.exists());
        assert!(live.file.path().exists());
    }
}
