//! Lesson 8's exercises, graded by what they print and over the wire. Each test is a check of
//! its exercise's file.

#![allow(clippy::unwrap_used)] // Where the test itself cannot go on, a panic says so.

mod fetch;
pub mod heads;
mod serve;
mod target;

use std::time::Duration;

/// Long enough that a program which does something too early has done it; a correct one waits,
/// however slow the machine.
const A_MOMENT: Duration = Duration::from_millis(100);
/// Much more than a program reads at once, in bytes.
const MUCH: usize = 300_000;
