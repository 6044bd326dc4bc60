//! `cargo run -p systems`: what the course does on Windows, tried on Linux.
//!
//! Its programs are cross-compiled with MinGW and run under Wine, a table says how that went, and
//! the last line names what Wine itself cannot do. Exit code 1 if anything failed.
//!
//! What Wine 8 lacks is in `wine/`, in C; there is no cargo in it, so `stand-in-cargo` answers.

mod checks;
mod compile;
mod lessons;
mod table;
mod wine;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result};

use lessons::Lesson;
use table::{Cell, Row};
use wine::Wine;

/// Lessons that are tried at a time: their programs wait more than they work.
const AT_A_TIME: usize = 3;
/// What is not tried, and what is not as it is on Windows.
const LEFT_OUT: &str = "left out because of Wine 8: exercises whose clients reset a connection, such \
                        as 03/receive (SO_LINGER with 0 sends FIN there)\n\
                        ours in place of Wine's: bcryptprimitives.dll, IPV6_V6ONLY of an IPv4 \
                        socket, and a cargo that says where the built programs are";

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("systems: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything that was tried went well.
fn run() -> Result<bool> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root: PathBuf = course::workspace::root(here).context("the course is not here any more")?;
    let lessons = lessons::all(&root)?;
    let built = compile::everything(&root, &lessons)?;
    let wine = Wine::start(&root, &built)?;

    let queue = Mutex::new(lessons.iter());
    let rows = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                while let Some(lesson) = next() {
                    let row = try_out(&wine, &root, lesson);
                    rows.lock().unwrap_or_else(PoisonError::into_inner).push(row);
                }
            });
        }
    });
    let mut rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
    rows.sort_by(|one, other| one.name.cmp(&other.name));
    print!("{}", table::shown(&rows));
    println!("{LEFT_OUT}");
    Ok(rows.iter().all(Row::is_passed))
}

/// All checks of one lesson, the quick ones first.
fn try_out(wine: &Wine, root: &Path, lesson: &Lesson) -> Row {
    let mut row = Row::of(lesson.program());
    let mut check = |is_tried: bool, what: &dyn Fn() -> Result<()>| {
        let started = Instant::now();
        row.cells.push(match is_tried.then(what) {
            None => Cell::Nothing,
            Some(Ok(())) => Cell::Passed(started.elapsed()),
            Some(Err(why)) => Cell::Failed(format!("{why:#}")),
        });
    };
    let has_server = lesson.server.is_some();
    check(true, &|| checks::demo(wine, lesson));
    check(has_server, &|| checks::talk(wine, root, lesson));
    check(lesson.number == "03", &|| checks::upload(wine, lesson));
    check(has_server, &|| checks::stop(wine, lesson));
    let exercise = lesson.exercise();
    check(exercise.is_some(), &|| {
        exercise.iter().try_for_each(|exercise| checks::graded(wine, root, exercise))
    });
    row.exercise = exercise;
    row
}
