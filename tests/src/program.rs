//! The program under test.

use std::collections::{BTreeMap, HashMap};
use std::env;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use course::workspace;
use grader::build::{self, Unbuilt};
use grader::process::Cancel;
use grader::protocol;
use grader::submission::Submission;
use netlab::port::free_port_for_any;

/// The command line of the program for an exercise: the grader's, which has built it already, or
/// what the environment asks for.
///
/// # Panics
/// When it cannot be understood, or cannot be built.
#[must_use]
pub fn command_line(lesson: &str, exercise: &str) -> Vec<String> {
    if let Ok(json) = env::var(protocol::PROGRAM) {
        return serde_json::from_str(&json)
            .unwrap_or_else(|error| panic!("{}={json}: {error}", protocol::PROGRAM));
    }
    let submission = match (env::var("PROGRAM"), env::var("SUBMISSION")) {
        (Ok(program), _) => Submission::program(&program)
            .unwrap_or_else(|error| panic!("PROGRAM={program}: {error}")),
        (_, Ok(submission)) => submission.parse().unwrap_or_else(|never| match never {}),
        _ => Submission::Solution,
    };
    built_once(&submission, lesson, exercise)
}

/// The programs of a lesson that were built, by their exercises. The lock is held while they are.
type Built = Arc<Mutex<HashMap<String, Vec<String>>>>;

/// Many tests in one process ask for the same program: the first one has it built, and with it the
/// other solutions of its lesson, as one call of cargo is quicker than one for each. Meanwhile the
/// tests of other lessons go on.
fn built_once(submission: &Submission, lesson: &str, exercise: &str) -> Vec<String> {
    static LESSONS: Mutex<BTreeMap<String, Built>> = Mutex::new(BTreeMap::new());
    let mut lessons = LESSONS.lock().unwrap_or_else(PoisonError::into_inner);
    let built = Arc::clone(lessons.entry(lesson.to_owned()).or_default());
    drop(lessons);
    let mut built = built.lock().unwrap_or_else(PoisonError::into_inner);
    if *submission == Submission::Solution && !built.contains_key(exercise) {
        let solutions =
            unless_broken(lesson, build::solutions(&root(), lesson, &Cancel::default()));
        built.extend(
            solutions
                .into_iter()
                .map(|(exercise, path)| (exercise, vec![path.to_string_lossy().into_owned()])),
        );
    }
    let command = || submission.command(&root(), lesson, exercise, &Cancel::default());
    let or_panic = || unless_broken(&format!("{lesson}/{exercise}"), command());
    built.entry(exercise.to_owned()).or_insert_with(or_panic).clone()
}

fn root() -> PathBuf {
    workspace::root(Path::new(env!("CARGO_MANIFEST_DIR")))
        .unwrap_or_else(|| panic!("the workspace of the course is gone"))
}

fn unless_broken<T>(name: &str, built: Result<T, Unbuilt>) -> T {
    match built {
        Ok(built) => built,
        Err(Unbuilt::DoesNotCompile(error) | Unbuilt::Broken(error)) => {
            panic!("{name} cannot be built:\n{error}")
        }
    }
}

/// Where a program that is told its port by its own command line finds it there.
const PORT: &str = "{port}";
/// The same for a whole address, `127.0.0.1:8888`.
const ADDRESS: &str = "{addr}";

/// A program that is about to be started as a server or as a client.
#[derive(Debug)]
pub struct Start {
    pub command: Command,
    /// What a step says of it.
    pub shown: String,
    /// Where it was told to listen in its own words, so that it may print no readiness line.
    pub address: Option<SocketAddr>,
}

/// `PROGRAM server --addr ADDRESS ARGUMENTS…`. A command line with `{port}` or `{addr}` in it is
/// for a program that knows no `--addr`: it gets the port in that place, a free one if `address`
/// asks for any, and then `server ARGUMENTS…`.
pub fn server(command_line: &[String], address: &str, arguments: &[&str]) -> Start {
    if !has_a_place(command_line) {
        return Start { address: None, ..by_contract("server", command_line, address, arguments) };
    }
    let mut address: SocketAddr =
        address.parse().unwrap_or_else(|error| panic!("no address: {address}: {error}"));
    if address.port() == 0 {
        address.set_port(free_port_for_any());
    }
    in_its_words("server", command_line, address, arguments)
}

/// `PROGRAM client --addr SERVER ARGUMENTS…`; with `{port}` or `{addr}` as for a server.
pub fn client(command_line: &[String], server: SocketAddr, arguments: &[&str]) -> Start {
    if has_a_place(command_line) {
        in_its_words("client", command_line, server, arguments)
    } else {
        by_contract("client", command_line, &server.to_string(), arguments)
    }
}

fn has_a_place(command_line: &[String]) -> bool {
    command_line.iter().any(|word| word.contains(PORT) || word.contains(ADDRESS))
}

fn by_contract(role: &str, command_line: &[String], address: &str, arguments: &[&str]) -> Start {
    let arguments = [&[role, "--addr", address], arguments].concat();
    let shown = arguments.join(" ");
    Start { command: command(command_line, &arguments), shown, address: None }
}

fn in_its_words(
    role: &str,
    command_line: &[String],
    address: SocketAddr,
    arguments: &[&str],
) -> Start {
    let (port, whole) = (address.port().to_string(), address.to_string());
    let fill = |word: &String| word.replace(PORT, &port).replace(ADDRESS, &whole);
    let command_line: Vec<String> = command_line.iter().map(fill).collect();
    let arguments = [&[role], arguments].concat();
    let shown = format!("{} {}", command_line.join(" "), arguments.join(" "));
    Start { command: command(&command_line, &arguments), shown, address: Some(address) }
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
