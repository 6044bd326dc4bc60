//! `cargo xtask list`: the lessons, as their folders tell, and how far one is in each.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;
use grader::terminal;

use crate::course_progress::CourseProgress;
use crate::lang::Lang;
use course::Course;

/// Show the lessons, and their exercises with the points of your last grading
#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    lang: Lang,
}

/// The columns' names. Chinese characters are two columns wide, so no formatter aligns them.
const HEADING: (&str, &str) = (
    "no.  topic         minutes  command                 title",
    "编号 主题           分钟数  命令                    标题",
);

pub fn run(options: &Options) -> Result<ExitCode> {
    let (course, language) = (Course::find()?, options.lang.language());
    let course_progress = CourseProgress::read(&course);
    let mut out = io::stdout().lock();
    // The title stands last: Chinese characters are two columns wide and would bend the table.
    writeln!(out, "{}", language.words(HEADING.0, HEADING.1))?;
    for lesson in &course.lessons {
        let title = language.pick(&lesson.about.title);
        let command = format!("cargo run -p {}", lesson.package());
        let (number, topic, minutes) = (&lesson.number, &lesson.topic, lesson.about.minutes);
        let start = format!("{number:<5}{topic:<14}{minutes:>7}  {command:<24}");
        writeln!(out, "{}", terminal::row(&start, title, 5, terminal::width()))?;
        course_progress.write_exercises(&mut out, lesson, language, None)?;
    }
    Ok(ExitCode::SUCCESS)
}
