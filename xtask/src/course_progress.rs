//! How far the student is: what the last grades say about the course as it is now.

use std::io::{self, Write};

use course::{Exercise, Language, Lesson};
use grader::progress::{Entry, Progress};
use grader::terminal;

use course::Course;

/// How many characters a whole bar has.
const BAR: u32 = 20;

/// The course and the last grades.
pub struct CourseProgress<'a> {
    course: &'a Course,
    progress: Progress,
}

/// Points earned, and points there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Points {
    pub earned: u32,
    pub out_of: u32,
}

impl std::iter::Sum for Points {
    fn sum<I: Iterator<Item = Self>>(points: I) -> Self {
        points.fold(Self::default(), |sum, next| Self {
            earned: sum.earned + next.earned,
            out_of: sum.out_of + next.out_of,
        })
    }
}

impl Points {
    /// `[#####---------------]`. It is full only when nothing is missing, and empty only when
    /// nothing is there.
    pub fn bar(self) -> String {
        let Self { earned, out_of } = self;
        let length = if earned == 0 { 0 } else { (earned * BAR / out_of.max(1)).clamp(1, BAR) };
        let (done, open) = (length as usize, (BAR - length) as usize);
        format!("[{}{}]", "#".repeat(done), "-".repeat(open))
    }
}

impl<'a> CourseProgress<'a> {
    /// Reads the last grades. That they cannot be used is said, and stops nothing.
    pub fn read(course: &'a Course) -> Self {
        let (progress, damaged) = Progress::read(&course.root);
        if let Some(damaged) = damaged {
            eprintln!("cargo xtask: {damaged}");
        }
        Self { course, progress }
    }

    fn entry(&self, lesson: &Lesson, exercise: &Exercise) -> Option<&Entry> {
        self.progress.of(&lesson.number, &exercise.name)
    }

    /// The points of one exercise, as far as it still has those points.
    pub fn points(&self, lesson: &Lesson, exercise: &Exercise) -> Points {
        let out_of = exercise.checks.iter().map(|check| check.points).sum();
        let entry = self.entry(lesson, exercise).filter(|entry| entry.out_of == out_of);
        Points { earned: entry.map_or(0, |entry| entry.points.min(out_of)), out_of }
    }

    /// The points of a lesson.
    pub fn points_of_lesson(&self, lesson: &Lesson) -> Points {
        lesson.about.exercises.iter().map(|exercise| self.points(lesson, exercise)).sum()
    }

    /// The points of the whole course.
    pub fn points_of_course(&self) -> Points {
        self.course.lessons.iter().map(|lesson| self.points_of_lesson(lesson)).sum()
    }

    /// Whether all points were earned.
    pub fn is_done(&self, lesson: &Lesson, exercise: &Exercise) -> bool {
        let points = self.points(lesson, exercise);
        self.entry(lesson, exercise).is_some() && points.earned == points.out_of
    }

    /// The one of these to do next: the first that is open behind the one that was done last, for a
    /// student who has left some out goes forward. At the end, what was left out before.
    pub fn next<'b>(
        &self,
        of: impl IntoIterator<Item = (&'b Lesson, &'b Exercise)>,
    ) -> Option<(&'b Lesson, &'b Exercise)> {
        let of: Vec<_> = of.into_iter().collect();
        let is_done = |place: &&(&Lesson, &Exercise)| self.is_done(place.0, place.1);
        // Of several that were graded in the same second, the last one.
        let when = |place: &(&Lesson, &Exercise)| {
            self.entry(place.0, place.1).filter(|_| is_done(&place)).map(|entry| entry.when)
        };
        let done = (0..of.len()).filter(|&number| when(&of[number]).is_some());
        let last = done.max_by_key(|&number| (when(&of[number]), number));
        let (before, after) = of.split_at(last.map_or(0, |number| number + 1));
        after.iter().chain(before).find(|place| !is_done(place)).copied()
    }

    /// A line for each exercise of a lesson; `current` has a mark.
    pub fn write_exercises(
        &self,
        out: &mut dyn Write,
        lesson: &Lesson,
        language: Language,
        current: Option<&str>,
    ) -> io::Result<()> {
        for exercise in &lesson.about.exercises {
            let mark = if current == Some(&exercise.name) { '>' } else { ' ' };
            let Points { earned, out_of } = self.points(lesson, exercise);
            let points = match self.entry(lesson, exercise) {
                Some(_) => format!("{earned}/{out_of}"),
                None => format!("-/{out_of}"),
            };
            let (name, title) = (&exercise.name, language.pick(&exercise.title));
            let since = self.since(lesson, exercise, language);
            let start = format!("   {mark} {name:<14}{points:>7}  ");
            writeln!(
                out,
                "{}",
                terminal::row(&start, &format!("{title}{since}"), 7, terminal::width())
            )?;
        }
        Ok(())
    }

    fn since(&self, lesson: &Lesson, exercise: &Exercise, language: Language) -> &'static str {
        let file = lesson.exercise_file(exercise);
        match self.entry(lesson, exercise) {
            Some(entry) if entry.is_outdated(&file) => {
                language.words("  (changed since it was graded)", "（评分之后改动过）")
            }
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A course of three exercises of one point each, and which of them were done, and when.
    fn next_after(done: &[(&str, u64)]) -> Option<String> {
        let root = tempfile::tempdir().unwrap();
        let text = "{ en = 'T', zh = '题' }";
        for (folder, names) in [("01-a", &["x"][..]), ("02-b", &["y", "z"])] {
            let about =
                format!("minutes = 1\nexercises = {names:?}\ntitle = {text}\nlearn = {text}\n");
            let exercise = format!(
                "title = {text}\ntask = {text}\nhints = []\n\
                 [[check]]\nname = 'c'\npoints = 1\nusually = {text}\n"
            );
            let folder = root.path().join("lessons").join(folder);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("lesson.toml"), about).unwrap();
            for name in names {
                std::fs::write(folder.join(format!("{name}.toml")), &exercise).unwrap();
            }
        }
        let entries = done.iter().map(|(name, when)| {
            format!("'{name}': {{ 'points': 1, 'out_of': 1, 'when': {when}, 'fingerprint': '' }}")
        });
        let entries = entries.collect::<Vec<_>>().join(", ");
        let progress = format!(
            "{{ 'schema': 'course-progress', 'version': 1, 'exercises': {{ {entries} }} }}"
        );
        let file = root.path().join(grader::progress::FILE);
        std::fs::write(file, progress.replace('\'', "\"")).unwrap();
        let lessons = course::lessons(root.path()).unwrap();
        let course = Course { root: root.path().to_owned(), lessons };
        let (lesson, exercise) = CourseProgress::read(&course).next(course.exercises())?;
        Some(format!("{}/{}", lesson.number, exercise.name))
    }

    #[test]
    fn the_next_exercise_lies_ahead_of_the_one_that_was_done_last() {
        for (done, next) in [
            (&[][..], Some("01/x")),
            (&[("01/x", 5)], Some("02/y")),
            // The first one was left out: on with the course, and back to it at the end.
            (&[("02/y", 5)], Some("02/z")),
            (&[("02/z", 5)], Some("01/x")),
            (&[("02/y", 5), ("02/z", 6)], Some("01/x")),
            // Somebody who goes back goes on from there.
            (&[("02/z", 5), ("01/x", 6)], Some("02/y")),
            (&[("01/x", 5), ("02/z", 5)], Some("02/y")),
            (&[("01/x", 5), ("02/y", 5), ("02/z", 5)], None),
        ] {
            assert_eq!(next_after(done).as_deref(), next, "{done:?}");
        }
    }

    #[test]
    fn a_bar_is_full_only_with_all_points_and_empty_only_with_none() {
        let filled = |earned| {
            let bar = Points { earned, out_of: 1000 }.bar();
            assert_eq!(bar.len(), BAR as usize + 2);
            bar.matches('#').count()
        };
        assert_eq!([0, 1, 500, 999, 1000].map(filled), [0, 1, 10, 19, 20]);
        assert_eq!(Points::default().bar().matches('#').count(), 0);
    }
}
