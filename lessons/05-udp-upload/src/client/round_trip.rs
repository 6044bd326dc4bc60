//! How long an answer takes, and so how long to wait for one (RFC 6298).

use std::time::{Duration, Instant};

/// "The clock granularity G" of RFC 6298, generously: how late the system may wake us.
const GRANULARITY: Duration = Duration::from_millis(20);
/// No wait for an answer becomes longer by doubling (RFC 6298, rule 2.5, asks for at least
/// 60 seconds for TCP; a person waits for this program).
const MAX_WAIT: Duration = Duration::from_secs(2);
/// How long the shortest round trip is believed: paths change.
const MEMORY: Duration = Duration::from_secs(10);

/// What is known of the time between a packet and its answer.
pub struct RoundTrip {
    /// SRTT and RTTVAR; `None` before the first measurement.
    smoothed: Option<(Duration, Duration)>,
    initial: Duration,
    doublings: u32,
    shortest: Shortest,
}

impl RoundTrip {
    /// `initial`: how long to wait before anything was measured.
    pub fn new(initial: Duration) -> Self {
        Self { smoothed: None, initial, doublings: 0, shortest: Shortest::default() }
    }

    // listing: begin measure
    /// Takes a measurement. (It must be of *one* transmission: if a packet was sent twice, nobody
    /// can tell which of the two was answered, unless they are numbered as ours are. TCP has no such
    /// numbers and, without timestamps, must not measure then: Karn's algorithm, RFC 6298,
    /// section 3.)
    pub fn measure(&mut self, sample: Duration, now: Instant) {
        let (mean, variation) = match self.smoothed {
            None => (sample, sample / 2),
            Some((mean, variation)) => {
                let variation = variation * 3 / 4 + mean.abs_diff(sample) / 4;
                (mean * 7 / 8 + sample / 8, variation)
            }
        };
        self.smoothed = Some((mean, variation));
        self.doublings = 0;
        self.shortest.take(sample, now);
    }

    /// How long to wait for an answer before something is sent again (RTO).
    pub fn timeout(&self) -> Duration {
        let single = match self.smoothed {
            None => self.initial,
            Some((mean, variation)) => mean + (4 * variation).max(GRANULARITY),
        };
        // Each timeout doubles the next wait (exponential backoff), so that a network in trouble
        // gets rest.
        (single * 2_u32.pow(self.doublings)).min(MAX_WAIT.max(self.initial))
    }
    // listing: end measure

    /// How long to wait for the answer to a question that the server has to work for: to make a
    /// whole file durable takes longer than to acknowledge a block.
    pub fn patient_timeout(&self) -> Duration {
        self.timeout().max(self.initial)
    }

    /// A wait has timed out.
    pub fn back_off(&mut self) {
        self.doublings = (self.doublings + 1).min(16);
    }

    /// The mean of recent measurements; before the first one, what was assumed.
    pub fn mean(&self) -> Duration {
        self.smoothed.map_or(self.initial, |(mean, _)| mean)
    }

    /// The shortest recent one: the path itself, without a queue on it.
    pub fn shortest(&self) -> Duration {
        self.shortest.value().unwrap_or(self.initial)
    }
}

/// The smallest of the samples of the last [`MEMORY`] or a little more, in two halves: when the
/// newer one is full, it becomes the older one.
#[derive(Default)]
struct Shortest {
    older: Option<Duration>,
    newer: Option<(Duration, Instant)>,
}

impl Shortest {
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
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_first_and_the_second_measurement_are_those_of_the_rfc() {
        let now = Instant::now();
        let mut trip = RoundTrip::new(200 * MS);
        assert_eq!(trip.timeout(), 200 * MS);
        // SRTT = R, RTTVAR = R/2, RTO = SRTT + 4 RTTVAR (rule 2.2).
        trip.measure(80 * MS, now);
        assert_eq!(trip.timeout(), (80 + 160) * MS);
        // RTTVAR = 3/4 · 40 + 1/4 · 40 = 40, SRTT = 7/8 · 80 + 1/8 · 120 = 85 (rule 2.3).
        trip.measure(120 * MS, now);
        assert_eq!(trip.timeout(), (85 + 160) * MS);
    }

    #[test]
    fn each_wait_in_vain_doubles_the_next_up_to_a_limit_and_an_answer_ends_that() {
        let mut trip = RoundTrip::new(200 * MS);
        let mut waits = Vec::new();
        for _ in 0..6 {
            waits.push(trip.timeout());
            trip.back_off();
        }
        assert_eq!(waits, [200, 400, 800, 1600, 2000, 2000].map(Duration::from_millis));
        trip.measure(80 * MS, Instant::now());
        assert_eq!(trip.timeout(), 240 * MS);
    }

    #[test]
    fn the_shortest_round_trip_is_forgotten_in_time() {
        let start = Instant::now();
        let mut trip = RoundTrip::new(200 * MS);
        trip.measure(5 * MS, start);
        for second in 1..=9 {
            trip.measure(20 * MS, start + Duration::from_secs(second));
        }
        assert_eq!(trip.shortest(), 5 * MS);
        trip.measure(20 * MS, start + MEMORY);
        assert_eq!(trip.shortest(), 5 * MS, "the older half still counts");
        trip.measure(20 * MS, start + 2 * MEMORY);
        assert_eq!(trip.shortest(), 20 * MS);
    }
}
