//! `cargo xtask …`: the course's own commands.
//!
//! Every command is a module with `Options` and `run(options)`. None of them links a lesson:
//! lessons are found as folders, built by cargo and met as programs, so that a broken lesson
//! breaks only itself. What only contributors use is a package of its own, which is built
//! [on demand](on_demand).

mod book;
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
mod on_demand;
mod overview;
mod reset;
mod run;
mod skeleton;
mod task;
mod test;
mod watch;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use grader::terminal;

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
    Doctor(doctor::Options),
    /// Run what the book shows, and write down what it prints and what the wire carries (for
    /// contributors)
    #[command(disable_help_flag = true)]
    Record(on_demand::Arguments),
    /// List Chinese texts whose English has changed since they were written (for contributors)
    #[command(disable_help_flag = true)]
    Translations(on_demand::Arguments),
    /// Measure the lessons next to other programs, in turn, in the same run (for contributors)
    #[command(disable_help_flag = true)]
    Bench(on_demand::Arguments),
    /// Run every check that a change has to pass; stop at the first that fails (for contributors)
    #[command(disable_help_flag = true)]
    Ci(on_demand::Arguments),
}

fn main() -> ExitCode {
    dispatch(Cli::parse()).unwrap_or_else(|error| {
        if terminal::is_unread(error.as_ref()) {
            return ExitCode::SUCCESS;
        }
        eprintln!("cargo xtask: {error:#}");
        let is_usage =
            error.is::<course::UnknownLesson>() || error.is::<exercises::WrongArguments>();
        if is_usage { ExitCode::from(2) } else { ExitCode::FAILURE }
    })
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
        Some(Command::Doctor(options)) => doctor::run(&options),
        Some(
            Command::Record(_) | Command::Translations(_) | Command::Bench(_) | Command::Ci(_),
        ) => on_demand::hand_over_to_staff(),
    }
}
