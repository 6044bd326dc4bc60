//! What was recorded of programs that ran: their output, and a diagram of what the wire carried.
//!
//! `cargo xtask record` writes these files into `mdbook/recordings/NN/`; the book only shows them.

use std::error::Error;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use course::Language;

/// Where recordings are, from the top of the workspace.
const FOLDER: &str = "mdbook/recordings";
/// Between the output of two terminals.
const BETWEEN: &str = "%%\n";

/// Why a recording cannot be shown.
#[derive(Debug)]
pub enum RecordingError {
    /// The directive names none, or not as `NN/NAME`.
    NoName(String),
    /// There is no such file; the scenario of that name, if there is one, does not ask for it.
    Missing(String),
    /// The file is there but cannot be read as text, or has nothing in it.
    Unreadable(String, String),
}

/// The output of a scenario: what each of its terminals shows.
pub(crate) fn terminals(workspace: &Path, name: &str) -> Result<Vec<String>, RecordingError> {
    let text = read(workspace, name, "txt")?;
    Ok(text.split(BETWEEN).map(|terminal| terminal.trim_end().to_owned()).collect())
}

/// The diagram of a scenario: as image, and as text.
pub(crate) fn diagram(
    workspace: &Path,
    name: &str,
    language: Language,
) -> Result<(String, String), RecordingError> {
    let tag = language.tag();
    let image = read(workspace, name, &format!("{tag}.svg"))?;
    Ok((image, read(workspace, name, &format!("{tag}.diagram.txt"))?))
}

fn read(workspace: &Path, name: &str, end: &str) -> Result<String, RecordingError> {
    let is_plain = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    if name.split('/').count() != 2 || !name.split('/').all(is_plain) {
        return Err(RecordingError::NoName(name.to_owned()));
    }
    let file = format!("{FOLDER}/{name}.{end}");
    match fs::read_to_string(workspace.join(&file)) {
        Ok(text) if text.trim().is_empty() => {
            Err(RecordingError::Unreadable(file, "it is empty".to_owned()))
        }
        Ok(text) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(RecordingError::Missing(file)),
        Err(error) => Err(RecordingError::Unreadable(file, error.to_string())),
    }
}

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoName(name) => {
                write!(f, "a recording is named as in 02/hello, and this is {name:?}")
            }
            Self::Missing(file) => write!(
                f,
                "there is no {file}: write its scenario, mdbook/recordings/NN/NAME.toml, and run \
                 cargo xtask record"
            ),
            Self::Unreadable(file, why) => write!(f, "cannot show {file}: {why}"),
        }
    }
}

impl Error for RecordingError {}
