//! Lesson 9: IPv6, and two families at once. Without a subcommand everything runs in one process.

mod address;
mod client;
mod demo;
mod family;
mod server;

/// IPv6: a server for both families, a client that tries several addresses, and addresses explained
#[derive(clap::Parser)]
struct Cli {
    /// Where to listen, or whom to connect to; port 0: any free one; 0.0.0.0 and :: are every interface
    #[arg(long, global = true, value_name = "HOST:PORT", default_value = "127.0.0.1:8888")]
    addr: netbasics::values::port::Endpoint,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(clap::Subcommand)]
enum Role {
    Server(server::Options),
    Client(client::Options),
    Address(address::Options),
}

fn main() -> std::process::ExitCode {
    let Cli { addr, role } = clap::Parser::parse();
    netbasics::cli::program::end(match role {
        None => demo::run(&addr),
        Some(Role::Server(options)) => server::run(&addr, &options),
        Some(Role::Client(options)) => client::run(&addr, &options),
        Some(Role::Address(options)) => address::run(&options),
    })
}
