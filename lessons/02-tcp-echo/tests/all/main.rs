//! The package's integration tests, as one program: linking a test program takes longer than most
//! tests, and tests of several files run side by side.

mod crowd;
mod program;
