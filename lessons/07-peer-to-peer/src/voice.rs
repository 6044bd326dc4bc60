//! The voice of a node: what its person says, line by line.

use std::io::{self, BufReader};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result};
use netbasics::frame::read_line;
use netbasics::program::Usage;

use crate::carry::{Orders, Pace};
use crate::node::Event;
use crate::wire::MAX_TEXT_BYTES;

/// Says every line of standard input, until its end.
pub fn say_lines(orders: &Orders) -> Result<()> {
    let mut input = BufReader::new(io::stdin());
    let mut pace = Pace::new(Instant::now());
    while let Some(line) = read_line(&mut input, MAX_TEXT_BYTES).context("cannot say that")? {
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        if !say(orders, text(&String::from_utf8_lossy(line))?, &mut pace) {
            break;
        }
    }
    Ok(())
}

/// Says every one of `messages`.
pub fn say_all(orders: &Orders, messages: Vec<String>) {
    let mut pace = Pace::new(Instant::now());
    let _ = messages.into_iter().all(|message| say(orders, message, &mut pace));
}

/// Says it no faster than the others would take it; `false` if the node has ended.
fn say(orders: &Orders, text: String, pace: &mut Pace) -> bool {
    thread::sleep(pace.wait(Instant::now()));
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
