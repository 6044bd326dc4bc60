//! `ping`: ICMP echo requests to one host, and what comes back.
//!
//! This file is the loop. What it is made of: `ping/socket.rs` opens the socket, `ping/pacer.rs`
//! says when a probe may leave, `ping/probes.rs` knows which probe a message answers, and
//! `ping/tally.rs` counts, with `ping/statistics.rs` for the times.

mod pacer;
mod probes;
mod socket;
mod statistics;
mod tally;
#[cfg(test)]
mod tests;

use std::io::{ErrorKind, Read};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use netbasics::port::Host;
use netbasics::program::{self, OutputError};
use netbasics::say;
use netbasics::stop::Stop;
use netbasics::trouble::{Trouble, is_timeout};
use socket2::Socket;

use crate::host;
use crate::icmp::Family;
use crate::reason::explain;
use pacer::Pacer;
use probes::{Probes, TOKEN_BYTES};
use tally::Tally;

/// Most probes of one ping.
const MOST_PROBES: u16 = 100;
/// Most probes in a second is one over this.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);
/// Most data of a probe, in bytes: what an Ethernet frame carries (1500), less the headers of IPv6
/// (40) and ICMP (8). More would be cut into fragments.
const MOST_DATA_BYTES: i64 = 1452;
/// Larger than any packet; what does not fit would be cut off.
const BUFFER_BYTES: usize = 65_536;
/// How often a waiting ping looks whether it should end.
const TICK: Duration = Duration::from_millis(100);

/// Send ICMP echo requests to a host and show what comes back
#[derive(clap::Args)]
pub struct Options {
    /// The host, by address or name
    #[arg(value_name = "HOST", value_parser = host::parse_host)]
    pub host: Host,
    #[command(flatten)]
    pub plan: Plan,
}

/// How many probes, how fast, how large, and how long each is waited for.
#[derive(clap::Args, Clone)]
pub struct Plan {
    /// How many probes: 1 to 100
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST_PROBES)))]
    pub count: u16,
    /// How long from one probe to the next: 0.1 or more
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = interval)]
    pub interval: Duration,
    /// How long to wait for the answer to a probe
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = program::seconds)]
    pub timeout: Duration,
    /// Bytes of data in each probe: 8 to 1452
    #[arg(long, value_name = "BYTES", default_value_t = 56, value_parser = clap::value_parser!(u16).range(TOKEN_BYTES as i64..=MOST_DATA_BYTES))]
    pub size: u16,
}

fn interval(text: &str) -> Result<Duration, String> {
    match program::seconds(text)? {
        interval if interval < SHORTEST_INTERVAL => {
            Err("at most 10 probes a second: give 0.1 or more".to_owned())
        }
        interval => Ok(interval),
    }
}

pub fn run(options: &Options) -> Result<()> {
    let host = host::first_address(&options.host)?;
    ping(host, &options.plan, &Stop::on_ctrl_c()?)
}

/// Pings `host` and prints what happens.
///
/// # Errors
/// When there is no socket, or nothing has come back.
pub fn ping(host: IpAddr, plan: &Plan, stop: &Stop) -> Result<()> {
    let socket = socket::open(host)?;
    let mut probes = Probes::new(Family::of(host), usize::from(plan.size), plan.timeout);
    let mut tally = Tally::begin(host, plan, say::output()).map_err(OutputError)?;
    exchange(&socket, &mut probes, plan, &mut tally, stop)?;
    tally.end().map_err(OutputError)?;
    if tally.answered() == 0 {
        bail!(
            "no answer from {host}; that does not prove that it is down: many hosts and networks \
             are told not to answer a ping"
        );
    }
    Ok(())
}

// listing: begin exchange
/// Sends and receives until every probe is answered or has had its time.
fn exchange(
    mut socket: &Socket,
    probes: &mut Probes,
    plan: &Plan,
    tally: &mut Tally,
    stop: &Stop,
) -> Result<()> {
    let mut pacer = Pacer::new(plan.count, plan.interval, Instant::now());
    let mut buffer = vec![0; BUFFER_BYTES];
    while !stop.is_raised() {
        if pacer.lets_go(Instant::now()) {
            let message = probes.send(Instant::now());
            // send(2): the system puts the IP header in front.
            tally.sent(socket.send(&message)).map_err(OutputError)?;
        }
        // Two things are waited for: the time of the next probe, and after the last one the end of
        // the time for answers. (`None`: they are all here.)
        let Some(until) = pacer.next().or(probes.awaited_until()) else { break };
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            if pacer.next().is_some() {
                continue;
            }
            break;
        }
        // SO_RCVTIMEO: whatever comes meanwhile, this wait ends in time.
        socket.set_read_timeout(Some(left.min(TICK)))?;
        // recv(2): one whole message.
        match socket.read(&mut buffer) {
            Ok(length) => {
                let heard = probes.hear(&buffer[..length], Instant::now());
                tally.heard(&heard).map_err(OutputError)?;
            }
            Err(error) if is_timeout(&error) || error.kind() == ErrorKind::Interrupted => {}
            // A host or a router could not deliver a probe, and the system tells it in its own way.
            // More such errors than probes would be something else.
            Err(error) if tally.expects_errors() => {
                tally.problem(&explain(&error)).map_err(OutputError)?;
            }
            Err(error) => return Err(Trouble::on("hear from", tally.host())(error).into()),
        }
    }
    Ok(())
}
// listing: end exchange
