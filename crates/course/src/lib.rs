//! The course as it lies on disk, for everything that reads it: the commands, the grader, the book.
//!
//! A folder `lessons/NN-topic` is a lesson. Its `lesson.toml` says what it teaches and which exercises
//! it has, and a file beside it (`answer.toml`) says what the exercise `answer` asks for. A key that is
//! not known, a file that is missing, and one too many are errors that name the file.
//!
//! - [`Course`] is the folder of the course and its [lessons](Lesson); it finds the one that somebody
//!   means by a number or a topic.
//! - An [`Exercise`] has [checks](Check) with points, hints, and texts in both [languages](Language).
//! - [`skeleton`] makes the student's file of an exercise out of its solution.
//! - A [`Mistake`] is a wrong solution, as a patch that says which checks catch it, and with which
//!   [`Verdict`].
//! - [`fixture`] is what `{file}` and `{dir}` stand for when a lesson is [run](Run).
//! - [`workspace`] tells where the course is on this machine.

mod exercise;
mod find;
pub mod fixture;
mod language;
mod lesson;
pub mod mistake;
pub mod skeleton;
mod verdict;
pub mod workspace;

pub use exercise::{Check, Exercise};
pub use find::{Course, FindError, UnknownLesson};
pub use language::{Language, Text};
pub use lesson::{About, CourseError, Lesson, Run, Transport, exercise_file, folder_of, lessons};
pub use mistake::Mistake;
pub use verdict::Verdict;
