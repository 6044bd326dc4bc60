//! Programs that do their grader harm, or try to: each gets its verdict in bounded time, and
//! nothing that it has started is alive afterwards.
//!
//! They are graded as anybody's program is, with one case of lesson 2's first exercise. Several are
//! graded at a time, by one grader, so that ending one's processes must leave the others alone.

#![allow(clippy::unwrap_used, clippy::expect_used)] // Helpers of tests; a panic is a failed test.
#![cfg_attr(not(unix), allow(dead_code, unused_imports))] // Elsewhere there is nothing to run them as programs.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use course::workspace;
use grader::process::orphans;
use grader::protocol::Verdict;
use grader::run::{self, Job};
use grader::score::CaseResult;
use grader::submission::Submission;
use libtest_mimic::Arguments;
use netlab::peers::trial;
use netlab::program::poll;
use tempfile::TempDir;

const CASE: &str = "a_short_message_is_answered_with_its_length::case_1_hello";
/// The seed does not matter here.
const SEED: u64 = 1;
/// Shorter than the usual one, as many of them are waited for until it runs out.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long something that must happen may take.
const LIMIT: Duration = Duration::from_secs(60);
/// Names a folder with a submission: then this program is its grader and nothing else.
const GRADE: &str = "HOSTILE_GRADE";

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
fn main() -> ExitCode {
    orphans::adopt();
    if let Some(folder) = env::var_os(GRADE) {
        grade_in(Path::new(&folder));
        return ExitCode::SUCCESS;
    }
    let trials = vec![
        // What never ends.
        trial("python3", "endless_loop", || expect("endless_loop", Verdict::Timeout, "answer")),
        trial("python3", "endless_output", || expect("endless_output", Verdict::Timeout, "answer")),
        trial("python3", "endless_line", || expect("endless_line", Verdict::NotReady, "")),
        trial("python3", "answers_late", || expect("answers_late", Verdict::Timeout, "waited")),
        // What is still there when the program has ended. It works, so it passes.
        trial("python3", "child_outlives", || expect_pass("child_outlives")),
        trial("python3", "child_in_another_session", || expect_pass("child_in_another_session")),
        trial("python3", "child_of_nobody", || expect_pass("child_of_nobody")),
        trial("python3", "flees", || expect_pass("flees")),
        trial("python3", "first_thread_ends", || expect_pass("first_thread_ends")),
        trial("python3", "multiplies", || expect_pass("multiplies")),
        trial("python3", "ignores_signals", || expect_pass("ignores_signals")),
        trial("python3", "leaves_its_group", || {
            expect("leaves_its_group", Verdict::Timeout, "answer");
        }),
        // What is not said, or not true.
        trial("python3", "closes_stdout_first", || {
            expect("closes_stdout_first", Verdict::NotReady, "listening on HOST:PORT");
        }),
        trial("python3", "closes_stdout_later", || expect_pass("closes_stdout_later")),
        trial("python3", "nobody_listens", || expect("nobody_listens", Verdict::Fail, "refused")),
        trial("python3", "another_port", || expect("another_port", Verdict::Fail, "refused")),
        trial("python3", "another_machine", || {
            expect("another_machine", Verdict::NotReady, "192.0.2.1:8888");
        }),
        trial("python3", "forged_results", || expect("forged_results", Verdict::Fail, "")),
        trial("python3", "seeks_the_outcome", the_outcome_cannot_be_forged),
        // What ends too early.
        trial("python3", "ends_at_once", || {
            expect("ends_at_once", Verdict::NotReady, "exit status: 0");
        }),
        trial("python3", "ends_with_an_error", || {
            expect("ends_with_an_error", Verdict::NotReady, "no idea what to do");
        }),
        trial("python3", "killed_by_a_signal", || crashes("killed_by_a_signal")),
        trial("python3", "killed_before_it_is_ready", || crashes("killed_before_it_is_ready")),
        // What attacks its surroundings.
        trial("python3", "many_descriptors", || expect_pass("many_descriptors")),
        trial("python3", "deletes_its_folder", || expect_pass("deletes_its_folder")),
        trial("python3", "stops_its_test", || expect("stops_its_test", Verdict::Timeout, "")),
        trial("python3", "pauses_its_test", || {
            expect("pauses_its_test", Verdict::Fail, "nothing but the test was stopped");
        }),
        trial("python3", "kills_its_test", || {
            expect("kills_its_test", Verdict::GraderError, "no outcome");
        }),
        trial("python3", "nothing_outlives_a_grader_that_was_killed", || {
            nothing_outlives_a_grader_that_was_killed();
        }),
    ];
    // Most of them are waited for, and that costs nothing.
    let arguments = Arguments { test_threads: Some(4), ..Arguments::from_args() };
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn expect_pass(name: &str) {
    expect(name, Verdict::Pass, "");
}

/// The report names the signal, and shows what the program has said.
fn crashes(name: &str) {
    expect(name, Verdict::Crash, "SIGSEGV");
    expect(name, Verdict::Crash, "now I follow a null pointer");
}

/// As root it can put something into the channel; then the outcome is unreadable, and no pass.
fn the_outcome_cannot_be_forged() {
    let result = grade("seeks_the_outcome");
    let forged = matches!(result.verdict, Verdict::Fail | Verdict::GraderError);
    assert!(forged, "{}: {}", result.verdict, result.report);
}

fn expect(name: &str, verdict: Verdict, says: &str) {
    let result = grade(name);
    assert_eq!(result.verdict, verdict, "{}", result.report);
    assert!(result.report.contains(says), "no {says:?} in: {}", result.report);
}

/// Such as the system does when memory runs out.
fn nothing_outlives_a_grader_that_was_killed() {
    let folder = submission("child_of_nobody_that_hangs");
    let mut command = Command::new(env::current_exe().unwrap());
    // Noted, or another trial's end would be its end, too.
    let mut grader = orphans::spawn(command.env(GRADE, folder.path())).unwrap();
    let is_ready = || alive(folder.path()).len() >= 2;
    assert!(poll(LIMIT, || is_ready().then_some(())).is_some(), "it was never started");
    grader.kill().unwrap();
    grader.wait().unwrap();
    orphans::forget(grader.id());
    let is_over = || alive(folder.path()).is_empty();
    let ended = poll(LIMIT, || is_over().then_some(()));
    assert!(ended.is_some(), "still alive: {:?}", alive(folder.path()));
}

fn grade(name: &str) -> CaseResult {
    let folder = submission(name);
    let result = grade_in(folder.path());
    let alive = alive(folder.path());
    assert!(alive.is_empty(), "still alive: {alive:?}");
    result
}

/// A copy of the program, in a folder that nobody else's processes have in their command lines.
fn submission(name: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy("contract.py", &folder.path().join("contract.py"));
    copy(&format!("{name}.py"), &folder.path().join("answer"));
    folder
}

fn grade_in(folder: &Path) -> CaseResult {
    let root = workspace::root(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let lessons = course::lessons(&root).unwrap();
    let lesson = lessons.iter().find(|lesson| lesson.number == "02").unwrap();
    let mut exercises = lesson.about.exercises.iter();
    let exercise = exercises.find(|exercise| exercise.name == "answer").unwrap();
    let submission = Submission::Folder(folder.to_owned());
    let job = Job::new(&root, (lesson, exercise), &submission, SEED);
    let job = Job { case: Some(CASE), patience: PATIENCE, ..job };
    let score = run::grade(&job, &mut |_| {});
    let mut results = score.checks.into_iter().flat_map(|check| check.cases);
    results.next().unwrap_or_else(|| panic!("no result: {:?}", score.problems))
}

fn copy(name: &str, to: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers/hostile").join(name);
    fs::write(to, fs::read(&from).unwrap()).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(to, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// The processes that were started from this folder, and what they have forked. Where there is no
/// /proc this finds none; nothing but process groups is ended there anyway.
fn alive(folder: &Path) -> Vec<String> {
    let folder = folder.canonicalize().unwrap();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    // All threads: the first one may have ended before the others.
    let threads = processes.flat_map(|process| fs::read_dir(process.path().join("task")));
    // A dead process that nobody has collected has no command line any more.
    let lines = threads
        .flatten()
        .flatten()
        .filter_map(|thread| fs::read(thread.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(folder.to_str().unwrap())).collect()
}
