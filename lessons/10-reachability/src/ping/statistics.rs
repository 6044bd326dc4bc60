//! Round-trip times: smallest, mean, largest, and how far they scatter.

use std::fmt;
use std::time::Duration;

// listing: begin statistics
/// What is kept of all round trips: five numbers, however many there are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RoundTrips {
    count: u32,
    least_ms: f64,
    most_ms: f64,
    mean_ms: f64,
    /// The sum of the squared distances from the mean.
    squares_ms2: f64,
}

impl RoundTrips {
    /// Counts one more in, with Welford's method: the mean moves a little towards each new number.
    /// (The mean of the squares less the square of the mean is the same on paper; but it subtracts
    /// two large numbers that are nearly equal, and the digits that matter are lost.)
    pub fn add(&mut self, round_trip: Duration) {
        let ms = round_trip.as_secs_f64() * 1000.0;
        self.count += 1;
        self.least_ms = if self.count == 1 { ms } else { self.least_ms.min(ms) };
        self.most_ms = self.most_ms.max(ms);
        let before = ms - self.mean_ms;
        self.mean_ms += before / f64::from(self.count);
        self.squares_ms2 += before * (ms - self.mean_ms);
    }

    /// The standard deviation of these very numbers (divided by n, not by n − 1): what the system's
    /// ping calls `mdev`.
    fn deviation_ms(&self) -> f64 {
        (self.squares_ms2 / f64::from(self.count.max(1))).sqrt()
    }
}
// listing: end statistics

impl fmt::Display for RoundTrips {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (least, mean, most) = (self.least_ms, self.mean_ms, self.most_ms);
        let deviation = self.deviation_ms();
        write!(f, "min/avg/max/stddev {least:.3}/{mean:.3}/{most:.3}/{deviation:.3} ms")
    }
}
