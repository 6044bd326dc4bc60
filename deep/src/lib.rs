//! The tests that take minutes, apart from those that every student runs: nothing here is in
//! `cargo test` at the top. `cargo test -p deep` and `cargo xtask ci` run it.
//!
//! - `bench`: the benchmarks work, whatever peers there are; the lessons are built for release.
//! - `ctrl_c`: every server's end on Ctrl-C, whatever it waits for.
//! - `disturbed`: solutions and mistakes are graded while the machine is paused or busy.
//! - `graders`: solutions, skeletons and every classic mistake are graded, again and again.
//! - `hostile`: submissions that do their grader harm.
//! - `schemas`: each JSON report against its schema; the validator takes long to compile.
//! - `tutorial`: what the source tutorial's programs are worth.
//! - `rounds`: demos in a row, huge uploads.
