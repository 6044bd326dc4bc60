//! The command line of a node, however it is started.

use std::net::SocketAddrV4;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::ValueEnum;
use netbasics::cli::program;

use crate::node::Setup;
use crate::wire::{MAX_NAME_BYTES, NodeId, is_name};
use crate::{client, server};

#[derive(clap::Subcommand)]
pub enum Role {
    Server(server::Options),
    Client(client::Options),
}

/// How a node finds others, beside those that were named to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Discover {
    /// By multicast, and by what its neighbours tell
    Multicast,
    /// By what its neighbours tell
    Peers,
    /// Not at all
    None,
}

#[derive(clap::Args)]
pub struct NodeOptions {
    /// What the others call this node [default: node and the beginning of its id]
    #[arg(long, value_parser = name)]
    pub name: Option<String>,
    /// How to find others [default: multicast for a server, peers for a client]
    #[arg(long, value_enum, value_name = "HOW")]
    pub discover: Option<Discover>,
    /// The multicast group, and its UDP port, in which nodes announce themselves
    #[arg(long, value_name = "GROUP:PORT", default_value = "239.255.77.7:7707", value_parser = group)]
    pub group: SocketAddrV4,
    /// How long another node may be silent until it counts as crashed
    #[arg(long, value_name = "SECONDS", default_value = "15", value_parser = program::seconds)]
    pub silence: Duration,
}

impl NodeOptions {
    /// The node that listens on `port`, with an id that nobody else has: 64 bits from the system.
    pub fn setup(&self, discover: Discover, port: u16) -> Result<Setup> {
        let id = getrandom::u64().context("the system gave no random number")?;
        let name = self.name.clone().unwrap_or_else(|| format!("node-{:04x}", id >> 48));
        let (silence, follow) = (self.silence, discover != Discover::None);
        Ok(Setup { id: NodeId(id), name, port, silence, follow, named: Vec::new() })
    }

    /// The group to join, if any.
    pub fn group(&self, discover: Discover) -> Option<SocketAddrV4> {
        (discover == Discover::Multicast).then_some(self.group)
    }
}

fn name(text: &str) -> Result<String, String> {
    if is_name(text) {
        return Ok(text.to_owned());
    }
    Err(format!("a name has 1 to {MAX_NAME_BYTES} bytes, and no control or invisible characters"))
}

fn group(text: &str) -> Result<SocketAddrV4, String> {
    let group: SocketAddrV4 = text.parse().map_err(|_| "write GROUP:PORT, both in numbers")?;
    match (group.ip().octets(), group.port()) {
        ([239, ..], 1..) => Ok(group),
        ([239, ..], 0) => Err("all nodes of a group share one port, so it cannot be 0".to_owned()),
        _ => Err("a group of one's own is in 239.0.0.0/8, such as 239.255.77.7".to_owned()),
    }
}
