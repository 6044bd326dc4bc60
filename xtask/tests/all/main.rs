//! The package's integration tests, as one program: linking a test program takes longer than most
//! tests, and tests of several files run side by side.

#[path = "../tiny/mod.rs"]
mod tiny;

mod again;
mod between;
mod broken;
mod commands;
mod launcher;
mod on_demand;
mod reports;
mod storeys;
mod tidy;
mod watch;
