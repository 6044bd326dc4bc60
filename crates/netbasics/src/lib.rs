//! What the lessons share, in four storeys.
//!
//! A concept is spelled out in the lesson that teaches it; once taught, it stands here behind a plain
//! name, and later lessons import it. Each storey has a feature of its name, which turns on those
//! beneath it:
//!
//! ```text
//! cli      program, log, ready, pair, serve             talks to a person; no other storey prints
//! net      socket, socket_error, frame, udp, unix       sockets and the messages on them
//! system   waker, stop, wait, datagrams, sendfile,      what the standard library does not ask of
//!          files, inbox                                 the operating system
//! values   address, port, file_name, escape, exit,      what things mean: no sockets, no system
//!          os_error                                     calls; always there
//! ```
//!
//! A storey never imports one above it, and no two modules need each other; a test of `xtask`
//! (`storeys`) reads every `crate::` of the code. (Unit tests may look up: they are no part of the
//! library.) `system` lies below `net`, as waiting for a socket and ending a server need no network.
//!
//! Lessons import all of it by the same path, `netbasics::STOREY::MODULE`. The modules that only some
//! of them use are those of the lessons that teach them:
//!
//! | module | taught by | used by |
//! | --- | --- | --- |
//! | `values::address`, `values::port` | lesson 1 | 9; `port` by all |
//! | `net::socket`, `system::stop`, `cli::ready`, `cli::serve` | lesson 2 | all that follow |
//! | `system::wait`: a read or a write that a stop ends | lesson 2 | TCP servers |
//! | `net::frame` | lesson 2 (lines), lesson 3 (lengths) | 6, 7, 9 |
//! | `system::inbox`: the receiver's folder | lesson 3 | 5 |
//! | `system::files`: what a person has named, such as a file to send | lesson 3 | 5, 8 |
//! | `system::sendfile` | lesson 3 | |
//! | `net::udp` | lesson 4 | 5, 6, 10 |
//! | `system::datagrams` | lesson 5 | |
//! | `net::unix` | lesson 6 | |
//!
//! The book's address explorer is compiled without features: it has `values` and nothing else.

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "net")]
pub mod net;
#[cfg(feature = "system")]
pub mod system;
pub mod values;
