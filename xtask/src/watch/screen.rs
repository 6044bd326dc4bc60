//! What the person sees. On a terminal a verdict has the screen to itself and a line at the bottom
//! says what goes on; over a pipe there are only lines.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use course::Language;
use grader::score::ExerciseScore;
use grader::submission::Submission;
use grader::terminal::{self, Terminal};

use super::Place;
use super::session::shown;
use crate::course_progress::{CourseProgress, Points};
use crate::{first_build, hint};
use course::Course;

/// Clears the screen, and puts what follows at its top (ECMA-48, ED and CUP).
const CLEAR: &str = "\x1b[2J\x1b[H";
/// Back to the beginning of the line, which is cleared (EL).
const WIPE: &str = "\r\x1b[K";

pub struct Screen {
    language: Language,
    /// Whether keys need no Enter.
    single_keys: bool,
    is_terminal: bool,
}

impl Screen {
    pub fn new(language: Language, single_keys: bool) -> Self {
        Self { language, single_keys, is_terminal: io::stdout().is_terminal() }
    }

    /// A whole piece at once, so that nothing comes between its lines.
    pub fn say(&self, what: &impl Display) -> io::Result<()> {
        let wipe = if self.is_terminal { WIPE } else { "" };
        let mut out = io::stdout().lock();
        writeln!(out, "{wipe}{what}")?;
        out.flush()
    }

    /// A line that the next one takes the place of; over a pipe nobody needs it.
    fn status(&self, what: &str) -> io::Result<()> {
        if self.is_terminal {
            let mut out = io::stdout().lock();
            write!(out, "{WIPE}{what}")?;
            out.flush()?;
        }
        Ok(())
    }

    fn words(&self, english: &'static str, chinese: &'static str) -> &'static str {
        self.language.words(english, chinese)
    }

    pub fn welcome(&self, fallback: Option<&notify::Error>) -> io::Result<()> {
        if let Some(error) = fallback {
            let words = self.words(
                "the system does not tell when files change, so they are looked at four times a \
                 second",
                "系统无法通知文件变化，改为每秒检查四次",
            );
            self.say(&match self.language {
                Language::English => format!("[watch] {words} ({error})"),
                Language::Chinese => format!("[watch] {words}（{error}）"),
            })?;
        }
        self.say(&self.keys())
    }

    fn keys(&self) -> &'static str {
        if self.single_keys {
            self.words(
                "[h] hint  [l] list  [r] grade again  [q] quit",
                "[h] 提示  [l] 列表  [r] 重新评分  [q] 退出",
            )
        } else {
            self.words(
                "type h for a hint, l for the list, r to grade again, q to quit, and Enter",
                "输入 h 看提示，l 看列表，r 重新评分，q 退出，然后按回车键",
            )
        }
    }

    pub fn starts(&self, course: &Course, place: Place) -> io::Result<()> {
        let line = format!("{}{}", self.words("grading ", "正在评分："), name(place));
        if let Some(first) = first_build::announcement(&course.root, place.0, self.language) {
            return self.say(&format!("{line}\n{first}"));
        }
        if self.is_terminal { self.status(&line) } else { self.say(&line) }
    }

    pub fn progress(&self, place: Place, left: usize, late: usize) -> io::Result<()> {
        let name = name(place);
        let timeouts = match (self.language, late) {
            (_, 0) => String::new(),
            (Language::English, late) => format!(", {late} timed out"),
            (Language::Chinese, late) => format!("，{late} 个超时"),
        };
        self.status(&match (self.language, left) {
            (_, 0) => String::new(),
            (Language::English, 1) => format!("{name}: 1 case to go{timeouts}"),
            (Language::English, left) => format!("{name}: {left} cases to go{timeouts}"),
            (Language::Chinese, left) => format!("{name}：还剩 {left} 个用例{timeouts}"),
        })
    }

    pub fn verdict(&self, (_, exercise): Place, score: &ExerciseScore) -> io::Result<()> {
        self.report(|terminal| terminal.exercise(exercise, score))
    }

    /// The first case that ran out of time, while the others still run. The verdict says it
    /// again, so over a pipe nobody needs it.
    pub fn late(&self, score: &ExerciseScore) -> io::Result<()> {
        if !self.is_terminal {
            return Ok(());
        }
        self.report(|terminal| terminal.first_late(score))?;
        self.say(&self.words(
            "\nThe other checks are still running. You need not wait: save the file to begin again.",
            "\n其余的检查还在进行。不必等待：保存文件就会重新开始评分。",
        ))
    }

    /// What `write` has to say has the screen to itself.
    fn report(&self, write: impl FnOnce(&mut Terminal) -> io::Result<()>) -> io::Result<()> {
        let mut text = Vec::new();
        write(&mut Terminal {
            output: &mut text,
            colour: terminal::wants_colour(),
            language: self.language,
            whose: Submission::Exercise.arguments(),
            width: terminal::width(),
        })?;
        let text = String::from_utf8_lossy(&text);
        let clear = if self.is_terminal { CLEAR } else { "" };
        self.say(&format!("{clear}{}", text.trim()))
    }

    /// All points of one exercise; `next` is the next of those that were asked for.
    pub fn done(
        &self,
        course: &Course,
        course_progress: &CourseProgress,
        place: Place,
        next: Option<Place>,
    ) -> io::Result<()> {
        let name_of_done = name(place);
        match self.language {
            Language::English => self.say(&format!("\n{name_of_done} has all its points."))?,
            Language::Chinese => self.say(&format!("\n{name_of_done} 已得满分。"))?,
        }
        let Some((lesson, exercise)) = next else {
            return self.all_done(course_progress.next(course.exercises()));
        };
        let (name, title) = (name((lesson, exercise)), self.language.pick(&exercise.title));
        let file = shown(course, (lesson, exercise));
        let next = self.words("Next: ", "下一个练习：");
        let (task, edit) = (self.words("task: ", "要求："), self.words("edit: ", "编辑："));
        self.say(&format!("{next}{name}  {title}\n  {task}cargo xtask task {name}\n  {edit}{file}"))
    }

    fn all_done(&self, elsewhere: Option<Place>) -> io::Result<()> {
        self.say(&self.words("Nothing is left to do here.", "这里的练习都完成了。"))?;
        let Some(place) = elsewhere else { return Ok(()) };
        let next = self.words("Next in the course: ", "课程中的下一个练习：");
        self.say(&format!("{next}cargo xtask watch {}", name(place)))
    }

    pub fn footer(&self, course_progress: &CourseProgress) -> io::Result<()> {
        let Points { earned, out_of } = course_progress.points_of_course();
        let bar = course_progress.points_of_course().bar();
        let course = match self.language {
            Language::English => format!("{bar} {earned} / {out_of} points in the course"),
            Language::Chinese => format!("{bar} 全课程 {earned} / {out_of} 分"),
        };
        self.say(&format!("\n{course}\n{}", self.keys()))
    }

    pub fn hint(&self, (lesson, exercise): Place, number: usize) -> io::Result<()> {
        let (name, count) = (name((lesson, exercise)), exercise.hints.len());
        let Some(hint) = exercise.hints.get(number) else {
            return self.say(&format!("{name}{}", self.words(": there is no hint", "：没有提示")));
        };
        let hint = self.language.pick(hint);
        self.say(&hint::numbered(self.language, &name, (number + 1, count), hint))
    }

    pub fn list(
        &self,
        course: &Course,
        course_progress: &CourseProgress,
        current: Option<Place>,
    ) -> io::Result<()> {
        let mut text = Vec::new();
        for lesson in &course.lessons {
            let title = self.language.pick(&lesson.about.title);
            writeln!(text, "{}  {title}", lesson.number)?;
            let current = current.filter(|(of, _)| of.number == lesson.number);
            let current = current.map(|(_, exercise)| exercise.name.as_str());
            course_progress.write_exercises(&mut text, lesson, self.language, current)?;
        }
        self.say(&String::from_utf8_lossy(&text).trim_end())
    }

    pub fn gone(&self, place: Place, file: &str) -> io::Result<()> {
        let name = name(place);
        self.say(&match self.language {
            Language::English => format!(
                "{file} is not there any more; save it again, or let \
                 `cargo xtask reset {name}` bring back the beginning"
            ),
            Language::Chinese => {
                format!("{file} 不见了；重新保存它，或者用 `cargo xtask reset {name}` 恢复初始内容")
            }
        })
    }

    /// A file was saved that is not the exercise's own, and `more` with it; whether they are part of
    /// its program.
    pub fn other(&self, place: Place, file: &str, more: usize, are_parts: bool) -> io::Result<()> {
        let name = name(place);
        self.say(&match (self.language, more) {
            (Language::English, more) => {
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let what = if are_parts {
                    format!("part of the package of {name}, which is graded again")
                } else {
                    format!("not part of {name}, which is not graded for that")
                };
                format!("changed: {file}{more}: {what}")
            }
            (Language::Chinese, more) => {
                let more =
                    if more > 0 { format!("等 {} 个文件", more + 1) } else { String::new() };
                let what = if are_parts {
                    format!("属于 {name} 所在的包，重新评分")
                } else {
                    format!("不属于 {name}，因此不评分")
                };
                format!("有改动：{file}{more}：{what}")
            }
        })
    }

    pub fn back(&self, file: &str) -> io::Result<()> {
        self.say(&match self.language {
            Language::English => format!("{file} is there again; it is graded when it is saved"),
            Language::Chinese => format!("{file} 又出现了；保存后就会评分"),
        })
    }
}

fn name((lesson, exercise): Place) -> String {
    format!("{}/{}", lesson.number, exercise.name)
}
