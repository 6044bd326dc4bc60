//! Calling cargo, whose own messages the person sees as they are.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The cargo that runs us (it says so), or the one on the path; it works in the course's folder.
pub fn command(root: &Path) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    cargo.current_dir(root);
    cargo
}

/// Runs a cargo command to its end; whether it ended well.
pub fn run(cargo: &mut Command) -> Result<bool> {
    Ok(cargo.status().context("cannot start cargo")?.success())
}

/// Builds the program of a package and says where it is.
pub fn build(root: &Path, package: &str) -> Result<PathBuf> {
    build_with(root, package, &[])
}

/// As [`build`], with all optimisations.
pub fn build_release(root: &Path, package: &str) -> Result<PathBuf> {
    build_with(root, package, &["--release"])
}

fn build_with(root: &Path, package: &str, arguments: &[&str]) -> Result<PathBuf> {
    let mut cargo = command(root);
    cargo.args(["build", "--package", package, "--bins"]).args(arguments);
    // Artifacts as JSON on standard output; errors and warnings as people read them, on ours.
    cargo.arg("--message-format=json-render-diagnostics").stdout(Stdio::piped());
    let mut building = cargo.spawn().context("cannot start cargo")?;
    let mut program = None;
    if let Some(messages) = building.stdout.take() {
        for line in BufReader::new(messages).lines() {
            program = executable(&line?, package).or(program);
        }
    }
    if !building.wait()?.success() {
        bail!("{package} does not compile: cargo says why, above");
    }
    program.with_context(|| format!("{package} was built, but it contains no program"))
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
pub fn target(root: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// Makes room for cargo to rebuild xtask while it runs.
///
/// Windows does not let anybody replace the file of a running program, but it can be renamed.
pub fn step_aside() {
    if cfg!(windows)
        && let Ok(running) = env::current_exe()
    {
        // If this fails and cargo does need the name, cargo says so.
        let _ = fs::rename(&running, running.with_extension("old.exe"));
    }
}
