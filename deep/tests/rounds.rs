//! Every lesson's demo, fifty times in a row on one port: the port can be bound again at once, and
//! nothing that one run leaves behind is in the next one's way.
//!
//! Lessons are found as folders; nothing here names one.

#![allow(clippy::unwrap_used)] // a failed step is a failed test

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use grader::build;
use grader::course::{self, Lesson};
use grader::process::Cancel;
use grader::workspace;
use libtest_mimic::{Arguments, Failed, Trial};
use netlab::port::free_port_for_any;

const RUNS: u32 = 50;
/// A demo takes a second or two; this is for one that hangs.
const LIMIT: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let root = workspace::root(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let lessons = course::lessons(&root).unwrap().into_iter().map(|lesson| {
        let root = root.clone();
        let name = format!("the_demo_succeeds_fifty_times_in_a_row_on_one_port::{}", lesson.topic);
        Trial::test(name, move || demos_in_a_row(&root, &lesson))
    });
    libtest_mimic::run(&Arguments::from_args(), lessons.collect()).exit_code()
}

fn demos_in_a_row(root: &Path, lesson: &Lesson) -> Result<(), Failed> {
    let package = format!("lesson-{}", lesson.number);
    let program = build::binary(root, &package, &package, &Cancel::default())
        .map_err(|unbuilt| format!("{package} cannot be built: {unbuilt:?}"))?;
    let addr = format!("127.0.0.1:{}", free_port_for_any());
    for run in 1..=RUNS {
        let mut demo = Command::new(&program);
        // The first lesson's program opens no port of its own choice.
        if lesson.number != "01" {
            demo.args(["--addr", &addr]);
        }
        let output = assert_cmd::Command::from_std(demo).timeout(LIMIT).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            return Err(format!("run {run} of {RUNS}: {}: {said}", output.status).into());
        }
    }
    Ok(())
}
