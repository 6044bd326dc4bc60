//! An exercise: a program that the student writes, and what a file such as `answer.toml`, beside its
//! lesson's `lesson.toml`, says about it.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::language::Text;
use crate::lesson::{CourseError, read};

/// The files of a lesson's folder that describe no exercise. (`waits.toml` is the grader's,
/// `translations.toml` is of `cargo xtask translations`.)
const OTHERS: [&str; 4] = ["Cargo", "lesson", "waits", "translations"];

/// One exercise: a program that the student writes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exercise {
    /// The program's name, as in `src/bin/NAME.rs`; the name of the file says it, without `.toml`.
    #[serde(skip)]
    pub name: String,
    /// What it is called.
    pub title: Text,
    /// What to build, exactly.
    pub task: Text,
    /// The general hint first, the most specific one last.
    pub hints: Vec<Text>,
    /// What is tested, and what it is worth.
    #[serde(rename = "check")]
    pub checks: Vec<Check>,
}

/// One graded test function; all of its cases must pass for its points.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The name of the test function.
    pub name: String,
    /// What it is worth.
    pub points: u32,
    /// The mistake it usually is when this check fails.
    pub usually: Text,
}

impl Exercise {
    /// What all of its checks are worth.
    #[must_use]
    pub fn points(&self) -> u32 {
        self.checks.iter().map(|check| check.points).sum()
    }
}

/// The exercises that a `lesson.toml` names, in its order, each from its file in the same folder.
pub(crate) fn exercises(folder: &Path, names: &[String]) -> Result<Vec<Exercise>, CourseError> {
    let twice = |at: usize| names[..at].contains(&names[at]);
    if let Some(at) = (0..names.len()).find(|at| twice(*at)) {
        return Err(CourseError::NamedTwice(folder.join("lesson.toml"), names[at].clone()));
    }
    let exercises = names.iter().map(|name| exercise(folder, name)).collect::<Result<_, _>>()?;
    match files(folder)?.into_iter().find(|file| !describes_one_of(file, names)) {
        Some(file) => Err(CourseError::Unnamed(file)),
        None => Ok(exercises),
    }
}

fn exercise(folder: &Path, name: &str) -> Result<Exercise, CourseError> {
    let file = folder.join(format!("{name}.toml"));
    match read::<Exercise>(file) {
        Err(CourseError::Unreadable(file, error)) if error.kind() == io::ErrorKind::NotFound => {
            Err(CourseError::Missing(file))
        }
        exercise => Ok(Exercise { name: name.to_owned(), ..exercise? }),
    }
}

/// The files in which exercises are described. What an editor hides (`.#answer.toml`) is its own.
fn files(folder: &Path) -> Result<Vec<PathBuf>, CourseError> {
    let unreadable = |error| CourseError::Unreadable(folder.to_owned(), error);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let is_toml = file.extension() == Some(OsStr::new("toml"));
        if is_toml && !name.starts_with('.') && !OTHERS.contains(&&*name) {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn describes_one_of(file: &Path, names: &[String]) -> bool {
    names.iter().any(|name| file.file_stem() == Some(OsStr::new(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::About;
    use rstest::rstest;

    const LESSON: &str = "minutes = 30\n\
        title = { en = \"T\", zh = \"题\" }\n\
        learn = { en = \"L\", zh = \"学\" }\n";
    const EXERCISE: &str = "title = { en = \"E\", zh = \"题\" }\n\
        task = { en = \"Write.\", zh = \"写。\" }\n\
        hints = []\n\
        [[check]]\nname = \"it_works\"\npoints = 2\nusually = { en = \"U\", zh = \"错\" }\n";

    /// What is read of a lesson with these names, and these files beside its `lesson.toml`.
    fn read_lesson(names: &str, files: &[(&str, &str)]) -> Result<Vec<Exercise>, String> {
        let folder = tempfile::tempdir().unwrap();
        let lesson = format!("exercises = [{names}]\n{LESSON}");
        for (name, text) in files.iter().chain(&[("lesson.toml", &*lesson)]) {
            fs::write(folder.path().join(name), text).unwrap();
        }
        About::of(folder.path()).map(|about| about.exercises).map_err(|error| error.to_string())
    }

    #[test]
    fn exercises_come_in_the_order_in_which_the_lesson_names_them() {
        let files = [("lines.toml", EXERCISE), ("answer.toml", EXERCISE), ("crowd.toml", EXERCISE)];
        let exercises = read_lesson("'lines', 'crowd', 'answer'", &files).unwrap();
        let names: Vec<_> = exercises.iter().map(|exercise| &*exercise.name).collect();
        assert_eq!(names, ["lines", "crowd", "answer"]);
        assert_eq!(exercises[0].points(), 2);
    }

    #[test]
    fn a_file_of_somebody_else_is_no_exercise() {
        let files = [
            ("answer.toml", EXERCISE),
            ("Cargo.toml", "[package]"),
            ("waits.toml", "calibration = 1.0"),
            ("translations.toml", "'answer.toml:title' = '00000000'"),
            (".#lines.toml", "an editor's lock"),
            ("lines.toml~", "an editor's copy"),
        ];
        assert_eq!(read_lesson("'answer'", &files).unwrap().len(), 1);
    }

    #[rstest]
    #[case::name_without_file(
        "'answer', 'lines'",
        "lines.toml is not there, but lesson.toml names"
    )]
    #[case::file_without_name("", "answer.toml: lesson.toml does not name this exercise")]
    #[case::named_twice("'answer', 'answer'", "lesson.toml names the exercise \"answer\" twice")]
    fn what_does_not_fit_is_named(#[case] names: &str, #[case] complaint: &str) {
        let error = read_lesson(names, &[("answer.toml", EXERCISE)]).unwrap_err();
        assert!(error.contains(complaint), "{error}");
    }

    #[rstest]
    #[case::of_the_exercise("points = 3\n", "")]
    #[case::of_a_check("", "points = 3\npoint = 3\n")]
    #[case::its_name("name = \"answer\"\n", "")]
    fn an_unknown_key_is_an_error_with_file_and_line(#[case] above: &str, #[case] check: &str) {
        let check = if check.is_empty() {
            String::new()
        } else {
            format!("[[check]]\nname = 'c'\n{check}usually = {{ en = '', zh = '' }}\n")
        };
        let text = format!("{above}{EXERCISE}{check}");
        let error = read_lesson("'answer'", &[("answer.toml", &text)]).unwrap_err();
        assert!(error.contains("answer.toml cannot be used: TOML parse error at line"), "{error}");
        assert!(error.contains("unknown field"), "{error}");
    }
}
