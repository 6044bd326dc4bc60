//! Wire formats, from the code's own constants and the drawings in its documentation.
//!
//! A field of a packet is a constant without a comment: `const TOKEN_AT: Range<usize> = 8..16;`, or
//! `const KIND_AT: usize = 2;` for a single byte. Every other constant of a number or of bytes has a
//! comment that says what it is.

use std::error::Error;
use std::fmt;
use std::fs;
use std::path::Path;

use regex_lite::Regex;

use course::Language;

/// Why a format cannot be shown.
#[derive(Debug)]
pub enum FormatError {
    /// The file cannot be read.
    Unreadable(String, String),
    /// The file has nothing of that kind.
    Nothing(String, &'static str),
}

/// One constant of a file.
struct Constant {
    comment: String,
    name: String,
    kind: String,
    value: String,
}

impl Constant {
    /// From where to where it reaches in a packet, if it is a field of one.
    fn place(&self) -> Option<(usize, usize)> {
        if !self.comment.is_empty() {
            return None;
        }
        if self.kind == "usize" {
            let at = self.value.parse().ok()?;
            return Some((at, at + 1));
        }
        let (start, end) = self.value.split_once("..")?;
        Some((start.parse().ok()?, end.parse().ok()?))
    }
}

/// The fields of the packet that a file defines.
pub(crate) fn layout(
    workspace: &Path,
    file: &str,
    language: Language,
) -> Result<String, FormatError> {
    let constants = constants_of(&read(workspace, file)?);
    let mut fields: Vec<_> =
        constants.iter().filter_map(|it| Some((it.place()?, it.name.as_str()))).collect();
    if fields.is_empty() {
        return Err(FormatError::Nothing(file.to_owned(), "fields"));
    }
    fields.sort_unstable();
    let mut table = match language {
        Language::English => "| bytes | size | field |\n| --- | ---: | --- |\n".to_owned(),
        Language::Chinese => "| 字节 | 长度 | 字段 |\n| --- | ---: | --- |\n".to_owned(),
    };
    for ((start, end), name) in fields {
        let name = name.strip_suffix("_AT").unwrap_or(name).to_lowercase().replace('_', " ");
        let bytes = match (end - start, language) {
            (1, _) => start.to_string(),
            (_, Language::English) => format!("{start} to {}", end - 1),
            (_, Language::Chinese) => format!("{start} 到 {}", end - 1),
        };
        table += &["| ", &bytes, " | ", &(end - start).to_string(), " | ", &name, " |\n"].concat();
    }
    Ok(table)
}

/// The other constants of a file, with what their comments say.
pub(crate) fn limits(
    workspace: &Path,
    file: &str,
    language: Language,
) -> Result<String, FormatError> {
    let constants = constants_of(&read(workspace, file)?);
    let mut table = match language {
        Language::English => "| constant | value | what it is |\n| --- | --- | --- |\n".to_owned(),
        Language::Chinese => "| 常量 | 值 | 说明 |\n| --- | --- | --- |\n".to_owned(),
    };
    let before = table.len();
    for it in constants.iter().filter(|it| !it.comment.is_empty()) {
        let comment = it.comment.replace('|', "\\|");
        table += &["| `", &it.name, "` | `", &it.value, "` | ", &comment, " |\n"].concat();
    }
    if table.len() == before {
        return Err(FormatError::Nothing(file.to_owned(), "constants with comments"));
    }
    Ok(table)
}

/// The first drawing in a file's own documentation.
pub(crate) fn drawing(workspace: &Path, file: &str) -> Result<String, FormatError> {
    let text = read(workspace, file)?;
    let documentation = text.lines().map_while(|line| line.strip_prefix("//!"));
    let lines = documentation.map(|line| line.strip_prefix(' ').unwrap_or(line));
    let mut drawn = lines.skip_while(|line| !line.starts_with("```text")).skip(1);
    let drawn: Vec<&str> = drawn.by_ref().take_while(|line| !line.starts_with("```")).collect();
    if drawn.is_empty() {
        return Err(FormatError::Nothing(file.to_owned(), "drawing"));
    }
    Ok(format!("```text\n{}\n```", drawn.join("\n")))
}

fn constants_of(text: &str) -> Vec<Constant> {
    let pattern = r"^\s*(?:pub(?:\([a-z]+\))? )?const ([A-Z0-9_]+): ([^=]+?) = (.+);$";
    let Ok(pattern) = Regex::new(pattern) else { return Vec::new() };
    let mut constants = Vec::new();
    let mut comment: Vec<&str> = Vec::new();
    for line in text.lines() {
        if let Some(said) = line.trim_start().strip_prefix("///") {
            comment.push(said.trim());
            continue;
        }
        if let Some(found) = pattern.captures(line) {
            constants.push(Constant {
                comment: comment.join(" "),
                name: found[1].to_owned(),
                kind: found[2].to_owned(),
                value: found[3].to_owned(),
            });
        }
        comment.clear();
    }
    constants
}

fn read(workspace: &Path, file: &str) -> Result<String, FormatError> {
    fs::read_to_string(workspace.join(file))
        .map_err(|error| FormatError::Unreadable(file.to_owned(), error.to_string()))
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(file, why) => write!(f, "cannot read {file}: {why}"),
            Self::Nothing(file, what) => write!(f, "{file} has no {what} to show"),
        }
    }
}

impl Error for FormatError {}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "//! A packet.\n//!\n//! ```text\n//!  0   1\n//!  +---+\n//! ```\n\n\
        const KIND_AT: usize = 0;\nconst TOKEN_AT: Range<usize> = 1..9;\n\
        /// Longest text,\n/// in bytes.\npub const MAX_BYTES: usize = 4 * 1024;\n";

    fn shown(show: impl Fn(&Path) -> Result<String, FormatError>) -> String {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("packet.rs"), FILE).unwrap();
        show(folder.path()).unwrap()
    }

    #[test]
    fn fields_and_limits_are_told_apart_by_their_comments() {
        let layout = shown(|it| layout(it, "packet.rs", Language::English));
        assert!(layout.ends_with("| 0 | 1 | kind |\n| 1 to 8 | 8 | token |\n"), "{layout}");
        let limits = shown(|it| limits(it, "packet.rs", Language::English));
        let row = "| `MAX_BYTES` | `4 * 1024` | Longest text, in bytes. |\n";
        assert!(limits.ends_with(row), "{limits}");
    }

    #[test]
    fn a_drawing_is_the_first_of_the_documentation() {
        assert_eq!(shown(|it| drawing(it, "packet.rs")), "```text\n 0   1\n +---+\n```");
    }

    #[test]
    fn nothing_to_show_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("empty.rs"), "fn main() {}\n").unwrap();
        let error = drawing(folder.path(), "empty.rs").unwrap_err().to_string();
        assert_eq!(error, "empty.rs has no drawing to show");
    }
}
