//! Lesson 3's exercises, graded over the wire. Each test is a check of its exercise's file.

#![allow(clippy::unwrap_used)] // Where the test itself cannot go on, a panic says so.

mod framed;
mod receive;
mod send;
mod wire;
