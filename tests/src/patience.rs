//! How long a test waits for the program under test.

use std::env;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use grader::protocol;

use crate::desk::Desk;

/// The limit of a plain `cargo test`. A thousand times what the solutions need, so that a slow or
/// busy machine fails nobody.
const USUAL: Duration = Duration::from_secs(5);

/// The limit of every single wait: what the grader asks for, or else the usual one.
pub fn patience() -> Duration {
    static PATIENCE: OnceLock<Duration> = OnceLock::new();
    *PATIENCE.get_or_init(|| {
        let wanted = env::var(protocol::PATIENCE).ok();
        wanted.map_or(USUAL, |text| match text.parse() {
            Ok(milliseconds) => Duration::from_millis(milliseconds),
            Err(error) => panic!("{}={text}: {error}", protocol::PATIENCE),
        })
    })
}

/// One wait for the program, until it is dropped. The longest one of the case is told to the
/// grader. (Waiting for silence is none: a correct program is silent however slow the machine.)
#[derive(Debug)]
pub struct Wait<'a> {
    desk: &'a Desk,
    began: Instant,
}

impl<'a> Wait<'a> {
    pub fn begin(desk: &'a Desk) -> Self {
        Self { desk, began: Instant::now() }
    }

    /// How much patience is left; `None` when it is over.
    pub fn left(&self) -> Option<Duration> {
        patience().checked_sub(self.began.elapsed()).filter(|left| !left.is_zero())
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.desk.waited(self.began.elapsed());
    }
}
