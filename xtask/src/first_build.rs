//! The first grading of a lesson builds its graded tests, which takes a minute or two: long enough to
//! be announced, and only then. A file in cargo's target folder tells that it has been done here.

use std::fs;
use std::path::{Path, PathBuf};

use course::{Language, Lesson};

use grader::cargo;

/// The announcement, if the graded tests of this lesson were never built here.
pub fn announcement(root: &Path, lesson: &Lesson, language: Language) -> Option<&'static str> {
    (!marker(root, lesson).exists()).then(|| {
        language.words(
            "building the tests and the program; the first time for a lesson, this takes a minute \
             or two",
            "正在构建测试和程序；每一课第一次构建需要一两分钟",
        )
    })
}

/// They are built now. If that cannot be kept, it is announced once more, and nothing else happens.
pub fn is_done(root: &Path, lesson: &Lesson) {
    let marker = marker(root, lesson);
    if let Some(folder) = marker.parent()
        && fs::create_dir_all(folder).is_ok()
    {
        let _ = fs::write(marker, "");
    }
}

fn marker(root: &Path, lesson: &Lesson) -> PathBuf {
    cargo::target(root).join("graded").join(&lesson.number)
}
