//! The input of a node: what its person says, line by line.

use std::io::{self, BufRead, BufReader};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result};
use netbasics::cli::log;
use netbasics::cli::program::Usage;
use netbasics::net::frame::{FrameError, read_line};

use crate::driver::{Orders, RateLimit};
use crate::node::Event;
use crate::wire::MAX_TEXT_BYTES;

/// Says every line of standard input, until its end. A line that cannot be said ends this, too,
/// unless the node `stays`: then its person is told, and may try another one.
pub fn say_lines(orders: &Orders, stays: bool) -> Result<()> {
    let mut input = BufReader::new(io::stdin());
    let mut rate_limit = RateLimit::new(Instant::now());
    loop {
        match next_line(&mut input) {
            Ok(None) => return Ok(()),
            Ok(Some(line)) => {
                if !say(orders, line, &mut rate_limit) {
                    return Ok(());
                }
            }
            Err(error) if stays && error.is::<Usage>() => log!("{error}"),
            Err(error) => return Err(error),
        }
    }
}

/// The next line, without its end; `None` if there is none.
fn next_line(input: &mut impl BufRead) -> Result<Option<String>> {
    let line = match read_line(input, MAX_TEXT_BYTES) {
        Ok(Some(line)) => line,
        Ok(None) => return Ok(None),
        Err(FrameError::TooLong { .. }) => {
            input.skip_until(b'\n')?;
            let problem = format!("not said: a line has at most {MAX_TEXT_BYTES} bytes");
            return Err(Usage(problem).into());
        }
        Err(error) => return Err(error).context("cannot read standard input"),
    };
    let line = line.strip_suffix(b"\r").unwrap_or(&line);
    Ok(Some(text(&String::from_utf8_lossy(line))?))
}

/// Says every one of `messages`.
pub fn say_all(orders: &Orders, messages: Vec<String>) {
    let mut rate_limit = RateLimit::new(Instant::now());
    let _ = messages.into_iter().all(|message| say(orders, message, &mut rate_limit));
}

/// Says it no faster than the others would take it; `false` if the node has ended.
fn say(orders: &Orders, text: String, rate_limit: &mut RateLimit) -> bool {
    thread::sleep(rate_limit.wait(Instant::now()));
    orders.tell(Event::Say(text))
}

/// Refuses what no frame carries.
pub fn text(message: &str) -> Result<String, Usage> {
    if message.len() <= MAX_TEXT_BYTES {
        return Ok(message.to_owned());
    }
    let length = message.len();
    Err(Usage(format!("a message has at most {MAX_TEXT_BYTES} bytes; this one has {length}")))
}
