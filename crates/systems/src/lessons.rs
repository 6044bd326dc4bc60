//! What each lesson is tried with.

use std::path::Path;

use anyhow::{Context, Result};
use course::Transport;

/// An exercise that is graded in place of a lesson's first one. Of lesson 3, the first one has a
/// client that resets its connection, where Wine 8 sends FIN (`SO_LINGER` with 0).
const GRADED: &[(&str, &str)] = &[("03", "framed")];

/// A lesson, as far as it matters here.
pub struct Lesson {
    pub number: String,
    /// What follows `server --addr HOST:PORT`, if the lesson has a server; `{dir}` is a folder.
    pub server: Option<Vec<String>>,
    pub transport: Transport,
    /// The exercise whose solution is graded.
    pub graded: Option<String>,
}

impl Lesson {
    /// Its program.
    pub fn program(&self) -> String {
        format!("lesson-{}", self.number)
    }

    /// `02/answer`, as `cargo xtask grade` wants it.
    pub fn exercise(&self) -> Option<String> {
        self.graded.as_ref().map(|exercise| format!("{}/{exercise}", self.number))
    }
}

/// Every lesson of the course.
pub fn all(root: &Path) -> Result<Vec<Lesson>> {
    let lessons = course::lessons(root).context("cannot read the course")?;
    Ok(lessons.into_iter().map(lesson).collect())
}

fn lesson(lesson: course::Lesson) -> Lesson {
    let chosen = GRADED.iter().find(|(number, _)| *number == lesson.number);
    let first = lesson.about.exercises.first();
    let transport = lesson.about.run.as_ref().map(|run| run.transport).unwrap_or_default();
    Lesson {
        transport,
        server: lesson.about.run.map(|run| run.server.into_iter().skip(1).collect()),
        graded: chosen
            .map(|(_, name)| (*name).to_owned())
            .or_else(|| first.map(|exercise| exercise.name.clone())),
        number: lesson.number,
    }
}
