//! What is asked for on the command line, and the limits that keep a ping a ping.

use std::time::Duration;

use netbasics::cli::program;

use super::probes::TOKEN_BYTES;

/// Most probes of one ping.
const MOST_PROBES: u16 = 100;
/// Most probes in a second is one over this.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);
/// Most data of a probe, in bytes: what an Ethernet frame carries (1500), less the headers of IPv6
/// (40) and ICMP (8). More would be cut into fragments.
const MOST_DATA_BYTES: i64 = 1452;

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

/// Reads the time between two probes (for clap's `value_parser`).
pub fn interval(text: &str) -> Result<Duration, String> {
    match program::seconds(text).map_err(|error| error.to_string())? {
        interval if interval < SHORTEST_INTERVAL => {
            Err("at most 10 probes a second: give 0.1 or more".to_owned())
        }
        interval => Ok(interval),
    }
}
