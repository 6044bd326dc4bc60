//! Lesson 3's exercises, graded over the wire. Each test is a check of `lesson.toml`.

#![allow(clippy::unwrap_used)] // Where the test itself cannot go on, a panic says so.

#[path = "lesson_03/framed.rs"]
mod framed;
#[path = "lesson_03/receive.rs"]
mod receive;
#[path = "lesson_03/send.rs"]
mod send;
#[path = "lesson_03/wire.rs"]
mod wire;
