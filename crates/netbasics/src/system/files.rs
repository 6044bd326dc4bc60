//! Files that a person has named: opened without waiting, and nothing but a file or a pipe; and why
//! that fails, in plain words.
//!
//! A path may lead to anything. open(2) waits on a pipe until somebody opens its other end, and a
//! device may do something when it is opened, or never end (`/dev/zero`). So the system is asked what
//! is there before it is opened, and again afterwards, since it may have been replaced meanwhile.

use std::error::Error;
use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File, FileType, Metadata};
use std::io::ErrorKind as Kind;
use std::io::{self, Read, Seek};
use std::path::Path;

use crate::values::exit::Usage;
use crate::values::file_name::FileName;
use crate::values::os_error::plain;

/// Up to this length in bytes a file that takes no place on a disk is read to see whether it has the
/// length that it claims: a file of `/sys` claims a whole page and holds a word.
const CHECKED_BYTES: u64 = 64 * 1024;

/// Opens a file that was named on a command line, to send it; with its length in bytes, if that is
/// known beforehand. A pipe has none, and the files of `/proc` claim 0 and then hold something.
///
/// # Errors
/// A [`Usage`] that names the file and the reason.
pub fn open_to_send(path: &Path) -> Result<(File, Option<u64>), Usage> {
    open_readable(path).map_err(|why| Usage(format!("cannot send {}: {why}", path.display())))
}

/// The length of what [`open_to_send`] has opened, for a protocol that sends it first.
///
/// # Errors
/// A [`Usage`] that says what to do when the length is not known.
pub fn length_to_send(path: &Path, length: Option<u64>) -> Result<u64, Usage> {
    let path = path.display();
    let unknown =
        format!("cannot send {path}: nobody knows its length yet; copy it to a file first");
    length.ok_or(Usage(unknown))
}

/// What a file is called by those who receive it: `wanted`, or the last part of its path.
///
/// # Errors
/// A [`Usage`] when the path has no last part (`..`), or when it is no [`FileName`]: the server
/// would refuse it, but here the person hears of it before anything is sent.
pub fn name_to_send(path: &Path, wanted: Option<&str>) -> Result<String, Usage> {
    let own = path.file_name().and_then(OsStr::to_str);
    let name = wanted.or(own).ok_or_else(|| Usage(format!("give {} a --name", path.display())))?;
    name.parse::<FileName>()
        .map_err(|error| Usage(format!("cannot send it as {name:?}: {error}")))?;
    Ok(name.to_owned())
}

/// Opens a file or a pipe that was named on a command line; with its length in bytes, if that is
/// known beforehand.
///
/// # Errors
/// The reason, as a sentence to put behind the path.
pub fn open_readable(path: &Path) -> Result<(File, Option<u64>), OpenError> {
    let fails = OpenError::System;
    let kind = fs::metadata(path).map_err(fails)?.file_type();
    if !is_pipe(kind) {
        refuse_all_but_files(kind)?;
    }
    let file = without_waiting::open(path).map_err(fails)?;
    let about = file.metadata().map_err(fails)?;
    if is_pipe(about.file_type()) {
        without_waiting::check_for_a_writer(&file)?;
        without_waiting::wait_from_now_on(&file).map_err(fails)?;
        return Ok((file, None));
    }
    refuse_all_but_files(about.file_type())?;
    let length = known_length(&file).map_err(fails)?;
    // The files of a disk never wait, but one of /proc may (kmsg), and then it is to be waited for.
    let _ = without_waiting::wait_from_now_on(&file);
    Ok((file, length))
}

/// Opens a file, and nothing else: no pipe, no device, no folder. Never waits.
///
/// # Errors
/// `InvalidInput` if `path` is anything else; otherwise what the system says.
pub fn open_file(path: &Path) -> io::Result<File> {
    let wrong = |why: OpenError| io::Error::new(Kind::InvalidInput, why);
    refuse_all_but_files(fs::metadata(path)?.file_type()).map_err(wrong)?;
    let file = without_waiting::open(path)?;
    refuse_all_but_files(file.metadata()?.file_type()).map_err(wrong)?;
    let _ = without_waiting::wait_from_now_on(&file);
    Ok(file)
}

/// Why what is at a path was not opened to be read. It prints as a sentence to put behind the path.
#[derive(Debug)]
pub enum OpenError {
    /// It is a folder.
    Folder,
    /// It is something else that is no file, in words: `a device`.
    NotAFile(&'static str),
    /// It is a pipe into which no program writes.
    NoWriter,
    /// The system says no.
    System(io::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder => f.write_str("it is a folder; give one file"),
            Self::NotAFile(what) => {
                write!(f, "it is {what}, not a file; copy what you need from it to a file first")
            }
            Self::NoWriter => f.write_str("it is a pipe, and no program writes into it"),
            Self::System(error) => f.write_str(&explain_file(error)),
        }
    }
}

/// Without a source: what the system has said is part of the sentence already.
impl Error for OpenError {}

fn refuse_all_but_files(kind: FileType) -> Result<(), OpenError> {
    match what_else(kind) {
        _ if kind.is_file() => Ok(()),
        "a folder" => Err(OpenError::Folder),
        what => Err(OpenError::NotAFile(what)),
    }
}

/// The length of a file that stands at its beginning, if reading will find that many bytes. The files
/// of `/proc` and `/sys` are made while they are read, and claim some length or other.
///
/// # Errors
/// When the system does not tell.
pub fn known_length(file: &File) -> io::Result<Option<u64>> {
    let about = file.metadata()?;
    let length = about.len();
    let is_true = is_on_disk(&about) || length > CHECKED_BYTES || holds(file, length);
    Ok(is_true.then_some(length))
}

/// As [`explain_file`], for a folder that was named on a command line.
#[must_use]
pub fn explain_folder(folder: &Path, error: &io::Error) -> String {
    if error.kind() == Kind::NotFound {
        return format!("there is no such folder; create it first: mkdir {}", quoted(folder));
    }
    explain_file(error)
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    if text.contains(|c: char| !c.is_alphanumeric() && !"/\\.-_:".contains(c)) {
        format!("\"{text}\"")
    } else {
        text
    }
}

/// The reason behind the error of a file or a folder, in one line.
///
/// The same kind of error means something else here than on a socket: "permission denied" is
/// about an owner, not about a port.
#[must_use]
pub fn explain_file(error: &io::Error) -> String {
    let sentence = match error.kind() {
        Kind::NotFound => "there is no such file or folder",
        Kind::PermissionDenied => {
            "permission denied; it belongs to somebody else: look at its owner and rights"
        }
        Kind::StorageFull | Kind::QuotaExceeded => "no space left on the disk",
        Kind::ReadOnlyFilesystem => "the disk is read-only",
        Kind::NotADirectory => "it is not a folder",
        _ => return plain(error),
    };
    sentence.to_owned()
}

#[cfg(unix)]
fn is_on_disk(about: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::blocks(about) > 0
}

#[cfg(not(unix))]
fn is_on_disk(_about: &Metadata) -> bool {
    true
}

/// Whether a file holds `length` bytes and not one more. It is left at its beginning.
fn holds(mut file: &File, length: u64) -> bool {
    let held = io::copy(&mut file.take(length + 1), &mut io::sink());
    let rewound = file.rewind();
    held.is_ok_and(|held| held == length) && rewound.is_ok()
}

#[cfg(unix)]
fn is_pipe(kind: FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&kind)
}

#[cfg(not(unix))]
fn is_pipe(_kind: FileType) -> bool {
    false
}

/// What something is called that is no file.
fn what_else(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return "a pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
    }
    if kind.is_dir() { "a folder" } else { "something else" }
}

/// Opening with `O_NONBLOCK` (open(2)): a pipe without a writer opens at once.
#[cfg(unix)]
mod without_waiting {
    use std::fs::{File, OpenOptions};
    use std::io;
    use std::os::unix::fs::OpenOptionsExt;
    use std::path::Path;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    use rustix::io::ioctl_fionread;

    use super::OpenError;

    pub fn open(path: &Path) -> io::Result<File> {
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).map_err(io::Error::other)?;
        OpenOptions::new().read(true).custom_flags(flags).open(path)
    }

    pub fn wait_from_now_on(file: &File) -> io::Result<()> {
        Ok(fcntl_setfl(file, fcntl_getfl(file)? - OFlags::NONBLOCK)?)
    }

    /// A pipe that nobody writes into looks like an empty file, and must not be sent as one.
    pub fn check_for_a_writer(pipe: &File) -> Result<(), OpenError> {
        if ioctl_fionread(pipe).is_ok_and(|waiting| waiting > 0) || may_have_writer(pipe) {
            return Ok(());
        }
        Err(OpenError::NoWriter)
    }

    /// tee(2) copies what is in a pipe and leaves it there: 0 bytes mean that no writer is left.
    #[cfg(target_os = "linux")]
    fn may_have_writer(pipe: &File) -> bool {
        use rustix::pipe::{PipeFlags, SpliceFlags, pipe_with, tee};
        let Ok((_exit, entrance)) = pipe_with(PipeFlags::CLOEXEC) else { return true };
        !matches!(tee(pipe, &entrance, 1, SpliceFlags::NONBLOCK), Ok(0)) || is_hung_up(pipe)
    }

    #[cfg(not(target_os = "linux"))]
    fn may_have_writer(pipe: &File) -> bool {
        !is_hung_up(pipe)
    }

    /// Whether a pipe had a writer and has none any more (poll(2)).
    fn is_hung_up(pipe: &File) -> bool {
        let mut pipe = [PollFd::new(pipe, PollFlags::IN)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut pipe, Some(&now)).is_ok() && pipe[0].revents().contains(PollFlags::HUP)
    }
}

/// Elsewhere pipes have no place in the file system, and nothing waits to be opened.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "on Unix they may fail")]
mod without_waiting {
    use std::fs::File;
    use std::io;
    use std::path::Path;

    use super::OpenError;

    pub fn open(path: &Path) -> io::Result<File> {
        File::open(path)
    }

    pub fn wait_from_now_on(_file: &File) -> io::Result<()> {
        Ok(())
    }

    pub fn check_for_a_writer(_pipe: &File) -> Result<(), OpenError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::path::PathBuf;
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    const LIMIT: Duration = Duration::from_secs(60);

    /// Opens `path` on a thread of its own: an open that waits fails the test instead of hanging it.
    fn open(path: impl Into<PathBuf>) -> Result<(File, Option<u64>), OpenError> {
        let (tell, told) = mpsc::channel();
        let path = path.into();
        thread::spawn(move || tell.send(open_readable(&path)));
        told.recv_timeout(LIMIT).expect("it does not wait")
    }

    fn content(file: File) -> String {
        io::read_to_string(file).unwrap()
    }

    #[rstest]
    #[case::empty("")]
    #[case::short("hello")]
    #[case::longer_than_what_is_checked(&"0123456789abcdef".repeat(5_000))]
    fn a_file_is_opened_at_its_beginning_with_its_length(#[case] text: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, text).unwrap();
        let (file, length) = open(&path).unwrap();
        assert_eq!(length, Some(text.len() as u64));
        assert_eq!(content(file), text);
        assert_eq!(content(open_file(&path).unwrap()), text);
    }

    #[test]
    fn a_folder_is_called_one_on_every_system() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(open(folder.path()).unwrap_err().to_string(), "it is a folder; give one file");
        open_file(folder.path()).unwrap_err();
    }

    #[test]
    fn what_is_not_there_is_not_called_anything_else() {
        let folder = tempfile::tempdir().unwrap();
        let error = open(folder.path().join("nothing")).unwrap_err();
        assert_eq!(error.to_string(), "there is no such file or folder");
    }

    #[cfg(unix)]
    fn pipe(folder: &tempfile::TempDir) -> PathBuf {
        let path = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        path
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_without_a_writer_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = pipe(&folder);
        assert_eq!(
            open(&pipe).unwrap_err().to_string(),
            "it is a pipe, and no program writes into it"
        );
        let error = open_file(&pipe).unwrap_err();
        assert!(error.to_string().starts_with("it is a pipe, not a file"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_with_a_writer_is_read_to_its_end_and_has_no_length() {
        use std::io::Write;
        let folder = tempfile::tempdir().unwrap();
        let pipe = pipe(&folder);
        // Both ends in one, so that opening it waits for nobody.
        let mut writer = File::options().read(true).write(true).open(&pipe).unwrap();
        let (file, length) = open(&pipe).unwrap();
        assert_eq!(length, None);
        let reading = thread::spawn(|| content(file));
        writer.write_all(b"some bytes").unwrap();
        drop(writer);
        assert_eq!(reading.join().unwrap(), "some bytes");
    }

    #[cfg(unix)]
    #[test]
    fn a_socket_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert!(open(&path).unwrap_err().to_string().starts_with("it is a socket, not a file; "));
    }

    #[cfg(unix)]
    #[rstest]
    #[case("/dev/zero")]
    #[case("/dev/null")]
    #[case("/dev/tty")]
    fn a_device_is_refused_before_it_is_opened(#[case] path: &str) {
        assert!(open(path).unwrap_err().to_string().starts_with("it is a device, not a file; "));
    }

    #[cfg(target_os = "linux")]
    #[rstest]
    #[case::claims_to_be_empty("/proc/self/limits")]
    #[case::claims_a_page("/sys/class/net/lo/address")]
    fn a_file_that_is_made_while_it_is_read_has_no_known_length(#[case] path: &str) {
        let (file, length) = open(path).unwrap();
        assert_eq!(length, None);
        assert!(!content(file).is_empty());
    }

    #[test]
    fn a_files_error_says_whose_fault_it_is_and_nothing_of_ports() {
        let denied = explain_file(&io::ErrorKind::PermissionDenied.into());
        assert!(denied.contains("owner") && !denied.contains("port"), "{denied}");
        let unknown = explain_file(&io::Error::from_raw_os_error(5));
        assert!(!unknown.contains("os error"), "{unknown}");
    }
}
