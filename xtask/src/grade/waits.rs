//! `cargo xtask grade --waits write|check`: what the solutions need in each case, so that no machine
//! that grades has to find it out.

use std::process::ExitCode;

use anyhow::{Context, Error, Result};
use clap::ValueEnum;
use course::{Exercise, Lesson};
use grader::process;
use grader::run::{self, Job};
use grader::submission::Submission;
use grader::waits::Waits;

use super::{INTERRUPTED, NOT_ALL_POINTS};
use course::Course;

/// What to do with the measured waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Action {
    /// Write each lesson's waits.toml
    Write,
    /// Compare them with the waits.toml that are there
    Check,
}

/// Measures all exercises of the lessons that have one of `wanted`: a lesson's file is one.
pub fn run(
    course: &Course,
    wanted: &[(&Lesson, &Exercise)],
    (seed, jobs): (u64, usize),
    action: Action,
) -> Result<ExitCode> {
    let mut differences = Vec::new();
    for lesson in &course.lessons {
        if !wanted.iter().any(|(of, _)| of.number == lesson.number) {
            continue;
        }
        eprintln!("lesson {}: measuring how long its solutions are waited for", lesson.number);
        let measured = measure(course, lesson, (seed, jobs), action);
        if process::is_interrupted() {
            return Ok(ExitCode::from(INTERRUPTED));
        }
        let measured = measured?;
        match action {
            Action::Write => measured
                .write(lesson)
                .with_context(|| format!("cannot write the waits of lesson {}", lesson.number))?,
            Action::Check => {
                let committed = Waits::of(lesson)?;
                let number = &lesson.number;
                let found = committed.differences(&measured).into_iter();
                differences.extend(found.map(|what| format!("{number}/{what}")));
            }
        }
    }
    if differences.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let differences = differences.join("\n  ");
    println!("these waits.toml are out of date; cargo xtask grade --waits write\n  {differences}");
    Ok(ExitCode::from(NOT_ALL_POINTS))
}

fn measure(
    course: &Course,
    lesson: &Lesson,
    (seed, jobs): (u64, usize),
    action: Action,
) -> Result<Waits> {
    // What is written has to be right on a busy machine, too; a comparison allows for much.
    let times = if action == Action::Write { 3 } else { 1 };
    let mut waits = Waits::default();
    for exercise in &lesson.about.exercises {
        let job = Job::new(&course.root, (lesson, exercise), &Submission::Solution, seed);
        let job = Job { jobs, ..job };
        let tests = run::prepare(&job)?;
        let program = run::build(&job).map_err(|unbuilt| Error::msg(unbuilt.to_string()))?;
        waits.calibrate(run::calibrate(&tests));
        run::measure(&job, &tests, &program, times, &mut waits)?;
        waits.calibrate(run::calibrate(&tests));
    }
    Ok(waits)
}
