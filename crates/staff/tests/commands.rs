//! What the commands print and how they end, on the real course.

// Not only the test functions themselves may panic here: what prepares for them may too.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use course::Lesson;
use grader::build;
use grader::process::Cancel;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn lessons() -> Vec<Lesson> {
    let lessons = course::lessons(&root()).unwrap();
    assert!(!lessons.is_empty());
    lessons
}

fn staff(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_staff"));
    command.current_dir(root()).args(arguments);
    command
}

/// Standard output of a command that ends well.
fn output(command: &mut Command) -> String {
    String::from_utf8(command.assert().success().get_output().stdout.clone()).unwrap()
}

#[test]
fn ci_lists_its_checks_as_commands_one_for_each_lesson() {
    let said = output(&mut staff(&["ci", "--list"]));
    assert!(said.lines().any(|line| line.ends_with("cargo test --locked")), "{said}");
    for lesson in lessons() {
        let command = format!("cargo xtask run {}", lesson.number);
        assert!(said.lines().any(|line| line == command), "{said}");
    }
}

#[test]
fn the_quick_checks_are_format_lints_and_cargo_test() {
    let said = output(&mut staff(&["ci", "--quick", "--list"]));
    let subcommands: Vec<_> = said.lines().map(|line| line.split(' ').nth(1).unwrap()).collect();
    assert_eq!(subcommands, ["fmt", "clippy", "test"], "{said}");
}

#[test]
fn a_mistyped_option_is_explained_as_one_of_cargo_xtask() {
    let assert = staff(&["record", "--chekc"]).assert().code(2);
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(said.contains("a similar argument exists: '--check'"), "{said}");
    assert!(said.contains("Usage: cargo xtask record"), "{said}");
}

#[test]
fn every_chinese_text_translates_the_english_as_it_is_now() {
    let said = output(&mut staff(&["translations"]));
    assert!(said.starts_with("all "), "{said}");
}

/// `xtask` lists them without knowing them.
#[test]
fn xtask_names_each_command_with_the_same_words() {
    let xtask = build::binary(&root(), "xtask", "xtask", &Cancel::default()).unwrap();
    let listed = output(Command::new(xtask).arg("--help"));
    let ours = output(&mut staff(&["--help"]));
    let lines = ours.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines: Vec<_> = lines.take_while(|line| !line.is_empty()).map(str::trim).collect();
    assert!(lines.len() >= 3, "{ours}");
    for (name, about) in lines.iter().map(|line| line.split_once(' ').unwrap()) {
        let about = format!("{} (for contributors)", about.trim());
        let is_listed = |line: &str| {
            line.trim().split_once(' ').is_some_and(|(it, says)| it == name && says.trim() == about)
        };
        assert!(listed.lines().any(is_listed), "{name}: {about}\nis not in:\n{listed}");
    }
}
