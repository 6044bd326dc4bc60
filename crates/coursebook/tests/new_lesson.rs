//! "Adding a lesson" does what it says: its commands are run as they stand there, in a copy of the
//! course.
#![cfg(unix)] // They are for a shell.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PAGE: &str = "mdbook/src/en/teach/new-lesson.md";
const CHINESE_PAGE: &str = "mdbook/src/zh-CN/teach/new-lesson.md";

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// What is in the page's blocks of shell commands.
fn commands(page: &str) -> Vec<String> {
    let text = fs::read_to_string(workspace().join(page)).unwrap();
    let blocks = text.split("```sh\n").skip(1);
    blocks.map(|block| block.split_once("\n```").unwrap().0.to_owned()).collect()
}

/// Every file of the course that is not built: what a fresh clone has, and what is new.
fn copy(to: &Path) {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let listed = Command::new("git").args(list).current_dir(workspace()).output().unwrap();
    let names = String::from_utf8(listed.stdout).unwrap();
    for name in names.split_terminator('\0') {
        let (from, to) = (workspace().join(name), to.join(name));
        // A file that git still lists may have been removed.
        if from.is_file() {
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(from, to).unwrap();
        }
    }
}

#[test]
fn the_commands_of_the_page_add_a_lesson() {
    let folder = tempfile::tempdir().unwrap();
    copy(folder.path());
    // What is built already need not be built again.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let script = commands(PAGE).join("\n");
    assert!(script.contains("cargo xtask book --check"), "{script}");
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .current_dir(folder.path())
        .env("CARGO_TARGET_DIR", target)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{errors}");
    assert!(said.contains("cargo run -p lesson-11"), "it is listed: {said}");
    assert!(errors.contains("a lesson of my own") || said.contains("a lesson of my own"), "{said}");
    assert!(said.contains("no mistakes found"), "the book has its chapter: {said}");
}

#[test]
fn both_languages_give_the_same_commands() {
    assert_eq!(commands(PAGE), commands(CHINESE_PAGE));
}
