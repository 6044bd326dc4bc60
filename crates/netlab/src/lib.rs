//! The laboratory: it starts two programs and stands between them.
//!
//! - [`program`] starts any program that keeps the course's contract, waits for its readiness
//!   line with a deadline, and leaves nothing of it alive.
//! - [`port`] finds free ports and sees whether one is taken; [`filtered`] is a port that does not
//!   answer.
//! - [`relay`] is what a client connects to in place of the server. It shapes, breaks and
//!   remembers what passes, as [`conditions`] say; [`faults`] are drawn by a seed, so that a run
//!   can be had again.
//! - [`record`] is what a relay tells of a run, [`transcript`] writes it down as text, [`diagram`]
//!   draws it, and [`pcapng`] writes the capture that Wireshark opens.
//! - [`hostile`] is text that plays with a terminal, for tests of what shows it.
//! - [`rounds`] says how much of the same a test does.
//! - `options` (feature of that name) reads conditions from a command line.
//! - `peers` (feature of that name) runs tests against programs that nobody here wrote.
//! - `timed` (feature of that name) measures how long a program runs and how much memory it needs.
//!
//! Nothing here knows a lesson: a program is a command line and a socket, in any language.

pub mod conditions;
pub mod diagram;
mod fates;
pub mod faults;
pub mod filtered;
pub mod hostile;
#[cfg(feature = "options")]
pub mod options;
pub mod payload;
pub mod pcapng;
#[cfg(feature = "peers")]
pub mod peers;
pub mod port;
pub mod program;
pub mod record;
pub mod relay;
pub mod rounds;
pub mod shape;
#[cfg(feature = "timed")]
pub mod timed;
pub mod transcript;
