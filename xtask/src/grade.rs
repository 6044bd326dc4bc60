//! `cargo xtask grade`: how far am I, and what is wrong?

mod reports;
mod self_test;
mod waits;

use std::io::{self, IsTerminal, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Error, Result};
use course::{Exercise, FindError, Language, Lesson};
use grader::process;
use grader::progress;
use grader::report::Grade;
use grader::run::{self, Job};
use grader::score::ExerciseScore;
use grader::submission::Submission;
use grader::terminal::{self, Terminal};

use crate::exercises::{self, WrongArguments};
use crate::first_build;
use course::Course;
use reports::Report;

/// Exit codes: 0 for full points, and these. (2 is for wrong arguments.)
const NOT_ALL_POINTS: u8 = 1;
const GRADER_ERROR: u8 = 3;
/// What shells make of Ctrl-C: 128 and the number of the signal.
const INTERRUPTED: u8 = 130;

/// Test your exercises over the wire and count the points
#[derive(clap::Args)]
#[command(
    after_help = "Exit codes: 0 full points, 1 fewer, 2 wrong arguments, 3 grader error (this \
    machine or the grader, not the student)"
)]
pub struct Options {
    /// Which, as in `02` or `02/answer`; all exercises without it
    #[arg(value_name = "LESSON[/EXERCISE]")]
    exercise: Option<String>,
    /// `exercise`, `solution`, or a folder of programs named as the exercises
    #[arg(long, value_name = "WHOSE", default_value = "exercise", conflicts_with = "program")]
    submission: Submission,
    /// A program in any language, as in `--program "python3 my.py"`; name its exercise, too.
    /// Its words are cut as a shell does: `--program "'/my tools/python' my.py"`.
    /// One that knows no `--addr` finds its port in place of `{port}`, or `{addr}` for HOST:PORT
    #[arg(long, value_name = "COMMAND")]
    program: Option<String>,
    /// Only this case, or all cases of this check
    #[arg(long, value_name = "NAME")]
    case: Option<String>,
    /// The number that all random payloads follow from; a failure prints it
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Also write a report, as in `--report json=grade.json`; also gradescope, classroom50,
    /// exercism, junit, markdown
    #[arg(long, value_name = "KIND=FILE")]
    report: Vec<Report>,
    /// How many cases at a time; more than one disturb each other's timing
    #[arg(short, long, value_name = "NUMBER", default_value = "1")]
    jobs: NonZeroUsize,
    /// Keep a sequence diagram and a capture of each case that does not pass in this folder
    #[arg(long, value_name = "FOLDER", value_parser = absolute)]
    artifacts: Option<PathBuf>,
    /// Measure how long the solutions are waited for, and write that down or compare it
    #[arg(long, value_name = "ACTION", conflicts_with_all = ["submission", "program", "case", "report", "artifacts", "self_test"])]
    waits: Option<waits::Action>,
    /// Grade the graders: solutions get all points, skeletons none, and each mistake is caught
    #[arg(long, conflicts_with_all = ["submission", "program", "case", "report", "artifacts"])]
    self_test: bool,
}

/// The graded tests run somewhere else.
fn absolute(path: &str) -> io::Result<PathBuf> {
    std::path::absolute(path)
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let course = match Course::find() {
        Ok(course) => course,
        Err(error) => return grader_error(error.into()),
    };
    let wanted = exercises::wanted(&course, options.exercise.as_deref())?;
    if (options.case.is_some() || options.program.is_some()) && wanted.len() != 1 {
        return wrong(
            "--case and --program are for one exercise: name it, as in `grade 02/answer`",
        );
    }
    if options.self_test {
        end_cleanly()?;
        let seed = options.seed.unwrap_or_else(seed_of_the_clock);
        return self_test::run(&course, &wanted, seed, options.jobs.get());
    }
    if let Some(action) = options.waits {
        end_cleanly()?;
        let seed = options.seed.unwrap_or_else(seed_of_the_clock);
        return waits::run(&course, &wanted, (seed, options.jobs.get()), action);
    }
    let submission = match &options.program {
        Some(command) => Submission::program(command)
            .map_err(|error| WrongArguments(format!("--program {command:?}: {error}")))?,
        None => options.submission.clone(),
    };
    if let Some(problem) = missing(&submission) {
        return wrong(&problem);
    }
    let reports = reports::prepare(&options.report)?;
    end_cleanly()?;
    let seed = options.seed.unwrap_or_else(seed_of_the_clock);
    let mut grade = Grade::new(submission, seed, &wanted);
    // What stood there was another grade.
    reports::write(&reports, &grade)?;
    for (lesson, exercise) in wanted {
        grade_one(&course.root, (lesson, exercise), options, &reports, &mut grade)?;
        if process::is_interrupted() {
            eprintln!("cargo xtask: interrupted; nothing that was graded is still running");
            return Ok(ExitCode::from(INTERRUPTED));
        }
    }
    terminal(&mut io::stdout().lock(), &grade.submission).sum(&grade)?;
    reports::name_missing(&reports, &grade);
    Ok(exit_code(&grade))
}

/// A course that cannot be read grades nobody, which is no submission's failure.
fn grader_error(error: Error) -> Result<ExitCode> {
    if let Some(FindError::Unreadable(_)) = error.downcast_ref() {
        eprintln!("cargo xtask: grader error, not your mistake: {error:#}");
        return Ok(ExitCode::from(GRADER_ERROR));
    }
    Err(error)
}

/// The programs that are graded are in process groups of their own, so that they can be killed
/// with all they have started; Ctrl-C on the terminal reaches only us.
fn end_cleanly() -> Result<()> {
    ctrlc::set_handler(process::interrupt)?;
    process::orphans::adopt();
    Ok(())
}

fn grade_one(
    root: &Path,
    (lesson, exercise): (&Lesson, &Exercise),
    options: &Options,
    reports: &[Report],
    grade: &mut Grade,
) -> Result<()> {
    let submission = grade.submission.clone();
    let case = options.case.as_deref();
    let jobs = options.jobs.get();
    let artifacts = options.artifacts.as_deref();
    let job = Job::new(root, (lesson, exercise), &submission, grade.seed);
    let job = Job { case, jobs, artifacts, ..job };
    let fingerprint = exercises::fingerprint(lesson, exercise);
    let mut written = Ok(());
    show_building(root, lesson, exercise);
    let score = run::grade(&job, &mut |score| {
        grade.update(score);
        show_progress(score);
        if written.is_ok() {
            written = reports::write(reports, grade);
        }
    });
    show_status("");
    written?;
    if process::is_interrupted() {
        return Ok(());
    }
    if let (Some(case), true) = (case, has_no_case(&score)) {
        return wrong(&format!("{} has no case {case}", exercise.name));
    }
    if score.problems.is_empty() {
        first_build::is_done(root, lesson);
    }
    grade.update(&score);
    reports::write(reports, grade)?;
    if submission == Submission::Exercise {
        remember(root, &score, &fingerprint);
    }
    let mut output = io::stdout().lock();
    terminal(&mut output, &submission).exercise(exercise, &score)?;
    output.flush()?;
    Ok(())
}

/// Progress is for the overview only: that it cannot be kept is said and fails nothing.
pub fn remember(root: &Path, score: &ExerciseScore, fingerprint: &str) {
    if let Err(error) = progress::record(root, score, fingerprint) {
        let file = root.join(progress::FILE);
        eprintln!(
            "cargo xtask: your progress is not kept: cannot write {}: {error}",
            file.display()
        );
    }
}

fn wrong<T>(problem: &str) -> Result<T> {
    Err(WrongArguments(problem.to_owned()).into())
}

/// Why there is nothing to grade, if that can be seen beforehand: a mistyped path is no failed
/// exercise.
fn missing(submission: &Submission) -> Option<String> {
    match submission {
        Submission::Folder(folder) if !folder.is_dir() => {
            Some(format!("there is no folder {}", folder.display()))
        }
        Submission::Program(command) => {
            let program = Path::new(command.first()?);
            let folders = std::env::var_os("PATH").unwrap_or_default();
            let mut places = std::env::split_paths(&folders).map(|folder| folder.join(program));
            let is_there = |file: &Path| {
                file.is_file() || file.with_extension(std::env::consts::EXE_EXTENSION).is_file()
            };
            let found = is_there(program) || places.any(|place| is_there(&place));
            (!found).then(|| {
                let quotes = "a path with blanks in it needs quotation marks, as in \
                              --program \"'/my tools/python' my.py\"";
                let advice = if command.len() > 1 { format!("; {quotes}") } else { String::new() };
                format!("there is no program {}{advice}", program.display())
            })
        }
        _ => None,
    }
}

fn show_building(root: &Path, lesson: &Lesson, exercise: &Exercise) {
    let (language, name) = (Language::of_the_system(), &exercise.name);
    let number = &lesson.number;
    if let Some(announcement) = first_build::announcement(root, lesson, language) {
        eprintln!("{number}/{name}: {announcement}");
        return;
    }
    let what = language.words("building the tests and the program", "正在构建测试和程序");
    show_status(&format!("{number}/{name}: {what}"));
}

/// One line on a terminal that is written over with each case; a hanging program takes its time.
fn show_progress(score: &ExerciseScore) {
    let (lesson, exercise, left) = (&score.lesson, &score.exercise, score.pending);
    let late = score.late().count();
    let late = if late > 0 { format!(", {late} timed out") } else { String::new() };
    let cases = if left == 1 { "case" } else { "cases" };
    let line = format!("{lesson}/{exercise}: {left} {cases} to go{late}");
    show_status(if left > 0 { &line } else { "" });
}

/// A line that the next one takes the place of; nobody needs it anywhere but on a terminal.
fn show_status(line: &str) {
    if io::stderr().is_terminal() {
        // `\x1b[K` clears what is left of a longer line before.
        eprint!("\r{line}\x1b[K");
    }
}

/// Whether nothing was graded, and not because the grader is broken.
fn has_no_case(score: &ExerciseScore) -> bool {
    score.problems.is_empty() && score.checks.iter().all(|check| check.cases.is_empty())
}

fn terminal<'a>(output: &'a mut dyn Write, submission: &Submission) -> Terminal<'a> {
    let (colour, language) = (terminal::wants_colour(), Language::of_the_system());
    Terminal { output, colour, language, whose: submission.arguments(), width: terminal::width() }
}

fn exit_code(grade: &Grade) -> ExitCode {
    if grade.is_grader_error() {
        ExitCode::from(GRADER_ERROR)
    } else if grade.exercises.iter().all(ExerciseScore::all_passed) {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NOT_ALL_POINTS)
    }
}

/// Short enough to be typed again.
pub fn seed_of_the_clock() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| u64::from(now.subsec_micros()))
}
