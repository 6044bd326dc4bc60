//! `cargo xtask` alone: how far one is, and what to do next.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;
use course::Language;
use grader::terminal;

use crate::course_progress::{CourseProgress, Points};
use course::Course;

/// What to type, and what it does in English and Chinese.
const COMMANDS: &[(&str, &str, &str)] = &[
    ("cargo run -p lesson-02", "watch a server and a client talk", "看服务器和客户端对话"),
    (
        "cargo xtask list",
        "every lesson and exercise, and how far you are",
        "列出每一课和每个练习，以及完成情况",
    ),
    (
        "cargo xtask run 02",
        "run a lesson's server and client as two programs",
        "把一课的服务器和客户端作为两个程序运行",
    ),
    (
        "cargo xtask lab --help",
        "put a bad network between any two programs, and watch it",
        "在任意两个程序之间接入一个糟糕的网络，并观察通信过程",
    ),
    (
        "cargo xtask task 02",
        "what a lesson's exercises ask for, and which file to edit",
        "一课各个练习的要求，以及要编辑的文件",
    ),
    ("cargo xtask watch", "grade an exercise whenever you save it", "每次保存练习时自动评分"),
    (
        "cargo xtask grade 02",
        "grade your exercises: points, what failed and why",
        "给练习评分：得了多少分，哪里没通过，为什么",
    ),
    ("cargo xtask hint", "a nudge when you are stuck", "卡住的时候，要一点提示"),
    (
        "cargo xtask test 02",
        "test a lesson; without a number: everything",
        "测试一课；不写编号则测试全部",
    ),
    ("cargo xtask book", "build the book to read along", "生成配套的书，边学边读"),
    (
        "cargo xtask doctor",
        "what this machine can do for the course, and what to try where it cannot",
        "检查这台机器能否满足课程的要求，不能时给出办法",
    ),
    ("cargo xtask ci", "every check that a change has to pass", "每次修改都要通过的全部检查"),
    (
        "cargo xtask --help",
        "all commands; COMMAND --help tells more about one",
        "全部命令；“命令 --help”给出详细说明",
    ),
];

pub fn run() -> Result<ExitCode> {
    let course = Course::find()?;
    let (course_progress, language) = (CourseProgress::read(&course), Language::of_the_system());
    let mut out = io::stdout().lock();
    write_progress(&mut out, &course, &course_progress, language)?;
    write_next(&mut out, &course, &course_progress, language)?;
    writeln!(out, "{}\n", language.words("What you can do:", "可用的命令："))?;
    for (command, english, chinese) in COMMANDS {
        let start = format!("  {command:<24}");
        let what = language.words(english, chinese);
        writeln!(out, "{}", terminal::row(&start, what, 6, terminal::width()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn write_progress(
    out: &mut dyn Write,
    course: &Course,
    course_progress: &CourseProgress,
    language: Language,
) -> io::Result<()> {
    let (lessons, Points { earned, out_of }) =
        (course.lessons.len(), course_progress.points_of_course());
    match language {
        Language::English => writeln!(
            out,
            "Network programming in Rust, {lessons} lessons: {earned} of {out_of} points\n"
        )?,
        Language::Chinese => {
            writeln!(out, "Rust 网络编程，共 {lessons} 课：{earned} / {out_of} 分\n")?;
        }
    }
    for lesson in &course.lessons {
        let points = course_progress.points_of_lesson(lesson);
        let (number, topic, bar) = (&lesson.number, &lesson.topic, paint(points));
        let (counts, title) =
            (format!("{}/{}", points.earned, points.out_of), language.pick(&lesson.about.title));
        // The title stands last: Chinese characters are two columns wide and would bend the table.
        let start = format!("  {number} {topic:<14}{bar}{counts:>8}  ");
        writeln!(out, "{}", terminal::row(&start, title, 5, terminal::width()))?;
    }
    Ok(())
}

/// The bar; green when it is full, on a terminal that wants colours.
fn paint(points: Points) -> String {
    let is_full = points.earned == points.out_of && points.out_of > 0;
    let bar = points.bar();
    if is_full && terminal::wants_colour() { format!("\x1b[32m{bar}\x1b[0m") } else { bar }
}

fn write_next(
    out: &mut dyn Write,
    course: &Course,
    course_progress: &CourseProgress,
    language: Language,
) -> io::Result<()> {
    let Some((lesson, exercise)) = course_progress.next(course.exercises()) else {
        let words = language.words("All exercises are done.", "所有练习都已完成。");
        return writeln!(out, "\n{words}\n");
    };
    let name = format!("{}/{}", lesson.number, exercise.name);
    let next = language.words("Next: ", "下一个练习：");
    let start = format!("{next}{name}  ");
    let title = language.pick(&exercise.title);
    writeln!(out, "\n{}", terminal::row(&start, title, 6, terminal::width()))?;
    let (task, watch) = (format!("cargo xtask task {name}"), format!("cargo xtask watch {name}"));
    let width = watch.len() + 2;
    let asks = language.words("what it asks for, and which file to edit", "要求和要编辑的文件");
    let grades = language.words("grades it whenever you save it", "每次保存时自动评分");
    for (command, what) in [(task, asks), (watch, grades)] {
        let start = format!("  {command:<width$}");
        writeln!(out, "{}", terminal::row(&start, what, 6, terminal::width()))?;
    }
    writeln!(out)
}
