//! What a lesson that moves files needs: a file to send, a folder to receive it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The size of the file: many segments, datagrams and reads long, and still sent in no time.
const FILE_BYTES: usize = 100_000;
const FILE_NAME: &str = "picture.bin";

/// A file and an empty folder, gone again when this is dropped.
pub struct Fixture {
    /// Owns the folder that both are in.
    _folder: TempDir,
    file: PathBuf,
    dir: PathBuf,
    content: Vec<u8>,
}

impl Fixture {
    /// Stands for the empty folder in the arguments of a program.
    pub const DIR: &str = "{dir}";
    /// Stands for the file.
    pub const FILE: &str = "{file}";

    /// Makes both, in a temporary folder.
    ///
    /// # Errors
    /// When there is no room for them, or no folder for temporary files.
    pub fn lay_out() -> io::Result<Self> {
        Self::with_file_of(FILE_BYTES)
    }

    /// As [`lay_out`](Self::lay_out), with a file of another size.
    ///
    /// # Errors
    /// As [`lay_out`](Self::lay_out).
    pub fn with_file_of(bytes: usize) -> io::Result<Self> {
        let cannot = |what: String| move |error: io::Error| because(&what, &error);
        let folder = tempfile::tempdir().map_err(cannot("make a temporary folder".to_owned()))?;
        let (file, dir) = (folder.path().join(FILE_NAME), folder.path().join("received"));
        let content = random_looking_bytes(bytes);
        fs::create_dir(&dir).map_err(cannot(format!("make {}", dir.display())))?;
        fs::write(&file, &content).map_err(cannot(format!("write {}", file.display())))?;
        Ok(Self { _folder: folder, file, dir, content })
    }

    /// The arguments with both names filled in.
    #[must_use]
    pub fn fill(&self, arguments: &[String]) -> Vec<String> {
        let (dir, file) = (self.dir.display().to_string(), self.file.display().to_string());
        let words = arguments.iter();
        words.map(|word| word.replace(Self::DIR, &dir).replace(Self::FILE, &file)).collect()
    }

    /// Looks for the file's content in the folder, whatever its name is there.
    ///
    /// # Errors
    /// When it is not there; the error lists what is.
    pub fn arrived(&self) -> io::Result<String> {
        let mut others = Vec::new();
        for path in files(&self.dir)? {
            let content = fs::read(&path)
                .map_err(|error| because(&format!("read {}", path.display()), &error))?;
            if content == self.content {
                return Ok(format!("{FILE_NAME} arrived whole: 100,000 bytes, identical"));
            }
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            others.push(format!("{name} ({} bytes)", content.len()));
        }
        let found = if others.is_empty() { "nothing".to_owned() } else { others.join(", ") };
        Err(io::Error::other(format!(
            "{FILE_NAME} (100,000 bytes) did not arrive whole; the server's folder holds {found}"
        )))
    }
}

/// The same error, with what could not be done.
fn because(what: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {what}: {error}"))
}

fn files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let cannot_list = |error: io::Error| because(&format!("list {}", dir.display()), &error);
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).map_err(cannot_list)? {
        let path = entry.map_err(cannot_list)?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The same bytes every time, without a pattern that could hide a swapped or repeated part: the
/// high byte of a linear congruential generator (constants of Knuth's MMIX).
#[must_use]
pub fn random_looking_bytes(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_file_is_found_under_any_name() {
        let fixture = Fixture::lay_out().unwrap();
        fs::copy(&fixture.file, fixture.dir.join("picture-1.bin")).unwrap();
        let said = fixture.arrived().unwrap();
        assert_eq!(said, "picture.bin arrived whole: 100,000 bytes, identical");
    }

    #[test]
    fn a_damaged_file_has_not_arrived() {
        let fixture = Fixture::lay_out().unwrap();
        let mut damaged = fixture.content.clone();
        damaged[99_999] ^= 1;
        fs::write(fixture.dir.join(FILE_NAME), damaged).unwrap();
        let error = fixture.arrived().unwrap_err().to_string();
        assert!(error.contains("picture.bin (100000 bytes)"), "{error}");
    }

    #[test]
    fn an_empty_folder_is_called_empty() {
        let error = Fixture::lay_out().unwrap().arrived().unwrap_err().to_string();
        assert!(error.contains("holds nothing"), "{error}");
    }

    #[test]
    fn no_part_of_the_file_repeats_a_kilobyte_later() {
        let bytes = random_looking_bytes(FILE_BYTES);
        assert_eq!(bytes.len(), FILE_BYTES);
        assert!((1..90).all(|k| bytes[..1024] != bytes[k * 1024..][..1024]));
    }
}
