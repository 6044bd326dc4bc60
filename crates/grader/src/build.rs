//! Having cargo build one program, and reading cargo's own messages about it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde::Deserialize;

/// Why there is no program.
#[derive(Clone, Debug)]
pub enum Unbuilt {
    /// The compiler refuses the submission; its first error.
    DoesNotCompile(String),
    /// Something else is broken, and the student cannot mend it.
    Broken(String),
}

/// One line of `--message-format=json`, as far as it matters here.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    package_id: String,
    executable: Option<PathBuf>,
    #[serde(rename = "message")]
    diagnostic: Option<Diagnostic>,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    rendered: Option<String>,
}

/// Builds the binary `bin` of `package` and returns its path.
pub fn binary(workspace: &Path, package: &str, bin: &str) -> Result<PathBuf, Unbuilt> {
    executable(workspace, package, &["build", "--package", package, "--bin", bin])
}

/// Builds the file of graded tests `name` and returns its path. If it does not compile, that is
/// nothing a student could mend.
pub fn graded_tests(workspace: &Path, name: &str) -> Result<PathBuf, String> {
    let arguments = ["test", "--no-run", "--package", "graded", "--test", name];
    executable(workspace, "graded", &arguments).map_err(|unbuilt| match unbuilt {
        Unbuilt::DoesNotCompile(error) | Unbuilt::Broken(error) => {
            format!("the graded tests cannot be built: {error}")
        }
    })
}

/// The cargo that runs us, or the one on the path.
#[must_use]
pub fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn executable(workspace: &Path, package: &str, arguments: &[&str]) -> Result<PathBuf, Unbuilt> {
    let mut command = cargo();
    command.args(arguments).args(["--quiet", "--message-format=json"]).current_dir(workspace);
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Unbuilt::Broken(format!("cannot start cargo: {error}")))?;
    let messages = messages(&output);
    if !output.status.success() {
        return Err(first_error(&messages, package, &output));
    }
    let found = messages.into_iter().rev().find_map(|message| message.executable);
    found.ok_or_else(|| Unbuilt::Broken(format!("cargo built no program for {package}")))
}

fn messages(output: &Output) -> Vec<Message> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The first error of `package` itself; an error elsewhere is not the student's.
fn first_error(messages: &[Message], package: &str, output: &Output) -> Unbuilt {
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
        None => Unbuilt::Broken(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}
