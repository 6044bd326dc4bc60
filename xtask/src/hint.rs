//! `cargo xtask hint`: the next nudge for an exercise.

use std::process::ExitCode;

use anyhow::Result;

use crate::course::Course;
use crate::exercises::{self, WrongArguments};
use crate::lang::Lang;

/// Show a hint for an exercise: the first is general, the last says almost everything
#[derive(clap::Args)]
pub struct Options {
    /// LESSON or LESSON/EXERCISE, such as 02 or 02/answer
    exercise: String,
    /// Which hint; 1 is the first
    #[arg(default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    number: u16,
    #[command(flatten)]
    lang: Lang,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let course = Course::find()?;
    let language = options.lang.language();
    for (lesson, exercise) in exercises::wanted(&course, Some(&options.exercise))? {
        let name = format!("{}/{}", lesson.number, exercise.name);
        let (number, count) = (usize::from(options.number), exercise.hints.len());
        let Some(hint) = exercise.hints.get(number - 1) else {
            return Err(WrongArguments(format!("{name} has {count} hints, not {number}")).into());
        };
        println!("{name} ({number}/{count}): {}", language.pick(hint).trim());
        if number < count {
            let more = language.words("for more:", "需要更多提示：");
            println!("{more} cargo xtask hint {name} {}", number + 1);
        }
    }
    Ok(ExitCode::SUCCESS)
}
