//! Where the course is, and which of its lessons somebody means.

use std::env;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::exercise::Exercise;
use crate::lesson::{self, CourseError, Lesson};
use crate::workspace;

/// The course: the workspace's folder and the lessons in it.
#[derive(Debug)]
pub struct Course {
    /// The folder with the workspace's `Cargo.toml` and `lessons/`.
    pub root: PathBuf,
    /// In the order of their numbers.
    pub lessons: Vec<Lesson>,
}

/// Why there is no course to work with.
#[derive(Debug)]
pub enum FindError {
    /// The system does not tell which folder this is.
    NoFolder(io::Error),
    /// Neither this folder nor one above it is the course's.
    Elsewhere(PathBuf),
    /// It is here, but cannot be read.
    Unreadable(CourseError),
}

impl fmt::Display for FindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFolder(error) => write!(f, "cannot tell which folder this is: {error}"),
            Self::Elsewhere(here) => write!(
                f,
                "{} is not in the course: neither it nor a folder above it contains lessons/ and \
                 Cargo.toml; change into the course's folder first",
                here.display()
            ),
            Self::Unreadable(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for FindError {}

/// No lesson has this name. The arguments are wrong: the program ends with code 2.
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
    ///
    /// # Errors
    /// When it belongs to none, or the course cannot be read.
    pub fn find() -> Result<Self, FindError> {
        Self::at(&Self::folder()?).map_err(FindError::Unreadable)
    }

    /// The folder of the course that the current folder belongs to, whatever is in its lessons.
    ///
    /// # Errors
    /// When it belongs to none.
    pub fn folder() -> Result<PathBuf, FindError> {
        let here = env::current_dir().map_err(FindError::NoFolder)?;
        workspace::root(&here).ok_or(FindError::Elsewhere(here))
    }

    /// The course whose workspace lies in `root`.
    ///
    /// # Errors
    /// When a folder of `lessons/` is not a lesson.
    pub fn at(root: &Path) -> Result<Self, CourseError> {
        Ok(Self { lessons: lesson::lessons(root)?, root: root.to_owned() })
    }

    /// Every exercise of the course with its lesson, in order.
    #[must_use]
    pub fn exercises(&self) -> Vec<(&Lesson, &Exercise)> {
        let of = |lesson| std::iter::repeat(lesson);
        self.lessons.iter().flat_map(|lesson| of(lesson).zip(&lesson.about.exercises)).collect()
    }

    /// The lesson that somebody means by a number or a topic.
    ///
    /// # Errors
    /// When there is none; the error names the closest one, and all.
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

fn name(lesson: &Lesson) -> String {
    format!("{} {}", lesson.number, lesson.topic)
}
