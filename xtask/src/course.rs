//! Where the course is, and which of its lessons somebody means.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use grader::course::Lesson;

/// The course: the workspace's folder and the lessons in it.
pub struct Course {
    /// The folder with the workspace's `Cargo.toml` and `lessons/`.
    pub root: PathBuf,
    /// In the order of their numbers.
    pub lessons: Vec<Lesson>,
}

/// Nobody answers to this name. The arguments are wrong: the program ends with code 2.
#[derive(Debug)]
pub struct UnknownLesson {
    wanted: String,
    closest: Option<String>,
    all: Vec<String>,
}

impl fmt::Display for UnknownLesson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no lesson {:?}", self.wanted)?;
        if let Some(closest) = &self.closest {
            write!(f, "; do you mean {closest}?")?;
        }
        write!(f, "\nthe lessons, by number or topic:")?;
        self.all.iter().try_for_each(|lesson| write!(f, "\n  {lesson}"))
    }
}

impl std::error::Error for UnknownLesson {}

impl Course {
    /// The course that the current folder belongs to.
    pub fn find() -> Result<Self> {
        let root = root()?;
        Ok(Self { lessons: grader::course::lessons(&root)?, root })
    }

    /// The lesson that somebody means by a number or a topic.
    pub fn lesson(&self, wanted: &str) -> Result<&Lesson, UnknownLesson> {
        let found = self.lessons.iter().find(|lesson| lesson.answers_to(wanted));
        found.ok_or_else(|| UnknownLesson {
            wanted: wanted.to_owned(),
            closest: self.exercise_called(wanted).or_else(|| self.closest(wanted).map(name)),
            all: self.lessons.iter().map(name).collect(),
        })
    }

    /// `02/lines` for `lines`: an exercise is named with its lesson.
    fn exercise_called(&self, wanted: &str) -> Option<String> {
        let of = |lesson: &Lesson| {
            let exercises = lesson.about.exercises.iter();
            let found = exercises.map(|exercise| &exercise.name).find(|name| *name == wanted)?;
            Some(format!("{}/{found}", lesson.number))
        };
        self.lessons.iter().find_map(of)
    }

    /// The first lesson that shares a whole word with `wanted`: `udp`, `echo-tcp`, `Upload`.
    fn closest(&self, wanted: &str) -> Option<&Lesson> {
        let wanted = wanted.to_lowercase();
        let words: Vec<&str> = wanted.split(|c: char| !c.is_alphanumeric()).collect();
        self.lessons.iter().find(|lesson| lesson.topic.split('-').any(|word| words.contains(&word)))
    }
}

/// The folder of the course that the current folder belongs to: that itself, or one above it.
pub fn root() -> Result<PathBuf> {
    let here = env::current_dir().context("cannot tell which folder this is")?;
    let is_root =
        |folder: &&Path| folder.join("lessons").is_dir() && folder.join("Cargo.toml").is_file();
    let Some(root) = here.ancestors().find(is_root) else {
        bail!(
            "{} is not in the course: neither it nor a folder above it contains lessons/ and \
             Cargo.toml; change into the course's folder first",
            here.display()
        );
    };
    Ok(root.to_owned())
}

fn name(lesson: &Lesson) -> String {
    format!("{} {}", lesson.number, lesson.topic)
}
