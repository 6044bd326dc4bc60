//! How long an answer takes, and so how long to wait for one (RFC 6298; RFC 9002, section 6.2).

use std::time::{Duration, Instant};

/// "The clock granularity G" of RFC 6298, generously: how late the system may wake us.
const GRANULARITY: Duration = Duration::from_millis(20);
/// How much longer than a round trip an answer to a question may take: before the server says
/// `stored`, it makes a whole file durable. (`max_ack_delay` in RFC 9002, section 6.2.1. For blocks
/// it is 0: the server acknowledges them at once.)
const MAX_ANSWER_DELAY: Duration = Duration::from_millis(50);
/// No wait for an answer becomes longer by doubling (RFC 6298, rule 2.5, asks for at least
/// 60 seconds for TCP; a person waits for this program).
const MAX_WAIT: Duration = Duration::from_secs(2);
/// How long the minimum RTT is believed: paths change.
const MEMORY: Duration = Duration::from_secs(10);

/// What is known of the time between a packet and its answer.
pub struct RoundTrip {
    /// SRTT and RTTVAR; `None` before the first measurement or estimate.
    smoothed: Option<(Duration, Duration)>,
    initial: Duration,
    doublings: u32,
    /// When the latest question was asked.
    asked: Option<Instant>,
    min_rtt: MinRtt,
}

impl RoundTrip {
    /// `initial`: how long to wait before anything was measured. (TCP and QUIC wait for a second:
    /// RFC 6298, rule 2.1; RFC 9002, section 6.2.2. We ask sooner, as an `open` is one small packet.)
    pub fn new(initial: Duration) -> Self {
        Self { smoothed: None, initial, doublings: 0, asked: None, min_rtt: MinRtt::default() }
    }

    /// A question (open, close) is asked; returns when its answer will be overdue.
    pub fn ask(&mut self, now: Instant) -> Instant {
        self.asked = Some(now);
        now + self.request_timeout()
    }

    /// The token has come. How long it took replaces `initial`, as with QUIC's Retry (RFC 9002,
    /// section 6.3), until a block is measured: on a narrow link that takes longer. But if the
    /// question was repeated, nobody knows which of them was answered (see [`measure`](Self::measure)).
    pub fn estimate(&mut self, now: Instant) {
        if let Some(asked) = self.asked.filter(|_| self.doublings == 0) {
            let round_trip = now.saturating_duration_since(asked);
            self.smoothed = Some((round_trip, round_trip / 2));
        }
    }

    // listing: begin measure
    /// Takes a measurement. (It must be of *one* transmission: if a packet was sent twice, nobody
    /// can tell which of the two was answered, unless they are numbered as ours are. TCP has no such
    /// numbers and, without timestamps, must not measure then: Karn's algorithm, RFC 6298,
    /// section 3.)
    pub fn measure(&mut self, sample: Duration, now: Instant) {
        let (srtt, rttvar) = match self.smoothed {
            Some((srtt, rttvar)) if self.min_rtt.value().is_some() => {
                let rttvar = rttvar * 3 / 4 + srtt.abs_diff(sample) / 4;
                (srtt * 7 / 8 + sample / 8, rttvar)
            }
            _ => (sample, sample / 2),
        };
        self.smoothed = Some((srtt, rttvar));
        self.doublings = 0;
        self.min_rtt.take(sample, now);
    }

    /// How long to wait for an acknowledgement of blocks before one of them is sent again; and
    /// longer before the first, as a single estimate says little of how long that may take.
    pub fn rto(&self) -> Duration {
        let is_measured = self.min_rtt.value().is_some();
        self.probe_timeout(if is_measured { Duration::ZERO } else { MAX_ANSWER_DELAY })
    }

    /// How long to wait for the answer to a question before it is repeated.
    pub fn request_timeout(&self) -> Duration {
        self.probe_timeout(MAX_ANSWER_DELAY)
    }

    /// The probe timeout of RFC 9002, section 6.2.1: TCP's retransmission timeout without its lower
    /// bound of a second (RFC 6298, rule 2.4). TCP's tail loss probe waits for two round trips
    /// (RFC 8985, section 7.2). Unlike QUIC's, our timer does not start again with each packet that is
    /// sent, only when something arrives (RFC 6298, rule 5.3).
    fn probe_timeout(&self, max_ack_delay: Duration) -> Duration {
        let single = match self.smoothed {
            None => self.initial,
            Some((srtt, rttvar)) => srtt + (4 * rttvar).max(GRANULARITY) + max_ack_delay,
        };
        // Each timeout doubles the next wait (exponential backoff), so that a network in trouble
        // gets rest.
        (single * 2_u32.pow(self.doublings)).min(MAX_WAIT.max(self.initial))
    }
    // listing: end measure

    /// Backs off exponentially, after a timeout.
    pub fn back_off(&mut self) {
        self.doublings = (self.doublings + 1).min(16);
    }

    /// The smoothed RTT (SRTT); before the first measurement, what was assumed.
    pub fn smoothed_rtt(&self) -> Duration {
        self.smoothed.map_or(self.initial, |(srtt, _)| srtt)
    }

    /// The recent minimum RTT: the path itself, without a queue on it.
    pub fn min_rtt(&self) -> Duration {
        self.min_rtt.value().unwrap_or(self.initial)
    }
}

/// The smallest of the samples of the last [`MEMORY`] or a little more, in two halves: when the
/// newer one is full, it becomes the older one.
#[derive(Default)]
struct MinRtt {
    older: Option<Duration>,
    newer: Option<(Duration, Instant)>,
}

impl MinRtt {
    fn take(&mut self, sample: Duration, now: Instant) {
        self.newer = match self.newer {
            Some((value, since)) if now.duration_since(since) < MEMORY => {
                Some((value.min(sample), since))
            }
            full => {
                self.older = full.map(|(value, _)| value);
                Some((sample, now))
            }
        };
    }

    fn value(&self) -> Option<Duration> {
        self.older.into_iter().chain(self.newer.map(|(value, _)| value)).min()
    }
}

#[cfg(test)]
mod tests;
