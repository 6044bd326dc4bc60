//! `cargo xtask task`: what an exercise asks for, and where to do it.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;
use grader::course::Language;

use crate::course::Course;
use crate::exercises;
use crate::lang::Lang;

/// Show what an exercise asks for, byte by byte, and which file to edit
#[derive(clap::Args)]
pub struct Options {
    /// LESSON or LESSON/EXERCISE, such as 02 or 02/answer
    exercise: String,
    #[command(flatten)]
    lang: Lang,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let course = Course::find()?;
    let language = options.lang.language();
    let mut out = io::stdout().lock();
    for (lesson, exercise) in exercises::wanted(&course, Some(&options.exercise))? {
        let (name, number) = (&exercise.name, &lesson.number);
        let points: u32 = exercise.checks.iter().map(|check| check.points).sum();
        let title = language.pick(&exercise.title);
        match language {
            Language::English => writeln!(out, "{number}/{name}: {title} ({points} points)\n")?,
            Language::Chinese => writeln!(out, "{number}/{name}：{title}（{points} 分）\n")?,
        }
        writeln!(out, "{}\n", language.pick(&exercise.task).trim())?;
        let file = exercises::exercise_file(lesson, exercise);
        let file = file.strip_prefix(&course.root).unwrap_or(&file);
        writeln!(out, "{}{}", language.words("edit:   ", "编辑："), file.display())?;
        writeln!(out, "{}cargo xtask grade {number}/{name}", language.words("grade:  ", "评分："))?;
        writeln!(out, "{}cargo xtask hint {number}/{name}", language.words("hint:   ", "提示："))?;
    }
    Ok(ExitCode::SUCCESS)
}
