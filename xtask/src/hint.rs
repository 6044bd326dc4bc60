//! `cargo xtask hint`: the next nudge for an exercise.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;
use course::{Course, Language};
use grader::terminal;

use crate::course_progress::CourseProgress;
use crate::exercises::{self, WrongArguments};
use crate::lang::Lang;

/// Show a hint for an exercise: the first is general, the last says almost everything
#[derive(clap::Args)]
pub struct Options {
    /// LESSON or LESSON/EXERCISE, such as 02 or 02/answer; of several exercises it is the first
    /// that is not done yet
    exercise: Option<String>,
    /// Which hint; 1 is the first
    #[arg(default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    number: u16,
    /// All hints at once
    #[arg(long, conflicts_with = "number")]
    all: bool,
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
    let wanted = exercises::wanted(course, options.exercise.as_deref())?;
    let course_progress = CourseProgress::read(course);
    let next = course_progress.next(wanted.iter().copied()).or(wanted.first().copied());
    let Some((lesson, exercise)) = next else { return Ok(()) };
    let name = format!("{}/{}", lesson.number, exercise.name);
    let (number, count) = (usize::from(options.number), exercise.hints.len());
    if !options.all && number > count {
        return Err(WrongArguments(format!("{name} has {count} hints, not {number}")).into());
    }
    let shown = if options.all { 1..=count } else { number..=number };
    for (number, hint) in (1..).zip(&exercise.hints).filter(|(number, _)| shown.contains(number)) {
        let hint = numbered(language, &name, (number, count), language.pick(hint));
        writeln!(out, "{}", terminal::markdown(&hint, width))?;
    }
    if !options.all && number < count {
        let more = language.words("for more: ", "需要更多提示：");
        writeln!(out, "{more}cargo xtask hint {name} {}", number + 1)?;
    }
    Ok(())
}

/// A hint behind the exercise's name and the hint's own number.
pub fn numbered(
    language: Language,
    name: &str,
    (number, count): (usize, usize),
    hint: &str,
) -> String {
    let hint = hint.trim();
    match language {
        Language::English => format!("{name} ({number}/{count}): {hint}"),
        Language::Chinese => format!("{name}（{number}/{count}）：{hint}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cli, Command};
    use clap::Parser;

    /// What `cargo xtask hint` with these arguments prints.
    fn printed(course: &Course, arguments: &[&str]) -> Result<String> {
        let typed = [&["cargo xtask", "hint"], arguments].concat();
        let Some(Command::Hint(options)) = Cli::try_parse_from(typed)?.command else {
            panic!("{arguments:?} is another command");
        };
        let mut out = Vec::new();
        show(course, &options, None, &mut out)?;
        Ok(String::from_utf8(out)?)
    }

    #[test]
    fn hints_come_one_by_one_and_end() {
        let course = Course::find().unwrap();
        for (lesson, exercise) in course.exercises() {
            let wanted = format!("{}/{}", lesson.number, exercise.name);
            for (number, hint) in (1..).zip(&exercise.hints) {
                let number = number.to_string();
                let printed = printed(&course, &[&wanted, &number, "--lang", "en"]).unwrap();
                assert!(printed.contains(hint.en.trim()), "{printed}");
            }
            let beyond = (exercise.hints.len() + 1).to_string();
            let error = printed(&course, &[&wanted, &beyond]).unwrap_err();
            assert!(error.is::<WrongArguments>(), "{error:#}");
        }
    }
}
