//! What is graded: a program for each exercise, by any author and in any language.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::build::{self, Unbuilt};
use crate::command_line::{self, BadCommandLine};
use crate::process::Cancel;

/// Where the programs to grade come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submission {
    /// `lessons/*/solution`: they must all pass.
    Solution,
    /// `lessons/*/exercise`: the student's own.
    Exercise,
    /// A folder with an executable for each exercise, named as the exercise.
    Folder(PathBuf),
    /// One command line, such as `python3 my.py`; the arguments of the contract are added.
    Program(Vec<String>),
}

impl FromStr for Submission {
    type Err = std::convert::Infallible;

    /// `solution`, `exercise`, or else a folder.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "solution" => Self::Solution,
            "exercise" => Self::Exercise,
            folder => Self::Folder(folder.into()),
        })
    }
}

impl std::fmt::Display for Submission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Solution => f.write_str("solution"),
            Self::Exercise => f.write_str("exercise"),
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::Program(command) => f.write_str(&command_line::joined(command)),
        }
    }
}

impl Submission {
    /// What chooses this submission again on the command line of `cargo xtask grade`, with a blank
    /// in front; nothing for the exercise, which is graded anyway.
    #[must_use]
    pub fn arguments(&self) -> String {
        match self {
            Self::Exercise => String::new(),
            Self::Solution => format!(" --submission {self}"),
            Self::Folder(folder) => {
                format!(" --submission {}", command_line::joined(&[folder.to_string_lossy()]))
            }
            Self::Program(_) => {
                format!(" --program {}", command_line::for_shell(&self.to_string()))
            }
        }
    }

    /// A command line as a person types it, cut into [`words`](command_line::words). One that is
    /// the path of a file as it stands is that one word, blanks or not.
    ///
    /// # Errors
    /// When it cannot be cut.
    pub fn program(command_line: &str) -> Result<Self, BadCommandLine> {
        let whole = command_line.trim();
        if Path::new(whole).is_file() {
            return Ok(Self::Program(vec![whole.to_owned()]));
        }
        command_line::words(command_line).map(Self::Program)
    }

    /// The command line that starts the program for `exercise` of lesson `number`; builds it first
    /// if it is ours to build.
    pub fn command(
        &self,
        workspace: &Path,
        number: &str,
        exercise: &str,
        cancel: &Cancel,
    ) -> Result<Vec<String>, Unbuilt> {
        let (package, bin) = match self {
            Self::Solution => (format!("solution-{number}"), format!("{exercise}-solution")),
            Self::Exercise => {
                is_there(workspace, number, exercise)?;
                (format!("exercise-{number}"), exercise.to_owned())
            }
            Self::Folder(folder) => return in_folder(folder, exercise),
            Self::Program(command) => return Ok(command.clone()),
        };
        let path = build::binary(workspace, &package, &bin, cancel)?;
        Ok(vec![path.to_string_lossy().into_owned()])
    }
}

/// That the student's own file is gone is theirs to mend, so it is no grader-error. (What cargo says
/// of it sounds like one.)
fn is_there(workspace: &Path, number: &str, exercise: &str) -> Result<(), Unbuilt> {
    let Some(folder) = course::folder_of(workspace, number) else { return Ok(()) };
    let file = course::exercise_file(&folder, exercise);
    if file.exists() {
        return Ok(());
    }
    let file = file.strip_prefix(workspace).unwrap_or(&file).display();
    Err(Unbuilt::DoesNotCompile(format!(
        "{file} is not there any more; save it again, or let \
         `cargo xtask reset {number}/{exercise}` bring back the beginning"
    )))
}

/// A folder without the program is the student's to mend, so it is no grader-error.
fn in_folder(folder: &Path, exercise: &str) -> Result<Vec<String>, Unbuilt> {
    let path = folder.join(exercise).with_extension(std::env::consts::EXE_EXTENSION);
    match path.canonicalize() {
        Ok(path) => Ok(vec![path.to_string_lossy().into_owned()]),
        Err(error) => {
            Err(Unbuilt::DoesNotCompile(format!("there is no program {}: {error}", path.display())))
        }
    }
}
