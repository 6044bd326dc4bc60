//! What is graded: a program for each exercise, whoever wrote it and in whatever language.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::build::{self, Unbuilt};
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
            Self::Program(command) => f.write_str(&command.join(" ")),
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
            Self::Solution | Self::Folder(_) => format!(" --submission {self}"),
            Self::Program(_) => format!(" --program \"{self}\""),
        }
    }

    /// A command line as a person types it, cut at its blanks.
    #[must_use]
    pub fn program(command_line: &str) -> Self {
        Self::Program(command_line.split_whitespace().map(str::to_owned).collect())
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
            Self::Exercise => (format!("exercise-{number}"), exercise.to_owned()),
            Self::Folder(folder) => return in_folder(folder, exercise),
            Self::Program(command) => return Ok(command.clone()),
        };
        let path = build::binary(workspace, &package, &bin, cancel)?;
        Ok(vec![path.to_string_lossy().into_owned()])
    }
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
