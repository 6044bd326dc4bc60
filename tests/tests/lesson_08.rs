//! Lesson 8's exercises, graded by what they print and over the wire. Each test is a check of
//! `lesson.toml`.

#[path = "lesson_08/target.rs"]
mod target;
