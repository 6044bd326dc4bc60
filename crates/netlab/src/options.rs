//! The network that somebody asks for on the command line.

mod quantities;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::time::Duration;

use crate::conditions::{Coalesce, Conditions, Path, Stall};
use crate::faults::Fate;
use crate::record::Transport;
use quantities::{
    depth_and_percent, percent, rate, size, size_and_time, size_and_wait, some_bytes, time,
    whole_number,
};

/// Larger than any seed we draw: they are to be typed again.
const DRAWN_SEEDS: u64 = 1_000_000;

/// What the network between the two sides is like; a perfect one if nothing is said.
#[derive(clap::Args, Clone, Debug, Default, PartialEq)]
#[command(next_help_heading = "The network between the two sides")]
pub struct Network {
    /// Datagrams that are lost, as in 5%
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    loss: Option<f64>,
    /// Datagrams that arrive twice
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    duplicate: Option<f64>,
    /// Datagrams that are overtaken by this many later ones: 3 (one in ten is) or 3:50%
    #[arg(long, value_name = "DEPTH[:PERCENT]", value_parser = depth_and_percent)]
    reorder: Option<(u32, f64)>,
    /// Datagrams of which one byte is changed
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    corrupt: Option<f64>,
    /// Lose single datagrams by number, counted from 0 in each direction: 3 or 3,7
    #[arg(long, value_name = "NUMBER", value_delimiter = ',', value_parser = whole_number)]
    lose: Vec<u64>,
    /// Drop datagrams whose IP packet has more bytes
    #[arg(long, value_name = "BYTES", value_parser = some_bytes)]
    mtu: Option<usize>,
    /// One-way delay, as in 10ms
    #[arg(long, value_name = "TIME", value_parser = time)]
    delay: Option<Duration>,
    /// How much longer or shorter the delay may be
    #[arg(long, value_name = "TIME", value_parser = time)]
    jitter: Option<Duration>,
    /// Bandwidth, as in 10mbit
    #[arg(long, value_name = "RATE", value_parser = rate)]
    rate: Option<u64>,
    /// What the queue before the bottleneck holds
    #[arg(long, value_name = "BYTES", value_parser = size, requires = "rate")]
    queue: Option<u64>,
    /// TCP: cut the stream into segments of at most this many bytes
    #[arg(long, value_name = "BYTES", value_parser = some_bytes)]
    slice: Option<usize>,
    /// TCP: hold bytes back until this many have come together (or 50ms have passed: N:TIME)
    #[arg(long, value_name = "BYTES[:TIME]", value_parser = size_and_wait)]
    coalesce: Option<(usize, Duration)>,
    /// TCP: stand still after this many bytes for this long, as in 4096:2s
    #[arg(long, value_name = "BYTES:TIME", value_parser = size_and_time)]
    stall: Option<(u64, Duration)>,
    /// TCP: reset the connection after this many bytes
    #[arg(long, value_name = "BYTES", value_parser = size)]
    reset_after: Option<u64>,
    /// TCP: end the stream after this many bytes, as if the sender had no more
    #[arg(long, value_name = "BYTES", value_parser = size)]
    close_after: Option<u64>,
    /// TCP: refuse every client, as if nobody listened
    #[arg(long)]
    refuse: bool,
    /// Which way all this happens
    #[arg(long, value_enum, default_value = "both")]
    direction: Ways,
    /// The number that decides which datagrams are hit; the same number, the same again
    #[arg(long, value_name = "NUMBER", value_parser = whole_number)]
    seed: Option<u64>,
}

/// Which way something happens.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Ways {
    /// Both ways
    #[default]
    Both,
    /// Only from clients to the server
    ToServer,
    /// Only from the server to clients
    ToClient,
}

impl Network {
    /// Whether anything was asked for.
    #[must_use]
    pub fn is_asked_for(&self) -> bool {
        *self != Self::default()
    }

    /// As the relay wants it; a seed is drawn if none was given.
    ///
    /// # Errors
    /// `InvalidInput` with a sentence, when an option says nothing about this transport, or the
    /// options do not fit together.
    pub fn conditions(&self, transport: Transport) -> io::Result<Conditions> {
        self.check_transport(transport)?;
        let seed =
            self.seed.unwrap_or_else(|| RandomState::new().build_hasher().finish() % DRAWN_SEEDS);
        let mut conditions = Conditions { seed, refuse: self.refuse, ..Conditions::default() };
        if self.direction != Ways::ToClient {
            conditions.to_server = self.path();
        }
        if self.direction != Ways::ToServer {
            conditions.to_client = self.path();
        }
        conditions.check()?;
        Ok(conditions)
    }

    fn path(&self) -> Path {
        let mut path = Path::default();
        let (datagrams, shape, stream) = (&mut path.datagrams, &mut path.shape, &mut path.stream);
        datagrams.lose = self.loss.unwrap_or(0.0);
        datagrams.duplicate = self.duplicate.unwrap_or(0.0);
        (datagrams.depth, datagrams.reorder) = self.reorder.unwrap_or((0, 0.0));
        datagrams.corrupt = self.corrupt.unwrap_or(0.0);
        datagrams.mtu = self.mtu;
        datagrams.exactly = self.lose.iter().map(|number| (*number, Fate::Lose)).collect();
        shape.delay = self.delay.unwrap_or_default();
        shape.jitter = self.jitter.unwrap_or_default();
        (shape.rate, shape.queue) = (self.rate, self.queue);
        stream.slice = self.slice;
        stream.coalesce = self.coalesce.map(|(bytes, wait)| Coalesce { bytes, wait });
        stream.stall = self.stall.map(|(after, time)| Stall { after, time });
        (stream.reset_after, stream.close_after) = (self.reset_after, self.close_after);
        path
    }

    /// Nothing that was asked for is left out in silence.
    fn check_transport(&self, transport: Transport) -> io::Result<()> {
        let datagrams = [
            ("--loss", self.loss.is_some()),
            ("--duplicate", self.duplicate.is_some()),
            ("--reorder", self.reorder.is_some()),
            ("--corrupt", self.corrupt.is_some()),
            ("--lose", !self.lose.is_empty()),
            ("--mtu", self.mtu.is_some()),
        ];
        let streams = [
            ("--slice", self.slice.is_some()),
            ("--coalesce", self.coalesce.is_some()),
            ("--stall", self.stall.is_some()),
            ("--reset-after", self.reset_after.is_some()),
            ("--close-after", self.close_after.is_some()),
            ("--refuse", self.refuse),
        ];
        let (wrong, why) = match transport {
            Transport::Tcp => (&datagrams, WHY_NOT_TCP),
            Transport::Udp => (&streams, WHY_NOT_UDP),
        };
        match wrong.iter().find(|(_, is_given)| *is_given) {
            Some((option, _)) => {
                Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{option} {why}")))
            }
            None => Ok(()),
        }
    }
}

const WHY_NOT_TCP: &str = "is about datagrams (UDP), but here goes a TCP stream, which never shows \
    that a packet was lost: the systems on both sides send it again. What can happen to a stream: \
    --delay, --jitter, --rate, --slice, --coalesce, --stall, --reset-after, --close-after, --refuse";
const WHY_NOT_UDP: &str = "is about a byte stream (TCP), but here go datagrams (UDP). What can \
    happen to them: --delay, --jitter, --rate, --loss, --lose, --duplicate, --reorder, --corrupt, \
    --mtu";

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        network: Network,
    }

    fn network(words: &str) -> Network {
        Cli::parse_from(words.split(' ').map(str::trim)).network
    }

    #[test]
    fn a_direction_leaves_the_other_alone() {
        let there = network("lab --loss 5% --direction to-server").conditions(Transport::Udp);
        let there = there.unwrap();
        assert!((there.to_server.datagrams.lose - 0.05).abs() < 1e-12);
        assert_eq!(there.to_client, Path::default());
    }

    #[test]
    fn nothing_asked_for_is_a_perfect_network() {
        assert!(!network("lab").is_asked_for());
        assert!(network("lab --seed 7").is_asked_for());
        let conditions = network("lab --seed 7").conditions(Transport::Tcp).unwrap();
        assert_eq!(conditions, Conditions { seed: 7, ..Conditions::default() });
    }

    #[test]
    fn an_option_of_the_other_transport_is_explained() {
        let refused = |words, transport| network(words).conditions(transport).unwrap_err();
        let error = refused("lab --loss 5%", Transport::Tcp).to_string();
        assert!(error.starts_with("--loss is about datagrams (UDP)"), "{error}");
        let error = refused("lab --slice 1", Transport::Udp).to_string();
        assert!(error.starts_with("--slice is about a byte stream (TCP)"), "{error}");
    }

    #[test]
    fn single_datagrams_are_lost_by_number() {
        let conditions = network("lab --lose 3,7 --lose 9").conditions(Transport::Udp).unwrap();
        let exactly = conditions.to_client.datagrams.exactly;
        assert_eq!(exactly.into_iter().collect::<Vec<_>>(), [3, 7, 9].map(|n| (n, Fate::Lose)));
    }
}
