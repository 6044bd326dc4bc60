//! What `cargo xtask` starts. The alias in `.cargo/config.toml` calls cargo with `--quiet`, and the
//! first build of the real program, `xtask`, takes about a minute: this one is compiled at once, says
//! what has to be built, lets cargo build it, and hands over to it.
//!
//! `cargo run -p xtask -- …` does the same without a word of ours.

mod handover;
mod up_to_date;

use std::env;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::{Child, Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use up_to_date::{Built, State};

/// A build that ends sooner had nothing to do, and nobody needs to know.
const UNNOTICED: Duration = Duration::from_millis(300);
/// What cargo ends with when something does not compile.
const DOES_NOT_COMPILE: u8 = 101;

fn main() -> ExitCode {
    launch().unwrap_or_else(|error| {
        eprintln!("cargo xtask: {error}; `cargo run -p xtask` does the same without the launcher");
        ExitCode::FAILURE
    })
}

fn launch() -> io::Result<ExitCode> {
    let built = Built::beside(&env::current_exe()?);
    let state = built.state();
    if state != State::UpToDate {
        let begun = built.begin()?;
        if !build(state)? {
            return Ok(ExitCode::from(DOES_NOT_COMPILE));
        }
        begun.finish()?;
    }
    handover::to(&built.program)
}

/// Has cargo build the real program; whether it could.
fn build(state: State) -> io::Result<bool> {
    // cargo says where it runs us. What it said when it compiled us may be another copy of the course
    // that shares the target folder.
    let compiled_in = || env!("CARGO_MANIFEST_DIR").into();
    let launcher = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(compiled_in);
    let root = Path::new(&launcher).join("../..");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--package", "xtask", "--bin", "xtask", "--manifest-path"]);
    cargo.arg(root.join("Cargo.toml"));
    let is_first = state == State::Missing;
    if is_first {
        say(
            "building the course's commands (package xtask): the first time this takes about a \
             minute, later they start at once",
            "正在构建课程的命令（xtask 包）：第一次大约需要一分钟，以后会立即启动",
        );
    }
    // In a terminal, cargo's bar shows how far it is.
    if !(is_first && io::stderr().is_terminal()) {
        cargo.arg("--quiet");
    }
    let mut building = cargo.spawn()?;
    if !is_first && !ends_unnoticed(&mut building)? {
        say(
            "the course's commands have changed: building them again",
            "课程的命令有改动，正在重新构建",
        );
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
fn say(english: &str, chinese: &str) {
    let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set);
    let is_chinese = locale.is_some_and(|locale| locale.starts_with("zh"));
    eprintln!("[xtask] {}", if is_chinese { chinese } else { english });
}
