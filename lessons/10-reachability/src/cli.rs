//! The command line: the demo, the two sides of the course's contract, and three tools.

use netbasics::values::port::Endpoint;

use crate::{client, decode, ping, port, server};

/// Reachability: ping a host, check a port, or (without a subcommand) see what the answers look like
#[derive(clap::Parser)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// Where the demo's target listens; port 0: any free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8888")]
    pub addr: Endpoint,
    #[command(subcommand)]
    pub role: Option<Role>,
}

#[derive(clap::Subcommand)]
pub enum Role {
    Ping(ping::Options),
    Port(port::Options),
    Server(server::Options),
    Client(client::Options),
    Decode(decode::Options),
}
