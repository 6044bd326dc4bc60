//! Logging, for programs that run alone and in a [pair](crate::cli::pair).
//!
//! Alone, a program keeps standard output for its results and logs to standard error. In a pair two
//! programs share one terminal, so every line goes to standard output with the speaker in front:
//! `[server] …`, `[client] …`. Which of the two holds is read off the thread's name: the pair names
//! its threads `[server]` and `[client]`, and a thread started on behalf of another takes its name
//! from [`thread_name`].

mod limit;

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use crate::values::escape::{EscapedWriter, escaped, escaped_bytes};
pub use columns::row;
use limit::Fate;
pub use limit::RateLimit;

/// The longest line, in characters: one datagram can have 65,507 bytes.
const LONGEST_LINE: usize = 2000;

/// Logs one line: `log!("{peer} connected")`.
#[macro_export]
macro_rules! log {
    ($($arg:tt)*) => { $crate::cli::log::log(::std::format_args!($($arg)*)) };
}

/// As [`log!`], for a line that strangers cause as often as they like: of a flood, the first lines
/// are logged and the rest is counted.
#[macro_export]
macro_rules! log_limited {
    ($($arg:tt)*) => {{
        static LIMIT: ::std::sync::Mutex<$crate::cli::log::RateLimit> =
            ::std::sync::Mutex::new($crate::cli::log::RateLimit::new());
        $crate::cli::log::log_limited(&LIMIT, ::std::format_args!($($arg)*))
    }};
}

/// What [`log!`](crate::log!) calls. A line that nobody can read any more is dropped.
///
/// Much of what is logged was sent by strangers, so it is [`escaped`]: a peer that sends `\x1b[2J`
/// should not be able to clear our terminal. A line that would fill a screen is cut.
pub fn log(line: fmt::Arguments<'_>) {
    let line = shortened(escaped(&line.to_string()));
    let _ = match label() {
        Some(label) => writeln!(io::stdout().lock(), "{label} {line}"),
        // Standard error has no buffer. In one piece, so that lines of several programs that share it do
        // not mix.
        None => io::stderr().lock().write_all(format!("{line}\n").as_bytes()),
    };
}

/// What [`log_limited!`](crate::log_limited!) calls.
pub fn log_limited(limit: &Mutex<RateLimit>, line: fmt::Arguments<'_>) {
    let fate = limit.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now());
    match fate {
        Fate::Logged { suppressed: 0 } => log(line),
        Fate::Logged { suppressed } => {
            log(format_args!("({suppressed} lines like the next one were not shown)"));
            log(line);
        }
        Fate::FirstSuppressed => log(format_args!("(more lines like this are counted, not shown)")),
        Fate::Suppressed => {}
    }
}

fn shortened(line: String) -> String {
    match line.char_indices().nth(LONGEST_LINE) {
        Some((end, _)) => {
            format!("{}… ({} more characters)", &line[..end], line[end..].chars().count())
        }
        None => line,
    }
}

/// A name for a thread that works for the current one, so that its lines carry the same label.
#[must_use]
pub fn thread_name(task: impl fmt::Display) -> String {
    match thread::current().name() {
        Some(parent) => format!("{parent} {task}"),
        None => task.to_string(),
    }
}

/// Where a program's results go, line by line: standard output, labelled in a pair. What a peer has
/// put into them is escaped, as in [`log!`](crate::log!), for files too: a log is looked at later.
#[must_use]
pub fn output() -> Box<dyn Write + Send> {
    match label() {
        Some(label) => Box::new(Labelled { label, line: Vec::new() }),
        None => Box::new(EscapedWriter::new(io::stdout())),
    }
}

/// How many columns a line of [`output`] has on the terminal; `None` for a file or a pipe. It is for
/// [`row`], which breaks a row of a table between words.
#[must_use]
pub fn width() -> Option<usize> {
    let label_and_blank = label().map_or(0, |label| label.len() + 1);
    columns::width().map(|width| width.saturating_sub(label_and_blank))
}

/// Where bytes go that somebody wants as they are, such as the body of an answer: to a file or
/// another program untouched (`… > page.html`), but to a terminal as [`output`] shows them.
#[must_use]
pub fn raw_output() -> Box<dyn Write + Send> {
    if label().is_some() || io::stdout().is_terminal() { output() } else { Box::new(io::stdout()) }
}

/// `[server]` or `[client]`, if the current thread belongs to a pair.
fn label() -> Option<String> {
    let thread = thread::current();
    let first_word = thread.name()?.split(' ').next()?;
    first_word.starts_with('[').then(|| first_word.to_owned())
}

/// Puts a label before each line; a line is printed once it is complete (or at the end).
struct Labelled {
    label: String,
    line: Vec<u8>,
}

impl Labelled {
    fn print_line(&mut self) -> io::Result<()> {
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        writeln!(io::stdout().lock(), "{} {}", self.label, escaped_bytes(line))?;
        self.line.clear();
        Ok(())
    }
}

impl Write for Labelled {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for &byte in bytes {
            if byte == b'\n' { self.print_line()? } else { self.line.push(byte) }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

impl Drop for Labelled {
    fn drop(&mut self) {
        if !self.line.is_empty() {
            let _ = self.print_line();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_started_by_a_labelled_one_keeps_the_label() {
        let labelled = thread::Builder::new().name("[server]".into());
        let name = labelled.spawn(|| thread_name("127.0.0.1:5000")).unwrap().join().unwrap();
        assert_eq!(name, "[server] 127.0.0.1:5000");
        let worker = thread::Builder::new().name(name);
        assert_eq!(worker.spawn(label).unwrap().join().unwrap().as_deref(), Some("[server]"));
    }

    #[test]
    fn a_line_that_would_fill_a_screen_is_cut_between_characters() {
        assert_eq!(shortened("好".repeat(LONGEST_LINE)), "好".repeat(LONGEST_LINE));
        let cut = shortened("好".repeat(LONGEST_LINE + 7));
        assert_eq!(cut, "好".repeat(LONGEST_LINE) + "… (7 more characters)");
    }

    #[test]
    fn a_program_alone_has_no_label() {
        let alone = thread::Builder::new().name("main".into());
        assert_eq!(alone.spawn(label).unwrap().join().unwrap(), None);
    }
}
