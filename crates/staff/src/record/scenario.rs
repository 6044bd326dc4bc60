//! What a scenario's file says.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

/// A scenario and where it stands.
#[derive(Debug)]
pub struct Scenario {
    /// `02/hello`, as the book names it.
    pub name: String,
    /// Its file without `.toml`.
    stem: PathBuf,
    pub about: About,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Files that are there before anything is run: their content, or their length in bytes.
    #[serde(default)]
    pub files: BTreeMap<String, Content>,
    /// A shell command that prepares the sandbox and is not shown.
    pub setup: Option<String>,
    /// What is typed.
    #[serde(default, rename = "step")]
    pub steps: Vec<Step>,
    /// What differs from run to run and is shown as it was written here.
    #[serde(default)]
    pub vary: Vec<Vary>,
    /// The order of lines is chance (of each speaker's, where lines have labels).
    #[serde(default)]
    pub any_order: bool,
    /// A conversation to be drawn.
    pub diagram: Option<Conversation>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Content {
    Text(String),
    Bytes(usize),
}

/// A command as a reader would type it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub run: String,
    /// It goes on while the next ones run, from the moment it prints this; Ctrl-C ends it.
    pub until: Option<String>,
    /// It ends by itself, and Ctrl-C need not.
    #[serde(default)]
    pub ends: bool,
    /// Its exit code.
    #[serde(default)]
    pub code: i32,
    /// The exit code is shown.
    #[serde(default)]
    pub show_code: bool,
}

/// A regular expression, and what is shown in place of what it matches.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vary {
    pub pattern: String,
    pub shown: String,
}

/// A lesson's server and client with the laboratory between them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conversation {
    /// `lesson-02`.
    pub program: String,
    #[serde(default)]
    pub transport: course::Transport,
    pub server: Vec<String>,
    pub client: Vec<String>,
    /// How large `{file}` is, in bytes, if not as large as in `cargo xtask run`.
    pub file_bytes: Option<usize>,
    /// Options of `cargo xtask lab`, as in `--lose 1 --seed 7`.
    #[serde(default)]
    pub network: String,
    /// With times.
    #[serde(default)]
    pub times: bool,
    /// More arrows than these are counted, not drawn.
    pub arrows: Option<usize>,
    /// The client is to fail, with code 1.
    #[serde(default)]
    pub fails: bool,
    /// It depends on timers or random numbers, so that no two runs are the same to the letter.
    #[serde(default)]
    pub by_chance: bool,
}

impl Scenario {
    /// One of the files that come of it: `….txt`.
    pub fn file(&self, end: &str) -> PathBuf {
        PathBuf::from(format!("{}.{end}", self.stem.display()))
    }
}

/// All scenarios of the book, in order.
pub fn all(root: &Path) -> Result<Vec<Scenario>> {
    let top = root.join("mdbook/recordings");
    let mut scenarios = Vec::new();
    for folder in entries(&top)?.into_iter().filter(|path| path.is_dir()) {
        for file in entries(&folder)? {
            if file.extension().is_some_and(|end| end == "toml") {
                scenarios.push(read(&file)?);
            }
        }
    }
    Ok(scenarios)
}

fn read(file: &Path) -> Result<Scenario> {
    let name = || format!("cannot read {}", file.display());
    let text = fs::read_to_string(file).with_context(name)?;
    let about = toml::from_str(&text).with_context(name)?;
    let stem = file.with_extension("");
    let mut parts = stem.components().rev().map(|it| it.as_os_str().to_string_lossy());
    let (own, folder) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    Ok(Scenario { name: format!("{folder}/{own}"), stem: stem.clone(), about })
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut paths = read.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
