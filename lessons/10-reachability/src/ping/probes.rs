//! The probes on their way, and which of them a message answers.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use crate::icmp::{self, Echo, Family, Message, checksum, packet};

/// Bytes at the beginning of the data by which we know our own probes.
pub const TOKEN_BYTES: usize = 8;

/// What a message is to us.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// The first answer to a probe.
    Answer {
        /// Which probe.
        sequence: u16,
        /// From sending it to hearing this.
        round_trip: Duration,
        /// Whether it came after the probe's time limit.
        late: bool,
    },
    /// Another answer to a probe.
    Duplicate(u16),
    /// An answer that is ours by its token, and yet not what we sent.
    Damaged,
    /// Somebody could not deliver this probe.
    Problem(u16, &'static str),
    /// Nothing that concerns us.
    Foreign,
}

struct Probe {
    at: Instant,
    answered: bool,
}

/// All probes of one ping.
pub struct Probes {
    family: Family,
    identifier: u16,
    data: Vec<u8>,
    timeout: Duration,
    sent: Vec<Probe>,
}

impl Probes {
    /// Probes with `size` bytes of data (at least [`TOKEN_BYTES`]): eight random ones, by which we
    /// know our own, and then 0, 1, 2 …
    pub fn new(family: Family, size: usize, timeout: Duration) -> Self {
        let token = RandomState::new().hash_one(family as u8);
        let mut data = token.to_be_bytes().to_vec();
        data.extend((0..=255).cycle().take(size.saturating_sub(TOKEN_BYTES)));
        let identifier = u16::from_be_bytes([data[0], data[1]]);
        Self { family, identifier, data, timeout, sent: Vec::new() }
    }

    /// The message of the next probe, which is on its way from `now` on.
    pub fn send(&mut self, now: Instant) -> Vec<u8> {
        self.sent.push(Probe { at: now, answered: false });
        let sequence = u16::try_from(self.sent.len()).unwrap_or(u16::MAX);
        let echo = Echo { identifier: self.identifier, sequence, data: &self.data };
        icmp::echo_request(self.family, &echo)
    }

    // listing: begin hear
    /// What a received packet is to us.
    ///
    /// The token decides, not the identifier: Linux writes its own number into that field, to know
    /// to which socket an answer belongs, and macOS gives every answer to every ICMP socket.
    pub fn hear(&mut self, packet: &[u8], now: Instant) -> Heard {
        let (_, bytes) = packet::split(packet);
        match icmp::parse(self.family, bytes) {
            Some(Message::EchoReply(echo)) if self.is_ours(echo.data) => {
                // ICMPv6's checksum counts the addresses in, and has been checked by the system.
                let intact = self.family == Family::V6 || checksum::is_right(bytes);
                if intact && echo.data == self.data {
                    self.answer(echo.sequence, now)
                } else {
                    Heard::Damaged
                }
            }
            Some(Message::Problem { says, quoted }) => self.problem(says, quoted),
            _ => Heard::Foreign,
        }
    }

    fn answer(&mut self, sequence: u16, now: Instant) -> Heard {
        let index = usize::from(sequence).wrapping_sub(1);
        let Some(probe) = self.sent.get_mut(index) else { return Heard::Damaged };
        if probe.answered {
            return Heard::Duplicate(sequence);
        }
        probe.answered = true;
        let round_trip = now.saturating_duration_since(probe.at);
        Heard::Answer { sequence, round_trip, late: round_trip > self.timeout }
    }
    // listing: end hear

    /// An error quotes no more than the beginning of our probe, perhaps without the token.
    fn problem(&self, says: &'static str, quoted: &[u8]) -> Heard {
        match icmp::parse(self.family, packet::split(quoted).1) {
            Some(Message::EchoRequest(echo)) if echo.identifier == self.identifier => {
                Heard::Problem(echo.sequence, says)
            }
            _ => Heard::Foreign,
        }
    }

    fn is_ours(&self, data: &[u8]) -> bool {
        data.get(..TOKEN_BYTES) == self.data.get(..TOKEN_BYTES)
    }

    /// Until when an answer to one of them can come in time; `None` if nothing is awaited (any
    /// more).
    pub fn awaited_until(&self) -> Option<Instant> {
        let open = self.sent.iter().filter(|probe| !probe.answered);
        open.map(|probe| probe.at + self.timeout).max()
    }
}
