use super::*;

const MS: Duration = Duration::from_millis(1);

#[test]
fn the_first_and_the_second_measurement_are_those_of_the_rfc() {
    let now = Instant::now();
    let mut trip = RoundTrip::new(200 * MS);
    assert_eq!(trip.rto(), 200 * MS);
    // SRTT = R, RTTVAR = R/2, RTO = SRTT + 4 RTTVAR (rule 2.2).
    trip.measure(80 * MS, now);
    assert_eq!(trip.rto(), (80 + 160) * MS);
    // RTTVAR = 3/4 · 40 + 1/4 · 40 = 40, SRTT = 7/8 · 80 + 1/8 · 120 = 85 (rule 2.3).
    trip.measure(120 * MS, now);
    assert_eq!(trip.rto(), (85 + 160) * MS);
}

#[test]
fn each_timeout_doubles_the_next_up_to_a_limit_and_an_answer_ends_that() {
    let mut trip = RoundTrip::new(200 * MS);
    let mut waits = Vec::new();
    for _ in 0..6 {
        waits.push(trip.rto());
        trip.back_off();
    }
    assert_eq!(waits, [200, 400, 800, 1600, 2000, 2000].map(Duration::from_millis));
    trip.measure(80 * MS, Instant::now());
    assert_eq!(trip.rto(), 240 * MS);
}

#[test]
fn the_shortest_round_trip_is_forgotten_in_time() {
    let start = Instant::now();
    let mut trip = RoundTrip::new(200 * MS);
    trip.measure(5 * MS, start);
    for second in 1..=9 {
        trip.measure(20 * MS, start + Duration::from_secs(second));
    }
    assert_eq!(trip.min_rtt(), 5 * MS);
    trip.measure(20 * MS, start + MEMORY);
    assert_eq!(trip.min_rtt(), 5 * MS, "the older half still counts");
    trip.measure(20 * MS, start + 2 * MEMORY);
    assert_eq!(trip.min_rtt(), 20 * MS);
}

#[test]
fn the_first_measurement_replaces_an_estimate_which_says_nothing_of_the_shortest() {
    let start = Instant::now();
    let mut trip = RoundTrip::new(100 * MS);
    assert_eq!(trip.ask(start), start + 100 * MS);
    trip.estimate(start + 20 * MS);
    assert_eq!((trip.smoothed_rtt(), trip.rto()), (20 * MS, (20 + 40 + 50) * MS));
    assert_eq!(trip.request_timeout(), trip.rto());
    assert_eq!(trip.min_rtt(), 100 * MS, "what was assumed");
    trip.measure(80 * MS, start);
    assert_eq!((trip.smoothed_rtt(), trip.rto()), (80 * MS, (80 + 160) * MS));
    assert_eq!(trip.request_timeout(), (80 + 160 + 50) * MS);
    assert_eq!(trip.min_rtt(), 80 * MS);
}
