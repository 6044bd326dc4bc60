//! What `cargo xtask` starts. The alias in `.cargo/config.toml` calls cargo with `--quiet`, and the
//! first build of the real program, `xtask`, takes about a minute: this one is compiled at once, says
//! what has to be built, lets cargo build it, and hands over to it.
//!
//! `cargo run -p xtask -- …` does the same without a word of ours.

use std::env;
use std::io;
use std::path::Path;
use std::process::{Command, ExitCode};

use xtask_launcher::building::{self, Announcement};
use xtask_launcher::handover;
use xtask_launcher::up_to_date::Built;

const COMMANDS: Announcement = Announcement {
    first: [
        "building the course's commands (package xtask): the first time this takes about a minute, \
         later they start at once",
        "正在构建课程的命令（xtask 包）：第一次大约需要一分钟，以后会立即启动",
    ],
    again: [
        "the course's commands have changed: building them again",
        "课程的命令有改动，正在重新构建",
    ],
};
/// What cargo ends with when something does not compile.
const DOES_NOT_COMPILE: u8 = 101;

fn main() -> ExitCode {
    launch().unwrap_or_else(|error| {
        eprintln!("cargo xtask: {error}; `cargo run -p xtask` does the same without the launcher");
        ExitCode::FAILURE
    })
}

fn launch() -> io::Result<ExitCode> {
    let built = Built::beside_us("xtask")?;
    if !building::run(&built, &mut cargo(), COMMANDS)? {
        return Ok(ExitCode::from(DOES_NOT_COMPILE));
    }
    handover::to(Command::new(&built.program).args(env::args_os().skip(1)))
}

/// The command that builds the real program.
fn cargo() -> Command {
    // cargo says where it runs us. What it said when it compiled us may be another copy of the course
    // that shares the target folder.
    let compiled_in = || env!("CARGO_MANIFEST_DIR").into();
    let launcher = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(compiled_in);
    let root = Path::new(&launcher).join("../..");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--package", "xtask", "--bin", "xtask", "--manifest-path"]);
    cargo.arg(root.join("Cargo.toml"));
    cargo
}
