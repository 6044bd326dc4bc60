//! Builds the course book: `mdbook/` in English and Chinese, into one site.
//!
//! A page shows code only as a *listing*: `{{#listing lessons/02-tcp-echo/src/server.rs:accept}}`
//! becomes the lines between two comments of a file that the compiler has seen, so the book cannot
//! drift from the lessons. Whatever a page asks for and the workspace does not have is a
//! [`Problem`] that names the page and the line, and a book with problems is not built.
//!
//! Top down: [`Book`] checks and builds, `chapters` compares `SUMMARY.md` with the files, `page`
//! replaces the directives of one page, [`listing`] cuts one listing out of its file, `languages`
//! knows what differs between the languages. mdBook renders the result; `preprocess` is the part
//! of ours that it calls.

mod anchors;
mod book;
mod chapters;
mod error;
mod explorer;
mod formats;
mod languages;
mod links;
pub mod listing;
mod page;
mod parity;
mod preprocess;
mod problem;
mod quiz;
mod recording;
mod site;
mod sources;
mod tables;

pub use book::{Book, Edition};
pub use error::BookError;
pub use formats::FormatError;
pub use links::DeadLink;
pub use page::{Counts, PageError};
pub use problem::{Fault, Problem, Problems};
pub use quiz::QuizError;
pub use recording::RecordingError;
pub use tables::TableError;
