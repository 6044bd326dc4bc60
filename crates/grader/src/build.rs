//! Having cargo build one program, and reading cargo's own messages about it.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;

use crate::Problem;
use crate::process::{self, Bounds, Cancel, Ended};

/// How long one build may take: on a slow machine, the first one does take minutes.
const LIMIT: Duration = Duration::from_secs(3600);
/// How much is kept of what cargo says, in bytes. Its messages are worth nothing when cut.
const KEPT_BYTES: usize = 16 * 1024 * 1024;

/// Why there is no program.
#[derive(Clone, Debug)]
pub enum Unbuilt {
    /// The compiler refuses the submission; its first error.
    DoesNotCompile(String),
    /// Something else is broken, and the student cannot mend it.
    Broken(String),
}

impl std::fmt::Display for Unbuilt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::DoesNotCompile(error) | Self::Broken(error)) = self;
        f.write_str(error)
    }
}

/// One line of `--message-format=json`, as far as it matters here.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    package_id: String,
    executable: Option<PathBuf>,
    target: Option<Target>,
    #[serde(rename = "message")]
    diagnostic: Option<Diagnostic>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    rendered: Option<String>,
}

/// Builds the binary `bin` of `package` and returns its path.
pub fn binary(
    workspace: &Path,
    package: &str,
    bin: &str,
    cancel: &Cancel,
) -> Result<PathBuf, Unbuilt> {
    executable(workspace, package, &["build", "--package", package, "--bin", bin], cancel)
}

/// Builds all solutions of a lesson at once, and returns the path of each by its exercise's name.
pub fn solutions(
    workspace: &Path,
    number: &str,
    cancel: &Cancel,
) -> Result<BTreeMap<String, PathBuf>, Unbuilt> {
    let package = format!("solution-{number}");
    let built = messages_of(workspace, &package, &["build", "--package", &package], cancel)?;
    let programs = built.into_iter().filter_map(|message| {
        let exercise = message.target?.name.strip_suffix("-solution")?.to_owned();
        Some((exercise, message.executable?))
    });
    Ok(programs.collect())
}

/// Builds the file of graded tests `name` and returns its path. If it does not compile, that is
/// nothing a student could mend.
pub fn graded_tests(workspace: &Path, name: &str, cancel: &Cancel) -> Result<PathBuf, Problem> {
    // Without a package: of one alone, cargo would build everything below it once more, with fewer
    // features than `cargo test` has built it with.
    let arguments = ["test", "--no-run", "--test", name];
    executable(workspace, "graded", &arguments, cancel).map_err(|unbuilt| match unbuilt {
        Unbuilt::DoesNotCompile(error) | Unbuilt::Broken(error) => {
            Problem::from(format!("the graded tests cannot be built: {error}"))
        }
    })
}

/// The cargo that runs us, or the one on the path.
#[must_use]
pub fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn executable(
    workspace: &Path,
    package: &str,
    arguments: &[&str],
    cancel: &Cancel,
) -> Result<PathBuf, Unbuilt> {
    let messages = messages_of(workspace, package, arguments, cancel)?;
    let found = messages.into_iter().rev().find_map(|message| message.executable);
    found.ok_or_else(|| Unbuilt::Broken(format!("cargo built no program for {package}")))
}

/// What cargo says when it has built everything that it was asked for.
fn messages_of(
    workspace: &Path,
    package: &str,
    arguments: &[&str],
    cancel: &Cancel,
) -> Result<Vec<Message>, Unbuilt> {
    let mut command = cargo();
    command.args(arguments).args(["--quiet", "--message-format=json"]).current_dir(workspace);
    let bounds = Bounds { limit: LIMIT, kept_bytes: KEPT_BYTES, cancel: cancel.clone() };
    let ended = process::run(&mut command, &bounds)
        .map_err(|error| Unbuilt::Broken(format!("cannot start cargo: {error}")))?;
    process::orphans::spare();
    let Some(status) = ended.status else {
        return Err(Unbuilt::Broken("cargo was stopped before it had built anything".to_owned()));
    };
    let messages = messages(&ended.stdout);
    if !status.success() {
        return Err(first_error(&messages, package, &ended));
    }
    Ok(messages)
}

fn messages(text: &str) -> Vec<Message> {
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The first error of `package` itself; an error elsewhere is not the student's.
fn first_error(messages: &[Message], package: &str, ended: &Ended) -> Unbuilt {
    let is_error = |message: &&Message| {
        message.reason == "compiler-message"
            && message.diagnostic.as_ref().is_some_and(|diagnostic| diagnostic.level == "error")
    };
    let error = messages.iter().find(is_error);
    let rendered = error.and_then(|e| e.diagnostic.as_ref()?.rendered.clone()).unwrap_or_default();
    match error {
        Some(error) if error.package_id.contains(&format!("#{package}@")) => {
            Unbuilt::DoesNotCompile(rendered)
        }
        Some(_) => Unbuilt::Broken(format!(
            "the course's own code does not compile; if you have changed it, `git diff` shows \
             where and `git checkout` takes it back:\n{rendered}"
        )),
        None => Unbuilt::Broken(ended.stderr.clone()),
    }
}
