//! Calling cargo, whose own messages the person sees as they are.

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::build;

/// The cargo that runs us (it says so), or the one on the path; it works in the course's folder.
#[must_use]
pub fn command(root: &Path) -> Command {
    let mut cargo = build::cargo();
    cargo.current_dir(root);
    cargo
}

/// Runs a cargo command to its end; whether it ended well.
pub fn run(cargo: &mut Command) -> io::Result<bool> {
    Ok(cargo.status().map_err(|error| not_started(&error))?.success())
}

/// Builds the program of a package and says where it is.
///
/// # Errors
/// When cargo cannot be started, or the package does not compile: then cargo has said why.
pub fn build(root: &Path, package: &str) -> io::Result<PathBuf> {
    build_with(root, package, &[])
}

/// As [`build()`], with all optimisations.
pub fn build_release(root: &Path, package: &str) -> io::Result<PathBuf> {
    build_with(root, package, &["--release"])
}

fn build_with(root: &Path, package: &str, arguments: &[&str]) -> io::Result<PathBuf> {
    let mut cargo = command(root);
    cargo.args(["build", "--package", package, "--bins"]).args(arguments);
    // Artifacts as JSON on standard output; errors and warnings as people read them, on ours.
    cargo.arg("--message-format=json-render-diagnostics").stdout(Stdio::piped());
    let mut building = cargo.spawn().map_err(|error| not_started(&error))?;
    let mut program = None;
    if let Some(messages) = building.stdout.take() {
        for line in BufReader::new(messages).lines() {
            program = executable(&line?, package).or(program);
        }
    }
    if !building.wait()?.success() {
        let problem = format!("{package} does not compile: cargo says why, above");
        return Err(io::Error::other(problem));
    }
    let no_program = || format!("{package} was built, but it contains no program");
    program.ok_or_else(|| io::Error::other(no_program()))
}

fn not_started(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot start cargo: {error}"))
}

/// The program that one of cargo's messages announces. (A message about a package names it by an
/// id that differs between versions of cargo; its program carries the package's name.)
fn executable(message: &str, package: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let is_program =
        message["reason"] == "compiler-artifact" && message["target"]["name"] == package;
    is_program.then(|| message["executable"].as_str().map(PathBuf::from))?
}

/// Where cargo puts what it builds.
#[must_use]
pub fn target(root: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// Makes room for cargo to rebuild this program while it runs, and the `others` beside it, which wait
/// for its end.
///
/// Windows does not let anybody replace the file of a running program, but it can be renamed.
pub fn step_aside(others: &[&str]) {
    if cfg!(windows)
        && let Ok(running) = env::current_exe()
    {
        let others = others.iter().map(|name| running.with_file_name(name).with_extension("exe"));
        for program in others.chain([running.clone()]) {
            // If this fails and cargo does need the name, cargo says so.
            let _ = fs::rename(&program, program.with_extension("old.exe"));
        }
    }
}
