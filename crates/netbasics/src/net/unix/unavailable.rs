//! Where there are no Unix-domain sockets: the same names, and a sentence that says what to do.

use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use socket2::{SockAddr, Socket, Type};

/// There is none on this system.
#[derive(Debug)]
pub struct SocketFile(Infallible);

/// There is none on this system.
#[derive(Debug)]
pub struct Mailbox(Infallible);

fn unavailable<T>() -> io::Result<T> {
    Err(io::Error::other(
        "this system offers no Unix-domain sockets; Windows has the stream kind, but not in Rust's \
         standard library, and the datagram kind not at all: use --kind tcp or --kind udp",
    ))
}

impl SocketFile {
    /// Says that there are no such sockets here.
    pub fn claim(_path: &Path, _kind: Type) -> io::Result<Self> {
        unavailable()
    }

    /// Nobody can get here.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self.0 {}
    }

    /// Nobody can get here.
    pub fn remove(&self) {
        match self.0 {}
    }

    /// Nobody can get here.
    pub fn bind(&mut self, _socket: &Socket) -> io::Result<()> {
        match self.0 {}
    }
}

impl Mailbox {
    /// Says that there are no such sockets here.
    pub fn new(_socket: Socket) -> io::Result<Self> {
        unavailable()
    }

    /// Says that there are no such sockets here.
    pub fn temporary(_folder: &Path) -> io::Result<(Self, SocketFile)> {
        unavailable()
    }

    /// Nobody can get here.
    pub fn receive_from(&self, _buffer: &mut [u8]) -> io::Result<(usize, Option<PathBuf>)> {
        match self.0 {}
    }

    /// Nobody can get here.
    pub fn send_to(&self, _datagram: &[u8], _path: &Path) -> io::Result<()> {
        match self.0 {}
    }

    /// Nobody can get here.
    pub fn set_time_limits(&self, _receive: Duration, _send: Duration) -> io::Result<()> {
        match self.0 {}
    }
}

/// Says that there are no such sockets here.
pub fn connect(_path: &Path, _kind: Type, _limit: Duration) -> io::Result<Socket> {
    unavailable()
}

/// No address here is a path.
#[must_use]
pub fn peer_path(_address: &SockAddr) -> Option<PathBuf> {
    None
}

/// Says that there are no such sockets here.
pub fn private_folder(_name: &str) -> io::Result<PathBuf> {
    unavailable()
}

/// Says that there are no such sockets here.
pub fn who_may_connect(_path: &Path) -> io::Result<String> {
    unavailable()
}
