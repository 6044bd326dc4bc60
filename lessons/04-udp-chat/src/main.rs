//! Lesson 4: a chat over UDP. Without a subcommand server and client run in one process.

mod client;
mod demo;
mod server;

/// UDP chat: a server, a client, or (without a subcommand) both in one conversation
#[derive(clap::Parser)]
struct Cli {
    /// Where to listen, or whom to send to; port 0: any free one; 0.0.0.0: every interface
    #[arg(long, global = true, value_name = "HOST:PORT", default_value = "127.0.0.1:8888")]
    addr: netbasics::values::port::Endpoint,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(clap::Subcommand)]
enum Role {
    Server(server::Options),
    Client(client::Options),
}

fn main() -> std::process::ExitCode {
    let Cli { addr, role } = clap::Parser::parse();
    netbasics::cli::program::end(match role {
        None => demo::run(addr),
        Some(Role::Server(options)) => server::run(&addr, &options),
        Some(Role::Client(options)) => client::run(&addr, &options),
    })
}
