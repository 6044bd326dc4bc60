//! Grading: how a submission did on an exercise of the [course].
//!
//! - [`submission`] is the program to grade, a [`command_line`] perhaps; [`build`] has cargo build
//!   it, and says nothing; what commands call [`cargo`] for, people see.
//! - [`run`] runs the graded tests, each in a process of its own; [`protocol`] is what a graded
//!   test and the grader tell each other, and [`outcome`] how the result gets to the grader.
//! - [`punctuality`] tells whether this process itself is on time, [`disturbance`] what follows from it
//!   for a verdict, [`preflight`] whether the machine can grade at all, and [`waits`] how long a
//!   program may take on it.
//! - [`progress`] remembers how far the student is.
//! - [`score`] is the one place where results become points; [`report`] and [`terminal`] show
//!   them. What a submission has printed is made [`plain`] before anybody sees it.
//!
//! A *check* is a graded test function with points; a *case* is one run of it (an rstest case).

pub mod advice;
pub mod build;
pub mod cargo;
pub mod command_line;
pub mod disturbance;
pub mod outcome;
pub mod plain;
pub mod preflight;
mod problem;
pub mod process;
pub mod progress;
pub mod protocol;
pub mod punctuality;
pub mod report;
pub mod run;
pub mod score;
#[cfg(feature = "selftest")]
pub mod selftest;
pub mod submission;
pub mod terminal;
pub mod waits;

pub use problem::Problem;
