//! The course as it lies on disk, for everything that reads it: the commands, the grader, the book.
//!
//! Nobody keeps a list by hand. A folder `lessons/NN-topic` is a lesson, and its `lesson.toml` says
//! what it teaches and what its exercises ask for; a key that is not known is an error that names the
//! file.
//!
//! - [`Course`] is the folder of the course and its [lessons](Lesson); it finds the one that somebody
//!   means by a number or a topic.
//! - An [`Exercise`] has [checks](Check) with points, hints, and texts in both [languages](Language).
//! - [`skeleton`] makes the student's file of an exercise out of its solution.
//! - A [`Mistake`] is a wrong solution, as a patch that says which checks catch it, and with which
//!   [`Verdict`].
//! - [`fixture`] is what `{file}` and `{dir}` stand for when a lesson is [run](Run).
//! - [`workspace`] tells where the course is on this machine.

mod find;
pub mod fixture;
mod language;
mod lesson;
pub mod mistake;
pub mod skeleton;
mod verdict;
pub mod workspace;

pub use find::{Course, FindError, UnknownLesson};
pub use language::{Language, Text};
pub use lesson::{
    About, Check, CourseError, Exercise, Lesson, Run, Transport, exercise_file, folder_of, lessons,
};
pub use mistake::Mistake;
pub use verdict::Verdict;
