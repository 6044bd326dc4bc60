//! The lesson with what a machine may lack: programs that nobody here wrote, and small disks.

#[path = "../common/mod.rs"]
mod common;

mod altered;
mod disks;
mod programs;

use std::process::ExitCode;

fn main() -> ExitCode {
    let trials = [altered::trials(), disks::trials(), programs::trials()];
    netlab::peers::run(trials.into_iter().flatten().collect())
}
