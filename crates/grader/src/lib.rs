//! Grading: which lessons and exercises there are, what their checks are worth, and how a
//! submission did.

pub mod course;
