//! Unix-domain sockets: sockets whose address is a file (unix(7)).
//!
//! What can be said with them is what can be said with TCP (the stream kind) and UDP (the datagram
//! kind), and the system calls are the same. What is special is the file:
//!
//! - It stays when its server is killed, and then nobody can bind that path until it is removed.
//!   [`SocketFile`] tells a dead server's file from a living one's.
//! - Its path has at most [`MAX_PATH_BYTES`].
//! - Who may connect is a matter of file permissions: [`who_may_connect`], [`private_folder`].
//! - A client has an address only if it binds one: [`Mailbox::temporary`]. A stream needs none; to
//!   a datagram without one nobody can answer.
//!
//! Windows 10 has the stream kind, but the standard library does not offer it, and the datagram
//! kind does not exist there at all. Where there are no such sockets ([`AVAILABLE`]) every function
//! that would open one says so.

mod length;
#[cfg(unix)]
#[path = "unix/available.rs"]
mod system;
#[cfg(not(unix))]
#[path = "unix/unavailable.rs"]
mod system;
#[cfg(all(test, unix))]
mod tests;

use std::path::Path;

pub use length::MAX_PATH_BYTES;
pub use system::{Mailbox, SocketFile, connect, peer_path, private_folder, who_may_connect};

/// Whether this system has these sockets, as far as we can reach them.
pub const AVAILABLE: bool = cfg!(unix);

/// How a path is written where otherwise `HOST:PORT` stands: `unix:PATH`.
#[must_use]
pub fn address(path: &Path) -> String {
    format!("unix:{}", path.display())
}
