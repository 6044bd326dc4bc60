//! `cargo xtask lab`: the laboratory in front of any program, in any language.

use std::io::{self, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::process::{self, ExitCode};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use netlab::record::Transport;
use netlab::relay::Relay;

mod between;
mod memory;
mod network;
mod quantities;
mod summary;

pub use between::Between;
pub use memory::Memory;
use memory::Notes;
pub use network::Network;
use summary::{lines as summary, live};

/// How often the live numbers change.
const LIVE: Duration = Duration::from_millis(100);
/// What the shell says of a program that Ctrl-C has killed.
const KILLED_BY_CTRL_C: i32 = 130;

/// Stand between a program and its clients: shape, break and remember what they say
#[derive(clap::Args)]
pub struct Options {
    /// The server that clients are to reach through the laboratory
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    to: SocketAddr,
    /// Where clients find the laboratory; with port 0 the system picks one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0", value_parser = address)]
    listen: SocketAddr,
    /// Carry TCP connections; this is what happens if nothing is said
    #[arg(long)]
    tcp: bool,
    /// Carry UDP datagrams
    #[arg(long, conflicts_with = "tcp")]
    udp: bool,
    #[command(flatten)]
    network: Network,
    #[command(flatten)]
    memory: Memory,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let transport = if options.udp { Transport::Udp } else { Transport::Tcp };
    let conditions = options.network.conditions(transport)?;
    let seed = conditions.seed;
    let notes = options.memory.open(|| Box::new(io::stdout()))?;
    let interrupted = interruption()?;
    let (listen, to) = (options.listen, options.to);
    let relay = Relay::start_at(listen, transport, to, conditions, notes.recorder())
        .with_context(|| cannot_listen(listen, transport))?;
    announce(relay.address());
    watch(&relay, &interrupted, options.memory.has_transcript());
    let counts = relay.counts();
    // The relay's last words come before the recorders' end.
    drop(relay);
    let files = notes.finish()?;
    for line in summary(&counts, transport, seed).into_iter().chain(files) {
        eprintln!("[lab] {line}");
    }
    Ok(ExitCode::SUCCESS)
}

/// The readiness line of the course's contract.
fn announce(address: SocketAddr) {
    let mut out = io::stdout().lock();
    // Nobody who does not read us needs to know.
    let _ = writeln!(out, "listening on {address}").and_then(|()| out.flush());
}

/// Shows the numbers, if somebody watches, until Ctrl-C.
fn watch(relay: &Relay, interrupted: &Receiver<()>, lines_are_printed: bool) {
    // A line that moves and lines that stay would be in each other's way.
    let target =
        if lines_are_printed { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(None, target);
    if let Ok(style) = ProgressStyle::with_template("{elapsed_precise} {msg}") {
        bar.set_style(style);
    }
    while interrupted.recv_timeout(LIVE) == Err(RecvTimeoutError::Timeout) {
        bar.set_message(live(&relay.counts()));
        bar.tick();
    }
    bar.finish_and_clear();
}

/// Something comes here at the first Ctrl-C; the second ends us at once.
fn interruption() -> Result<Receiver<()>> {
    let (sender, receiver) = mpsc::channel();
    let mut is_second = false;
    ctrlc::set_handler(move || {
        if is_second {
            process::exit(KILLED_BY_CTRL_C);
        }
        is_second = true;
        let _ = sender.send(());
    })
    .context("cannot listen for Ctrl-C")?;
    Ok(receiver)
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let example = "write HOST:PORT, such as 127.0.0.1:8888";
    let found = text.to_socket_addrs().map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => example.to_owned(),
        _ => format!("{error}; {example}"),
    })?;
    let found: Vec<SocketAddr> = found.collect();
    // A name may have addresses of both kinds; most programs here listen on IPv4.
    let best = found.iter().find(|address| address.is_ipv4()).or(found.first());
    best.copied().ok_or_else(|| format!("this name has no address; {example}"))
}

fn cannot_listen(listen: SocketAddr, transport: Transport) -> String {
    let transport = format!("{transport:?}").to_uppercase();
    format!("the laboratory cannot listen on {listen} ({transport}); try --listen 127.0.0.1:0")
}
