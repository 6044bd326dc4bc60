//! Questions with choices, from `mdbook/quizzes/NAME.toml`, in both languages.
//!
//! What a program prints is not for us to say: a question with `recorded = "02/pieces"` is answered
//! by that recording. The piece of code in the right choice must stand in it, and that of a wrong
//! one must not.

use std::error::Error;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;

use crate::recording::{self, RecordingError};
use course::{Language, Text};

/// Where quizzes are, from the top of the workspace.
const FOLDER: &str = "mdbook/quizzes";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Quiz {
    question: Vec<Question>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    ask: Text,
    choice: Vec<Choice>,
    why: Text,
    /// The recording that answers it.
    recorded: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    #[serde(default)]
    right: bool,
    en: String,
    zh: String,
}

/// Why a quiz cannot be shown.
#[derive(Debug)]
pub enum QuizError {
    /// No quiz of that name.
    Missing(String),
    /// The file is not what it should be.
    Malformed(String, String),
    /// A question needs two choices or more, exactly one of them right.
    Choices(String, usize),
    /// The recording of a question cannot be read.
    Recording(String, usize, RecordingError),
    /// The recording of a question says something else: number of the question, the choice.
    Contradicted(String, usize, String),
}

/// A quiz as Markdown and HTML for a page, and how many questions it has. Lines of HTML stand
/// alone between blank lines, so that the texts between them are read as Markdown.
pub(crate) fn show(
    workspace: &Path,
    name: &str,
    language: Language,
) -> Result<(String, usize), QuizError> {
    let (file, quiz) = read(workspace, name)?;
    let mut shown = String::new();
    for (number, question) in (1..).zip(&quiz.question) {
        check(workspace, &file, number, question)?;
        shown += &form(&format!("quiz-{name}-{number}"), number, question, language);
    }
    Ok((shown, quiz.question.len()))
}

fn read(workspace: &Path, name: &str) -> Result<(String, Quiz), QuizError> {
    let file = format!("{FOLDER}/{name}.toml");
    let text = fs::read_to_string(workspace.join(&file)).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => QuizError::Missing(file.clone()),
        _ => QuizError::Malformed(file.clone(), error.to_string()),
    })?;
    let quiz = toml::from_str(&text)
        .map_err(|error| QuizError::Malformed(file.clone(), error.to_string()))?;
    Ok((file, quiz))
}

fn check(
    workspace: &Path,
    file: &str,
    number: usize,
    question: &Question,
) -> Result<(), QuizError> {
    let right = question.choice.iter().filter(|choice| choice.right).count();
    if question.choice.len() < 2 || right != 1 {
        return Err(QuizError::Choices(file.to_owned(), number));
    }
    let Some(name) = &question.recorded else { return Ok(()) };
    let terminals = recording::terminals(workspace, name)
        .map_err(|error| QuizError::Recording(file.to_owned(), number, error))?;
    for choice in &question.choice {
        // Each language shows the same code.
        for text in [&choice.en, &choice.zh] {
            let code = text.split('`').nth(1);
            let is_recorded =
                code.map(|code| terminals.iter().any(|it| it.lines().any(|line| line == code)));
            if is_recorded != Some(choice.right) {
                return Err(QuizError::Contradicted(file.to_owned(), number, text.clone()));
            }
        }
    }
    Ok(())
}

fn form(id: &str, number: usize, question: &Question, language: Language) -> String {
    let words = Words::of(language);
    let pick = |text: &Text| language.pick(text).trim().to_owned();
    let mut lines = vec![
        format!(
            "<fieldset class=\"quiz\" id=\"{id}\" data-yes=\"{}\" data-no=\"{}\">",
            words.yes, words.no
        ),
        format!("<legend>{} {number}</legend>", words.question),
        pick(&question.ask),
    ];
    let mut answer = String::new();
    for choice in &question.choice {
        let text = match language {
            Language::English => choice.en.trim(),
            Language::Chinese => choice.zh.trim(),
        };
        let right = if choice.right { " data-right" } else { "" };
        lines.push(format!("<label><input type=\"radio\" name=\"{id}\"{right}> {text}</label>"));
        if choice.right {
            text.clone_into(&mut answer);
        }
    }
    lines.extend([
        format!("<p class=\"check\" hidden><button type=\"button\">{}</button> <span role=\"status\"></span></p>", words.check),
        format!("<details>\n<summary>{}</summary>", words.answer),
        format!("**{answer}**"),
        pick(&question.why),
        "</details>".to_owned(),
        "</fieldset>\n\n".to_owned(),
    ]);
    lines.join("\n\n")
}

struct Words {
    question: &'static str,
    check: &'static str,
    answer: &'static str,
    yes: &'static str,
    no: &'static str,
}

impl Words {
    fn of(language: Language) -> Self {
        match language {
            Language::English => Self {
                question: "Question",
                check: "Check",
                answer: "Answer",
                yes: "Right.",
                no: "Not this one. Try again, or open the answer.",
            },
            Language::Chinese => Self {
                question: "题目",
                check: "检查答案",
                answer: "答案",
                yes: "正确。",
                no: "不对。再试一次，或者展开答案看看。",
            },
        }
    }
}

impl fmt::Display for QuizError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(file) => write!(f, "there is no quiz {file}"),
            Self::Malformed(file, why) => {
                write!(f, "cannot read {file}: {}", why.trim_end().replace('\n', " "))
            }
            Self::Choices(file, number) => write!(
                f,
                "{file}, question {number}: it needs two choices or more, and exactly one of them \
                 with right = true"
            ),
            Self::Recording(file, number, error) => {
                write!(f, "{file}, question {number}: {error}")
            }
            Self::Contradicted(file, number, choice) => write!(
                f,
                "{file}, question {number}: the recording contradicts the choice {choice:?} (the \
                 `code` of the right choice is a line of the recording, that of a wrong one is not)"
            ),
        }
    }
}

impl Error for QuizError {}
