//! The whole question for one target: does its host answer a ping, and is its port open?

use std::time::Duration;

use anyhow::Result;
use netbasics::cli::log;
use netbasics::system::stop::Stop;
use netbasics::values::port::Endpoint;

use crate::host;
use crate::ping::{self, Plan};
use crate::port::{self, Patience};

/// Ask whether a host and one of its ports can be reached
#[derive(clap::Args)]
pub struct Options {
    /// Whom to ask
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8888", value_parser = host::parse_endpoint)]
    pub addr: Endpoint,
    #[command(flatten)]
    pub patience: Patience,
}

/// A short ping: three probes within half a second.
pub const SHORT: Plan = Plan {
    count: 3,
    interval: Duration::from_millis(200),
    timeout: Duration::from_secs(1),
    size: 56,
};

// listing: begin run
/// Asks in two ways. The port decides: a host may well answer connections and no pings, and a ping
/// that is answered says nothing about any port.
pub fn run(options: &Options) -> Result<()> {
    let host = host::first_address(&options.addr.host)?;
    // A stop that nobody raises: Ctrl-C ends the process at once, wherever it waits.
    if let Err(error) = ping::ping(host, &SHORT, &Stop::new()) {
        log!("{error:#}");
    }
    port::ask(&options.addr, &options.patience)
}
// listing: end run
