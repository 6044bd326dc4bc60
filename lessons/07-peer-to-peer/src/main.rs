//! Lesson 7: nodes that listen and connect. Without a subcommand three of them run in one process.

mod client;
mod demo;
mod discovery;
mod driver;
mod input;
mod node;
mod options;
mod server;
mod wire;

/// Peer to peer: a node that stays, one that visits, or (without a subcommand) three that talk
#[derive(clap::Parser)]
struct Cli {
    /// Where to listen (server), or which node to join at (client); port 0: any free one
    #[arg(long, global = true, value_name = "HOST:PORT", default_value = "127.0.0.1:8888")]
    addr: netbasics::values::port::Endpoint,
    #[command(subcommand)]
    role: Option<options::Role>,
}

fn main() -> std::process::ExitCode {
    let Cli { addr, role } = clap::Parser::parse();
    netbasics::cli::program::end(match role {
        None => demo::run(&addr),
        Some(options::Role::Server(options)) => server::run(&addr, &options),
        Some(options::Role::Client(options)) => client::run(&addr, &options),
    })
}
