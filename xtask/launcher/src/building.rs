//! A build that somebody waits for: what is built is said at once, and nothing where nothing has to be.

use std::env;
use std::io::{self, IsTerminal};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use crate::up_to_date::{Built, State};

/// A build that ends sooner had nothing to do, and nobody needs to know.
const UNNOTICED: Duration = Duration::from_millis(300);

/// One line, in English and in Chinese.
pub type Words = [&'static str; 2];

/// What is said about a build.
#[derive(Clone, Copy, Debug)]
pub struct Announcement {
    /// Before the first one.
    pub first: Words,
    /// When one takes its time later.
    pub again: Words,
}

/// Runs `cargo`, a command that builds the program, where that is not up to date; whether it could.
///
/// # Errors
/// When cargo cannot be started, or its target folder cannot be written to.
pub fn run(built: &Built, cargo: &mut Command, announcement: Announcement) -> io::Result<bool> {
    let state = built.state();
    if state == State::UpToDate {
        return Ok(true);
    }
    let begun = built.begin()?;
    let is_built = build(cargo, state == State::Missing, announcement)?;
    if is_built {
        begun.finish()?;
    }
    Ok(is_built)
}

fn build(cargo: &mut Command, is_first: bool, announcement: Announcement) -> io::Result<bool> {
    if is_first {
        say(announcement.first);
    }
    // In a terminal, cargo's bar shows how far it is.
    if !(is_first && io::stderr().is_terminal()) {
        cargo.arg("--quiet");
    }
    let mut building = cargo.spawn()?;
    if !is_first && !ends_unnoticed(&mut building)? {
        say(announcement.again);
    }
    Ok(building.wait()?.success())
}

fn ends_unnoticed(building: &mut Child) -> io::Result<bool> {
    let until = Instant::now() + UNNOTICED;
    while building.try_wait()?.is_none() {
        if Instant::now() >= until {
            return Ok(false);
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(true)
}

/// One line, in the language of the system. (`xtask` itself asks the same variables.)
fn say([english, chinese]: Words) {
    let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set);
    let is_chinese = locale.is_some_and(|locale| locale.starts_with("zh"));
    eprintln!("[xtask] {}", if is_chinese { chinese } else { english });
}
