//! What the network between two programs is like, as a plain value: what a command line or a test
//! asks for.

use std::io;
use std::time::Duration;

use crate::faults::DatagramFaults;
use crate::shape::Shape;

/// The network between a client and a server; by default a perfect one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conditions {
    /// Another seed, another run; the same seed on the same traffic, the same run.
    pub seed: u64,
    /// What happens on the way from a client to the server.
    pub to_server: Path,
    /// What happens on the way back.
    pub to_client: Path,
    /// TCP: nobody listens, so that a client meets what it meets when the server is not running.
    pub refuse: bool,
}

/// One way through the relay.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Path {
    /// Delay, jitter and bandwidth.
    pub shape: Shape,
    /// What happens to datagrams (UDP).
    pub datagrams: DatagramFaults,
    /// What happens to a byte stream (TCP).
    pub stream: StreamFaults,
}

/// What happens to each byte stream of one direction. Bytes are counted from the start of the
/// connection, in this direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamFaults {
    /// Segments of at most this many bytes, each written for itself. A millisecond lies between the
    /// first hundred, so that a receiver that waits sees each alone; later ones follow at once.
    pub slice: Option<usize>,
    /// Small pieces are held back and arrive as one.
    pub coalesce: Option<Coalesce>,
    /// Nothing comes for a while.
    pub stall: Option<Stall>,
    /// After this many bytes, the connection is reset on both sides.
    pub reset_after: Option<u64>,
    /// After this many bytes, the receiver sees the end of the stream; what still comes is lost.
    pub close_after: Option<u64>,
}

/// Pieces of a stream wait for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coalesce {
    /// Until this many bytes have come together,
    pub bytes: usize,
    /// or the first of them has waited so long, or the stream ends.
    pub wait: Duration,
}

/// A stream that stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stall {
    /// After this many bytes,
    pub after: u64,
    /// for so long.
    pub time: Duration,
}

impl Conditions {
    /// The same path both ways; the dice fall differently in each.
    #[must_use]
    pub fn both_ways(seed: u64, path: Path) -> Self {
        Self { seed, to_server: path.clone(), to_client: path, refuse: false }
    }

    /// # Errors
    ///
    /// `InvalidInput` with a sentence that says what cannot be.
    pub fn check(&self) -> io::Result<()> {
        let impossible = [&self.to_server, &self.to_client].into_iter().find_map(Path::impossible);
        impossible.map_or(Ok(()), |what| {
            let error = format!("the network cannot have {what}");
            Err(io::Error::new(io::ErrorKind::InvalidInput, error))
        })
    }
}

impl Path {
    /// Whether bytes may pass without being looked at.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.shape == Shape::default() && self.stream == StreamFaults::default()
    }

    /// What cannot be, if there is something.
    fn impossible(&self) -> Option<String> {
        let chances = &self.datagrams;
        let chances = [chances.lose, chances.duplicate, chances.reorder, chances.corrupt];
        if let Some(chance) = chances.into_iter().find(|chance| !(0.0..=1.0).contains(chance)) {
            return Some(format!("a probability of {chance}: it lies from 0 to 1"));
        }
        let what = if self.shape.jitter > self.shape.delay {
            "more jitter than delay: nothing arrives before it was sent"
        } else if self.shape.rate == Some(0) {
            "a rate of 0 bits a second: nothing would ever arrive"
        } else if self.stream.slice == Some(0) {
            "segments of 0 bytes: the smallest has 1"
        } else {
            return None;
        };
        Some(what.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_said() {
        let lose = DatagramFaults { lose: 5.0, ..DatagramFaults::default() };
        let jitter = Shape { jitter: Duration::from_millis(1), ..Shape::default() };
        let slice = StreamFaults { slice: Some(0), ..StreamFaults::default() };
        for (path, said) in [
            (Path { datagrams: lose, ..Path::default() }, "probability of 5"),
            (Path { shape: jitter, ..Path::default() }, "more jitter than delay"),
            (Path { stream: slice, ..Path::default() }, "segments of 0 bytes"),
        ] {
            let error = Conditions::both_ways(0, path).check().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
            assert!(error.to_string().contains(said), "{error}");
        }
        Conditions::default().check().unwrap();
    }
}
