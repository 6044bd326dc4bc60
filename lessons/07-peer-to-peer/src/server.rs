//! A node that stays. ("Server" says how it was started, and nothing else: the node is the same.)

use std::io::{self, IsTerminal};
use std::thread;

use anyhow::Result;
use netbasics::cli::{log, ready};
use netbasics::net::socket;
use netbasics::system::stop::Stop;
use netbasics::values::port::Endpoint;

use crate::options::{Discover, NodeOptions};
use crate::{driver, input};

/// Be a node that stays, and show what is said, until Ctrl-C
#[derive(clap::Args)]
pub struct Options {
    /// Connect to the node at HOST:PORT, and again if it is lost; may be given several times
    #[arg(long = "peer", value_name = "HOST:PORT")]
    pub peers: Vec<Endpoint>,
    /// Say the lines of standard input even if that is no terminal
    #[arg(long)]
    pub stdin: bool,
    #[command(flatten)]
    pub node: NodeOptions,
}

// listing: begin server
pub fn run(addr: &Endpoint, options: &Options) -> Result<()> {
    let discover = options.node.discover.unwrap_or(Discover::Multicast);
    // All addresses of a name: the node tries each, and one of them may be the right one.
    let named = options.peers.iter().map(socket::destinations).collect::<Result<Vec<_>, _>>()?;
    let listener = socket::listen_tcp(addr)?;
    let address = listener.local_addr()?;
    let mut setup = options.node.setup(discover, address.port())?;
    setup.named = named.concat();
    let stop = Stop::on_ctrl_c()?;
    ready::announce(address)?;
    let (orders, inbox) = driver::inbox();
    let at_terminal = io::stdin().is_terminal();
    if at_terminal {
        log!("type a line and press Enter to say it; Ctrl-C ends");
    }
    if options.stdin || at_terminal {
        let orders = orders.clone();
        // It ends with its input, or with the process.
        thread::spawn(move || {
            input::say_lines(&orders, true).unwrap_or_else(|error| log!("{error:#}"));
        });
    }
    let group = options.node.group(discover);
    driver::run(&listener, setup, group, (orders, inbox), &stop, &mut |news| {
        news.say();
        Ok(())
    })?;
    Ok(())
}
// listing: end server
