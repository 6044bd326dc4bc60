//! `cargo xtask run LESSON`: a lesson's server and client as two programs, as `[run]` of its
//! lesson.toml says.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use grader::course::Run;

use crate::cargo;
use crate::conversation::{self, say};
use crate::course::Course;
use crate::props::Props;

/// Run a lesson's server and client as two programs that talk over this machine's loopback
#[derive(clap::Args)]
pub struct Options {
    /// The lesson by number or topic
    lesson: String,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let course = Course::find()?;
    let lesson = course.lesson(&options.lesson)?;
    let program = cargo::build(&course.root, &lesson.package())?;
    let outcome = match &lesson.about.run {
        None => alone(&program),
        Some(run) => together(&program, run),
    };
    outcome.with_context(|| format!("lesson {} failed", lesson.number))?;
    Ok(ExitCode::SUCCESS)
}

/// A lesson without a server: its program with no arguments, its output as it is.
fn alone(program: &Path) -> Result<()> {
    let status = Command::new(program).status().context("cannot start its program")?;
    if !status.success() {
        bail!("its program ended with {status}");
    }
    Ok(())
}

fn together(program: &Path, run: &Run) -> Result<()> {
    let props = Props::lay_out()?;
    // Port 0: the system picks a free one, so that two runs at once are in nobody's way.
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut server = command(program, &props.fill(&run.server), any_port);
    let client = |server: SocketAddr| command(program, &props.fill(&run.client), server);
    conversation::hold(&mut server, client)?;
    say("server and client have both ended well");
    let mentions =
        |prop: &str| run.server.iter().chain(&run.client).any(|word| word.contains(prop));
    if mentions(Props::DIR) && mentions(Props::FILE) {
        say(&props.arrived()?);
    }
    Ok(())
}

/// `PROGRAM ROLE --addr ADDRESS …`, as the contract of the course's programs has it.
fn command(program: &Path, arguments: &[String], address: SocketAddr) -> Command {
    let mut command = Command::new(program);
    let (role, rest) = arguments.split_at(arguments.len().min(1));
    command.args(role).args(["--addr", &address.to_string()]).args(rest);
    command
}
