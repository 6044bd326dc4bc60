//! `cargo xtask watch`, over a pipe, and the progress that grading leaves behind, on a course
//! that was made up for it.

// Not only the test functions themselves may panic here: what prepares for them may too.
#![allow(clippy::unwrap_used, clippy::expect_used)]
// The tests of that course answer the grader through a descriptor.
#![cfg(unix)]

use std::fs;
use std::io::Write;
use std::process::Stdio;

use netlab::peers::Peer;
use netlab::program::{poll, signal};
use rstest::rstest;

use crate::tiny::{Course, LIMIT, about, file, hangs, prints};

/// The command while it runs.
struct Watching(Peer);

impl Watching {
    fn begin(course: &Course, arguments: &[&str]) -> Self {
        Self(Peer::start(&mut course.xtask(&[&["watch"], arguments].concat())))
    }

    /// Waits until it has said `text` this many times in all.
    #[track_caller]
    fn says_again(&self, text: &str, times: usize) {
        let count = || self.0.stdout().matches(text).count();
        let found = poll(LIMIT, || (count() >= times).then_some(()));
        assert!(found.is_some(), "{times} times {text:?} in {}", self.0.stdout());
    }

    #[track_caller]
    fn says(&self, text: &str) {
        assert!(self.0.prints(text, LIMIT), "no {text:?} in {}", self.0.stdout());
    }

    /// Types `q`; it ends well, and this is all it has said.
    #[track_caller]
    fn quit(mut self) -> String {
        self.0.tell("q\n");
        let ended = self.0.ends(LIMIT);
        assert!(ended.is_some_and(|status| status.success()), "{ended:?}, {}", self.0.stdout());
        self.0.stdout()
    }
}

/// Whether a process of this id runs.
fn is_alive(id: &str) -> bool {
    signal("-0", id.trim().parse().unwrap()).is_ok()
}

#[rstest]
#[case::told_by_the_system("told", &[])]
#[case::polling("polling", &["--poll"])]
fn a_save_is_graded_and_all_points_lead_to_the_next_exercise(
    #[case] name: &str,
    #[case] options: &[&str],
) {
    let course = Course::new(name);
    let watching = Watching::begin(&course, options);
    watching.says("grading 01/one\n");
    watching.says("expected 1, and 0 came");
    watching.says("0 / 4 points in the course");
    course.save("one", &prints("1"));
    watching.says("01/one has all its points.\nNext: 01/two  Print two");
    watching.says(&format!("edit: {}", file("two")));
    watching.says("2 / 4 points in the course");
    course.save("two", &prints("2"));
    watching.says("01/two has all its points.\nNothing is left to do here.");
    watching.says("4 / 4 points in the course");
    let said = watching.quit();
    assert!(!said.contains('\u{1b}'), "no control codes in a pipe: {said}");
    assert!(course.said(&[]).contains("4 of 4 points"), "{}", course.said(&[]));
}

#[rstest]
#[case::told_by_the_system("once-told", &[])]
#[case::polling("once-polling", &["--poll"])]
fn one_save_is_one_grading_whatever_the_editor_does(#[case] name: &str, #[case] options: &[&str]) {
    let course = Course::new(name);
    let watching = Watching::begin(&course, options);
    watching.says("and 0 came");
    course.save("one", &prints("5"));
    watching.says("and 5 came");
    // The old file is kept under another name first: for a moment there is none.
    let path = course.root.join(file("one"));
    fs::rename(&path, path.with_extension("rs~")).unwrap();
    course.save("one", &prints("6"));
    watching.says("and 6 came");
    // Nothing has changed, so nothing is graded.
    course.save("one", &prints("6"));
    course.save("two", &prints("7"));
    watching.says("and 7 came");
    let said = watching.quit();
    assert_eq!(said.matches("grading 01/one\n").count(), 3, "{said}");
    assert_eq!(said.matches("grading 01/two\n").count(), 1, "{said}");
}

#[rstest]
#[case::told_by_the_system("module-told", &[])]
#[case::polling("module-polling", &["--poll"])]
fn a_module_beside_the_exercise_is_part_of_it_and_other_files_are_not(
    #[case] name: &str,
    #[case] options: &[&str],
) {
    let course = Course::new(name);
    let module = "lessons/01-count/exercise/src/count.rs";
    course.write(module, "pub const COUNT: u32 = 1;\n");
    course.save("one", "#[path = \"../count.rs\"]\nmod count;\nfn main() {\n    println!(\"{}\", count::COUNT);\n}\n");
    let watching = Watching::begin(&course, &[&["01/one"], options].concat());
    watching.says("01/one has all its points.");
    course.write(module, "pub const COUNT: u32 = 2;\n");
    watching.says(&format!(
        "changed: {module}: part of the package of 01/one, which is graded again\n"
    ));
    watching.says("expected 1, and 2 came");
    course.write(module, "pub const COUNT: u32 = ;\n");
    watching.says("does not compile 0/2");
    fs::remove_file(course.root.join(module)).unwrap();
    watching.says_again("does not compile 0/2", 2);
    course.write(module, "pub const COUNT: u32 = 1;\n");
    watching.says_again("01/one has all its points.", 2);
    course.write("lessons/01-count/src/main.rs", "fn main() {}\n");
    watching.says(
        "changed: lessons/01-count/src/main.rs: not part of 01/one, which is not graded for that\n",
    );
    let said = watching.quit();
    assert_eq!(said.matches("grading 01/one\n").count(), 5, "{said}");
    fs::remove_dir_all(course.root.join("lessons/01-count/src")).unwrap();
}

#[test]
fn a_program_that_hangs_stops_neither_a_key_nor_the_next_save() {
    let course = Course::new("hanging");
    let id = course.root.join("id");
    let _ = fs::remove_file(&id);
    course.save("one", &hangs(&id));
    let mut watching = Watching::begin(&course, &["01/one"]);
    let is_complete = |text: &String| text.ends_with('\n');
    let id = poll(LIMIT, || fs::read_to_string(&id).ok().filter(is_complete)).expect("it hangs");
    watching.0.tell("h\nh\nh\nl\n");
    watching.says("01/one (1/2): general\n01/one (2/2): specific\n01/one (1/2): general\n");
    watching.says("   > one ");
    assert!(is_alive(&id));
    course.save("one", &prints("1"));
    watching.says("01/one has all its points.\nNothing is left to do here.\n");
    watching.says("Next in the course: cargo xtask watch 01/two\n");
    assert!(poll(LIMIT, || (!is_alive(&id)).then_some(())).is_some(), "{id} is still alive");
    let said = watching.quit();
    assert!(!said.contains("timeout"), "what was cancelled has no verdict: {said}");
}

#[rstest]
#[case::by_q("quit", Some("q\n"), 0)]
#[case::by_ctrl_c("interrupted", None, 130)]
fn quitting_ends_what_is_being_graded(
    #[case] name: &str,
    #[case] key: Option<&str>,
    #[case] code: i32,
) {
    let course = Course::new(name);
    let id = course.root.join("id");
    let _ = fs::remove_file(&id);
    course.save("one", &hangs(&id));
    // Not by `Peer`, which does not tell the process's id.
    let mut command = course.xtask(&["watch"]);
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    let mut watching = command.spawn().unwrap();
    let is_complete = |text: &String| text.ends_with('\n');
    let id = poll(LIMIT, || fs::read_to_string(&id).ok().filter(is_complete)).expect("it hangs");
    if let Some(key) = key {
        watching.stdin.as_mut().unwrap().write_all(key.as_bytes()).unwrap();
    } else {
        signal("-INT", watching.id()).unwrap();
    }
    let status = poll(LIMIT, || watching.try_wait().unwrap()).expect("it ends");
    assert_eq!(status.code(), Some(code));
    assert!(poll(LIMIT, || (!is_alive(&id)).then_some(())).is_some(), "{id} is still alive");
}

#[test]
fn what_does_not_compile_is_shown_as_the_compiler_says_it() {
    let course = Course::new("half-typed");
    course.save("one", "fn main( {\n");
    let watching = Watching::begin(&course, &[]);
    watching.says("does not compile 0/2");
    watching.says("one.rs:1:");
    course.save("one", &prints("1"));
    watching.says("01/one has all its points.");
    watching.quit();
}

#[rstest]
#[case::told_by_the_system("gone-told", &[])]
#[case::polling("gone-polling", &["--poll"])]
fn a_file_and_a_folder_that_vanish_are_named_and_come_back(
    #[case] name: &str,
    #[case] options: &[&str],
) {
    let course = Course::new(name);
    let watching = Watching::begin(&course, options);
    watching.says("and 0 came");
    fs::remove_file(course.root.join(file("one"))).unwrap();
    watching.says(&format!("{} is not there any more", file("one")));
    watching.says("cargo xtask reset 01/one");
    course.save("one", &prints("3"));
    watching.says("and 3 came");
    fs::remove_dir_all(course.root.join("lessons/01-count/exercise/src")).unwrap();
    watching.says(&format!("{} is not there any more", file("two")));
    course.write(&file("one"), &prints("4"));
    watching.says("and 4 came");
    course.write(&file("two"), &prints("0"));
    watching.says(&format!("{} is there again", file("two")));
    course.save("one", &prints("1"));
    watching.says("01/one has all its points.");
    watching.quit();
}

#[test]
fn changed_tests_are_built_again_before_the_next_grading() {
    let course = Course::new("tests");
    let mut watching = Watching::begin(&course, &["01/one"]);
    watching.says("expected 1, and 0 came");
    course.expect_of_one("3");
    // The system says so at its own time: Enter until it has.
    let mut gradings = 1;
    while !watching.0.stdout().contains("expected 3, and 0 came") {
        assert!(gradings < 100, "the new tests are not noticed: {}", watching.0.stdout());
        watching.0.tell("\n");
        gradings += 1;
        watching.says_again("and 0 came", gradings);
    }
    watching.quit();
}

const FIRST: &str = "building the tests and the program; the first time for a lesson, this takes a \
                     minute or two\n";

#[test]
fn the_first_watching_of_a_lesson_says_what_is_built_before_it_is_built() {
    let course = Course::new("first watch");
    course.never_built();
    let watching = Watching::begin(&course, &["01/one"]);
    watching.says(&format!("grading 01/one\n{FIRST}"));
    course.may_build();
    watching.says("0 / 4 points in the course");
    course.save("one", &prints("1"));
    watching.says("2 / 4 points in the course");
    let said = watching.quit();
    assert_eq!(said.matches(FIRST).count(), 1, "{said}");
}

#[test]
fn the_first_grading_of_a_lesson_says_what_is_built_before_it_is_built() {
    let course = Course::new("first grade");
    course.never_built();
    let mut grading = Peer::start(&mut course.xtask(&["grade", "01/one"]));
    let says = poll(LIMIT, || grading.stderr().contains(FIRST).then_some(()));
    assert!(says.is_some(), "{grading:?}");
    course.may_build();
    assert_eq!(grading.ends(LIMIT).unwrap().code(), Some(1), "{grading:?}");
    assert_eq!(grading.stderr(), format!("01/one: {FIRST}"));
    let again = course.xtask(&["grade", "01/two"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&again.stderr), "");
}

#[test]
fn when_the_input_ends_the_grading_that_goes_on_is_the_last() {
    let course = Course::new("input");
    let mut watching = Watching::begin(&course, &[]);
    watching.0.tell("h\n");
    watching.0.close_input();
    assert!(watching.0.ends(LIMIT).is_some_and(|status| status.success()));
    let said = watching.0.stdout();
    assert!(said.contains("01/one (1/2): general") && said.contains("and 0 came"), "{said}");
}

#[test]
fn grading_an_exercise_is_remembered_and_a_later_change_is_told() {
    let course = Course::new("progress");
    course.save("one", &prints("1"));
    let said = course.said(&["grade", "01"]);
    assert!(said.contains("2 / 4 points"), "{said}");
    let list = course.said(&["list"]);
    assert!(list.contains(" 2/2  Print one\n") && list.contains(" 0/2  Print two\n"), "{list}");
    let overview = course.said(&[]);
    assert!(overview.contains("1 lessons: 2 of 4 points"), "{overview}");
    assert!(overview.contains("[##########----------]"), "{overview}");
    assert!(overview.contains("Next: 01/two") && overview.contains("watch 01/two"), "{overview}");
    assert!(course.said(&["hint"]).starts_with("01/two (1/2): general\n"));
    course.save("one", &prints("9"));
    assert!(course.said(&["list"]).contains("Print one  (changed since it was graded)\n"));
}

#[test]
fn somebody_elses_program_is_no_progress() {
    let course = Course::new("others");
    let program = course.root.join("program");
    fs::write(&program, "#!/bin/sh\necho 1\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&program, mode).unwrap();
    let said = course.said(&["grade", "01/one", "--program", program.to_str().unwrap()]);
    assert!(said.contains("2 / 2 points"), "{said}");
    assert!(course.said(&["list"]).contains(" -/2  Print one\n"));
}

#[test]
fn a_program_in_a_folder_with_a_blank_is_named_whole_or_in_quotes() {
    let course = Course::new("blank");
    let folder = course.root.join("my tools");
    fs::create_dir_all(&folder).unwrap();
    let program = folder.join("print it");
    fs::write(&program, "#!/bin/sh\necho 1\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&program, mode).unwrap();
    let program = program.to_str().unwrap();
    for line in [program.to_owned(), format!("'{program}'"), format!("\"{program}\"")] {
        let said = course.said(&["grade", "01/one", "--program", &line]);
        assert!(said.contains("2 / 2 points"), "{line}: {said}");
    }
    for (line, why) in [
        (format!("{program} 5"), "a path with blanks in it needs quotation marks"),
        (format!("'{program}"), "a ' is opened and not closed"),
    ] {
        let output = course.xtask(&["grade", "01/one", "--program", &line]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(why), "{line}: {said}");
    }
}

#[test]
fn a_deleted_file_is_no_grader_error_and_says_how_it_comes_back() {
    let course = Course::new("deleted");
    course.save("two", &prints("2"));
    fs::remove_file(course.root.join(file("one"))).unwrap();
    let said = course.said(&["grade", "01"]);
    assert!(!said.contains("grader error"), "{said}");
    assert!(said.contains(&format!("{} is not there any more", file("one"))), "{said}");
    assert!(said.contains("cargo xtask reset 01/one"), "{said}");
    assert!(said.contains("2 / 4 points"), "the other exercise is graded: {said}");
}

#[test]
fn a_broken_lesson_toml_is_named_with_the_line_and_what_brings_it_back() {
    let course = Course::new("broken-toml");
    course.write("lessons/01-count/lesson.toml", "minutez = 1\n");
    let said = course.said(&["list"]);
    for part in ["lesson.toml cannot be used", "1 | minutez = 1", "git checkout "] {
        assert!(said.contains(part), "{part} is missing in {said}");
    }
}

#[test]
fn a_broken_file_of_an_exercise_is_named_likewise() {
    let course = Course::new("broken-exercise");
    course.write(&about("two"), "titel = 1\n");
    let said = course.said(&["list"]);
    for part in ["two.toml cannot be used", "1 | titel = 1", "git checkout "] {
        assert!(said.contains(part), "{part} is missing in {said}");
    }
    fs::remove_file(course.root.join(about("two"))).unwrap();
    let said = course.said(&["list"]);
    assert!(said.contains("two.toml is not there, but lesson.toml names"), "{said}");
}

#[test]
fn a_damaged_progress_file_is_named_and_stops_nothing() {
    let course = Course::new("damaged");
    fs::write(course.root.join(".progress.json"), "{ \"schema\"").unwrap();
    let said = course.said(&[]);
    assert!(said.contains("0 of 4 points") && said.contains(".progress.json is ignored"), "{said}");
    course.save("one", &prints("1"));
    course.said(&["grade", "01/one"]);
    let said = course.said(&[]);
    assert!(said.contains("2 of 4 points") && !said.contains("ignored"), "{said}");
}
