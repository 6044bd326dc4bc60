//! `cargo xtask skeleton`: every exercise file from its solution.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::exercises;
use crate::reset::restore;
use course::Course;

/// Write the exercises' files from their solutions (for authors; a changed file keeps a copy)
#[derive(clap::Args)]
pub struct Options {
    /// Write nothing; fail if a file is not what its solution gives
    #[arg(long)]
    check: bool,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let course = Course::find()?;
    let mut stale = 0;
    for (text, file) in wanted_files(&course)? {
        if fs::read_to_string(&file).is_ok_and(|old| old == text) {
            continue;
        }
        stale += 1;
        if options.check {
            println!("{} differs from what its solution gives", file.display());
        } else {
            let kept = restore(&file, &text)
                .with_context(|| format!("cannot write {}", file.display()))?;
            println!("{} is written", file.display());
            if let Some(kept) = kept {
                println!("  what it was is in {}", kept.display());
            }
        }
    }
    if options.check && stale > 0 {
        println!("If you are solving it, all is well: this check is for authors.");
        println!("Authors: edit the solution, and then run `cargo xtask skeleton`.");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// What the exercises' files are to hold: the skeletons, and what is given beside them.
fn wanted_files(course: &Course) -> Result<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    for (lesson, exercise) in exercises::wanted(course, None)? {
        let text = exercises::skeleton(lesson, exercise)?;
        files.push((text, lesson.exercise_file(exercise)));
    }
    for lesson in &course.lessons {
        for (given, copy) in exercises::given_files(lesson)? {
            let text = fs::read_to_string(&given)
                .with_context(|| format!("cannot read {}", given.display()))?;
            files.push((text, copy));
        }
    }
    Ok(files)
}
