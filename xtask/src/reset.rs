//! `cargo xtask reset`: an exercise as it was in the beginning; the student's version stays.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use course::Language;

use crate::exercises;
use course::Course;

/// Begin an exercise afresh; your version is kept beside it
#[derive(clap::Args)]
pub struct Options {
    /// Which, as in `02/answer`, or `02` for all of a lesson
    #[arg(value_name = "LESSON[/EXERCISE]")]
    exercise: String,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let course = Course::find()?;
    for (lesson, exercise) in exercises::wanted(&course, Some(&options.exercise))? {
        let text = exercises::skeleton(lesson, exercise)?;
        let file = lesson.exercise_file(exercise);
        let kept =
            restore(&file, &text).with_context(|| format!("cannot reset {}", file.display()))?;
        println!("{}", outcome(Language::of_the_system(), &file, kept.as_deref()));
    }
    Ok(ExitCode::SUCCESS)
}

fn outcome(language: Language, file: &Path, kept: Option<&Path>) -> String {
    let file = file.display();
    let kept = kept.and_then(Path::file_name).map(Path::new).map(Path::display);
    match (language, kept) {
        (Language::English, Some(kept)) => format!("{file} begins afresh; your version is {kept}"),
        (Language::English, None) => format!("{file} is as it was in the beginning"),
        (Language::Chinese, Some(kept)) => format!("{file} 已恢复初始内容；你的版本保存为 {kept}"),
        (Language::Chinese, None) => format!("{file} 现在是初始内容"),
    }
}

/// Puts `text` into `file`, after what was there has a copy; the copy's path.
pub fn restore(file: &Path, text: &str) -> io::Result<Option<PathBuf>> {
    let old = match fs::read(file) {
        Ok(old) if old == text.as_bytes() => return Ok(None),
        Ok(old) => Some(keep_copy(file, &old)?),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    fs::write(file, text)?;
    Ok(old)
}

/// Writes `content` to the first free of `NAME.rs.1.local`, `NAME.rs.2.local`, … (which git ignores).
fn keep_copy(file: &Path, content: &[u8]) -> io::Result<PathBuf> {
    for number in 1_u32.. {
        let mut name = file.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{number}.local"));
        let copy = file.with_file_name(name);
        // `create_new`: never write over an earlier copy.
        match OpenOptions::new().write(true).create_new(true).open(&copy) {
            Ok(mut new) => {
                new.write_all(content)?;
                new.sync_all()?;
                return Ok(copy);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_keeps_every_version_of_the_student() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("answer.rs");
        for version in ["first", "second"] {
            fs::write(&file, version).unwrap();
            let kept = restore(&file, "skeleton").unwrap().unwrap();
            assert_eq!(fs::read_to_string(kept).unwrap(), version);
            assert_eq!(fs::read_to_string(&file).unwrap(), "skeleton");
        }
        assert!(folder.path().join("answer.rs.1.local").exists());
        assert!(folder.path().join("answer.rs.2.local").exists());
    }

    #[test]
    fn a_file_that_is_as_it_should_be_needs_no_copy() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("answer.rs");
        fs::write(&file, "skeleton").unwrap();
        assert!(restore(&file, "skeleton").unwrap().is_none());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
