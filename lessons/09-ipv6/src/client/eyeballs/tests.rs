//! Networks made of words, in made-up time.

use std::net::SocketAddr;
use std::time::Duration;

use netlab::rounds::few_or_all;
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use Family::{V4, V6};

const GIVE_UP: u64 = 10_000;

fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

/// Address number `host` of a family.
fn at(family: Family, host: u16) -> SocketAddr {
    match family {
        V6 => ([0x2001, 0xdb8, 0, 0, 0, 0, 0, host], 80).into(),
        V4 => ([192, 0, 2, u8::try_from(host).unwrap()], 80).into(),
    }
}

fn addresses(family: Family, count: u16) -> Vec<SocketAddr> {
    (1..=count).map(|host| at(family, host)).collect()
}

/// Both answers at time 0.
fn knowing(v6: u16, v4: u16) -> Eyeballs {
    preferring(V6, Settings::default(), v6, v4)
}

fn preferring(preferred: Family, settings: Settings, v6: u16, v4: u16) -> Eyeballs {
    let mut eyeballs = Eyeballs::new(preferred, settings);
    eyeballs.answered(V6, addresses(V6, v6), ms(0));
    eyeballs.answered(V4, addresses(V4, v4), ms(0));
    eyeballs
}

/// What is tried, and when, if nobody ever answers: until there is nothing but the end to wait for.
fn attempts_without_an_answer(eyeballs: &mut Eyeballs) -> Vec<(u64, SocketAddr)> {
    let (mut now, mut attempts) = (ms(0), Vec::new());
    loop {
        match eyeballs.step(now) {
            Step::Start(_, address) => {
                attempts.push((u64::try_from(now.as_millis()).unwrap(), address));
            }
            Step::WaitUntil(time) => now = time,
            Step::Failed => return attempts,
            won @ Step::Won(_) => panic!("{won:?} although nobody answered"),
        }
    }
}

#[test]
fn attempts_start_a_delay_apart_and_the_families_take_turns() {
    let expected =
        [(0, at(V6, 1)), (250, at(V4, 1)), (500, at(V6, 2)), (750, at(V4, 2)), (1000, at(V6, 3))];
    assert_eq!(attempts_without_an_answer(&mut knowing(3, 2)), expected);
}

#[rstest]
#[case::one(1, &[(V6, 1), (V4, 1), (V6, 2), (V4, 2), (V6, 3)])]
#[case::two(2, &[(V6, 1), (V6, 2), (V4, 1), (V6, 3), (V4, 2)])]
#[case::more_than_there_are(9, &[(V6, 1), (V6, 2), (V6, 3), (V4, 1), (V4, 2)])]
fn the_first_family_may_have_a_head_start(#[case] count: usize, #[case] order: &[(Family, u16)]) {
    let settings = Settings { first_family_count: count, ..Settings::default() };
    let tried = attempts_without_an_answer(&mut preferring(V6, settings, 3, 2));
    let tried: Vec<SocketAddr> = tried.into_iter().map(|(_, address)| address).collect();
    let order: Vec<SocketAddr> = order.iter().map(|(family, host)| at(*family, *host)).collect();
    assert_eq!(tried, order);
}

#[test]
fn a_system_that_prefers_ipv4_begins_with_ipv4() {
    let mut eyeballs = preferring(V4, Settings::default(), 1, 1);
    let expected = [(0, at(V4, 1)), (250, at(V6, 1))];
    assert_eq!(attempts_without_an_answer(&mut eyeballs), expected);
}

#[test]
fn a_failure_starts_the_next_attempt_at_once_but_not_closer_than_ten_milliseconds() {
    let mut eyeballs = knowing(2, 1);
    assert_eq!(eyeballs.step(ms(0)), Step::Start(0, at(V6, 1)));
    eyeballs.failed(0, "connection refused".into());
    assert_eq!(eyeballs.step(ms(1)), Step::WaitUntil(ms(10)));
    assert_eq!(eyeballs.step(ms(10)), Step::Start(1, at(V4, 1)));
    eyeballs.failed(1, "connection refused".into());
    assert_eq!(eyeballs.step(ms(90)), Step::Start(2, at(V6, 2)), "long enough apart: at once");
}

#[test]
fn the_failure_of_an_older_attempt_leaves_the_latest_its_time() {
    let mut eyeballs = knowing(2, 1);
    assert_eq!(eyeballs.step(ms(0)), Step::Start(0, at(V6, 1)));
    assert_eq!(eyeballs.step(ms(250)), Step::Start(1, at(V4, 1)));
    eyeballs.failed(0, "no route".into());
    assert_eq!(eyeballs.step(ms(260)), Step::WaitUntil(ms(500)));
}

#[test]
fn the_first_that_connects_wins_and_nothing_starts_after_it() {
    let mut eyeballs = knowing(3, 3);
    assert_eq!(eyeballs.step(ms(0)), Step::Start(0, at(V6, 1)));
    assert_eq!(eyeballs.step(ms(250)), Step::Start(1, at(V4, 1)));
    eyeballs.connected(1);
    eyeballs.connected(0);
    assert_eq!(eyeballs.step(ms(251)), Step::Won(1));
    assert_eq!(eyeballs.step(ms(5000)), Step::Won(1), "also long after");
}

#[test]
fn an_early_attempt_may_win_after_later_ones_have_started() {
    let mut eyeballs = knowing(1, 1);
    assert_eq!(eyeballs.step(ms(0)), Step::Start(0, at(V6, 1)));
    assert_eq!(eyeballs.step(ms(250)), Step::Start(1, at(V4, 1)));
    eyeballs.failed(1, "connection refused".into());
    eyeballs.connected(0);
    assert_eq!(eyeballs.step(ms(300)), Step::Won(0));
}

#[test]
fn an_answer_with_ipv6_addresses_is_used_at_once() {
    let mut eyeballs = Eyeballs::new(V6, Settings::default());
    assert_eq!(eyeballs.step(ms(0)), Step::WaitUntil(ms(GIVE_UP)));
    eyeballs.answered(V6, addresses(V6, 1), ms(30));
    assert_eq!(eyeballs.step(ms(30)), Step::Start(0, at(V6, 1)));
    // IPv4 is still being asked: all that has been tried may fail, and yet there is hope.
    eyeballs.failed(0, "no route".into());
    assert_eq!(eyeballs.step(ms(40)), Step::WaitUntil(ms(GIVE_UP)));
    eyeballs.answered(V4, addresses(V4, 1), ms(60));
    assert_eq!(eyeballs.step(ms(60)), Step::Start(1, at(V4, 1)));
}

#[test]
fn an_answer_with_ipv4_addresses_waits_a_moment_for_the_other() {
    let mut eyeballs = Eyeballs::new(V6, Settings::default());
    eyeballs.answered(V4, addresses(V4, 1), ms(30));
    assert_eq!(eyeballs.step(ms(30)), Step::WaitUntil(ms(80)));
    eyeballs.answered(V6, addresses(V6, 1), ms(50));
    assert_eq!(eyeballs.step(ms(50)), Step::Start(0, at(V6, 1)));
    assert_eq!(eyeballs.step(ms(50)), Step::WaitUntil(ms(300)));
}

#[test]
fn when_the_moment_is_over_ipv4_goes_first_and_ipv6_joins_when_it_comes() {
    let mut eyeballs = Eyeballs::new(V6, Settings::default());
    eyeballs.answered(V4, addresses(V4, 2), ms(30));
    assert_eq!(eyeballs.step(ms(80)), Step::Start(0, at(V4, 1)));
    eyeballs.answered(V6, addresses(V6, 1), ms(200));
    assert_eq!(eyeballs.step(ms(200)), Step::WaitUntil(ms(330)));
    assert_eq!(eyeballs.step(ms(330)), Step::Start(1, at(V6, 1)), "it takes its turn");
    assert_eq!(eyeballs.step(ms(580)), Step::Start(2, at(V4, 2)));
}

#[test]
fn an_answer_that_there_is_no_ipv6_ends_the_moment() {
    let mut eyeballs = Eyeballs::new(V6, Settings::default());
    eyeballs.answered(V4, addresses(V4, 1), ms(30));
    eyeballs.answered(V6, Vec::new(), ms(35));
    assert_eq!(eyeballs.step(ms(35)), Step::Start(0, at(V4, 1)));
}

#[test]
fn all_have_failed_is_known_at_once_and_each_has_its_reason() {
    let mut eyeballs = knowing(1, 1);
    assert_eq!(eyeballs.step(ms(0)), Step::Start(0, at(V6, 1)));
    eyeballs.failed(0, "no route".into());
    assert_eq!(eyeballs.step(ms(10)), Step::Start(1, at(V4, 1)));
    eyeballs.failed(1, "connection refused".into());
    assert_eq!(eyeballs.step(ms(11)), Step::Failed);
    let reasons: Vec<_> =
        eyeballs.attempts().iter().map(|a| (a.address, a.failure.as_deref())).collect();
    let expected = [(at(V6, 1), Some("no route")), (at(V4, 1), Some("connection refused"))];
    assert_eq!(reasons, expected);
}

#[test]
fn a_name_without_any_address_fails_at_once() {
    assert_eq!(knowing(0, 0).step(ms(0)), Step::Failed);
}

#[test]
fn who_never_answers_is_given_up_in_the_end() {
    let mut eyeballs = knowing(1, 0);
    assert_eq!(eyeballs.step(ms(0)), Step::Start(0, at(V6, 1)));
    assert_eq!(eyeballs.step(ms(1)), Step::WaitUntil(ms(GIVE_UP)));
    assert_eq!(eyeballs.step(ms(GIVE_UP)), Step::Failed);
    assert_eq!(eyeballs.attempts()[0].failure, None);
}

/// What becomes of one attempt, after how many milliseconds.
#[derive(Clone, Debug)]
enum Fate {
    Connects(u64),
    Fails(u64),
    Silence,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        (0_u64..2_000).prop_map(Fate::Connects),
        (0_u64..2_000).prop_map(Fate::Fails),
        Just(Fate::Silence),
    ]
}

/// Plays a network of such fates to its end, and returns that and when each attempt was started.
fn play(eyeballs: &mut Eyeballs, fates: &[Fate]) -> (Step, Vec<Duration>) {
    let (mut now, mut started) = (ms(0), Vec::new());
    let mut coming: Vec<(Duration, usize)> = Vec::new();
    loop {
        let until = match eyeballs.step(now) {
            Step::Start(number, _) => {
                started.push(now);
                if let Fate::Connects(after) | Fate::Fails(after) = fates[number] {
                    coming.push((now + ms(after), number));
                }
                continue;
            }
            Step::WaitUntil(until) => until,
            end => return (end, started),
        };
        assert!(until > now, "a wait that is over already would never end");
        coming.sort();
        match coming.first().copied() {
            Some((time, number)) if time <= until => {
                coming.remove(0);
                now = now.max(time);
                match fates[number] {
                    Fate::Connects(_) => eyeballs.connected(number),
                    _ => eyeballs.failed(number, "as it was fated".into()),
                }
            }
            _ => now = until,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(few_or_all(100, 2_000)))]

    #[test]
    fn every_network_comes_to_an_end_and_wins_if_anybody_answers(
        v6 in 0_u16..5,
        v4 in 0_u16..5,
        fates in proptest::collection::vec(fate(), 10),
    ) {
        let mut eyeballs = knowing(v6, v4);
        let (end, started) = play(&mut eyeballs, &fates);
        let fates = &fates[..usize::from(v6 + v4)];
        let somebody_answers = fates.iter().any(|fate| matches!(fate, Fate::Connects(_)));
        // Nobody of ten, a delay apart, is later than the ten seconds before it is given up.
        match end {
            Step::Won(number) => prop_assert!(matches!(fates[number], Fate::Connects(_))),
            end => {
                prop_assert_eq!(end, Step::Failed);
                prop_assert!(!somebody_answers);
                prop_assert_eq!(started.len(), fates.len(), "each has been tried");
            }
        }
        for pair in started.windows(2) {
            prop_assert!(pair[1] >= pair[0] + CLOSEST_STARTS);
            prop_assert!(pair[1] <= pair[0] + Settings::default().attempt_delay);
        }
    }
}
