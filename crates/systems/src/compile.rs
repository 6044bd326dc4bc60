//! Everything that is run under Wine, cross-compiled by MinGW.

use std::collections::HashSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::lessons::Lesson;

const TARGET: &str = "x86_64-pc-windows-gnu";
/// Debian's compiler with the threads that Rust's target wants.
const COMPILER: &str = "x86_64-w64-mingw32-gcc-posix";

/// What was built.
pub struct Built {
    /// A folder with `lesson-02.exe`, `xtask.exe`, …
    pub programs: PathBuf,
    /// The dynamic library that Wine lacks.
    pub random_numbers: PathBuf,
}

/// Builds the helpers in C and then the programs, into a folder of their own below `target`.
pub fn everything(root: &Path, lessons: &[Lesson]) -> Result<Built> {
    let target = root.join("target/wine");
    let programs = target.join("programs");
    fs::create_dir_all(&programs).with_context(|| format!("cannot make {}", programs.display()))?;
    let sources = root.join("crates/systems/wine");
    let helper = |name: &str, output: &str, arguments: &[&str]| -> Result<PathBuf> {
        let output = programs.join(output);
        let mut compiler = Command::new(COMPILER);
        compiler.args(["-Wall", "-Wextra", "-Werror", "-O1", "-o"]).arg(&output);
        compiler.arg(sources.join(name)).args(arguments);
        let status = compiler.status().with_context(|| format!("cannot start {COMPILER}"))?;
        ensure!(status.success(), "{name} does not compile");
        Ok(output)
    };
    let random_numbers =
        helper("bcryptprimitives.c", "bcryptprimitives.dll", &["-shared", "-ladvapi32"])?;
    let v6only = helper("v6only.c", "v6only.o", &["-c"])?;
    helper("ctrl-c.c", "ctrl-c.exe", &[])?;

    let wanted = wanted(lessons);
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).args(["build", "--locked", "--target", TARGET]).arg("--target-dir");
    cargo.arg(&target).args(&wanted).arg("--message-format=json-render-diagnostics");
    let link = |argument: &str| format!("-Clink-arg={argument} ");
    let object = v6only.to_string_lossy();
    let wrap: String = ["-Wl,--wrap=getsockopt", &object, "-lws2_32"].map(link).concat();
    cargo.env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUSTFLAGS", wrap);
    cargo.env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER", COMPILER);
    cargo.env("CC_x86_64_pc_windows_gnu", COMPILER);
    // Nobody debugs these, and with debug information they are several times as large.
    cargo.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_PROFILE_DEV_STRIP", "debuginfo");
    let output = cargo.stderr(Stdio::inherit()).output().context("cannot start cargo")?;
    if !output.status.success() {
        bail!("the programs cannot be built for Windows: cargo says why, above");
    }
    let names: HashSet<&str> = wanted.iter().map(String::as_str).collect();
    for message in String::from_utf8_lossy(&output.stdout).lines() {
        if let Some((name, executable)) = executable(message)
            && names.contains(name.as_str())
        {
            place(&executable, &programs.join(format!("{name}.exe")))?;
        }
    }
    Ok(Built { programs, random_numbers })
}

/// What cargo is asked for: of each lesson its program, its graded tests and the solution of the
/// exercise that is graded.
fn wanted(lessons: &[Lesson]) -> Vec<String> {
    let mut words = Vec::new();
    let mut add = |option: &str, name: String| words.extend([option.to_owned(), name]);
    for package in ["xtask", "graded", "systems"] {
        add("--package", package.to_owned());
    }
    for program in ["xtask", "stand-in-cargo"] {
        add("--bin", program.to_owned());
    }
    for lesson in lessons {
        add("--package", format!("lesson-{}", lesson.number));
        add("--bin", format!("lesson-{}", lesson.number));
        if let Some(exercise) = &lesson.graded {
            add("--package", format!("solution-{}", lesson.number));
            add("--bin", format!("{exercise}-solution"));
            add("--test", format!("lesson_{}", lesson.number));
        }
    }
    words
}

/// The name and the path of what one of cargo's messages announces, if that can be run.
fn executable(message: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(message).ok()?;
    let executable = message["executable"].as_str()?;
    Some((message["target"]["name"].as_str()?.to_owned(), executable.into()))
}

/// A second name for the file, and none for what had the name before.
fn place(executable: &Path, name: &Path) -> Result<()> {
    let _ = fs::remove_file(name);
    let linked = fs::hard_link(executable, name);
    linked.with_context(|| format!("cannot make {}", name.display()))
}
