//! `ping`: ICMP echo requests to one host, and what comes back.
//!
//! This file is the loop. What it is made of: `ping/plan.rs` holds the limits, `ping/socket.rs` opens
//! the socket, `ping/pacer.rs` says when a probe may leave, `ping/probes.rs` knows which probe a
//! message answers, and `ping/tally.rs` counts, with `ping/statistics.rs` for the times.

mod pacer;
mod plan;
mod probes;
mod socket;
mod statistics;
mod tally;
#[cfg(test)]
mod tests;

use std::io::{ErrorKind, Read};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use netbasics::cli::log;
use netbasics::cli::program::OutputError;
use netbasics::net::socket_error::{SocketError, is_timeout};
use netbasics::system::stop::Stop;
use netbasics::values::port::{Endpoint, Host};
use socket2::Socket;

use crate::host;
use crate::icmp::Family;
use crate::reason::explain;
use pacer::Pacer;
pub use plan::Plan;
use probes::Probes;
use tally::Tally;

/// Larger than any packet; what does not fit would be cut off.
const BUFFER_BYTES: usize = 65_536;
/// What arrives this moment is still heard. (And a time limit of nothing would be none.)
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// Send ICMP echo requests to a host and show what comes back
#[derive(clap::Args)]
pub struct Options {
    /// The host, by address or name
    #[arg(value_name = "HOST", value_parser = host::parse_host)]
    pub host: Host,
    #[command(flatten)]
    pub plan: Plan,
}

pub fn run(options: &Options) -> Result<()> {
    let host = host::first_address(&options.host)?;
    ping(host, &options.plan, &Stop::on_ctrl_c()?)
}

/// Pings `host` (whose port is ignored) and prints what happens, until all is known or `stop` is
/// raised.
///
/// # Errors
/// When there is no socket, or nothing has come back.
pub fn ping(host: SocketAddr, plan: &Plan, stop: &Stop) -> Result<()> {
    let name = Endpoint::from(host).host.to_string();
    let mut ping = Ping {
        name: name.clone(),
        socket: socket::open(host, &name)?,
        probes: Probes::new(Family::of(host.ip()), usize::from(plan.size), plan.timeout),
        tally: Tally::begin(&name, plan, log::output()).map_err(OutputError)?,
        buffer: vec![0; BUFFER_BYTES],
    };
    ping.run(plan, stop)?;
    if ping.tally.end().map_err(OutputError)? == 0 {
        bail!(
            "no answer from {name}; that does not prove that it is down: many hosts and networks \
             are told not to answer a ping"
        );
    }
    Ok(())
}

struct Ping {
    name: String,
    socket: Socket,
    probes: Probes,
    tally: Tally,
    buffer: Vec<u8>,
}

impl Ping {
    // listing: begin run
    /// Sends and receives until every probe is answered or has had its time.
    fn run(&mut self, plan: &Plan, stop: &Stop) -> Result<()> {
        let mut pacer = Pacer::new(plan.count, plan.interval, Instant::now());
        while !stop.is_raised() {
            let now = Instant::now();
            if pacer.lets_go(now) {
                let message = self.probes.send(now);
                // send(2): the system puts the IP header in front.
                self.tally.sent(self.socket.send(&message)).map_err(OutputError)?;
            }
            // What is waited for: the time of the next probe; after the last one, the end of the
            // time for answers; and nothing if they are all here.
            let Some(until) = pacer.next().or(self.probes.awaited_until()) else { break };
            let left = until.saturating_duration_since(Instant::now());
            // At the end, too: the answer may have come while the system let others run.
            self.listen(left, stop)?;
            if left.is_zero() && pacer.next().is_none() {
                break;
            }
        }
        Ok(())
    }
    // listing: end run

    // listing: begin listen
    /// Waits for one message, for `limit` or until `stop` is raised.
    fn listen(&mut self, limit: Duration, stop: &Stop) -> Result<()> {
        // poll(2): for a message, or for Ctrl-C.
        if !stop.wait_readable(&self.socket, limit.max(SHORTEST_WAIT))? {
            return Ok(());
        }
        // SO_RCVTIMEO: what poll announces may turn out to be damaged (select(2), BUGS).
        self.socket.set_read_timeout(Some(SHORTEST_WAIT))?;
        // recv(2): one whole message.
        match self.socket.read(&mut self.buffer) {
            Ok(length) => {
                let heard = self.probes.hear(&self.buffer[..length], Instant::now());
                self.tally.heard(&heard).map_err(OutputError)?;
            }
            Err(error) if is_timeout(&error) || error.kind() == ErrorKind::Interrupted => {}
            // A host or a router could not deliver a probe, and the system tells it in its own way.
            // More such errors than probes would be something else.
            Err(error) if self.tally.expects_errors() => {
                self.tally.problem(&explain(&error)).map_err(OutputError)?;
            }
            Err(error) => return Err(SocketError::on("hear from", &self.name)(error).into()),
        }
        Ok(())
    }
    // listing: end listen
}
