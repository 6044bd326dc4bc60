//! The `markdown` report: a page for the summary of a CI job, as in
//! `--report markdown="$GITHUB_STEP_SUMMARY"`.
//!
//! Source: GitHub's documentation, "Workflow commands", section "Adding a job summary",
//! <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>: GitHub
//! Flavored Markdown, at most 1 MiB for a step, else nothing of it is shown.
//!
//! The file is replaced: what the same step has written into it before is gone.
//!
//! A table of the checks, and below it the story of each that failed, folded. A story is in a fenced
//! code block whose fence is longer than any row of backticks inside (GFM specification, section
//! 4.5): whatever a program printed, it is shown and means nothing. A name in a table or in a line
//! is a code span that cannot be left either.

use std::fmt::Write;

use super::{Grade, first_failure};
use crate::advice::advice;
use crate::plain::shortened;
use crate::protocol::Verdict;
use crate::score::ExerciseScore;
use course::Language;

/// What GitHub takes for one step, less a margin for what other commands of the step may add.
const PAGE_BYTES: usize = 900 * 1024;
/// How much one story may take, in bytes.
const STORY_BYTES: usize = 16 * 1024;
/// How long a name may be, in characters.
const NAME_CHARS: usize = 120;

/// The report's text.
#[must_use]
pub fn render(grade: &Grade) -> String {
    let mut page = heading(grade);
    for exercise in &grade.exercises {
        page += &table(exercise, grade.language);
    }
    let mut left_out = 0;
    for story in grade.exercises.iter().flat_map(|exercise| stories(exercise, grade.language)) {
        if page.len() + story.len() <= PAGE_BYTES {
            page += &story;
        } else {
            left_out += 1;
        }
    }
    if left_out > 0 {
        let words = match grade.language {
            Language::English => {
                format!("There is no room for the stories of {left_out} more checks.")
            }
            Language::Chinese => format!("篇幅所限，另有 {left_out} 个检查项的详情没有列出。"),
        };
        let _ = writeln!(page, "\n{words}");
    }
    page
}

fn heading(grade: &Grade) -> String {
    let (points, out_of, language) = (grade.points(), grade.out_of(), grade.language);
    let title = if grade.is_grader_error() {
        language
            .words("Not graded: the grader itself has failed", "未评分：评分程序自身出错")
            .into()
    } else {
        format!("{points} / {out_of} {}", language.words("points", "分"))
    };
    let caveat = grade.caveat().map_or(String::new(), |caveat| format!("\n**{caveat}**\n"));
    let submission = code(&grade.submission.to_string());
    let seed = language.words(", seed ", "，种子 ");
    format!("### {title}\n{caveat}\n{submission}{seed}{}\n", grade.seed)
}

fn table(exercise: &ExerciseScore, language: Language) -> String {
    let name = code(&format!("{}/{}", exercise.lesson, exercise.exercise));
    let columns = language.words("check | verdict | points", "检查项 | 结果 | 得分");
    let mut table = format!("\n#### {name}\n\n| {columns} |\n| --- | --- | ---: |\n");
    for check in &exercise.checks {
        let verdict = check.verdict().map_or("–".to_owned(), |verdict| verdict.to_string());
        let mark = if check.verdict() == Some(Verdict::Pass) { "✅ " } else { "" };
        let (points, out_of) = (check.points, check.out_of);
        let name = code(&check.name);
        let _ = writeln!(table, "| {name} | {mark}{verdict} | {points} / {out_of} |");
    }
    table
}

/// The folded parts of an exercise: the grader's own problems, and what the compiler said, or what
/// each check did.
fn stories(exercise: &ExerciseScore, language: Language) -> Vec<String> {
    let name = format!("{}/{}", exercise.lesson, exercise.exercise);
    let mut stories: Vec<String> = exercise
        .problems
        .iter()
        .map(|problem| folded(&format!("{name}: {}", Verdict::GraderError), problem, None))
        .collect();
    if let Some(error) = exercise.uncompiled() {
        stories.push(folded(&format!("{name}: {}", Verdict::DoesNotCompile), error, None));
        return stories;
    }
    stories.extend(exercise.checks.iter().filter_map(|check| {
        let (case, story) = first_failure(check)?;
        let title = format!("{name} {}: {}", case.name, case.verdict);
        Some(folded(&title, &story, advice(check, case, language)))
    }));
    stories
}

/// HTML ends at the blank line, so Markdown is read inside.
fn folded(title: &str, text: &str, advice: Option<&str>) -> String {
    let text = shortened(text.trim_end(), STORY_BYTES);
    let fence = "`".repeat(longest_row_of_backticks(&text).max(2) + 1);
    let advice = advice.map_or(String::new(), |advice| format!("{advice}\n\n"));
    let title = html(&short(title));
    format!(
        "\n<details><summary>{title}</summary>\n\n{advice}{fence}text\n{text}\n{fence}\n\n</details>\n"
    )
}

/// A code span that holds in a line, a heading and a table.
fn code(name: &str) -> String {
    let inside = |c| match c {
        '`' => '\'',
        '|' => '¦',
        c if c.is_whitespace() => ' ',
        c => c,
    };
    let name: String = short(name).chars().map(inside).collect();
    // A span needs something in it.
    format!("`{}`", if name.trim().is_empty() { "-" } else { &name })
}

fn html(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace(char::is_whitespace, " ")
}

fn short(name: &str) -> String {
    if name.chars().count() <= NAME_CHARS {
        return name.to_owned();
    }
    name.chars().take(NAME_CHARS - 1).chain(['…']).collect()
}

fn longest_row_of_backticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}
