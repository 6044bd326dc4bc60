//! The same again and again: every lesson's demo, fifty times in a row on one port (it can be bound
//! again at once, and nothing that one run leaves behind is in the next one's way), and the tests that
//! do only a few of their rounds in `cargo test`.

#![allow(clippy::unwrap_used)] // a failed step is a failed test

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use course::Lesson;
use course::workspace;
use grader::build;
use grader::process::Cancel;
use libtest_mimic::{Arguments, Failed, Trial};
use netlab::port::free_port_for_any;
use netlab::rounds;

const RUNS: u32 = 50;
/// Tests that use `netlab::rounds`: their package, what cargo calls their target, and their names.
const WITH_ALL_ROUNDS: [(&str, &[&str], &str); 9] = [
    ("lesson-03", &["--test", "all"], "faults::a_large_file"),
    ("lesson-05", &["--bin", "lesson-05"], "the_file_arrives_exactly_or_both_sides_end"),
    ("lesson-05", &["--bin", "lesson-05"], "two_uploads_share_a_narrow_link_equally"),
    ("lesson-05", &["--bin", "lesson-05"], "losses_at_the_ends_of_an_upload_cost_little"),
    ("lesson-07", &["--bin", "lesson-07"], "two_that_connect_at_once_keep_one_connection"),
    ("lesson-09", &["--bin", "lesson-09"], "every_network_comes_to_an_end"),
    ("lesson-09", &["--test", "peers"], "again_and_again_without_ipv6"),
    ("lesson-10", &["--test", "peers"], ""),
    ("xtask", &["--test", "all"], "every_lesson_runs_and_its_file_arrives"),
];
/// A demo takes a second or two; this is for one that hangs.
const LIMIT: Duration = Duration::from_secs(60);
/// And these may be built first.
const ROUNDS_LIMIT: Duration = Duration::from_secs(900);

fn main() -> ExitCode {
    let root = workspace::root(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let lessons = course::lessons(&root).unwrap().into_iter().map(|lesson| {
        let root = root.clone();
        let name = format!("the_demo_succeeds_fifty_times_in_a_row_on_one_port::{}", lesson.topic);
        Trial::test(name, move || demos_in_a_row(&root, &lesson))
    });
    let rounds = WITH_ALL_ROUNDS.map(|(package, target, tests)| {
        let (name, root) = (format!("all_rounds_of::{package}::{tests}"), root.clone());
        Trial::test(name, move || all_rounds(&root, package, target, tests))
    });
    libtest_mimic::run(&Arguments::from_args(), lessons.chain(rounds).collect()).exit_code()
}

/// Runs the tests of a package whose names contain `tests` as `cargo test` does, but with all rounds.
fn all_rounds(root: &Path, package: &str, target: &[&str], tests: &str) -> Result<(), Failed> {
    let mut cargo = build::cargo();
    cargo.args(["test", "--quiet", "--package", package]).args(target).args(["--", tests]);
    cargo.current_dir(root).env(rounds::VARIABLE, "1");
    let output = assert_cmd::Command::from_std(cargo).timeout(ROUNDS_LIMIT).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    // A filter that fits no test any more would pass.
    if output.status.success() && !said.contains("ok. 0 passed") {
        return Ok(());
    }
    Err(format!("{said}\n{}", String::from_utf8_lossy(&output.stderr)).into())
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
