//! `cargo xtask bench …`: how fast are the lessons, next to programs that everybody has?
//!
//! Every candidate has its turn in every round, so that whatever else the machine does meets all
//! of them. What is timed stands above each table and in [`upload`], [`udp`] and so on.

mod cold;
mod comparison;
mod echo;
mod echo_load;
mod edit_loop;
mod fair;
mod payload;
mod peers;
mod report;
mod setup;
mod svg;
mod table;
mod transfer;
mod udp;
mod udp_pairs;
mod upload;
mod watch_loop;

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use grader::process;

use course::Course;
use grader::cargo;

use setup::Setup;

/// What shells make of Ctrl-C: 128 and the number of the signal.
const INTERRUPTED: u8 = 130;

/// Measure the lessons next to other programs, in turn, in the same run
#[derive(clap::Args)]
pub struct Options {
    #[command(subcommand)]
    which: Which,
    /// How often every candidate has its turn
    #[arg(long, global = true, value_name = "N", default_value_t = 5,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Where NAME.json and NAME.svg are written [default: bench/ in the target folder]
    #[arg(long, global = true, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Only the candidates whose names contain this
    #[arg(long, global = true, value_name = "TEXT")]
    only: Option<String>,
    /// One round with little data and unoptimised programs: shows that all of it works, and
    /// nothing about speed
    #[arg(long, global = true, conflicts_with = "rounds")]
    quick: bool,
}

#[derive(clap::Subcommand)]
enum Which {
    Upload(upload::Options),
    Udp(udp::Options),
    Echo(echo::Options),
    Loop(edit_loop::Options),
    Cold(cold::Options),
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let course = Course::find()?;
    if !cfg!(target_os = "linux") {
        bail!("the measurements look into /proc and use Linux's wait4(2): run them on Linux");
    }
    // Programs are started in process groups of their own: Ctrl-C on the terminal reaches only us.
    ctrlc::set_handler(process::interrupt)?;
    if cfg!(debug_assertions) && !options.quick {
        return again_in_release(&course);
    }
    let setup = Setup::prepare(&course, options)?;
    let report = match &options.which {
        Which::Upload(options) => upload::run(&setup, options),
        Which::Udp(options) => udp::run(&setup, options),
        Which::Echo(options) => echo::run(&setup, options),
        Which::Loop(options) => edit_loop::run(&setup, options),
        Which::Cold(options) => cold::run(&setup, options),
    };
    if process::is_interrupted() {
        eprintln!("cargo xtask: interrupted; nothing that was measured is still running");
        return Ok(ExitCode::from(INTERRUPTED));
    }
    report?.publish(&setup)
}

/// The relay and the generators of load run in this program: what they cost must be little, so it
/// measures only as a release build.
fn again_in_release(course: &Course) -> Result<ExitCode> {
    eprintln!("[bench] building the measuring program in release");
    let program = cargo::build_release(&course.root, "staff")?;
    let mut again = std::process::Command::new(program);
    // It has Ctrl-C from the terminal as we have; we only wait for its end.
    let status = again.args(env::args_os().skip(1)).status()?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, Into::into))
}
