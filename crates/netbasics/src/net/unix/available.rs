//! Unix-domain sockets where they are at home.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Metadata, TryLockError};
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::io::Errno;
use socket2::{Domain, SockAddr, Socket, Type};

use super::length::MAX_PATH_BYTES;
use crate::values::os_error::plain;

/// How often a lock file may vanish between our open and our look before we give up.
const MAX_TRIES: usize = 100;

/// A path that is ours: no other server of this course binds it as long as this lives. Dropping it
/// removes the socket file, if that is still the one we have bound.
///
/// Drop it before the socket is closed: as long as the socket is open, the file's inode number
/// cannot be given to another file, and so it tells ours from any other.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    bound: Option<Identity>,
    lock_path: PathBuf,
    lock: File,
}

/// What makes a file this file, whatever its name is: its device and inode number (stat(2)).
type Identity = (u64, u64);

impl SocketFile {
    // listing: begin claim
    /// Makes `path` free to be bound by a socket of this `kind`, and keeps other servers off it.
    ///
    /// A socket file stays when its server is killed. So: the process that holds the lock beside
    /// the file is the server of this path. The system takes a lock back when its process ends,
    /// however that ends, and so what we find at the path when we have got the lock is no living
    /// server's of ours. It may be another program's, which knows nothing of our lock: a connect
    /// finds out.
    ///
    /// # Errors
    /// A sentence with a way out, when a server lives there, when the file is no socket, and when
    /// the path cannot be a socket's.
    pub fn claim(path: &Path, kind: Type) -> io::Result<Self> {
        check_length(path)?;
        // Before we make anything beside it, and once more when we have the lock.
        refuse_other_files(path)?;
        let mut lock_path = OsString::from(path);
        lock_path.push(".lock");
        let lock_path = PathBuf::from(lock_path);
        let lock = lock(&lock_path)?;
        let claimed = Self { path: path.to_owned(), bound: None, lock_path, lock };
        if refuse_other_files(path)? == Found::Socket {
            if !is_dead(path, kind)? {
                return Err(in_use());
            }
            fs::remove_file(path)?;
        }
        Ok(claimed)
    }
    // listing: end claim

    /// Binds `socket` to the path, which makes the socket file: bind(2).
    ///
    /// # Errors
    /// When the path is taken after all, or the folder does not let us make a file.
    pub fn bind(&mut self, socket: &Socket) -> io::Result<()> {
        socket.bind(&SockAddr::unix(&self.path)?).map_err(|error| explain(&error, &self.path))?;
        self.bound = Some(identity(&fs::symlink_metadata(&self.path)?));
        Ok(())
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    // listing: begin remove
    /// Removes the file now, if it is still the one we have bound; and then the lock's.
    pub fn remove(&self) {
        remove_own(&self.path, self.bound);
        // While we still hold the lock: a process that opens the file before this and locks it
        // after this sees that it is not there any more, and begins again.
        remove_own(&self.lock_path, self.lock.metadata().ok().map(|file| identity(&file)));
    }
    // listing: end remove
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        self.remove();
    }
}

fn remove_own(path: &Path, own: Option<Identity>) {
    let found = fs::symlink_metadata(path).ok().map(|file| identity(&file));
    if found.is_some() && found == own {
        // Somebody may have removed it this moment; that is as good.
        let _ = fs::remove_file(path);
    }
}

// listing: begin lock
/// Locks the file at `path` for as long as the returned handle lives: flock(2).
fn lock(path: &Path) -> io::Result<File> {
    for _ in 0..MAX_TRIES {
        let file = File::options().create(true).truncate(false).write(true).open(path);
        let file = file.map_err(|error| explain(&error, path))?;
        match file.try_lock() {
            // We shall remove it at the end, so it must be one of ours, and those are empty.
            Ok(()) if file.metadata()?.len() > 0 => return Err(no_lock(path)),
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use()),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // Its last owner may have removed the file after we had opened it. Then we hold the lock of
        // a file that nobody else will ever find.
        let ours = identity(&file.metadata()?);
        if fs::symlink_metadata(path).is_ok_and(|found| identity(&found) == ours) {
            return Ok(file);
        }
    }
    Err(in_use())
}
// listing: end lock

/// What there is at a path that a server wants.
#[derive(PartialEq)]
enum Found {
    Nothing,
    Socket,
}

fn refuse_other_files(path: &Path) -> io::Result<Found> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Found::Nothing),
        Err(error) => Err(explain(&error, path)),
        Ok(file) if file.file_type().is_socket() => Ok(Found::Socket),
        Ok(_) => Err(io::Error::other(
            "there is a file of that name that is no socket, and it stays: try another --path",
        )),
    }
}

// listing: begin dead
/// Whether no socket is bound to the file any more.
///
/// Only "connection refused" says so. A queue that is full, a socket of another kind, a file that
/// we may not write to: there somebody may be alive. A stream server gets one connection out of
/// this that ends at once. (BSDs also refuse if the queue is full; for servers of ours the lock
/// has decided before.)
fn is_dead(path: &Path, kind: Type) -> io::Result<bool> {
    let socket = Socket::new(Domain::UNIX, kind, None)?;
    socket.set_nonblocking(true)?;
    let connected = socket.connect(&SockAddr::unix(path)?);
    Ok(connected.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused))
}
// listing: end dead

fn identity(file: &Metadata) -> Identity {
    (file.dev(), file.ino())
}

fn in_use() -> io::Error {
    io::Error::other("a server is alive there: end it, or try another --path")
}

fn no_lock(path: &Path) -> io::Error {
    let path = path.display();
    io::Error::other(format!("{path} is no lock of a server, and it stays: try another --path"))
}

fn check_length(path: &Path) -> io::Result<()> {
    let length = path.as_os_str().as_bytes().len();
    if length <= MAX_PATH_BYTES {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "the path has {length} bytes, and the address of a socket has room for {MAX_PATH_BYTES} \
         on this system: try a shorter --path"
    )))
}

/// A socket connected to the one at `path`, after at most `limit`: socket(2), connect(2). A datagram
/// socket that is connected has noted whom to send to, no more.
///
/// # Errors
/// A sentence with a way out.
pub fn connect(path: &Path, kind: Type, limit: Duration) -> io::Result<Socket> {
    check_length(path)?;
    let socket = Socket::new(Domain::UNIX, kind, None)?;
    // A connect to a server whose queue is full waits, and for so long (SO_SNDTIMEO, socket(7)).
    socket.set_write_timeout(Some(limit))?;
    let address = SockAddr::unix(path)?;
    uninterrupted(|| socket.connect(&address)).map_err(|error| explain(&error, path))?;
    Ok(socket)
}

/// Waits again, with the whole limit, whenever a signal came first: even Ctrl-Z and `fg` end a call
/// that has a time limit (signal(7), EINTR).
fn uninterrupted<T>(mut wait: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match wait() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            ended => return ended,
        }
    }
}

/// The reason and a way out, where the words for ports and addresses would lead astray.
fn explain(error: &io::Error, path: &Path) -> io::Error {
    let is_socket = || fs::metadata(path).is_ok_and(|file| file.file_type().is_socket());
    let sentence = match error.kind() {
        ErrorKind::NotFound if path.parent().is_some_and(is_missing) => {
            "its folder does not exist: make it, or check --path"
        }
        ErrorKind::NotFound => {
            "there is no such file, so no server listens there: start the server first, or check \
             --path"
        }
        ErrorKind::ConnectionRefused if !is_socket() => "that file is no socket: check --path",
        ErrorKind::ConnectionRefused => {
            "connection refused; the file is there, but its server is gone: start the server, which \
             replaces it"
        }
        ErrorKind::PermissionDenied => {
            "permission denied; the modes of the folder and of the file say who may connect: see \
             ls -ld"
        }
        ErrorKind::AddrInUse => return in_use(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            "timed out; somebody is alive there, but the queue is full and nothing is taken from it"
        }
        _ if Errno::from_io_error(error) == Some(Errno::PROTOTYPE) => {
            "the socket there is of the other kind: try --kind unix for a stream, or --kind \
             unix-datagram"
        }
        _ => return io::Error::other(plain(error)),
    };
    io::Error::other(sentence)
}

fn is_missing(folder: &Path) -> bool {
    !folder.as_os_str().is_empty() && !folder.exists()
}

/// The path of a socket's address; `None` for an address without one: a client that did not bind.
#[must_use]
pub fn peer_path(address: &SockAddr) -> Option<PathBuf> {
    address.as_pathname().map(Path::to_owned)
}

/// A datagram socket. Datagrams between Unix sockets are not lost: the sender waits until there is
/// room (unix(7)).
#[derive(Debug)]
pub struct Mailbox(UnixDatagram);

impl Mailbox {
    /// The socket as one that tells who sent a datagram.
    pub fn new(socket: Socket) -> io::Result<Self> {
        Ok(Self(OwnedFd::from(socket).into()))
    }

    /// A socket with an address that nobody else has, a new file in `folder`: bind(2). The file
    /// goes when the [`SocketFile`] does.
    pub fn temporary(folder: &Path) -> io::Result<(Self, SocketFile)> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("client-{}-{number}", process::id()));
        let mut file = SocketFile::claim(&path, Type::DGRAM)?;
        let socket = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
        file.bind(&socket)?;
        Ok((Self::new(socket)?, file))
    }

    /// Receives one datagram and tells its sender's path, if it has one: recvfrom(2).
    pub fn receive_from(&self, buffer: &mut [u8]) -> io::Result<(usize, Option<PathBuf>)> {
        let (length, sender) = self.0.recv_from(buffer)?;
        Ok((length, sender.as_pathname().map(Path::to_owned)))
    }

    /// Sends one datagram to the socket at `path`: sendto(2).
    ///
    /// # Errors
    /// A sentence with a way out.
    pub fn send_to(&self, datagram: &[u8], path: &Path) -> io::Result<()> {
        check_length(path)?;
        let sent = uninterrupted(|| self.0.send_to(datagram, path));
        sent.map(drop).map_err(|error| explain(&error, path))
    }

    /// How long to wait for a datagram, and until the other side has room for ours: `SO_RCVTIMEO`
    /// and `SO_SNDTIMEO` of socket(7).
    pub fn set_time_limits(&self, receive: Duration, send: Duration) -> io::Result<()> {
        self.0.set_read_timeout(Some(receive))?;
        self.0.set_write_timeout(Some(send))
    }
}

/// A folder of the system's temporary folder that only this user can enter (mode 700): `NAME-UID`,
/// made if it is not there.
///
/// # Errors
/// When somebody else was there first: in a folder where everybody may make files, anybody can make
/// one of this name and wait for us to trust it.
pub fn private_folder(name: &str) -> io::Result<PathBuf> {
    let user = rustix::process::getuid().as_raw();
    let folder = std::env::temp_dir().join(format!("{name}-{user}"));
    match DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let found = fs::symlink_metadata(&folder)?;
    if found.is_dir() && found.uid() == user && found.mode() & 0o777 == 0o700 {
        return Ok(folder);
    }
    let folder = folder.display();
    Err(io::Error::other(format!(
        "{folder} is not a folder that only you can enter: remove it, or try another --path"
    )))
}

// listing: begin who
/// Who may connect to the socket at `path`, in words.
///
/// The way to it leads through the folder (`x` of its mode), and on Linux a connect also needs to
/// be allowed to write to the file (`w`). Some older systems look at the folder only, so that is
/// what to rely on (unix(7), "Pathname socket ownership and permissions").
pub fn who_may_connect(path: &Path) -> io::Result<String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = fs::metadata(folder.unwrap_or(Path::new(".")))?.mode() & 0o777;
    let file = fs::metadata(path)?.mode() & 0o777;
    // The `x` of three classes, shifted to where the `w` stands.
    let who = match (folder << 1) & file & 0o022 {
        0o022 => "every user of this machine",
        0o020 => "its owner and its group",
        0o002 => "its owner and those who are not in its group",
        _ => "its owner only",
    };
    Ok(format!("{who} (mode of the folder: {folder:03o}, of the file: {file:03o})"))
}
// listing: end who
