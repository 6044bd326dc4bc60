//! A lesson: a folder of `lessons/` named `NN-topic`, and what its `lesson.toml` and the files of its
//! exercises say.

use std::borrow::Cow;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::exercise::{self, Exercise};
use crate::language::Text;

/// One lesson: its folder, and what is said about it there.
#[derive(Clone, Debug)]
pub struct Lesson {
    /// Two digits, `02`.
    pub number: String,
    /// The rest of the folder's name, `tcp-echo`.
    pub topic: String,
    /// The folder.
    pub folder: PathBuf,
    /// What `lesson.toml` and the files of the exercises say.
    pub about: About,
}

/// What a `lesson.toml` says, with the exercises that it names.
#[derive(Clone, Debug)]
pub struct About {
    /// How long a student needs, in minutes.
    pub minutes: u32,
    /// What the lesson is called.
    pub title: Text,
    /// What a student learns, in one line.
    pub learn: Text,
    /// How `cargo xtask run` shows the lesson; without it the program runs with no arguments.
    pub run: Option<Run>,
    /// The exercises, easiest first.
    pub exercises: Vec<Exercise>,
}

/// A `lesson.toml` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LessonFile {
    minutes: u32,
    /// The names of the exercises: `answer` is described in `answer.toml`.
    #[serde(default)]
    exercises: Vec<String>,
    title: Text,
    learn: Text,
    run: Option<Run>,
}

/// The arguments of the two programs that `cargo xtask run` starts. `--addr` is added to both.
/// `{dir}` is a fresh folder, `{file}` a file made for the run; where both occur, the file must
/// have arrived in the folder in the end.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// What the two programs talk over.
    #[serde(default)]
    pub transport: Transport,
    /// As in `["server", "--dir", "{dir}"]`.
    pub server: Vec<String>,
    /// As in `["client", "{file}"]`.
    pub client: Vec<String>,
}

/// What a lesson's programs talk over.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// TCP, if nothing is said.
    #[default]
    Tcp,
    /// UDP.
    Udp,
}

impl About {
    /// What is said about the lesson in `folder`.
    ///
    /// # Errors
    /// When a file is missing or cannot be used, or describes an exercise that `lesson.toml` does not
    /// name; the error names it.
    pub fn of(folder: &Path) -> Result<Self, CourseError> {
        let LessonFile { minutes, exercises, title, learn, run } =
            read(folder.join("lesson.toml"))?;
        let exercises = exercise::exercises(folder, &exercises)?;
        Ok(Self { minutes, title, learn, run, exercises })
    }
}

impl Lesson {
    /// Whether a person who types `wanted` means this lesson: `2`, `02`, `tcp-echo`,
    /// `02-tcp-echo`, `lesson-02`.
    #[must_use]
    pub fn answers_to(&self, wanted: &str) -> bool {
        let number = wanted.strip_prefix("lesson-").unwrap_or(wanted);
        let same_number = number.parse::<u32>().is_ok_and(|n| self.number.parse() == Ok(n));
        same_number || wanted == self.topic || wanted == format!("{}-{}", self.number, self.topic)
    }

    /// The hand-written file of an exercise: its solution.
    #[must_use]
    pub fn solution_file(&self, exercise: &Exercise) -> PathBuf {
        self.folder.join(format!("solution/src/bin/{}.rs", exercise.name))
    }

    /// The student's file of an exercise.
    #[must_use]
    pub fn exercise_file(&self, exercise: &Exercise) -> PathBuf {
        exercise_file(&self.folder, &exercise.name)
    }

    /// The package of the worked example, `lesson-02`.
    #[must_use]
    pub fn package(&self) -> String {
        format!("lesson-{}", self.number)
    }
}

/// Why the course cannot be read.
#[derive(Debug)]
pub enum CourseError {
    /// A folder or file that cannot be read.
    Unreadable(PathBuf, io::Error),
    /// A `lesson.toml`, or an exercise's file, that is not what it should be.
    Malformed(PathBuf, toml::de::Error),
    /// The file of an exercise that `lesson.toml` names is not there.
    Missing(PathBuf),
    /// A file describes an exercise that `lesson.toml` does not name.
    Unnamed(PathBuf),
    /// A `lesson.toml` that names an exercise twice.
    NamedTwice(PathBuf, String),
    /// A folder in `lessons/` that is not named `NN-topic`.
    Misnamed(PathBuf),
}

impl CourseError {
    /// The file or folder that it is about.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Unreadable(path, _)
            | Self::Malformed(path, _)
            | Self::Missing(path)
            | Self::Unnamed(path)
            | Self::NamedTwice(path, _)
            | Self::Misnamed(path) => path,
        }
    }
}

impl fmt::Display for CourseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(path, error) => write!(f, "cannot read {}: {error}", path.display()),
            Self::Malformed(path, error) => {
                let (file, error) = (path.display(), error.to_string());
                writeln!(f, "{file} cannot be used: {}", error.trim_end())?;
                write!(f, "if you have changed it, `git checkout {file}` takes that back")
            }
            Self::Missing(file) => {
                let (name, file) = (name_of(file), file.display());
                writeln!(f, "{file} is not there, but lesson.toml names the exercise {name:?}")?;
                write!(f, "if you have removed it, `git checkout {file}` takes that back")
            }
            Self::Unnamed(file) => {
                let (name, file) = (name_of(file), file.display());
                writeln!(f, "{file}: lesson.toml does not name this exercise")?;
                write!(f, "add {name:?} to the line `exercises` there, or remove the file")
            }
            Self::NamedTwice(file, name) => {
                write!(f, "{} names the exercise {name:?} twice", file.display())
            }
            Self::Misnamed(path) => {
                write!(
                    f,
                    "{}: a lesson's folder is named NN-topic, such as 02-tcp-echo",
                    path.display()
                )
            }
        }
    }
}

impl std::error::Error for CourseError {}

/// The exercise that a file describes.
fn name_of(file: &Path) -> Cow<'_, str> {
    file.file_stem().unwrap_or_default().to_string_lossy()
}

/// The student's file of an exercise of the lesson in `folder`.
#[must_use]
pub fn exercise_file(folder: &Path, exercise: &str) -> PathBuf {
    folder.join(format!("exercise/src/bin/{exercise}.rs"))
}

/// The folder of lesson `number`, whatever its `lesson.toml` says.
#[must_use]
pub fn folder_of(workspace: &Path, number: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(workspace.join("lessons")).ok()?;
    let mut folders = entries.filter_map(|entry| Some(entry.ok()?.path()));
    folders.find(|folder| split_name(folder).is_some_and(|(found, _)| found == number))
}

/// All lessons below the workspace's root, in order.
///
/// # Errors
/// When a folder of `lessons/` is not a lesson; the error names it. A lesson whose *code* is
/// broken is found like any other.
pub fn lessons(workspace: &Path) -> Result<Vec<Lesson>, CourseError> {
    let folder = workspace.join("lessons");
    let unreadable = |error| CourseError::Unreadable(folder.clone(), error);
    let mut lessons = Vec::new();
    for entry in fs::read_dir(&folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            lessons.push(lesson(path)?);
        }
    }
    lessons.sort_by(|a, b| a.number.cmp(&b.number));
    Ok(lessons)
}

fn lesson(folder: PathBuf) -> Result<Lesson, CourseError> {
    let Some((number, topic)) = split_name(&folder) else {
        return Err(CourseError::Misnamed(folder));
    };
    Ok(Lesson { about: About::of(&folder)?, number, topic, folder })
}

/// What a file says.
pub(crate) fn read<T: DeserializeOwned>(file: PathBuf) -> Result<T, CourseError> {
    match fs::read_to_string(&file) {
        Ok(text) => toml::from_str(&text).map_err(|error| CourseError::Malformed(file, error)),
        Err(error) => Err(CourseError::Unreadable(file, error)),
    }
}

fn split_name(folder: &Path) -> Option<(String, String)> {
    let (number, topic) = folder.file_name()?.to_str()?.split_once('-')?;
    let is_number = number.len() == 2 && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && !topic.is_empty()).then(|| (number.to_owned(), topic.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const MINIMAL: &str = "minutes = 30\n\
        title = { en = \"T\", zh = \"题\" }\n\
        learn = { en = \"L\", zh = \"学\" }\n";

    fn course(folders: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (folder, toml) in folders {
            let folder = root.path().join("lessons").join(folder);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("lesson.toml"), toml).unwrap();
        }
        root
    }

    #[test]
    fn lessons_come_in_the_order_of_their_numbers() {
        let root = course(&[("10-b", MINIMAL), ("02-c", MINIMAL), ("01-a", MINIMAL)]);
        let numbers: Vec<_> =
            lessons(root.path()).unwrap().into_iter().map(|lesson| lesson.number).collect();
        assert_eq!(numbers, ["01", "02", "10"]);
    }

    #[rstest]
    #[case::no_number("tcp")]
    #[case::one_digit("2-tcp")]
    #[case::no_topic("02-")]
    fn a_folder_that_does_not_fit_is_named(#[case] folder: &str) {
        let root = course(&[(folder, MINIMAL)]);
        let error = lessons(root.path()).unwrap_err().to_string();
        assert!(error.contains(folder) && error.contains("NN-topic"), "{error}");
    }

    #[test]
    fn a_misspelt_key_is_an_error_that_names_the_file_and_the_key() {
        let root = course(&[("02-tcp", &format!("{MINIMAL}minuts = 3\n"))]);
        let error = lessons(root.path()).unwrap_err().to_string();
        assert!(error.contains("lesson.toml") && error.contains("minuts"), "{error}");
    }

    #[test]
    fn a_lesson_talks_over_tcp_if_it_does_not_say_udp() {
        let run = "[run]\nserver = ['server']\nclient = ['client']\n";
        let tcp = format!("{MINIMAL}{run}");
        let udp = format!("{MINIMAL}{run}transport = 'udp'\n");
        let root = course(&[("01-tcp", &tcp), ("02-udp", &udp)]);
        let lessons = lessons(root.path()).unwrap().into_iter();
        let transports: Vec<_> = lessons.map(|it| it.about.run.unwrap().transport).collect();
        assert_eq!(transports, [Transport::Tcp, Transport::Udp]);
    }

    #[rstest]
    #[case("2", true)]
    #[case("02", true)]
    #[case("tcp-echo", true)]
    #[case("02-tcp-echo", true)]
    #[case("lesson-02", true)]
    #[case("20", false)]
    #[case("tcp", false)]
    #[case("", false)]
    fn a_lesson_answers_to_number_and_topic(#[case] wanted: &str, #[case] expected: bool) {
        let root = course(&[("02-tcp-echo", MINIMAL)]);
        assert_eq!(lessons(root.path()).unwrap()[0].answers_to(wanted), expected);
    }
}
