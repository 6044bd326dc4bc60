//! Which exercises a person means, and where their files are.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, Result};
use course::{Exercise, Lesson};
use grader::progress;

use course::Course;

/// The arguments do not fit together, or name something that is not there.
#[derive(Debug)]
pub struct WrongArguments(pub String);

impl fmt::Display for WrongArguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WrongArguments {}

/// The exercises that `LESSON`, `LESSON/EXERCISE` or nothing at all stands for, in order.
pub fn wanted<'a>(
    course: &'a Course,
    wanted: Option<&str>,
) -> Result<Vec<(&'a Lesson, &'a Exercise)>> {
    let Some(wanted) = wanted else { return Ok(course.exercises()) };
    let (lesson, name) = match wanted.split_once('/') {
        Some((lesson, name)) => (lesson, Some(name)),
        None => (wanted, None),
    };
    let lesson = course.lesson(lesson)?;
    let mut found = course.exercises();
    found.retain(|(of, exercise)| {
        of.number == lesson.number && name.is_none_or(|name| exercise.name == name)
    });
    if found.is_empty() {
        let names = lesson.about.exercises.iter().map(|e| format!("{}/{}", lesson.number, e.name));
        let names = names.collect::<Vec<_>>().join(", ");
        let problem =
            format!("there is no exercise {wanted}; lesson {} has: {names}", lesson.number);
        return Err(WrongArguments(problem).into());
    }
    Ok(found)
}

/// What [`progress`] remembers the student's file by, as it is now; it may be missing.
pub fn fingerprint(lesson: &Lesson, exercise: &Exercise) -> String {
    progress::fingerprint(&std::fs::read(lesson.exercise_file(exercise)).unwrap_or_default())
}

/// The text that the student begins with.
pub fn skeleton(lesson: &Lesson, exercise: &Exercise) -> Result<String> {
    let file = lesson.solution_file(exercise);
    let solution = std::fs::read_to_string(&file)
        .with_context(|| format!("cannot read {}", file.display()))?;
    course::skeleton::from_solution(&solution).with_context(|| file.display().to_string())
}

/// The files that are given: what is in `solution/src` beside `bin`, and where the exercise has
/// its copy.
pub fn given_files(lesson: &Lesson) -> Result<Vec<(PathBuf, PathBuf)>> {
    let folder = lesson.folder.join("solution/src");
    let Ok(entries) = std::fs::read_dir(&folder) else { return Ok(Vec::new()) };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot look into {}", folder.display()))?;
        if entry.path().is_file() {
            let copy = lesson.folder.join("exercise/src").join(entry.file_name());
            files.push((entry.path(), copy));
        }
    }
    files.sort();
    Ok(files)
}
