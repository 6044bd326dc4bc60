//! The server program: one of four sources, one of three runners, one handler.
//!
//! Read `framework.rs` first, then this file; then, in `framework/`, `source.rs`, `request.rs`,
//! `runner.rs` and `pool.rs`.

use std::time::Duration;

use anyhow::Result;
use netbasics::cli::{log, program, ready};
use netbasics::net::unix;
use netbasics::system::stop::Stop;

use crate::framework::pool::Pool;
use crate::framework::runner::{Inline, Threads};
use crate::framework::{self, Address, Runner, Service, source};
use crate::shout::Shout;
use crate::target::{self, Target};

/// Answer every message in capital letters, until Ctrl-C
#[derive(Clone, clap::Args)]
pub struct Options {
    /// On which thread a request is served
    #[arg(long, value_enum, default_value = "pool")]
    pub run: Run,
    /// How many requests the pool serves at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub workers: u16,
    /// How many more may wait in the pool's queue
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub queue: u16,
    /// How many connections the system keeps for us until we accept them
    #[arg(long, value_name = "N", default_value_t = 128)]
    pub backlog: u16,
    /// Close a connection on which nothing moves for so long
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = program::seconds)]
    pub idle: Duration,
    /// How long requests may go on after Ctrl-C; then they are cut
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = program::seconds)]
    pub grace: Duration,
    /// How long each answer takes, as if there were much to do
    #[arg(long, value_name = "SECONDS", value_parser = program::seconds)]
    pub work: Option<Duration>,
    /// Give the handler a bug: it panics at the message TEXT
    #[arg(long, value_name = "TEXT")]
    pub bug: Option<String>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub enum Run {
    /// One request after the other
    Inline,
    /// Each on a thread of its own, without limit
    Threads,
    /// On a fixed number of threads, with a queue before them
    Pool,
}

// listing: begin run
/// Binds, announces, serves.
pub fn run(target: &Target, options: &Options) -> Result<()> {
    let bound = target::open(target, options.backlog)?;
    let stop = Stop::on_ctrl_c()?;
    let runner = runner(options, &stop)?;
    let handler = Shout { work: options.work.unwrap_or_default(), bug: options.bug.clone() };
    let source = source::of(bound.socket, bound.file, &stop)?;
    let service =
        Service { handler: Box::new(handler), idle: options.idle, stop, cut: Stop::new() };
    if let Address::File(path) = &bound.address {
        log!("who may connect: {}", unix::who_may_connect(path)?);
    }
    ready::announce(&bound.address)?;
    framework::serve(source, runner, service, options.grace)
}

fn runner(options: &Options, stop: &Stop) -> Result<Box<dyn Runner>> {
    Ok(match options.run {
        Run::Inline => Box::new(Inline),
        Run::Threads => Box::new(Threads),
        Run::Pool => Box::new(Pool::start(options.workers.into(), options.queue.into(), stop)?),
    })
}
// listing: end run
