//! The program under test.

use std::collections::HashMap;
use std::env;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use grader::build::Unbuilt;
use grader::process::Cancel;
use grader::protocol;
use grader::submission::Submission;
use grader::workspace;

/// The command line of the program for an exercise: the grader's, which has built it already, or
/// what the environment asks for.
pub fn command_line(lesson: &str, exercise: &str) -> Vec<String> {
    if let Ok(json) = env::var(protocol::PROGRAM) {
        return serde_json::from_str(&json)
            .unwrap_or_else(|error| panic!("{}={json}: {error}", protocol::PROGRAM));
    }
    let submission = match (env::var("PROGRAM"), env::var("SUBMISSION")) {
        (Ok(program), _) => Submission::program(&program),
        (_, Ok(submission)) => submission.parse().unwrap_or_else(|never| match never {}),
        _ => Submission::Solution,
    };
    built_once(&submission, lesson, exercise)
}

/// Many tests in one process ask for the same program: the first one has it built.
fn built_once(submission: &Submission, lesson: &str, exercise: &str) -> Vec<String> {
    static BUILT: Mutex<Option<HashMap<String, Vec<String>>>> = Mutex::new(None);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let built = built.get_or_insert_with(HashMap::new);
    let name = format!("{lesson}/{exercise}");
    built.entry(name).or_insert_with_key(|name| build(submission, lesson, exercise, name)).clone()
}

fn build(submission: &Submission, lesson: &str, exercise: &str, name: &str) -> Vec<String> {
    let root = workspace::root(Path::new(env!("CARGO_MANIFEST_DIR")));
    let root = root.unwrap_or_else(|| panic!("the workspace of the course is gone"));
    match submission.command(&root, lesson, exercise, &Cancel::default()) {
        Ok(command) => command,
        Err(Unbuilt::DoesNotCompile(error) | Unbuilt::Broken(error)) => {
            panic!("{name} cannot be built:\n{error}")
        }
    }
}

/// `command_line` with `arguments`, ready to be started. It inherits nothing of the grader's.
pub fn command(command_line: &[String], arguments: &[&str]) -> Command {
    let (program, first) = command_line.split_first().unwrap_or_else(|| panic!("PROGRAM is empty"));
    let mut command = Command::new(program);
    command.args(first).args(arguments);
    for variable in protocol::PRIVATE.iter().chain(&[protocol::SEED]) {
        command.env_remove(variable);
    }
    // The test's own standard input belongs to the grader.
    command.stdin(Stdio::null());
    // A panic of a student's program comes with its place; that is enough.
    command.env("RUST_BACKTRACE", "0");
    command
}
