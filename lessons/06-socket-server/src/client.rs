//! The client, for all four kinds: say a message, wait for its answer, print it.

mod datagrams;
mod stream;

use std::io::{self, BufRead, IsTerminal, Write};
use std::time::Duration;

use anyhow::{Context, Result};
use netbasics::cli::log;
use netbasics::cli::program::{self, OutputError};
use netbasics::system::stop::Stop;

use crate::framework::Location;
use crate::target::{Kind, Target};

/// Say something to the server and print its answers
#[derive(Clone, clap::Args)]
pub struct Options {
    /// What to say, one message after the other; without any, the lines of standard input
    #[arg(value_name = "MESSAGE")]
    pub messages: Vec<String>,
    /// How long to wait to be let in, and for each answer
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = program::seconds)]
    pub timeout: Duration,
}

// listing: begin run
/// Somebody who answers, whatever lies between.
trait Server {
    /// Sends `message` and waits for its answer.
    fn ask(&mut self, message: &[u8]) -> Result<Vec<u8>>;
}

pub fn run(target: &Target, options: &Options) -> Result<()> {
    // Only a client with a file of its own has something to tidy up when it is interrupted.
    let stop = if target.kind == Kind::UnixDatagram { Stop::on_ctrl_c()? } else { Stop::new() };
    ask_all(target, options, &stop)
}

/// Asks the server at `target` one message after the other, and prints its answers.
pub fn ask_all(target: &Target, options: &Options, stop: &Stop) -> Result<()> {
    let mut server: Box<dyn Server> = match target.location()? {
        location if target.kind.is_stream() => {
            Box::new(stream::connect(&location, options.timeout)?)
        }
        Location::Internet(addr) => Box::new(datagrams::over_udp(addr, options.timeout)),
        Location::File(path) => Box::new(datagrams::between_files(&path, options.timeout, stop)?),
    };
    let mut output = log::output();
    for message in input(&options.messages) {
        let answer = server.ask(&message.context("cannot read what to say")?)?;
        let printed = output.write_all(&[&answer, &b"\n"[..]].concat());
        printed.and_then(|()| output.flush()).map_err(OutputError)?;
    }
    Ok(())
}
// listing: end run

/// The messages of the command line, or the lines of standard input if there are none.
fn input(messages: &[String]) -> Box<dyn Iterator<Item = io::Result<Vec<u8>>> + '_> {
    if !messages.is_empty() {
        return Box::new(messages.iter().map(|message| Ok(message.as_bytes().to_vec())));
    }
    if io::stdin().is_terminal() {
        log!("type a line and press Enter; Ctrl-D ends (on Windows: Ctrl-Z, then Enter)");
    }
    let lines = io::stdin().lock().split(b'\n');
    Box::new(lines.map(|line| line.map(|line| line.strip_suffix(b"\r").unwrap_or(&line).to_vec())))
}
