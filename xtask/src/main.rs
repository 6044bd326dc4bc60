//! `cargo xtask …`: the course's own commands.
//!
//! Every command is a module with `Options` and `run(options)`. None of them links a lesson:
//! lessons are found as folders, built by cargo and met as programs, so that a broken lesson
//! breaks only itself.

mod bench;
mod book;
mod ci;
mod conversation;
mod course_progress;
mod doctor;
mod exercises;
mod first_build;
mod grade;
mod hint;
mod lab;
mod lang;
mod list;
mod overview;
mod record;
mod reset;
mod run;
mod skeleton;
mod task;
mod test;
mod watch;

use std::io::{self, ErrorKind};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The course's own commands
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    List(list::Options),
    Run(run::Options),
    Lab(lab::Options),
    Test(test::Options),
    Task(task::Options),
    Grade(grade::Options),
    Watch(watch::Options),
    Hint(hint::Options),
    Reset(reset::Options),
    Skeleton(skeleton::Options),
    Book(book::Options),
    Record(record::Options),
    Bench(bench::Options),
    Doctor(doctor::Options),
    Ci(ci::Options),
}

fn main() -> ExitCode {
    dispatch(Cli::parse()).unwrap_or_else(|error| {
        if is_unread(&error) {
            return ExitCode::SUCCESS;
        }
        eprintln!("cargo xtask: {error:#}");
        let is_usage =
            error.is::<course::UnknownLesson>() || error.is::<exercises::WrongArguments>();
        if is_usage { ExitCode::from(2) } else { ExitCode::FAILURE }
    })
}

/// The reader of our output has seen enough: `cargo xtask task 02 | head`. Only output has no
/// context.
fn is_unread(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        None => overview::run(),
        Some(Command::List(options)) => list::run(&options),
        Some(Command::Run(options)) => run::run(&options),
        Some(Command::Lab(options)) => lab::run(&options),
        Some(Command::Test(options)) => test::run(&options),
        Some(Command::Task(options)) => task::run(&options),
        Some(Command::Grade(options)) => grade::run(&options),
        Some(Command::Watch(options)) => watch::run(&options),
        Some(Command::Hint(options)) => hint::run(&options),
        Some(Command::Reset(options)) => reset::run(&options),
        Some(Command::Skeleton(options)) => skeleton::run(&options),
        Some(Command::Book(options)) => book::run(&options),
        Some(Command::Record(options)) => record::run(&options),
        Some(Command::Bench(options)) => bench::run(&options),
        Some(Command::Doctor(options)) => doctor::run(&options),
        Some(Command::Ci(options)) => ci::run(&options),
    }
}
