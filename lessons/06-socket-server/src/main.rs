//! Lesson 6: one handler, four kinds of servers. Without a subcommand all four in one process.

mod client;
mod demo;
mod framework;
mod server;
mod shout;
mod target;

/// A server framework: one handler behind TCP, UDP and the two kinds of Unix-domain sockets
#[derive(clap::Parser)]
struct Cli {
    #[command(flatten)]
    target: target::Target,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(clap::Subcommand)]
enum Role {
    Server(server::Options),
    Client(client::Options),
}

fn main() -> std::process::ExitCode {
    let Cli { target, role } = clap::Parser::parse();
    netbasics::cli::program::end(match role {
        None => demo::run(&target),
        Some(Role::Server(options)) => server::run(&target, &options),
        Some(Role::Client(options)) => client::run(&target, &options),
    })
}
