//! Probes, answers and times that are made up: no socket and no waiting.

use std::sync::{Arc, Mutex};

use super::plan::interval;
use super::probes::Heard;
use super::statistics::RoundTrips;
use super::*;
use crate::icmp::checksum::checksum;
use rstest::rstest;

const LIMIT: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

/// The answer that a host gives: another type, and for IPv4 another checksum.
fn answer(family: Family, request: &[u8]) -> Vec<u8> {
    let mut answer = request.to_vec();
    answer[0] = if family == Family::V4 { 0 } else { 129 };
    mend(&mut answer);
    answer
}

fn mend(message: &mut [u8]) {
    message[2..4].fill(0);
    let right = checksum(message);
    message[2..4].copy_from_slice(&right.to_be_bytes());
}

/// What macOS hands out: the same behind an IPv4 header.
fn with_header(message: &[u8]) -> Vec<u8> {
    [&[0x45][..], &[0; 19], message].concat()
}

fn probes(family: Family) -> (Probes, Instant) {
    (Probes::new(family, 56, LIMIT), Instant::now())
}

// Which probe a message answers

#[rstest]
#[case::v4(Family::V4)]
#[case::v6(Family::V6)]
fn an_answer_is_known_with_its_round_trip(#[case] family: Family) {
    let (mut probes, start) = probes(family);
    let requests = [probes.send(start), probes.send(start + 10 * MS)];
    let heard = probes.hear(&answer(family, &requests[1]), start + 13 * MS);
    assert_eq!(heard, Heard::Answer { sequence: 2, round_trip: 3 * MS, late: false });
    let heard = probes.hear(&answer(family, &requests[0]), start + 15 * MS);
    assert_eq!(heard, Heard::Answer { sequence: 1, round_trip: 15 * MS, late: false });
}

#[test]
fn an_answer_behind_an_ipv4_header_is_the_same() {
    let (mut probes, start) = probes(Family::V4);
    let request = probes.send(start);
    let heard = probes.hear(&with_header(&answer(Family::V4, &request)), start + MS);
    assert_eq!(heard, Heard::Answer { sequence: 1, round_trip: MS, late: false });
}

/// As Linux does.
#[test]
fn another_identifier_does_not_matter() {
    let (mut probes, start) = probes(Family::V4);
    let mut answer = answer(Family::V4, &probes.send(start));
    answer[4] ^= 0xff;
    mend(&mut answer);
    assert!(matches!(probes.hear(&answer, start), Heard::Answer { sequence: 1, .. }));
}

#[test]
fn a_second_answer_is_a_duplicate_and_a_slow_one_is_late() {
    let (mut probes, start) = probes(Family::V4);
    let answer = answer(Family::V4, &probes.send(start));
    let heard = probes.hear(&answer, start + LIMIT + MS);
    assert_eq!(heard, Heard::Answer { sequence: 1, round_trip: LIMIT + MS, late: true });
    assert_eq!(probes.hear(&answer, start + LIMIT + 2 * MS), Heard::Duplicate(1));
}

#[test]
fn what_is_not_ours_is_foreign() {
    let (mut probes, start) = probes(Family::V4);
    let request = probes.send(start);
    // Our own question, which some systems hand us too; somebody else's answer; noise.
    assert_eq!(probes.hear(&request, start), Heard::Foreign);
    let mut others = Probes::new(Family::V4, 56, LIMIT);
    let theirs = answer(Family::V4, &others.send(start));
    assert_eq!(probes.hear(&theirs, start), Heard::Foreign);
    for noise in [&[][..], &[0; 7], &[0; 8], &[0xff; 80]] {
        assert_eq!(probes.hear(noise, start), Heard::Foreign);
    }
    assert!(matches!(probes.hear(&answer(Family::V4, &request), start), Heard::Answer { .. }));
}

#[rstest]
#[case::a_byte_changed(|answer: &mut Vec<u8>| answer[30] ^= 1)]
#[case::a_byte_less(|answer: &mut Vec<u8>| _ = answer.pop())]
#[case::a_byte_more(|answer: &mut Vec<u8>| answer.push(1))]
#[case::a_probe_never_sent(|answer: &mut Vec<u8>| answer[7] = 2)]
#[case::probe_zero(|answer: &mut Vec<u8>| answer[7] = 0)]
fn an_answer_with_our_token_and_something_else_is_damaged(#[case] damage: fn(&mut Vec<u8>)) {
    let (mut probes, start) = probes(Family::V4);
    let mut answer = answer(Family::V4, &probes.send(start));
    damage(&mut answer);
    assert_eq!(probes.hear(&answer, start), Heard::Damaged, "the checksum shows it");
    mend(&mut answer);
    assert_eq!(probes.hear(&answer, start), Heard::Damaged, "the data shows it");
}

#[test]
fn a_problem_is_ours_if_it_quotes_our_probe() {
    let (mut probes, start) = probes(Family::V4);
    let request = probes.send(start);
    let unreachable = |quoted: &[u8]| [&[3, 1, 0, 0, 0, 0, 0, 0][..], quoted].concat();
    // RFC 792 quotes the IP header and 8 bytes.
    let quoted = with_header(&request[..8]);
    let heard = probes.hear(&with_header(&unreachable(&quoted)), start);
    assert_eq!(heard, Heard::Problem(1, "host unreachable"));
    let mut theirs = request.clone();
    theirs[4] ^= 1;
    let heard = probes.hear(&unreachable(&with_header(&theirs[..8])), start);
    assert_eq!(heard, Heard::Foreign);
    assert_eq!(probes.hear(&unreachable(&quoted[..19]), start), Heard::Foreign);
}

#[test]
fn what_is_awaited_is_the_last_probe_without_an_answer() {
    let (mut probes, start) = probes(Family::V4);
    assert_eq!(probes.awaited_until(), None);
    let requests: Vec<_> = (0..3).map(|n| probes.send(start + n * MS)).collect();
    assert_eq!(probes.awaited_until(), Some(start + LIMIT + 2 * MS));
    probes.hear(&answer(Family::V4, &requests[2]), start);
    assert_eq!(probes.awaited_until(), Some(start + LIMIT + MS));
    probes.hear(&answer(Family::V4, &requests[0]), start);
    probes.hear(&answer(Family::V4, &requests[1]), start);
    assert_eq!(probes.awaited_until(), None);
}

// The rate

#[test]
fn probes_leave_one_interval_apart_and_never_more_than_were_asked_for() {
    let start = Instant::now();
    let mut pacer = Pacer::new(3, 100 * MS, start);
    let left: Vec<u32> = (0..1000).filter(|&ms| pacer.lets_go(start + ms * MS)).collect();
    assert_eq!(left, [0, 100, 200]);
    assert_eq!(pacer.next(), None);
}

#[test]
fn what_was_missed_is_not_made_up_for() {
    let start = Instant::now();
    let mut pacer = Pacer::new(10, 100 * MS, start);
    assert!(pacer.lets_go(start));
    let later = start + Duration::from_secs(60);
    assert!(pacer.lets_go(later));
    assert!(!pacer.lets_go(later + 99 * MS));
    assert_eq!(pacer.next(), Some(later + 100 * MS));
}

#[rstest]
#[case("0.1", Some(100))]
#[case("2", Some(2000))]
#[case("0.0999", None)]
#[case("0", None)]
#[case("-1", None)]
#[case("often", None)]
fn the_interval_has_a_least_length(#[case] text: &str, #[case] ms: Option<u32>) {
    assert_eq!(interval(text).ok(), ms.map(|ms| ms * MS));
}

// The numbers

#[rstest]
#[case::one(&[5], "5.000/5.000/5.000/0.000")]
#[case::equal(&[7, 7, 7], "7.000/7.000/7.000/0.000")]
#[case::some(&[2, 4, 4, 4, 5, 5, 7, 9], "2.000/5.000/9.000/2.000")]
#[case::largest_first(&[9, 1], "1.000/5.000/9.000/4.000")]
fn round_trips_are_summed_up(#[case] ms: &[u32], #[case] expected: &str) {
    let mut round_trips = RoundTrips::default();
    for &ms in ms {
        round_trips.add(ms * MS);
    }
    assert_eq!(round_trips.to_string(), format!("min/avg/max/stddev {expected} ms"));
}

/// A mean of a minute that scatters by a microsecond: here the shorter formula loses its digits.
#[test]
fn a_small_scatter_around_a_large_mean_is_not_lost() {
    let mut round_trips = RoundTrips::default();
    for us in [-1_i32, 1].repeat(50) {
        let us = u64::try_from(60_000_000_i64 + i64::from(us)).unwrap();
        round_trips.add(Duration::from_micros(us));
    }
    assert!(round_trips.to_string().ends_with("/0.001 ms"), "{round_trips}");
}

/// A place to write to that can be read afterwards.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn told(plan_count: u16, events: &[Heard]) -> Vec<String> {
    let page = Page::default();
    let plan = Plan { count: plan_count, interval: LIMIT, timeout: LIMIT, size: 56 };
    let mut tally = Tally::begin("127.0.0.1", &plan, Box::new(page.clone())).unwrap();
    (0..plan_count).for_each(|_| tally.sent(Ok(64)).unwrap());
    for heard in events {
        tally.heard(heard).unwrap();
    }
    tally.end().unwrap();
    let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn came(sequence: u16, ms: u32, late: bool) -> Heard {
    Heard::Answer { sequence, round_trip: ms * MS, late }
}

#[test]
fn every_event_is_told_and_counted() {
    let events = [
        came(1, 1, false),
        Heard::Duplicate(1),
        Heard::Foreign,
        Heard::Damaged,
        Heard::Problem(2, "host unreachable"),
        came(3, 3, true),
    ];
    assert_eq!(
        told(4, &events),
        [
            "ping 127.0.0.1: 4 probes with 56 bytes of data",
            "answer to probe 1 after 1.000 ms",
            "probe 1 is answered once more",
            "an answer that is not what was sent",
            "probe 2: host unreachable",
            "answer to probe 3 after 3.000 ms, late",
            "4 sent, 2 answered, 1 late, 1 answered again, 2 in error, 50% lost; \
             round trip min/avg/max/stddev 1.000/2.000/3.000/1.000 ms",
        ]
    );
}

#[rstest]
#[case::all(1, 0, "1 sent, 0 answered, 100% lost")]
#[case::a_third(3, 2, "3 sent, 2 answered, 33.3% lost; round trip ")]
#[case::none(2, 2, "2 sent, 2 answered, 0% lost; round trip ")]
fn the_loss_is_what_never_came(#[case] sent: u16, #[case] answered: u16, #[case] says: &str) {
    let events: Vec<_> = (1..=answered).map(|sequence| came(sequence, 1, false)).collect();
    let lines = told(sent, &events);
    assert!(lines.last().unwrap().starts_with(says), "{lines:?}");
}

#[test]
fn a_probe_that_is_not_sent_is_lost_and_an_error() {
    let page = Page::default();
    let plan = Plan { count: 1, interval: LIMIT, timeout: LIMIT, size: 56 };
    let mut tally = Tally::begin("127.0.0.1", &plan, Box::new(page.clone())).unwrap();
    tally.sent(Err(ErrorKind::NetworkUnreachable.into())).unwrap();
    assert!(!tally.expects_errors());
    tally.end().unwrap();
    let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
    assert!(text.starts_with("ping 127.0.0.1: 1 probe with 56 bytes of data\n"), "{text}");
    assert!(text.contains("\nprobe 1 not sent: network unreachable; "), "{text}");
    assert!(text.ends_with("\n1 sent, 0 answered, 1 in error, 100% lost\n"), "{text}");
}
