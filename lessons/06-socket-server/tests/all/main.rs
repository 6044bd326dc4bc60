//! The package's integration tests, as one program: linking a test program takes longer than most
//! tests, and tests of several files run side by side.

#[path = "../serving/mod.rs"]
mod serving;

mod ending;
mod files;
mod program;
