//! Lesson 10: can I reach that host? Read icmp, ping, port, client, server, demo, in this order;
//! each names the files that follow it. `cli` holds the command line.

mod cli;
mod client;
mod decode;
mod demo;
mod host;
mod icmp;
mod ping;
mod port;
mod reason;
mod server;

use cli::{Cli, Role};

fn main() -> std::process::ExitCode {
    let Cli { addr, role } = clap::Parser::parse();
    netbasics::cli::program::end(match role {
        None => demo::run(addr),
        Some(Role::Ping(options)) => ping::run(&options),
        Some(Role::Port(options)) => port::run(&options),
        Some(Role::Server(options)) => server::run(&options),
        Some(Role::Client(options)) => client::run(&options),
        Some(Role::Decode(options)) => decode::run(&options),
    })
}
