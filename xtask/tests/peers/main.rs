//! The commands with programs that nobody here wrote, a terminal among them.

#[path = "../tiny/mod.rs"]
mod tiny;

mod doctor;
mod lab;
mod terminal;
mod unfit;

use std::process::ExitCode;

fn main() -> ExitCode {
    netlab::peers::run(
        [doctor::trials(), lab::trials(), terminal::trials(), unfit::trials()]
            .into_iter()
            .flatten()
            .collect(),
    )
}
