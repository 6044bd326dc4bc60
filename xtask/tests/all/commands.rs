//! What the commands print and how they end, on the real course.

// Not only the test functions themselves may panic here: what prepares for them may too.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::thread;

use assert_cmd::Command;
use course::{Lesson, Run};
#[cfg(unix)]
use netlab::program::{poll, signal};
use netlab::rounds::few_or_all;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn lessons() -> Vec<Lesson> {
    let lessons = course::lessons(&root()).unwrap();
    assert!(!lessons.is_empty());
    lessons
}

/// Side by side, as most of it is waiting.
fn for_each_lesson(test: impl Fn(&Lesson) + Sync) {
    let lessons = lessons();
    thread::scope(|threads| {
        for lesson in &lessons {
            let test = &test;
            threads.spawn(move || test(lesson));
        }
    });
}

fn xtask(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    // In English, whatever the system speaks.
    command.current_dir(root()).args(arguments).env("LC_ALL", "C");
    command
}

/// Standard output of a command that ends well.
fn output(arguments: &[&str]) -> String {
    let output = xtask(arguments).assert().success().get_output().stdout.clone();
    String::from_utf8(output).unwrap()
}

#[test]
fn without_a_command_it_says_what_one_can_do() {
    let said = output(&[]);
    for command in ["list", "run", "test", "book", "doctor", "ci"] {
        assert!(said.contains(&format!("cargo xtask {command}")), "{command} is missing in {said}");
    }
    assert!(said.contains(&format!("{} lessons", lessons().len())), "{said}");
}

/// As in `cargo xtask task 02 | head`, when head has seen enough.
#[test]
fn a_reader_that_goes_away_is_no_failure() {
    for arguments in [vec!["task", "02"], vec!["hint", "02", "--all"], vec!["list"], vec![]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_xtask"));
        let command = command.current_dir(root()).args(&arguments).stdout(writer);
        let output = command.stderr(std::process::Stdio::piped()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{arguments:?}: {said}");
    }
}

#[test]
fn it_works_from_a_folder_inside_the_course() {
    xtask(&["list"]).current_dir(root().join("crates/netbasics/src")).assert().success();
}

#[test]
fn outside_the_course_it_says_so() {
    let elsewhere = tempfile::tempdir().unwrap();
    let assert = xtask(&["list"]).current_dir(elsewhere.path()).assert().code(1);
    assert!(String::from_utf8_lossy(&assert.get_output().stderr).contains("is not in the course"));
}

#[test]
fn list_shows_every_folder_of_lessons() {
    let (english, chinese) = (output(&["list"]), output(&["list", "--lang", "zh"]));
    for lesson in lessons() {
        let is_shown = |table: &str, title: &str| {
            let row = table.lines().find(|row| row.starts_with(&lesson.number)).unwrap_or_default();
            row.contains(&lesson.topic) && row.contains(&lesson.package()) && row.ends_with(title)
        };
        assert!(is_shown(&english, &lesson.about.title.en), "{english}");
        assert!(is_shown(&chinese, &lesson.about.title.zh), "{chinese}");
    }
}

#[test]
fn an_unknown_lesson_ends_with_2_and_the_names_of_all() {
    let assert = xtask(&["run", "tcp-ekho"]).assert().code(2);
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(said.contains("there is no lesson \"tcp-ekho\"; do you mean 02 tcp-echo?"), "{said}");
    for lesson in lessons() {
        assert!(said.contains(&format!("  {} {}", lesson.number, lesson.topic)), "{said}");
    }
}

#[test]
fn an_exercise_without_its_lesson_is_told_with_it() {
    let assert = xtask(&["task", "lines"]).assert().code(2);
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(said.contains("do you mean 02/lines?"), "{said}");
}

#[test]
fn an_unknown_lesson_is_not_tested_either() {
    xtask(&["test", "99"]).assert().code(2);
}

#[test]
fn lesson_2_runs_as_two_programs_with_labels() {
    let said = output(&["run", "02"]);
    assert!(
        said.lines().any(|line| line.starts_with("[server] listening on 127.0.0.1:")),
        "{said}"
    );
    assert!(said.lines().any(|line| line == "[client] 你好"), "{said}");
    assert!(said.lines().any(|line| line.starts_with("[xtask] ")), "{said}");
}

#[test]
fn every_lesson_runs_and_its_file_arrives_where_it_sends_one() {
    // Each is built as for somebody who runs it alone, which takes its time.
    let chosen = few_or_all(&["02", "03"][..], &[]);
    for_each_lesson(|lesson| {
        if !chosen.is_empty() && !chosen.contains(&lesson.number.as_str()) {
            return;
        }
        let said = output(&["run", &lesson.topic]);
        let moves_a_file = lesson.about.run.as_ref().is_some_and(mentions_file_and_folder);
        let arrived = said.contains("arrived whole: 100,000 bytes, identical");
        assert_eq!(arrived, moves_a_file, "{said}");
    });
}

fn mentions_file_and_folder(run: &Run) -> bool {
    let words = [run.server.concat(), run.client.concat()].concat();
    words.contains("{file}") && words.contains("{dir}")
}

#[test]
fn a_task_is_printed_in_both_languages_and_names_the_file_to_edit() {
    let lessons = lessons();
    let lesson = lessons.iter().find(|lesson| !lesson.about.exercises.is_empty()).unwrap();
    let exercise = &lesson.about.exercises[0];
    let wanted = format!("{}/{}", lesson.number, exercise.name);
    let file = format!("exercise/src/bin/{}.rs", exercise.name);
    for (language, text) in [("en", &exercise.task.en), ("zh", &exercise.task.zh)] {
        let printed = output(&["task", &wanted, "--lang", language]);
        assert!(printed.contains(text.trim()) && printed.contains(&file), "{printed}");
    }
}

/// Those of every exercise are printed where this costs less: in the tests of `hint.rs`.
#[test]
fn a_hint_is_printed_and_one_beyond_the_last_ends_with_2() {
    let lessons = lessons();
    let lesson = lessons.iter().find(|lesson| !lesson.about.exercises.is_empty()).unwrap();
    let exercise = &lesson.about.exercises[0];
    let wanted = format!("{}/{}", lesson.number, exercise.name);
    let printed = output(&["hint", &wanted, "1", "--lang", "en"]);
    assert!(printed.contains(exercise.hints[0].en.trim()), "{printed}");
    let beyond = (exercise.hints.len() + 1).to_string();
    xtask(&["hint", &wanted, &beyond]).assert().code(2);
}

#[test]
fn a_mistyped_submission_is_wrong_usage_and_no_lost_points() {
    for whose in [["--submission", "no-such-folder"], ["--program", "no-such-program"]] {
        let output = xtask(&["grade", "02/answer", whose[0], whose[1]]).assert().code(2);
        let output = output.get_output().clone();
        assert!(output.stdout.is_empty(), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(whose[1]), "{output:?}");
    }
}

/// The graded program hangs, and says its process id in a file before.
#[cfg(unix)]
#[test]
fn ctrl_c_ends_what_is_being_graded() {
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;
    let folder = tempfile::tempdir().unwrap();
    let (program, id) = (folder.path().join("hangs"), folder.path().join("id"));
    let script = format!("#!/bin/sh\necho $$ > {}\nexec sleep 600\n", id.display());
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut grading = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["grade", "02/answer", "--program", program.to_str().unwrap()])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let limit = std::time::Duration::from_secs(120);
    let is_complete = |text: &String| text.ends_with('\n');
    let id = poll(limit, || std::fs::read_to_string(&id).ok().filter(is_complete)).unwrap();
    let id: u32 = id.trim().parse().unwrap();
    signal("-INT", grading.id()).unwrap();
    let status = poll(limit, || grading.try_wait().unwrap()).expect("grading ends");
    assert_eq!(status.code(), Some(130));
    assert!(poll(limit, || signal("-0", id).is_err().then_some(())).is_some(), "still alive");
}
