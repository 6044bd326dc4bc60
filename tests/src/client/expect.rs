//! What the test expects to hear.

use std::io::{self, ErrorKind, Read};
use std::time::Duration;

use grader::punctuality::Limit;
use netlab::faults::Direction;
use netlab::record::Happening;

use super::{Client, is_timeout, reason};
use crate::bytes::brief;
use crate::patience::{Silence, Wait, patience};
use crate::step_log::Difference;

/// How much more than expected is read, so that a report can show what came too much.
const SURPLUS_BYTES: usize = 4 * 1024;
/// How much is read at once, in bytes.
const AT_ONCE: usize = 64 * 1024;
/// How long to listen on one of two connections before it is the other's turn.
const A_TURN: Duration = Duration::from_millis(5);
/// How long the last look takes, when no time is left.
const LAST_LOOK: Duration = Duration::from_millis(1);
/// The longest line, or head, that is waited for, in bytes.
const MAX_LINE_BYTES: usize = 64 * 1024;

/// How listening to the program ended.
enum End {
    Closed,
    Failed(io::Error),
    TimedOut,
    Enough,
}

impl Client {
    /// Expects that the next bytes are exactly `expected`, in whatever pieces they come. The
    /// connection stays open, and what comes after them is for the next call.
    pub fn expect(&mut self, expected: &[u8]) {
        self.step(format!("expects {}", brief(expected)));
        // No need to wait for the rest of something that is wrong already.
        let mut right = 0;
        let end = self.hear(|heard| {
            let is_wrong = !expected[right.min(expected.len())..].starts_with(&heard[right..]);
            right = heard.len();
            is_wrong || right >= expected.len()
        });
        if self.heard.starts_with(expected) {
            self.heard.drain(..expected.len());
            return;
        }
        self.fail_over(Some(expected), &end, "the bytes are not the ones expected");
    }

    /// Expects exactly `expected` a few bytes at a time: at most `size` are read at once, with a
    /// `pause` after each, as a slow peer does.
    pub fn expect_slowly(&mut self, expected: &[u8], size: usize, pause: Duration) {
        self.step(format!("expects, reading {size} at a time, {}", brief(expected)));
        for piece in expected.chunks(size) {
            self.shared.renew_timer(false);
            let end = self.hear_at_most(size, |heard| {
                heard.len() >= piece.len() || !piece.starts_with(heard)
            });
            if !self.heard.starts_with(piece) {
                self.fail_over(Some(piece), &end, "the bytes are not the ones expected");
            }
            self.heard.drain(..piece.len());
            std::thread::sleep(pause);
        }
    }

    /// The next bytes up to a newline, and with it.
    pub fn receive_line(&mut self) -> Vec<u8> {
        self.step("expects a line");
        let length = |heard: &[u8]| heard.iter().position(|&byte| byte == b'\n').map(|at| at + 1);
        let end = self.hear(|heard| length(heard).is_some() || heard.len() > MAX_LINE_BYTES);
        match length(&self.heard) {
            Some(length) => self.heard.drain(..length).collect(),
            None => self.fail_over(None, &end, "a line ends in a newline, and none has come"),
        }
    }

    /// The next bytes up to the first `end` among them, and with it; `what` names them in the
    /// report.
    pub fn receive_through(&mut self, end: &[u8], what: &str) -> Vec<u8> {
        self.step(format!("expects {what}"));
        let length = |heard: &[u8]| {
            let at = heard.windows(end.len()).position(|window| window == end);
            at.map(|at| at + end.len())
        };
        let heard = self.hear(|heard| length(heard).is_some() || heard.len() > MAX_LINE_BYTES);
        match length(&self.heard) {
            Some(length) => self.heard.drain(..length).collect(),
            None => self.fail_over(None, &heard, &format!("{what} ends with {}", brief(end))),
        }
    }

    /// The next `length` bytes.
    pub fn receive(&mut self, length: usize) -> Vec<u8> {
        self.step(format!("expects {length} bytes"));
        let end = self.hear(|heard| heard.len() >= length);
        if self.heard.len() < length {
            let came = self.heard.len();
            self.fail_over(None, &end, &format!("{length} bytes are expected, and {came} came"));
        }
        self.heard.drain(..length).collect()
    }

    /// Everything up to the end of the stream.
    pub fn receive_to_the_end(&mut self) -> Vec<u8> {
        self.step("receives until the end of the stream");
        match self.hear(|_| false) {
            End::Closed => std::mem::take(&mut self.heard),
            end => self.fail_over(None, &end, "this has no end"),
        }
    }

    /// Expects exactly `expected`, and then the end of the stream.
    pub fn expect_last_words(&mut self, expected: &[u8]) {
        self.step(format!("expects {}, then the close", brief(expected)));
        let end = self.hear(|heard| heard.len() >= expected.len() + SURPLUS_BYTES);
        if self.heard == expected && matches!(end, End::Closed) {
            return;
        }
        if self.heard == expected && matches!(end, End::TimedOut) {
            self.shared.fail(Difference::timeout(format!(
                "all the bytes are right, but the connection was not closed within {:?}",
                patience()
            )));
        }
        let what = match self.out {
            Direction::ToServer => "the answer is not the one expected",
            Direction::ToClient => "the message is not the one expected",
        };
        self.fail_over(Some(expected), &end, what);
    }

    /// Expects the end of the stream, and not a byte before it.
    pub fn expect_close(&mut self) {
        self.step("expects the close");
        let end = self.hear(|heard| !heard.is_empty());
        if !matches!(end, End::Closed) {
            self.fail_over(Some(b""), &end, "something came in place of the close");
        }
    }

    /// Expects the end of the connection, be it a close or a reset, whatever comes before it.
    pub fn expect_end_or_reset(&mut self) {
        self.step("expects the end of the connection, be it a close or a reset");
        let shared = self.shared.clone();
        let wait = Wait::begin(&shared);
        let end = loop {
            self.heard.clear();
            match self.listen(&|| wait.left(), AT_ONCE, |heard| heard.len() >= AT_ONCE) {
                End::Enough => {}
                end => break end,
            }
        };
        drop(wait);
        if matches!(end, End::TimedOut) {
            self.shared.fail(Difference::timeout(format!(
                "your program has not ended the connection within {:?}",
                patience()
            )));
        }
    }

    /// Expects that the program closes one of two connections, this one or `other`, and sends not a
    /// byte on either before; whether it was this one.
    pub fn closes_before(&mut self, other: &mut Self) -> bool {
        self.step(format!("expects the close, here and not where {} is", other.who));
        let shared = self.shared.clone();
        let wait = Wait::begin(&shared);
        while wait.left().is_some() {
            for (line, is_this_one) in [(&mut *self, true), (&mut *other, false)] {
                let turn = Limit::begin(A_TURN);
                match line.listen(&|| turn.left(), SURPLUS_BYTES, |heard| !heard.is_empty()) {
                    End::Closed | End::Failed(_) => return is_this_one,
                    End::TimedOut => {}
                    End::Enough => {
                        line.fail_over(Some(b""), &End::Enough, "something came before the close");
                    }
                }
            }
        }
        drop(wait);
        self.shared.fail(Difference::timeout(format!(
            "your program has closed neither connection within {:?}",
            patience()
        )));
    }

    /// Expects either exactly `expected`, or the end of the connection, be it a close or a reset,
    /// and not a byte before it; whether it was the bytes.
    pub fn expect_or_end(&mut self, expected: &[u8]) -> bool {
        self.step(format!("expects {}, or the end of the connection", brief(expected)));
        let end = self.hear(|heard| heard.len() >= expected.len() || !expected.starts_with(heard));
        match end {
            _ if self.heard.starts_with(expected) => {
                self.heard.drain(..expected.len());
                true
            }
            End::Closed | End::Failed(_) if self.heard.is_empty() => false,
            end => self.fail_over(Some(expected), &end, "the bytes are not the ones expected"),
        }
    }

    /// Expects the end of the connection, be it a close or a reset, and not a byte before it.
    pub fn expect_end_without_a_byte(&mut self) {
        self.step("expects the end of the connection, be it a close or a reset, and no byte");
        match self.hear(|heard| !heard.is_empty()) {
            End::Closed | End::Failed(_) if self.heard.is_empty() => {}
            end => self.fail_over(Some(b""), &end, "something came on this connection"),
        }
    }

    /// Expects that the program sends nothing and does not close, for as long as `time`.
    pub fn expect_silence(&mut self, time: Duration) {
        self.step("expects to hear nothing yet");
        let shared = self.shared.clone();
        let silence = Silence::begin(&shared, time);
        let end = self.listen(&|| silence.left(), SURPLUS_BYTES, |heard| !heard.is_empty());
        let what = match end {
            End::TimedOut => return,
            // What was heard is for the next step. So is the end of the stream: it comes again.
            _ if !silence.is_broken() => return,
            End::Failed(error) => {
                format!("your program ended the connection too early: {}", reason(&error))
            }
            End::Closed => "your program closed the connection too early".to_owned(),
            End::Enough => "your program spoke before it was its turn".to_owned(),
        };
        self.shared.fail(Difference::fail(what).with(b"", &self.heard));
    }

    /// Stays connected for `time`, whatever the program does meanwhile.
    pub fn stay(&mut self, time: Duration) {
        self.step("stays connected");
        let shared = self.shared.clone();
        let silence = Silence::begin(&shared, time);
        self.listen(&|| silence.left(), SURPLUS_BYTES, |_| false);
    }

    /// What still comes after sending has failed.
    pub(super) fn last_words(&mut self) -> Vec<u8> {
        self.hear(|heard| heard.len() >= SURPLUS_BYTES);
        std::mem::take(&mut self.heard)
    }

    fn hear(&mut self, is_enough: impl FnMut(&[u8]) -> bool) -> End {
        self.hear_at_most(AT_ONCE, is_enough)
    }

    /// Reads as long as patience lasts.
    fn hear_at_most(&mut self, at_once: usize, is_enough: impl FnMut(&[u8]) -> bool) -> End {
        let shared = self.shared.clone();
        let wait = Wait::begin(&shared);
        self.listen(&|| wait.left(), at_once, is_enough)
    }

    /// Reads until the end, until `is_enough`, or until no time is `left`. After that there is one last
    /// look at what has come already.
    fn listen(
        &mut self,
        left: &dyn Fn() -> Option<Duration>,
        at_once: usize,
        mut is_enough: impl FnMut(&[u8]) -> bool,
    ) -> End {
        let mut buffer = vec![0; at_once];
        let mut is_last = false;
        loop {
            if is_enough(&self.heard) {
                return End::Enough;
            }
            if is_last {
                return End::TimedOut;
            }
            let left = left();
            is_last = left.is_none();
            if let Some(end) = self.read_once(left.unwrap_or(LAST_LOOK), &mut buffer) {
                self.note_end(&end);
                return end;
            }
        }
    }

    /// One read(2), noted as it returns; `None` as long as there may be more.
    fn read_once(&mut self, left: Duration, buffer: &mut [u8]) -> Option<End> {
        let limited = self.stream.set_read_timeout(Some(left));
        match limited.and_then(|()| self.stream.read(buffer)) {
            Ok(0) => Some(End::Closed),
            Ok(length) => {
                self.note_payload(self.far_side(), &buffer[..length]);
                self.heard.extend_from_slice(&buffer[..length]);
                None
            }
            Err(error) if is_timeout(&error) || error.kind() == ErrorKind::Interrupted => None,
            Err(error) => Some(End::Failed(error)),
        }
    }

    /// Where what the test receives goes.
    fn far_side(&self) -> Direction {
        match self.out {
            Direction::ToServer => Direction::ToClient,
            Direction::ToClient => Direction::ToServer,
        }
    }

    fn note_end(&self, end: &End) {
        match end {
            End::Closed => self.note(self.far_side(), Happening::Ended),
            End::Failed(_) => self.note(self.far_side(), Happening::Reset),
            End::TimedOut | End::Enough => {}
        }
    }

    /// Ends the test: not `expected`, if these were certain bytes, but what was heard. `otherwise`
    /// says what is wrong with it if there was no trouble with the connection.
    fn fail_over(&self, expected: Option<&[u8]>, end: &End, otherwise: &str) -> ! {
        let who = &self.who;
        let difference = match end {
            End::Closed if self.heard.is_empty() => {
                Difference::fail(format!("your program closed the connection first; {otherwise}"))
            }
            End::Closed | End::Enough => Difference::fail(otherwise),
            End::Failed(error) => Difference::fail(format!(
                "your program did not speak to the end: {}",
                reason(error)
            )),
            End::TimedOut => {
                Difference::timeout(format!("{who} has waited {:?} for this", patience()))
            }
        };
        self.shared.fail(match expected {
            Some(expected) => difference.with(expected, &self.heard),
            None => difference.and(&format!("it has sent {}", brief(&self.heard))),
        });
    }
}
