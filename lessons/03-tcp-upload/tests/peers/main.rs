//! The lesson with what a machine may lack: programs that nobody here wrote, and small disks.

#[path = "../common/mod.rs"]
mod common;

mod disks;
mod programs;

use std::process::ExitCode;

fn main() -> ExitCode {
    netlab::peers::run([disks::trials(), programs::trials()].into_iter().flatten().collect())
}
