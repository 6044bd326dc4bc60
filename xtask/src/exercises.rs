//! Which exercises a person means, and where their files are.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use grader::course::{self, Exercise, Lesson};
use grader::workspace;

/// The root of the course: above the current folder, or else where xtask was built.
pub fn root() -> Result<PathBuf> {
    let here = std::env::current_dir().context("the current folder cannot be read")?;
    workspace::root(&here)
        .or_else(|| workspace::root(Path::new(env!("CARGO_MANIFEST_DIR"))))
        .context("this is not inside the course's workspace")
}

/// The exercises that `LESSON`, `LESSON/EXERCISE` or nothing at all stands for, by lesson.
pub fn wanted<'a>(
    lessons: &'a [Lesson],
    wanted: Option<&str>,
) -> Result<Vec<(&'a Lesson, &'a Exercise)>> {
    let (lesson, exercise) = match wanted.map(|wanted| wanted.split_once('/')) {
        None => (None, None),
        Some(None) => (wanted, None),
        Some(Some((lesson, exercise))) => (Some(lesson), Some(exercise)),
    };
    let found: Vec<_> = lessons
        .iter()
        .filter(|candidate| lesson.is_none_or(|lesson| candidate.answers_to(lesson)))
        .flat_map(|lesson| lesson.about.exercises.iter().map(move |exercise| (lesson, exercise)))
        .filter(|(_, candidate)| exercise.is_none_or(|exercise| candidate.name == exercise))
        .collect();
    if let (true, Some(wanted)) = (found.is_empty(), wanted) {
        bail!("there is no exercise {wanted}; there are: {}", names(lessons));
    }
    Ok(found)
}

/// All lessons of the course.
pub fn lessons(root: &Path) -> Result<Vec<Lesson>> {
    course::lessons(root).context("the lessons cannot be read")
}

/// The hand-written file.
pub fn solution_file(lesson: &Lesson, exercise: &Exercise) -> PathBuf {
    lesson.folder.join(format!("solution/src/bin/{}.rs", exercise.name))
}

/// The student's file.
pub fn exercise_file(lesson: &Lesson, exercise: &Exercise) -> PathBuf {
    lesson.folder.join(format!("exercise/src/bin/{}.rs", exercise.name))
}

/// The text that the student begins with.
pub fn skeleton(lesson: &Lesson, exercise: &Exercise) -> Result<String> {
    let file = solution_file(lesson, exercise);
    let solution = std::fs::read_to_string(&file)
        .with_context(|| format!("cannot read {}", file.display()))?;
    grader::skeleton::from_solution(&solution).with_context(|| file.display().to_string())
}

fn names(lessons: &[Lesson]) -> String {
    let names: Vec<String> = lessons
        .iter()
        .flat_map(|lesson| {
            lesson.about.exercises.iter().map(move |e| format!("{}/{}", lesson.number, e.name))
        })
        .collect();
    names.join(", ")
}
