//! The lesson with what a machine may lack: programs that nobody here wrote, and networks.

mod networks;
mod programs;

use std::process::ExitCode;

fn main() -> ExitCode {
    netlab::peers::run([networks::trials(), programs::trials()].into_iter().flatten().collect())
}
