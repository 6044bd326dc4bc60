//! Tests against programs that nobody here wrote.
//!
//! A student's machine may lack socat; that is no failure, but it must not look like a pass
//! either: such a test is counted as ignored and its name says which program is missing. Where
//! `PEERS=required` is set (it is in CI, which installs them), a missing peer is a failure.

use std::process::{Command, ExitCode, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};

/// The variable that turns a missing peer into a failure when it is `required`.
pub const VARIABLE: &str = "PEERS";

/// A test called `name` that needs the program `peer`; it fails by panicking, as any test does.
pub fn trial(peer: &'static str, name: &str, test: fn()) -> Trial {
    let is_there = is_installed(peer);
    let name = format!("{name} [{peer}]");
    if is_there || std::env::var(VARIABLE).is_ok_and(|value| value == "required") {
        return Trial::test(name, move || {
            if is_there {
                test();
                Ok(())
            } else {
                Err(missing(peer))
            }
        });
    }
    Trial::test(format!("{name}: {peer} is not installed"), || Ok(())).with_ignored_flag(true)
}

/// Runs the trials as cargo's own tests are run, with the same arguments.
#[must_use]
pub fn run(trials: Vec<Trial>) -> ExitCode {
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn missing(peer: &str) -> Failed {
    format!("{peer} is not installed, and {VARIABLE}=required says that it must be").into()
}

/// Whether a program of this name can be started. Its exit code does not matter: nc has no
/// `--version` and complains.
fn is_installed(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok()
}
