//! A course with one lesson, two exercises and nothing to wait for: a program passes when it
//! prints its number. Every test has a copy of its own, which it may take apart.

// Not only the test functions themselves may panic here: what prepares for them may too.
#![allow(clippy::unwrap_used)]
// Each of the files of tests needs a part of it.
#![allow(dead_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How long anything may take here that needs a compiler, on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(120);

/// The graded tests. They keep the grader's protocol without a line of ours.
const TESTS: &str = r##"
use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::process::Command;

fn examine(expected: &str) {
    let program = std::env::var("GRADER_PROGRAM").unwrap();
    let program = program.trim_matches(['[', ']', '"']);
    let output = Command::new(program).output().unwrap();
    let came = String::from_utf8(output.stdout).unwrap();
    let (verdict, report) = match came.trim() == expected {
        true => ("pass", String::new()),
        false => ("fail", format!("expected {expected}, and {} came", came.trim())),
    };
    let grader = std::io::stdin().as_fd().try_clone_to_owned().unwrap();
    write!(File::from(grader), r#"{{"verdict":"{verdict}","report":"{report}"}}"#).unwrap();
    assert_eq!(verdict, "pass");
}
mod one {
    #[test]
    fn prints_its_number() { super::examine("1") }
}
mod two {
    #[test]
    fn prints_its_number() { super::examine("2") }
}
"##;

/// Nothing of the graded tests is compiled before somebody says so.
const WAITS: &str = r#"
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for _ in 0..12_000 {
        if std::path::Path::new("../go").exists() { return }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("nobody has said that it may be built");
}
"#;

/// Where it stays in cargo's target folder for the next time.
pub struct Course {
    pub root: PathBuf,
}

impl Course {
    /// As in the beginning: neither exercise is right.
    pub fn new(name: &str) -> Self {
        Self::with_tests(name, TESTS)
    }

    /// The folder of a course.
    pub fn place(name: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("tiny").join(name)
    }

    /// As [`new`](Self::new), with graded tests of its own.
    pub fn with_tests(name: &str, tests: &str) -> Self {
        let root = Self::place(name);
        for old in ["lessons", ".progress.json"] {
            let old = root.join(old);
            let _ = if old.is_dir() { fs::remove_dir_all(old) } else { fs::remove_file(old) };
        }
        let course = Self { root };
        course.write("Cargo.toml", &workspace("'lessons/*/exercise', 'tests'"));
        course.write("tests/Cargo.toml", &package("graded"));
        course.write("tests/src/lib.rs", "");
        course.write_tests(tests);
        course.write("lessons/01-count/exercise/Cargo.toml", &package("exercise-01"));
        let lesson = format!("exercises = ['one', 'two']\ntitle = {TEXT}\nlearn = {TEXT}\n");
        course.write("lessons/01-count/lesson.toml", &format!("minutes = 1\n{lesson}"));
        for name in ["one", "two"] {
            course.write(&about(name), &exercise_toml(name));
            course.write(&file(name), &prints("0"));
        }
        course
    }

    /// A file that says so already stays as old as it is: cargo builds again what is newer.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        if fs::read(&path).is_ok_and(|there| there == text.as_bytes()) {
            return;
        }
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn write_tests(&self, text: &str) {
        self.write("tests/tests/lesson_01.rs", text);
    }

    /// Changes the graded tests.
    pub fn expect_of_one(&self, number: &str) {
        self.write_tests(&TESTS.replace("examine(\"1\")", &format!("examine(\"{number}\")")));
    }

    /// As if the graded tests had never been built; and when they are, that waits until it
    /// [`may_build`](Self::may_build).
    pub fn never_built(&self) {
        let _ = fs::remove_dir_all(self.root.join("target/graded"));
        for old in ["go", "tests/build.rs"] {
            let _ = fs::remove_file(self.root.join(old));
        }
        self.write("tests/build.rs", WAITS);
    }

    pub fn may_build(&self) {
        self.write("go", "");
    }

    /// Saves the file of an exercise as careful editors do: a new file takes the place of the old
    /// one, so that nobody ever sees a part of it.
    pub fn save(&self, exercise: &str, text: &str) {
        let path = self.root.join(file(exercise));
        fs::write(path.with_extension("new"), text).unwrap();
        fs::rename(path.with_extension("new"), path).unwrap();
    }

    /// `cargo xtask …` in this course.
    pub fn xtask(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(arguments).current_dir(&self.root).env("LC_ALL", "C");
        // The packages here bear the names of the real ones: they must not replace them.
        command.env("CARGO_TARGET_DIR", self.root.join("target"));
        command
    }

    /// What such a command that ends well has to say: standard output, then standard error.
    pub fn said(&self, arguments: &[&str]) -> String {
        let output = self.xtask(arguments).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        String::from_utf8(said).unwrap()
    }
}

/// The file that describes an exercise, from the root of the course.
pub fn about(exercise: &str) -> String {
    format!("lessons/01-count/{exercise}.toml")
}

/// The file of an exercise, from the root of the course.
pub fn file(exercise: &str) -> String {
    format!("lessons/01-count/exercise/src/bin/{exercise}.rs")
}

/// A program that prints one word.
pub fn prints(word: &str) -> String {
    format!("fn main() {{\n    println!(\"{word}\");\n}}\n")
}

/// A program that writes its process id into a file and hangs.
pub fn hangs(id: &Path) -> String {
    let id = id.to_str().unwrap();
    format!(
        "fn main() {{\n    let id = format!(\"{{}}\\n\", std::process::id());\n    \
         std::fs::write({id:?}, id).unwrap();\n    loop {{ std::thread::park() }}\n}}\n"
    )
}

/// The manifest of a workspace with these members. Programs of a few lines are compiled in two thirds of
/// the time without what only large ones gain by.
pub fn workspace(members: &str) -> String {
    format!(
        "[workspace]\nresolver = '3'\nmembers = [{members}]\n\
         [profile.dev]\ncodegen-units = 1\ndebug = false\nincremental = false\n"
    )
}

pub fn package(name: &str) -> String {
    format!("[package]\nname = '{name}'\nedition = '2024'\n")
}

/// A text in both languages.
const TEXT: &str = "{ en = 'T', zh = '题' }";

fn exercise_toml(name: &str) -> String {
    format!(
        "title = {{ en = 'Print {name}', zh = '题' }}\ntask = {TEXT}\n\
         hints = [{{ en = 'general', zh = '一' }}, {{ en = 'specific', zh = '二' }}]\n\
         [[check]]\nname = 'prints_its_number'\npoints = 2\nusually = {TEXT}\n"
    )
}
