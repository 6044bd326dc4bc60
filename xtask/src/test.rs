//! `cargo xtask test`: the tests of everything, or of one lesson.

use std::process::ExitCode;

use anyhow::Result;
use course::Lesson;

use course::Course;
use grader::cargo;

/// Run the tests of everything, or of one lesson
#[derive(clap::Args)]
pub struct Options {
    /// A lesson by number or topic
    lesson: Option<String>,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let course = Course::find()?;
    cargo::step_aside(&[]);
    for arguments in commands(&course, options.lesson.as_deref())? {
        eprintln!("[xtask] cargo {}", arguments.join(" "));
        if !cargo::run(cargo::command(&course.root).args(&arguments))? {
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn commands(course: &Course, wanted: Option<&str>) -> Result<Vec<Vec<String>>> {
    let Some(wanted) = wanted else {
        return Ok(vec![vec!["test".to_owned()]]);
    };
    let lesson = course.lesson(wanted)?;
    let mut commands = vec![own_tests(lesson)];
    // In a command of its own: `--test` would leave out the tests of the other packages.
    let graded = format!("lesson_{}", lesson.number);
    if course.root.join(format!("tests/{graded}/main.rs")).is_file() {
        commands.push(["test", "-p", "graded", "--test", &graded].map(String::from).to_vec());
    }
    Ok(commands)
}

fn own_tests(lesson: &Lesson) -> Vec<String> {
    let mut arguments = vec!["test".to_owned(), "-p".to_owned(), lesson.package()];
    if lesson.folder.join("solution/Cargo.toml").is_file() {
        arguments.extend(["-p".to_owned(), format!("solution-{}", lesson.number)]);
    }
    arguments
}
