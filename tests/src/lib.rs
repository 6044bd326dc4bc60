//! What the graded tests are written with.
//!
//! A graded test is an ordinary Rust test that meets the submission as a program on a socket. It
//! reads as a list of steps:
//!
//! ```no_run
//! use graded::Case;
//!
//! let case = Case::of("02", "answer");
//! let server = case.serve();
//! let mut client = case.connect(server);
//! client.send(b"hello");
//! client.half_close();
//! client.expect_last_words("你好, 5 bytes\n".as_bytes());
//! ```
//!
//! The program may also be the client, and the test the server that makes its life hard:
//!
//! ```no_run
//! use graded::Case;
//!
//! let case = Case::of("03", "send");
//! let folder = case.folder();
//! let file = folder.file("letter.txt", &case.random_bytes(300_000));
//! let host = case.listen_with_buffer(4096);
//! let running = case.start_client(host.address(), &[&file]);
//! let client = host.accept();
//! client.reset();
//! running.expect_exit(1);
//! ```
//!
//! - Over TCP, [`Case::connect`] and [`Host::accept`] give the same thing, a [`Client`]: the test's
//!   end of a connection. Over UDP, a [`Sender`] talks with a server and a [`UdpHost`] with clients.
//! - [`Case::network`] puts delay, loss and faults in front of any server.
//! - [`Case::reserve`] is an address that refuses, [`Case::filtered`] one that does not answer;
//!   both may answer later. [`Case::has_ipv6`] says whether there is a second family to speak of.
//! - [`Case::folder`] is where a program may write; what it writes elsewhere fails the case.
//! - [`Case::peak_memory`], [`Case::descriptors`] and [`Case::threads`] are what a server needs.
//! - [`Case::expect_server_exit`] and [`Case::expect_refused`] are for a server that ends by
//!   itself.
//! - No test says how long it waits: every single wait has the limit [`Case::patience`]. Only for
//!   *silence* a test names a time, a short one, as a correct program is silent on any machine.
//! - Both are kept in time in which the test itself runs: a pause of the machine decides nothing. What a
//!   test waits for in its own way has a [`Case::deadline`].
//! - A program that is told a time limit runs by its own clock. [`Case::tells_to_wait`] says that
//!   it is to let this time pass, [`Case::must_act_within`] that the test has to act before.
//!
//! A [`Case`] notes every step and everything the wire carries. An expectation that is not met
//! panics with the whole report. Under the grader the report also becomes the outcome; any other
//! panic is the test's own mistake and becomes a grader-error.
//!
//! Which program is examined: `PROGRAM="python3 my.py"`, else `SUBMISSION=solution` (the default),
//! `exercise`, or a folder of executables. `{port}` and `{addr}` in a program's command line are
//! replaced by the port and the address it is to use, for programs that know no `--addr`. Payloads follow from `SEED`.

mod artifacts;
mod bytes;
mod case;
mod client;
mod disturbed;
mod end;
mod exit;
mod folder;
mod host;
mod patience;
mod places;
mod program;
mod random;
mod running;
mod sender;
mod shared;
mod step_log;
#[cfg(test)]
mod trials;
mod udp_host;
mod wire;

pub use bytes::mebibytes;
pub use case::{Case, Output};
pub use client::Client;
pub use folder::Folder;
pub use host::{Host, Reserved};
pub use patience::{Deadline, Timed};
pub use program::command_line;
pub use running::Running;
pub use sender::Sender;
pub use step_log::Difference;
pub use udp_host::UdpHost;
