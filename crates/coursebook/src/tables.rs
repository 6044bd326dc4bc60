//! What the book tells of the course itself: its outline, the points of its checks, and the classic
//! mistakes. All of it is read from the lessons' folders, so that nobody keeps it by hand.

use std::error::Error;
use std::fmt;
use std::path::Path;

use course::mistake::{self, Failures, MistakeError};
use course::{Course, CourseError, Exercise, Language, Lesson};

/// Why the course cannot be told of.
#[derive(Debug)]
pub enum TableError {
    /// It cannot be read.
    Course(CourseError),
    /// A patch of a mistake cannot be used.
    Mistake(MistakeError),
    /// There is no lesson of that number.
    NoLesson(String),
    /// The lesson has no exercise of that name, or the exercise has no mistakes.
    NoExercise(String),
}

/// A table of all lessons with their minutes and points.
pub(crate) fn outline(workspace: &Path, language: Language) -> Result<String, TableError> {
    let mut table = match language {
        Language::English => "| lesson | what is learnt | minutes | exercises (points) |\n",
        Language::Chinese => "| 课 | 学什么 | 分钟数 | 练习（分数） |\n",
    }
    .to_owned();
    table += "| --- | --- | ---: | --- |\n";
    let (mut minutes, mut points) = (0, 0);
    for lesson in course(workspace)?.lessons {
        let (number, about) = (&lesson.number, &lesson.about);
        let of = |exercise: &Exercise| {
            let points = exercise.points();
            match language {
                Language::English => format!("{} ({points})", exercise.name),
                Language::Chinese => format!("{}（{points}）", exercise.name),
            }
        };
        let exercises: Vec<String> = about.exercises.iter().map(of).collect();
        points += about.exercises.iter().map(Exercise::points).sum::<u32>();
        minutes += about.minutes;
        table += &row(&[
            &format!("{number} {}", language.pick(&about.title)),
            language.pick(&about.learn),
            &about.minutes.to_string(),
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
) -> Result<String, TableError> {
    let lesson = one(workspace, number)?;
    let head = match language {
        Language::English => "| check | points | a failure usually means |\n",
        Language::Chinese => "| 检查项 | 分数 | 没有通过，通常是因为 |\n",
    };
    let mut text = String::new();
    for exercise in &lesson.about.exercises {
        let total = exercise.points();
        let title = language.pick(&exercise.title);
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
            text += &row(&[&name, &check.points.to_string(), language.pick(&check.usually)]);
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
) -> Result<String, TableError> {
    let none = || TableError::NoExercise(wanted.to_owned());
    let (number, exercise) = wanted.split_once('/').ok_or_else(none)?;
    let lesson = one(workspace, number)?;
    let exercise = lesson.about.exercises.iter().find(|it| it.name == exercise).ok_or_else(none)?;
    let mut text = String::new();
    for mistake in mistake::mistakes(&lesson, exercise).map_err(TableError::Mistake)? {
        let caught = caught(&mistake.caught_by, &mistake.perhaps, language);
        let hunks = mistake.diff.lines().skip_while(|line| !line.starts_with("@@"));
        let hunks = hunks.collect::<Vec<_>>().join("\n");
        let fold = format!(
            "<details>\n<summary>{}</summary>\n\n{caught}\n\n```diff\n{hunks}\n```\n\n</details>\n\n",
            with_code(language.pick(&mistake.title))
        );
        text += &fold;
    }
    if text.is_empty() { Err(none()) } else { Ok(text) }
}

/// Which checks catch a mistake, each time and on some runs.
fn caught(always: &Failures, perhaps: &Failures, language: Language) -> String {
    let list = |checks: &Failures| {
        let mut names: Vec<String> = checks.iter().map(|(name, _)| format!("`{name}`")).collect();
        // A check that catches it in two ways is named once.
        names.dedup();
        names.join(comma(language))
    };
    let (always, perhaps) = (list(always), (!perhaps.is_empty()).then(|| list(perhaps)));
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
    let cells = cells.iter().map(|cell| cell.trim().replace('|', "\\|").replace('\n', " "));
    format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
}

fn one(workspace: &Path, number: &str) -> Result<Lesson, TableError> {
    let lesson = course(workspace)?.lessons.into_iter().find(|lesson| lesson.number == number);
    lesson.ok_or_else(|| TableError::NoLesson(number.to_owned()))
}

fn course(workspace: &Path) -> Result<Course, TableError> {
    Course::at(workspace).map_err(TableError::Course)
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // A problem of a page is one line.
            Self::Course(error) => f.write_str(&error.to_string().replace('\n', " ")),
            Self::Mistake(error) => write!(f, "{error}"),
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

impl Error for TableError {}
