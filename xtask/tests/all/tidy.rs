//! Tidiness: what every lesson's folder must look like, and what must stand in no file at all.
//!
//! Everything that does not fit is listed at once, each in a line that says what to do.

// Not only the test functions themselves may panic here: what prepares for them may too.
#![allow(clippy::unwrap_used)]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use course::About;
use grader::plain::plain;
use netbasics::values::escape::is_harmless;

/// `main.rs` shows at one glance what a lesson can do. Blank lines do not count.
const MAX_MAIN_LINES: usize = 30;
/// A file of a lesson is read top down on two or three screens. This is about 150 lines and a
/// little: a chapter that needs more has two things to tell, and wants two files. (A `tests.rs` is
/// a list of situations, each read on its own.)
const MAX_LESSON_LINES: usize = 170;
/// What names the machine that a file was written on, and how a test is silenced. (Put together,
/// so that this file does not contain them.)
const FORBIDDEN: &[(&str, &str)] = &[
    (concat!("/", "root/"), "a path that exists on one machine only"),
    (concat!("/", "home/"), "a path that exists on one machine only"),
    (concat!("/", "Users/"), "a path that exists on one machine only"),
    (concat!("#[", "ignore"), "a test that is never run: mend it or remove it"),
];
/// Turns of phrase that plain English does without, as whole words in small letters. The book's chapters
/// are not held to it.
const RIDDLES: &[&str] = &[
    concat!("for ", "whom"),
    concat!("in ", "vain"),
    concat!("is let ", "go"),
    concat!("of ", "late"),
    concat!("so ", "many"),
    concat!("so ", "much"),
    concat!("stands ", "in"),
    concat!("want ", "of"),
    concat!("which one it ", "is"),
    concat!("who", "ever"),
];
/// Text files by the ends of their names.
const TEXTS: &[&str] = &["rs", "toml", "md", "yml", "html", "css", "js", "patch", "json", "run"];

#[test]
fn everything_in_the_tree_is_tidy() {
    let problems = problems(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    assert!(problems.is_empty(), "this does not fit:\n  {}", problems.join("\n  "));
}

/// The lessons, the laboratory and the grader know nothing of each other, and yet what one of them
/// takes for harmless the others must not show as it is.
#[test]
fn all_that_shows_strangers_text_escapes_the_same_characters() {
    let all = ('\0'..'\u{20000}').chain('\u{e0000}'..'\u{e1000}');
    let (harmless, harmful): (Vec<char>, Vec<char>) =
        all.filter(|c| !matches!(c, '\n' | '\t')).partition(|c| is_harmless(&c.to_string()));
    // What is harmless stays as it is wherever it stands, so that many are looked at in one go: one at
    // a time, they take two seconds.
    for some in harmless.chunks(1024) {
        let text: String = some.iter().collect();
        assert!(is_harmless(&text), "{text:?}");
        assert_eq!(plain(&text), text);
    }
    for c in harmful {
        let text = c.to_string();
        assert_ne!(plain(&text), text, "{c:?}");
        let shown = netlab::payload::in_one_line(format!("some text {c} and more").as_bytes(), 80);
        assert!(!shown.contains(c), "{c:?} in {shown:?}");
    }
}

#[test]
fn all_that_does_not_fit_is_found_at_once() {
    let root = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("lessons/misnamed/Cargo.toml", "");
    write("lessons/01-long/Cargo.toml", "[package]\nname = 'lesson-02'\n");
    write("lessons/01-long/src/main.rs", &"//\n".repeat(31));
    write("lessons/01-long/src/server.rs", &"\n".repeat(171));
    write("lessons/01-long/lesson.toml", "minuts = 3");
    write("lessons/02-bare/lesson.toml", LESSON);
    write("lessons/02-bare/greet.toml", EXERCISE);
    write("lessons/03-more/Cargo.toml", "[package]\nname = 'lesson-03'\n");
    write("lessons/03-more/src/main.rs", "");
    write("lessons/03-more/lesson.toml", &LESSON.replace("'greet'", ""));
    write("lessons/03-more/greet.toml", EXERCISE);
    write("lessons/02-bare/exercise/Cargo.toml", "[package]\nname = 'exercise-03'\n");
    write("crates/a/src/lib.rs", concat!("#[", "ignore]\nconst HERE: &str = \"/", "home/me\";"));
    write("crates/a/README.md", concat!("A wait of later, not In ", "Vain.\n"));
    write("crates/a/tests/all/main.rs", "mod one;\n");
    write("crates/a/tests/all/one.rs", "");
    write("crates/a/tests/all/two.rs", "");
    write("tests/all/main.rs", "#[path = \"../lesson_01/main.rs\"]\nmod lesson_01;\n");
    write("tests/lesson_01/main.rs", "");
    write("tests/lesson_02/main.rs", "mod answer;\n");
    write("tests/lesson_02/lines.rs", "");
    write("target/debug/build.rs", concat!("/", "home/me"));

    let found = problems(root.path()).join("\n");
    for expected in [
        "lessons/misnamed: ",
        "lessons/01-long/Cargo.toml: ",
        "lessons/01-long/src/main.rs: 31 lines",
        "lessons/01-long/src/server.rs: 171 lines",
        "lessons/01-long/lesson.toml: ",
        "lessons/02-bare/Cargo.toml: ",
        "lessons/02-bare/src/main.rs: ",
        "lessons/02-bare/exercise/Cargo.toml: ",
        "lessons/02-bare/exercise/src/bin/greet.rs: ",
        "lessons/02-bare/solution/Cargo.toml: ",
        "lessons/02-bare/solution/src/bin/greet.rs: ",
        "lessons/03-more/greet.toml: ",
        concat!("crates/a/src/lib.rs:2: contains /", "home/"),
        "crates/a/src/lib.rs:1: ",
        "crates/a/README.md:1: says 'in v",
        "crates/a/tests/all/two.rs: no module of ",
        "tests/lesson_02/lines.rs: no module of ",
        "tests/lesson_02/main.rs: no module of ",
    ] {
        assert!(found.lines().any(|line| line.starts_with(expected)), "{expected} in:\n{found}");
    }
    assert_eq!(found.lines().count(), 18, "{found}");
}

/// A `lesson.toml` with the one exercise `greet`.
const LESSON: &str = "minutes = 1\n\
    exercises = ['greet']\n\
    title = { en = '', zh = '' }\n\
    learn = { en = '', zh = '' }\n";
/// What the file of an exercise says at least.
const EXERCISE: &str = "hints = []\n\
    title = { en = '', zh = '' }\ntask = { en = '', zh = '' }\n\
    [[check]]\nname = 'greets'\npoints = 1\nusually = { en = '', zh = '' }\n";

fn problems(root: &Path) -> Vec<String> {
    let mut problems = Problems { root, list: Vec::new() };
    let lessons = root.join("lessons");
    for folder in entries(&lessons).into_iter().filter(|path| path.is_dir()) {
        problems.check_lesson(&folder);
    }
    problems.check_words(root);
    problems.check_test_programs(root);
    problems.list
}

struct Problems<'a> {
    root: &'a Path,
    list: Vec<String>,
}

impl Problems<'_> {
    fn add(&mut self, path: &Path, what: &str) {
        let path = path.strip_prefix(self.root).unwrap_or(path).display().to_string();
        self.list.push(format!("{}: {what}", path.replace('\\', "/")));
    }

    fn check_lesson(&mut self, folder: &Path) {
        let Some(number) = number(folder) else {
            return self.add(folder, "a lesson's folder is named NN-topic, such as 02-tcp-echo");
        };
        self.check_package(&folder.join("Cargo.toml"), &format!("lesson-{number}"));
        if !folder.join("src/main.rs").is_file() {
            self.add(&folder.join("src/main.rs"), "missing: every lesson is a program");
        }
        for file in files(&folder.join("src")) {
            self.check_length(&file);
        }
        match About::of(folder) {
            Err(error) => {
                self.add(error.path(), error.to_string().replace('\n', " ").trim_end());
            }
            Ok(about) => self.check_exercises(folder, &number, &about),
        }
    }

    fn check_exercises(&mut self, folder: &Path, number: &str, about: &About) {
        for kind in ["exercise", "solution"] {
            if !about.exercises.is_empty() {
                let package = folder.join(kind).join("Cargo.toml");
                self.check_package(&package, &format!("{kind}-{number}"));
            }
            for exercise in &about.exercises {
                let program = folder.join(kind).join(format!("src/bin/{}.rs", exercise.name));
                if !program.is_file() {
                    self.add(&program, "missing, but lesson.toml names the exercise");
                }
            }
        }
    }

    fn check_package(&mut self, cargo_toml: &Path, name: &str) {
        let table = fs::read_to_string(cargo_toml).ok().and_then(|text| text.parse().ok());
        let package: Option<toml::Table> = table;
        let found = package.as_ref().and_then(|package| package.get("package")?.get("name"));
        if found.and_then(toml::Value::as_str) != Some(name) {
            self.add(cargo_toml, &format!("must be there and name the package {name}"));
        }
    }

    fn check_length(&mut self, file: &Path) {
        if file.ends_with("tests.rs") {
            return;
        }
        let is_main = file.ends_with("main.rs");
        let limit = if is_main { MAX_MAIN_LINES } else { MAX_LESSON_LINES };
        let text = fs::read_to_string(file).unwrap_or_default();
        let lines = text.lines().filter(|line| !is_main || !line.is_empty()).count();
        if lines > limit {
            self.add(file, &format!("{lines} lines; at most {limit} are read with pleasure"));
        }
    }

    /// A file of tests that no program has as a module is never run.
    fn check_test_programs(&mut self, root: &Path) {
        for main in files(root).into_iter().filter(|file| file.ends_with("main.rs")) {
            let Some(folder) = main.parent() else { continue };
            if folder.parent().is_none_or(|parent| !parent.ends_with("tests")) {
                continue;
            }
            let text = fs::read_to_string(&main).unwrap_or_default();
            let mut modules = files(folder);
            modules.retain(|file| file.parent() == Some(folder) && *file != main);
            if folder == root.join("tests/all") {
                // The graded tests of each lesson are a program of their own, too.
                let others = files(&root.join("tests")).into_iter();
                modules.extend(others.filter(|file| is_of_a_lesson(file)));
            }
            for file in modules {
                let name = module(&file).unwrap_or_default();
                let is_rust = file.extension() == Some(OsStr::new("rs"));
                if is_rust && !text.contains(&format!("mod {name};")) {
                    self.add(&file, &format!("no module of {}: never run", main.display()));
                }
            }
        }
    }

    fn check_words(&mut self, folder: &Path) {
        for file in files(folder).into_iter().filter(|file| is_text(file)) {
            let text = fs::read_to_string(&file).unwrap_or_default();
            let is_chapter = file.starts_with(self.root.join("mdbook/src"));
            for (number, line) in (1..).zip(text.lines()) {
                let place = PathBuf::from(format!("{}:{number}", file.display()));
                for (word, why) in FORBIDDEN.iter().filter(|(word, _)| line.contains(word)) {
                    self.add(&place, &format!("contains {word}, {why}"));
                }
                let small = line.to_lowercase();
                for words in RIDDLES.iter().filter(|words| !is_chapter && has_words(&small, words))
                {
                    self.add(&place, &format!("says '{words}': say it in plain English"));
                }
            }
        }
    }
}

/// Whether these words are in the line, one after the other.
fn has_words(line: &str, words: &str) -> bool {
    line.match_indices(words).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + words.len()..].chars().next();
        ![before, after].into_iter().flatten().any(|c| c.is_alphanumeric() || c == '_')
    })
}

/// The name of the module in a file: `lines` of `lines.rs`, `lesson_02` of `lesson_02/main.rs`.
fn module(file: &Path) -> Option<String> {
    let named = if file.ends_with("main.rs") { file.parent()? } else { file };
    Some(named.file_stem()?.to_string_lossy().into_owned())
}

/// Whether it is the main file of a lesson's graded tests.
fn is_of_a_lesson(file: &Path) -> bool {
    file.ends_with("main.rs") && module(file).is_some_and(|name| name.starts_with("lesson_"))
}

/// The two digits of `02-tcp-echo`.
fn number(folder: &Path) -> Option<String> {
    let (number, topic) = folder.file_name()?.to_str()?.split_once('-')?;
    let is_number = number.len() == 2 && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && !topic.is_empty()).then(|| number.to_owned())
}

fn is_text(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    TEXTS.iter().any(|end| name == *end || name.ends_with(&format!(".{end}")))
}

/// All files below a folder, but what cargo, git and npm keep there, and what belongs to the student:
/// whatever is in an exercise must not stop the tests of all the rest.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in entries(folder) {
        let name = path.file_name().unwrap_or_default();
        if path.is_file() {
            files.push(path);
        } else if !["target", ".git", "node_modules", "exercise"].map(OsStr::new).contains(&name) {
            files.extend(self::files(&path));
        }
    }
    files
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
