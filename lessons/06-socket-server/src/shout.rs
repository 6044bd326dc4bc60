//! The handler of this lesson. It knows nothing of sockets, threads or files.

use std::thread;
use std::time::Duration;

use crate::framework::{Handler, Peer};

// listing: begin shout
/// Answers in capital letters, as the handler in the manual of Python's `socketserver` does.
#[derive(Default)]
pub struct Shout {
    /// How long an answer takes, as if there were much to do.
    pub work: Duration,
    /// A message that this handler cannot cope with.
    pub bug: Option<String>,
}

impl Handler for Shout {
    fn answer(&self, message: &[u8], _peer: &Peer) -> Vec<u8> {
        thread::sleep(self.work);
        let is_bug = self.bug.as_ref().is_some_and(|bug| bug.as_bytes() == message);
        assert!(!is_bug, "this is the bug that --bug asks for");
        message.to_ascii_uppercase()
    }
}
// listing: end shout
