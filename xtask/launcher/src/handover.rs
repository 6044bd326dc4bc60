//! The end of the launcher, and the beginning of the real program: the same arguments, the same
//! terminal, the same exit code.

use std::env;
use std::io;
use std::path::Path;
use std::process::{Command, ExitCode};

/// execve(2): the program takes our place, so that every signal finds it.
#[cfg(unix)]
pub fn to(program: &Path) -> io::Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(Command::new(program).args(env::args_os().skip(1)).exec())
}

/// Nothing takes the place of a running program here: we wait for it. Ctrl-C reaches everybody at
/// the console, and only the program is to answer it, in its own time.
#[cfg(not(unix))]
pub fn to(program: &Path) -> io::Result<ExitCode> {
    #[cfg(windows)]
    ctrlc::set_handler(|| {}).map_err(io::Error::other)?;
    let status = Command::new(program).args(env::args_os().skip(1)).status()?;
    std::process::exit(status.code().unwrap_or(1))
}
