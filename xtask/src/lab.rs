//! `cargo xtask lab`: the laboratory in front of any program, in any language.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, ToSocketAddrs, UdpSocket};
use std::process::{self, ExitCode};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use netlab::conditions::Conditions;
use netlab::options::Network;
use netlab::record::Transport;
use netlab::relay::Relay;

mod between;
mod memory;
mod summary;

use crate::exercises::WrongArguments;
pub use between::Between;
pub use memory::Memory;
use memory::Notes;
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
    check_addresses(options)?;
    let conditions = conditions(&options.network, transport)?;
    let (listen, to) = (options.listen, options.to);
    // Before any file is begun: the same command in a second terminal must not empty the first one's.
    check_free(listen, transport).map_err(|error| cannot_listen(listen, transport, error))?;
    let notes = options.memory.open(|| Box::new(io::stdout()))?;
    let interrupted = interruption()?;
    let relay = Relay::start_at(listen, transport, to, conditions.clone(), notes.recorder())
        .map_err(|error| cannot_listen(listen, transport, error))?;
    announce(relay.address(), to, transport);
    watch(&relay, &interrupted, options.memory.has_transcript());
    let counts = relay.counts();
    // The relay's last words come before the recorders' end.
    drop(relay);
    let files = notes.finish()?;
    for line in summary(&counts, transport, &conditions).into_iter().chain(files) {
        eprintln!("[lab] {line}");
    }
    Ok(ExitCode::SUCCESS)
}

/// The network that was asked for; what it cannot be is a wrong argument.
fn conditions(network: &Network, transport: Transport) -> Result<Conditions, WrongArguments> {
    network.conditions(transport).map_err(|error| WrongArguments(error.to_string()))
}

fn check_free(listen: SocketAddr, transport: Transport) -> io::Result<()> {
    match transport {
        Transport::Tcp => TcpListener::bind(listen).map(drop),
        Transport::Udp => UdpSocket::bind(listen).map(drop),
    }
}

/// The readiness line of the course's contract, and for a person what to do with it.
fn announce(address: SocketAddr, to: SocketAddr, transport: Transport) {
    let mut out = io::stdout().lock();
    // Nobody who does not read us needs to know.
    let _ = writeln!(out, "listening on {address}").and_then(|()| out.flush());
    let transport = name(transport);
    eprintln!("[lab] let the client talk to {address} instead of {to} ({transport}); Ctrl-C ends");
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
    let example = "write HOST:PORT, such as 127.0.0.1:8888; the largest port is 65535";
    let found = text.to_socket_addrs().map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => example.to_owned(),
        _ => format!("{error}; {example}"),
    })?;
    let found: Vec<SocketAddr> = found.collect();
    // A name may have addresses of both kinds; most programs here listen on IPv4.
    let best = found.iter().find(|address| address.is_ipv4()).or(found.first());
    best.copied().ok_or_else(|| format!("this name has no address; {example}"))
}

fn check_addresses(options: &Options) -> Result<(), WrongArguments> {
    let (listen, to) = (options.listen, options.to);
    if to.port() == 0 {
        let what = format!("--to {to}: no server has port 0; write the port it listens on");
        return Err(WrongArguments(what));
    }
    if listen == to {
        let what = format!(
            "--listen and --to are both {to}: the laboratory would talk to itself; leave --listen \
             away, and it takes a port of its own"
        );
        return Err(WrongArguments(what));
    }
    Ok(())
}

fn name(transport: Transport) -> &'static str {
    match transport {
        Transport::Tcp => "TCP",
        Transport::Udp => "UDP",
    }
}

fn cannot_listen(listen: SocketAddr, transport: Transport, error: io::Error) -> anyhow::Error {
    let what = format!("the laboratory cannot listen on {listen} ({})", name(transport));
    let why = match error.kind() {
        io::ErrorKind::AddrInUse => "another program already has this port",
        io::ErrorKind::AddrNotAvailable => "this machine has no such address",
        io::ErrorKind::PermissionDenied => "ports below 1024 are for the administrator",
        _ => return anyhow::Error::new(error).context(what),
    };
    anyhow!("{what}: {why}; try --listen 127.0.0.1:0, which takes any free one")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        options: Options,
    }

    fn options(words: &str) -> Options {
        Cli::parse_from(words.split(' ')).options
    }

    #[test]
    fn a_laboratory_in_front_of_itself_or_of_no_port_is_refused() {
        let itself = options("lab --to 127.0.0.1:8888 --listen 127.0.0.1:8888");
        assert!(check_addresses(&itself).unwrap_err().to_string().contains("to itself"));
        let nowhere = check_addresses(&options("lab --to 127.0.0.1:0")).unwrap_err();
        assert!(nowhere.to_string().contains("no server has port 0"));
        check_addresses(&options("lab --to 127.0.0.1:8888")).unwrap();
    }

    #[test]
    fn a_port_in_use_is_explained_without_the_systems_words() {
        let listen = SocketAddr::from(([127, 0, 0, 1], 8888));
        let said = cannot_listen(listen, Transport::Udp, io::ErrorKind::AddrInUse.into());
        assert!(format!("{said:#}").contains("(UDP): another program already has this port"));
    }
}
