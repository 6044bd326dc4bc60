//! `cargo xtask run LESSON`: a lesson's server and client as two programs, as `[run]` of its
//! lesson.toml says; with options of the laboratory, that stands between them.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use course::{Run, Transport};
use netlab::options::Network;

use crate::conversation::{self, say};
use crate::exercises::WrongArguments;
use crate::lab::{Between, Memory};
use course::Course;
use course::fixture::Fixture;
use grader::cargo;

/// Run a lesson's server and client as two programs that talk over this machine's loopback
#[derive(clap::Args)]
pub struct Options {
    /// The lesson by number or topic
    lesson: String,
    #[command(flatten)]
    network: Network,
    #[command(flatten)]
    memory: Memory,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let course = Course::find()?;
    let lesson = course.lesson(&options.lesson)?;
    let mut between = between(options, lesson.about.run.as_ref())?;
    let program = cargo::build(&course.root, &lesson.package())?;
    let outcome = match &lesson.about.run {
        None => alone(&program),
        Some(run) => together(&program, run, between.as_mut()),
    };
    // What went wrong is what a diagram is wanted for.
    let remembered = between.map_or(Ok(()), Between::finish);
    outcome.with_context(|| format!("lesson {} failed", lesson.number))?;
    remembered.map(|()| ExitCode::SUCCESS)
}

/// The laboratory, if anything was asked of it.
fn between(options: &Options, run: Option<&Run>) -> Result<Option<Between>> {
    if !options.network.is_asked_for() && !options.memory.is_asked_for() {
        return Ok(None);
    }
    let Some(run) = run else {
        let problem = "this lesson is one program that opens no socket: there is nothing that the \
                       laboratory could stand between";
        return Err(WrongArguments(problem.to_owned()).into());
    };
    let transport = match run.transport {
        Transport::Tcp => netlab::record::Transport::Tcp,
        Transport::Udp => netlab::record::Transport::Udp,
    };
    Between::prepare(transport, &options.network, &options.memory).map(Some)
}

/// A lesson without a server: its program with no arguments, its output as it is.
fn alone(program: &Path) -> Result<()> {
    let status = Command::new(program).status().context("cannot start its program")?;
    if !status.success() {
        bail!("its program ended with {status}");
    }
    Ok(())
}

fn together(program: &Path, run: &Run, between: Option<&mut Between>) -> Result<()> {
    let fixture = Fixture::lay_out()?;
    // Port 0: the system picks a free one, so that two runs at once are in nobody's way.
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut server = command(program, &fixture.fill(&run.server), any_port);
    let client = |server: SocketAddr| {
        let to = between.map_or(Ok(server), |laboratory| laboratory.start(server))?;
        Ok(command(program, &fixture.fill(&run.client), to))
    };
    conversation::hold(&mut server, client)?;
    say("server and client have both ended well");
    let mentions =
        |prop: &str| run.server.iter().chain(&run.client).any(|word| word.contains(prop));
    if mentions(Fixture::DIR) && mentions(Fixture::FILE) {
        say(&fixture.arrived()?);
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
