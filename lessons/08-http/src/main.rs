//! Lesson 8: URLs, HTTP/1.1 by hand and with a library, HTTPS. Without a subcommand a demo.

mod client;
mod demo;
mod http;
mod server;
mod url_parts;

/// HTTP: a file server, a client, the parts of a URL, or (without a subcommand) all of it at once
#[derive(clap::Parser)]
struct Cli {
    /// Where to listen (default: 127.0.0.1:8888), or whom to connect to in place of a URL's host
    #[arg(long, global = true, value_name = "HOST:PORT")]
    addr: Option<netbasics::values::port::Endpoint>,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(clap::Subcommand)]
enum Role {
    Server(server::Options),
    Client(client::Options),
    Url(url_parts::Options),
}

fn main() -> std::process::ExitCode {
    let Cli { addr, role } = clap::Parser::parse();
    netbasics::cli::program::end(match role {
        None => demo::run(addr),
        Some(Role::Server(options)) => server::run(addr, options),
        Some(Role::Client(options)) => client::run(addr, &options),
        Some(Role::Url(options)) => url_parts::run(&options),
    })
}
