//! The end of one program, and the beginning of another: the same terminal, the same exit code.

use std::io;
use std::process::{Command, ExitCode};

/// execve(2): the program takes our place, so that every signal finds it.
///
/// # Errors
/// When it cannot be started.
#[cfg(unix)]
pub fn to(program: &mut Command) -> io::Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(program.exec())
}

/// Nothing takes the place of a running program here: we wait for it. Ctrl-C reaches everybody at
/// the console, and only the program is to answer it, in its own time.
///
/// # Errors
/// When it cannot be started.
#[cfg(not(unix))]
pub fn to(program: &mut Command) -> io::Result<ExitCode> {
    #[cfg(windows)]
    ctrlc::set_handler(|| {}).map_err(io::Error::other)?;
    let status = program.status()?;
    std::process::exit(status.code().unwrap_or(1))
}
