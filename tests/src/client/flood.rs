//! A peer that sends and does not read.

use std::io::{ErrorKind, Write};
use std::thread;
use std::time::Duration;

use grader::punctuality::Limit;

use super::{Client, is_timeout};
use crate::bytes::brief;
use crate::patience::{Wait, patience};
use crate::step_log::Difference;

/// How much is sent at once, in bytes.
const AT_ONCE: usize = 64 * 1024;
/// A connection on which nothing is taken for so long is stuck. On a very slow machine one may look
/// stuck that is not: then less is sent, and a program is judged less strictly, never unjustly.
const STUCK: Duration = Duration::from_millis(300);

impl Client {
    /// Sends as much of `bytes` as is taken while nothing is read: until all of it is sent, the
    /// connection has ended, or nothing moves any more. How many bytes that were.
    ///
    /// # Panics
    /// When the system refuses a time limit; that is no failure of the program.
    pub fn send_until_stuck(&mut self, bytes: &[u8]) -> usize {
        self.step(format!("reads nothing and sends as much as is taken of {}", brief(bytes)));
        self.limit_sending(STUCK);
        let mut taken = 0;
        let mut stuck = Limit::begin(STUCK);
        while taken < bytes.len() {
            let piece = &bytes[taken..bytes.len().min(taken + AT_ONCE)];
            match self.stream.write(piece) {
                Ok(length) => {
                    self.note_payload(self.out, &piece[..length]);
                    taken += length;
                    stuck = Limit::begin(STUCK);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // The test was not there to see it move.
                Err(error) if is_timeout(&error) && stuck.left().is_some() => {}
                Err(_) => break,
            }
        }
        self.limit_sending(patience());
        taken
    }

    /// Sends `piece` again and again, with a `pause` after each, and expects that the program has
    /// heard enough of it and ends the connection, be it with a close or a reset.
    pub fn send_until_gone(&mut self, piece: &[u8], pause: Duration) {
        self.step(format!("sends, every {pause:?} and until it is alone, {}", brief(piece)));
        let shared = self.shared.clone();
        let wait = Wait::begin(&shared);
        while wait.left().is_some() {
            shared.renew_timer(true);
            // The first bytes after the program's close are taken, and answered with a reset.
            if self.stream.write_all(piece).is_err() {
                self.has_ended = true;
                shared.renew_timer(true);
                return;
            }
            self.note_payload(self.out, piece);
            thread::sleep(pause);
        }
        shared.renew_timer(true);
        drop(wait);
        let what = format!("your program still listens after {:?}", patience());
        // That it may end now, as nothing more comes, is no reason.
        self.shared.tell(&Difference::timeout(what));
    }

    fn limit_sending(&self, limit: Duration) {
        if let Err(error) = self.stream.set_write_timeout(Some(limit)) {
            panic!("cannot limit the time for sending: {error}");
        }
    }
}
