//! `cargo xtask task`: what an exercise asks for, and where to do it.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;
use course::{Course, Language};
use grader::terminal;

use crate::course_progress::CourseProgress;
use crate::exercises;
use crate::lang::Lang;

/// Show what an exercise asks for, byte by byte, and which file to edit
#[derive(clap::Args)]
pub struct Options {
    /// LESSON or LESSON/EXERCISE, such as 02 or 02/answer; without it, the exercise that comes next
    exercise: Option<String>,
    #[command(flatten)]
    lang: Lang,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    show(&Course::find()?, options, terminal::width(), &mut io::stdout().lock())?;
    Ok(ExitCode::SUCCESS)
}

fn show(
    course: &Course,
    options: &Options,
    width: Option<usize>,
    out: &mut dyn Write,
) -> Result<()> {
    let language = options.lang.language();
    let mut wanted = exercises::wanted(course, options.exercise.as_deref())?;
    if options.exercise.is_none() {
        let next = CourseProgress::read(course).next(wanted.iter().copied());
        wanted = next.or(wanted.first().copied()).into_iter().collect();
    }
    for (lesson, exercise) in wanted {
        let (name, number) = (&exercise.name, &lesson.number);
        let points: u32 = exercise.checks.iter().map(|check| check.points).sum();
        let title = language.pick(&exercise.title);
        match language {
            Language::English => writeln!(out, "{number}/{name}: {title} ({points} points)\n")?,
            Language::Chinese => writeln!(out, "{number}/{name}：{title}（{points} 分）\n")?,
        }
        let task = language.pick(&exercise.task).trim();
        writeln!(out, "{}\n", terminal::markdown(task, width))?;
        let file = lesson.exercise_file(exercise);
        let file = file.strip_prefix(&course.root).unwrap_or(&file);
        writeln!(out, "{}{}", language.words("edit:   ", "编辑："), file.display())?;
        writeln!(out, "{}cargo xtask grade {number}/{name}", language.words("grade:  ", "评分："))?;
        writeln!(out, "{}cargo xtask hint {number}/{name}", language.words("hint:   ", "提示："))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cli, Command};
    use clap::Parser;

    /// What `cargo xtask task` with these arguments prints.
    fn printed(course: &Course, arguments: &[&str]) -> Result<String> {
        let typed = [&["cargo xtask", "task"], arguments].concat();
        let Some(Command::Task(options)) = Cli::try_parse_from(typed)?.command else {
            panic!("{arguments:?} is another command");
        };
        let mut out = Vec::new();
        show(course, &options, None, &mut out)?;
        Ok(String::from_utf8(out)?)
    }

    #[test]
    fn every_exercise_has_a_task_in_both_languages_that_names_the_file_to_edit() {
        let course = Course::find().unwrap();
        for (lesson, exercise) in course.exercises() {
            let wanted = format!("{}/{}", lesson.number, exercise.name);
            let file = format!("exercise/src/bin/{}.rs", exercise.name);
            for (language, text) in [("en", &exercise.task.en), ("zh", &exercise.task.zh)] {
                let printed = printed(&course, &[&wanted, "--lang", language]).unwrap();
                assert!(printed.contains(text.trim()) && printed.contains(&file), "{printed}");
            }
        }
    }
}
