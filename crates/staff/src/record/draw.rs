//! Draws a conversation: server and client as two programs, the laboratory between them.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Parser;
use netlab::diagram::{Diagram, Language};
use netlab::options::Network;
use netlab::program::{Running, Server, poll};
use netlab::record::Transport;
use netlab::relay::Relay;

use super::sandbox::Sandbox;
use super::scenario::Conversation;
use course::fixture::Fixture;

/// How long a program may take to get ready, to do its part, to end.
const LIMIT: Duration = Duration::from_secs(60);

/// The options of the laboratory alone.
#[derive(Parser)]
#[command(no_binary_name = true)]
struct Laboratory {
    #[command(flatten)]
    network: Network,
}

/// The diagram as image and as text in each language of the book, by the ends of their files.
pub fn draw(conversation: &Conversation, sandbox: &Sandbox) -> Result<Vec<(&'static str, String)>> {
    let diagram = hold(conversation, sandbox)?;
    let english = diagram.clone().in_language(Language::English);
    let chinese = diagram.in_language(Language::Chinese);
    Ok(vec![
        ("en.diagram.txt", english.to_text()),
        ("en.svg", english.to_svg()),
        ("zh-CN.diagram.txt", chinese.to_text()),
        ("zh-CN.svg", chinese.to_svg()),
    ])
}

fn hold(conversation: &Conversation, sandbox: &Sandbox) -> Result<Diagram> {
    let fixture = conversation.file_bytes.map_or_else(Fixture::lay_out, Fixture::with_file_of)?;
    let program = sandbox.programs.get(&conversation.program);
    let program = program.with_context(|| format!("there is no {}", conversation.program))?;
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let command = |arguments: &[String], address: SocketAddr| {
        let mut command = Command::new(program);
        let arguments = fixture.fill(arguments);
        let (role, rest) = arguments.split_at(arguments.len().min(1));
        command.args(role).args(["--addr", &address.to_string()]).args(rest);
        command
    };
    let mut server = Server::start(&mut command(&conversation.server, any_port), LIMIT)?;
    let recorder = Arc::new(Mutex::new(diagram(conversation)));
    let relay = start_relay(conversation, server.address(), &recorder)?;
    let client = Running::start(&mut command(&conversation.client, relay.address()), |_| {});
    let mut client = client?;
    let status = poll(LIMIT, || client.ended()).context("its client did not end")?;
    if status.success() == conversation.fails {
        bail!("its client ended with {status}; it said: {}", client.stderr());
    }
    server.interrupt(LIMIT).context("its server did not end after Ctrl-C")?;
    // The relay's last words come before the diagram's end.
    drop(relay);
    let diagram = recorder.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(diagram)
}

fn diagram(conversation: &Conversation) -> Diagram {
    let diagram = Diagram::new();
    let diagram = if conversation.times { diagram.with_times() } else { diagram };
    match conversation.arrows {
        Some(arrows) => diagram.with_max_arrows(arrows),
        None => diagram,
    }
}

fn start_relay(
    conversation: &Conversation,
    server: SocketAddr,
    recorder: &Arc<Mutex<Diagram>>,
) -> Result<Relay> {
    let transport = match conversation.transport {
        course::Transport::Tcp => Transport::Tcp,
        course::Transport::Udp => Transport::Udp,
    };
    let words = conversation.network.split_whitespace();
    let Laboratory { network } = Laboratory::try_parse_from(words)?;
    let recorder = Box::new(Arc::clone(recorder));
    Relay::start(transport, server, network.conditions(transport)?, Some(recorder))
        .context("cannot start the laboratory")
}
