//! What `cargo xtask` says before the course's commands are built, in a workspace of its own that
//! has the real launcher and a program in the place of the real one.

// Not only the test functions themselves may panic here: what prepares for them may too.
#![allow(clippy::unwrap_used, clippy::expect_used)]
// Elsewhere the launcher has a dependency, and a workspace without a Cargo.lock would look for it.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::tiny::package;

const FIRST: &str = "[xtask] building the course's commands (package xtask): the first time this takes \
                     about a minute, later they start at once";

/// Says what it was given, and ends with a code of its own.
const PROGRAM: &str = r#"
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    println!("VERSION: {}", arguments.join(" "));
    std::process::exit(3)
}
"#;

/// Compiling this begins only when there is a file `go`.
const WAITS: &str = r#"
fn main() {
    let go = std::path::Path::new("../go");
    for _ in 0..12_000 {
        if go.exists() { return }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("nobody has said go");
}
"#;

/// It stays in cargo's target folder for the next time, with the launcher that was built there.
struct Workspace(PathBuf);

impl Workspace {
    /// As in the beginning: the course's commands were never built.
    fn new(name: &str) -> Self {
        let course = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("launcher").join(name);
        let workspace = Self(folder.join("a course"));
        for old in ["go", "target/debug/xtask.stamp"] {
            let _ = fs::remove_file(workspace.0.join(old));
        }
        workspace.write("Cargo.toml", &crate::tiny::workspace("'xtask', 'xtask/launcher'"));
        let config = fs::read_to_string(course.join(".cargo/config.toml")).unwrap();
        workspace.write(".cargo/config.toml", &config);
        workspace.write("xtask/Cargo.toml", &package("xtask"));
        workspace.write_program("first");
        workspace.write("xtask/launcher/Cargo.toml", &package("xtask-launcher"));
        for source in fs::read_dir(course.join("xtask/launcher/src")).unwrap() {
            let source = source.unwrap().path();
            let name = source.file_name().unwrap().to_str().unwrap();
            let text = fs::read_to_string(&source).unwrap();
            workspace.write(&format!("xtask/launcher/src/{name}"), &text);
        }
        let cleaned = workspace.cargo(&["clean", "--quiet", "--package", "xtask"]).status();
        assert!(cleaned.unwrap().success());
        workspace
    }

    /// A file that says so already stays as old as it is: cargo builds again what is newer.
    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        if fs::read(&path).is_ok_and(|there| there == text.as_bytes()) {
            return;
        }
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn write_program(&self, version: &str) {
        self.write("xtask/src/main.rs", &PROGRAM.replace("VERSION", version));
    }

    /// `cargo xtask …`, in a folder inside of the workspace.
    fn xtask(&self, arguments: &[&str]) -> Command {
        self.cargo(&[&["xtask"], arguments].concat())
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(arguments).current_dir(self.0.join("xtask"));
        command.env_remove("CARGO_TARGET_DIR").env("LC_ALL", "C");
        command
    }

    fn said(&self, arguments: &[&str]) -> (String, String) {
        said(&self.xtask(arguments).output().unwrap())
    }
}

/// Standard output and standard error of a program that has ended with its own code.
fn said(output: &Output) -> (String, String) {
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(3), "{out}{err}");
    (out.into_owned(), err.into_owned())
}

#[test]
fn the_first_run_says_what_it_builds_before_it_is_compiled() {
    let workspace = Workspace::new("first run");
    workspace.write("xtask/build.rs", WAITS);
    let mut command = workspace.xtask(&["list", "--lang", "zh 中"]);
    let mut running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(running.stderr.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    workspace.write("go", "");
    let (out, _) = said(&running.wait_with_output().unwrap());
    assert_eq!(first, FIRST);
    assert_eq!(out, "first: list --lang zh 中\n");
    assert_eq!(lines.map(Result::unwrap).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn it_says_nothing_when_there_is_nothing_to_build_and_knows_when_there_is() {
    let workspace = Workspace::new("nothing to build");
    let (_, err) = workspace.said(&[]);
    assert_eq!(err.lines().collect::<Vec<_>>(), [FIRST]);
    // Nothing has changed: cargo is not even asked.
    assert_eq!(workspace.said(&["a"]), ("first: a\n".to_owned(), String::new()));
    for version in ["second", "third"] {
        workspace.write_program(version);
        let (out, err) = workspace.said(&[]);
        assert_eq!(out, format!("{version}: \n"), "{err}");
        assert!(!err.contains("the first time"), "{err}");
        assert_eq!(workspace.said(&[]), (format!("{version}: \n"), String::new()));
    }
    // Its manifest counts, too; and a program that was built otherwise is not mistaken for one
    // that is missing.
    workspace.write("xtask/Cargo.toml", &package("xtask").replace("2024", "2021"));
    workspace.write_program("fourth");
    fs::remove_file(workspace.0.join("target/debug/xtask")).unwrap();
    let (out, err) = workspace.said(&[]);
    assert_eq!(out, "fourth: \n");
    assert!(!err.contains("the first time"), "{err}");
}

#[test]
fn what_does_not_compile_is_shown_and_not_started() {
    let workspace = Workspace::new("does not compile");
    let first = workspace.xtask(&[]).env("LC_ALL", "zh_CN.UTF-8").output().unwrap();
    assert!(said(&first).1.starts_with("[xtask] 正在构建课程的命令"), "{first:?}");
    workspace.write("xtask/src/main.rs", "fn main() { missing() }");
    let output = workspace.xtask(&[]).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(101), "{err}");
    assert!(err.contains("cannot find function `missing`"), "{err}");
    assert!(output.stdout.is_empty());
    // It is not taken for up to date the next time.
    assert_eq!(workspace.xtask(&[]).output().unwrap().status.code(), Some(101));
    workspace.write_program("mended");
    assert_eq!(workspace.said(&[]).0, "mended: \n");
}
