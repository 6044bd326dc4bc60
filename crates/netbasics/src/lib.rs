//! What the lessons share.
//!
//! A concept is spelled out in the lesson that teaches it; once taught, it moves here behind a
//! plain name and later lessons import it. The rooms:
//!
//! - [`address`] and [`port`]: what an address or a port number *means*. No sockets, no system
//!   calls, so this part also runs where there is no network (feature `net` off).
//! - [`escape`]: text of strangers, made harmless before a terminal or a log shows it.
//! - [`program`]: how every program of the course reports a failure and which code it exits with.
//! - The socket side (feature `net`): `socket` opens sockets the right way on each system,
//!   `ready` is the line a server prints when a client can connect, `pair` runs a server and a
//!   client in one process, `stop` ends a server cleanly, `log` prints what a program reports, with
//!   a label, `frame` cuts a byte stream into messages, `udp` answers UDP datagrams one at a
//!   time, `datagrams` moves many with few system calls, `sendfile` moves a file's bytes without a
//!   copy, `unix` has what is special about Unix-domain sockets, `wait` waits for a socket or the
//!   stop, and `socket_error` turns a system error into a sentence a student can act on.
//! - `inbox` (feature `files`): an uploaded file is published whole or not at all.

#[cfg(feature = "net")]
pub mod cli;
#[cfg(feature = "net")]
pub mod net;
#[cfg(feature = "net")]
pub mod system;
pub mod values;
