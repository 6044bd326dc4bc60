//! What the book tells of the course itself: its outline, the points of its checks, and the classic
//! mistakes. All of it is read from the lessons' folders, so that nobody keeps it by hand.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::Language;

/// What these pages need of a `lesson.toml`.
#[derive(Debug, Deserialize)]
struct Lesson {
    minutes: u32,
    title: Text,
    learn: Text,
    #[serde(default, rename = "exercise")]
    exercises: Vec<Exercise>,
}

#[derive(Debug, Deserialize)]
struct Text {
    en: String,
    zh: String,
}

#[derive(Debug, Deserialize)]
struct Exercise {
    name: String,
    title: Text,
    #[serde(rename = "check")]
    checks: Vec<Check>,
}

#[derive(Debug, Deserialize)]
struct Check {
    name: String,
    points: u32,
    usually: Text,
}

/// Why the course cannot be told of.
#[derive(Debug)]
pub enum CourseError {
    /// A file or folder cannot be read, or is not what it should be.
    Unreadable(PathBuf, String),
    /// There is no lesson of that number.
    NoLesson(String),
    /// The lesson has no exercise of that name, or the exercise has no mistakes.
    NoExercise(String),
}

type Lessons = BTreeMap<String, (PathBuf, Lesson)>;

impl Text {
    fn pick(&self, language: Language) -> &str {
        match language {
            Language::English => self.en.trim(),
            Language::Chinese => self.zh.trim(),
        }
    }
}

/// A table of all lessons with their minutes and points.
pub(crate) fn outline(workspace: &Path, language: Language) -> Result<String, CourseError> {
    let mut table = match language {
        Language::English => "| lesson | what is learnt | minutes | exercises (points) |\n",
        Language::Chinese => "| 课 | 学什么 | 分钟数 | 练习（分数） |\n",
    }
    .to_owned();
    table += "| --- | --- | ---: | --- |\n";
    let (mut minutes, mut points) = (0, 0);
    for (number, (_, lesson)) in lessons(workspace)? {
        let of = |exercise: &Exercise| {
            let points: u32 = exercise.checks.iter().map(|check| check.points).sum();
            match language {
                Language::English => format!("{} ({points})", exercise.name),
                Language::Chinese => format!("{}（{points}）", exercise.name),
            }
        };
        let exercises: Vec<String> = lesson.exercises.iter().map(of).collect();
        let checks = lesson.exercises.iter().flat_map(|exercise| &exercise.checks);
        points += checks.map(|check| check.points).sum::<u32>();
        minutes += lesson.minutes;
        table += &row(&[
            &format!("{number} {}", lesson.title.pick(language)),
            lesson.learn.pick(language),
            &lesson.minutes.to_string(),
            &exercises.join(comma(language)),
        ]);
    }
    let all = if language == Language::English { "all" } else { "合计" };
    table += &row(&[&format!("**{all}**"), "", &minutes.to_string(), &points.to_string()]);
    Ok(table)
}

/// The checks of a lesson's exercises, with their points and what a failure usually means.
pub(crate) fn rubric(
    workspace: &Path,
    number: &str,
    language: Language,
) -> Result<String, CourseError> {
    let (_, lesson) = one(workspace, number)?;
    let head = match language {
        Language::English => "| check | points | a failure usually means |\n",
        Language::Chinese => "| 检查项 | 分数 | 没有通过，通常是因为 |\n",
    };
    let mut text = String::new();
    for exercise in &lesson.exercises {
        let total: u32 = exercise.checks.iter().map(|check| check.points).sum();
        let title = exercise.title.pick(language);
        let name = &exercise.name;
        let heading = match language {
            Language::English => format!("**{number}/{name}**: {title} ({total} points)\n\n"),
            Language::Chinese => format!("**{number}/{name}**：{title}（{total} 分）\n\n"),
        };
        text += &heading;
        text += head;
        text += "| --- | ---: | --- |\n";
        for check in &exercise.checks {
            // A long name may be broken after each of its words.
            let name = format!("<code>{}</code>", check.name.replace('_', "_<wbr>"));
            text += &row(&[&name, &check.points.to_string(), check.usually.pick(language)]);
        }
        text.push('\n');
    }
    Ok(text)
}

/// The classic mistakes of an exercise `02/answer`: what each is, which checks catch it, and what it
/// changes in the solution.
pub(crate) fn mistakes(
    workspace: &Path,
    wanted: &str,
    language: Language,
) -> Result<String, CourseError> {
    let none = || CourseError::NoExercise(wanted.to_owned());
    let (number, exercise) = wanted.split_once('/').ok_or_else(none)?;
    let (folder, lesson) = one(workspace, number)?;
    if !lesson.exercises.iter().any(|it| it.name == exercise) {
        return Err(none());
    }
    let mut text = String::new();
    for file in files(&folder.join("mistakes"))? {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if !name.strip_prefix(exercise).is_some_and(|rest| rest.starts_with('-')) {
            continue;
        }
        let patch = read(&file)?;
        let said = |key: &str| {
            patch.lines().find_map(|line| line.strip_prefix("# ")?.strip_prefix(key)).map(str::trim)
        };
        let must_say = |key: &str| {
            let missing = || CourseError::Unreadable(file.clone(), format!("no `# {key} …`"));
            said(key).ok_or_else(missing)
        };
        let title = must_say(match language {
            Language::English => "title:",
            Language::Chinese => "title-zh:",
        })?;
        let caught = caught(must_say("caught-by:")?, said("perhaps:"), language);
        let diff = patch.lines().skip_while(|line| !line.starts_with("@@"));
        let diff = diff.collect::<Vec<_>>().join("\n");
        let fold = format!(
            "<details>\n<summary>{}</summary>\n\n{caught}\n\n```diff\n{diff}\n```\n\n</details>\n\n",
            with_code(title)
        );
        text += &fold;
    }
    if text.is_empty() { Err(none()) } else { Ok(text) }
}

/// Which checks catch a mistake, each time and on some runs.
fn caught(always: &str, perhaps: Option<&str>, language: Language) -> String {
    let list = |checks: &str| {
        let name =
            |check: &str| format!("`{}`", check.trim().split(' ').next().unwrap_or_default());
        checks.split(',').map(name).collect::<Vec<_>>().join(comma(language))
    };
    let (always, perhaps) = (list(always), perhaps.map(list));
    match (language, perhaps) {
        (Language::English, None) => format!("Caught by {always}."),
        (Language::English, Some(perhaps)) => {
            format!("Caught by {always}; on some runs also by {perhaps}.")
        }
        (Language::Chinese, None) => format!("发现它的检查项：{always}。"),
        (Language::Chinese, Some(perhaps)) => {
            format!("发现它的检查项：{always}；有时还有：{perhaps}。")
        }
    }
}

/// What stands between the items of a list.
fn comma(language: Language) -> &'static str {
    match language {
        Language::English => ", ",
        Language::Chinese => "、",
    }
}

/// HTML of a line in which code stands between backticks.
fn with_code(line: &str) -> String {
    let piece = |(number, piece): (usize, &str)| match number % 2 {
        0 => escaped(piece),
        _ => format!("<code>{}</code>", escaped(piece)),
    };
    line.split('`').enumerate().map(piece).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// One row of a table; a `|` in a cell would end it.
fn row(cells: &[&str]) -> String {
    let cells = cells.iter().map(|cell| cell.replace('|', "\\|").replace('\n', " "));
    format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
}

fn one(workspace: &Path, number: &str) -> Result<(PathBuf, Lesson), CourseError> {
    lessons(workspace)?.remove(number).ok_or_else(|| CourseError::NoLesson(number.to_owned()))
}

fn lessons(workspace: &Path) -> Result<Lessons, CourseError> {
    let mut lessons = Lessons::new();
    for folder in files(&workspace.join("lessons"))?.into_iter().filter(|path| path.is_dir()) {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let number = name.split('-').next().unwrap_or_default().to_owned();
        let file = folder.join("lesson.toml");
        let lesson = toml::from_str(&read(&file)?)
            .map_err(|error| CourseError::Unreadable(file, error.to_string()))?;
        lessons.insert(number, (folder, lesson));
    }
    Ok(lessons)
}

fn read(file: &Path) -> Result<String, CourseError> {
    fs::read_to_string(file)
        .map_err(|error| CourseError::Unreadable(file.to_owned(), error.to_string()))
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, CourseError> {
    let failed =
        |error: std::io::Error| CourseError::Unreadable(folder.to_owned(), error.to_string());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        files.push(entry.map_err(failed)?.path());
    }
    files.sort();
    Ok(files)
}

impl fmt::Display for CourseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(file, why) => {
                write!(f, "cannot read {}: {}", file.display(), why.trim_end().replace('\n', " "))
            }
            Self::NoLesson(number) => {
                write!(f, "there is no lesson {number:?}: a number has two digits, as in 02")
            }
            Self::NoExercise(name) => write!(
                f,
                "there is no exercise {name:?} with mistakes: it is named as in 02/answer"
            ),
        }
    }
}

impl Error for CourseError {}
