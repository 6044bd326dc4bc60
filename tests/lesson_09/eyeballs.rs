//! `eyeballs`: a client that is given several addresses. The test plays the hosts: some are good, some
//! refuse, some do not answer (where the system can have that; see `netlab::filtered`).

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use graded::{Case, Client, Difference, Host, Output, Reserved, Running};
use rstest::rstest;

use super::{A_MOMENT, V4, V6};

/// So long that a program that waits for it is too late for any patience.
const NEVER: &str = "3600000";

fn case() -> Case {
    Case::of("09", "eyeballs")
}

/// IPv6 where the machine has it.
fn newer(case: &Case) -> IpAddr {
    if case.has_ipv6() { V6 } else { V4 }
}

/// Starts the client with these addresses.
fn start(case: &Case, addresses: &[SocketAddr], arguments: &[&str]) -> Running {
    let others: Vec<String> = addresses[1..].iter().map(ToString::to_string).collect();
    let others: Vec<&str> = others.iter().flat_map(|other| ["--addr", other]).collect();
    case.start_client(addresses[0], &[&others, arguments].concat())
}

/// The client that has won through to `host` has its conversation there, and ends well.
fn expect_success(host: &Host, client: &Running) {
    expect_success_on(&mut host.accept(), client);
}

fn expect_success_on(connection: &mut Client, client: &Running) {
    connection.expect("你好\n".as_bytes());
    connection.send(b"hello to you\n");
    client.expect_exit_having_printed(0, b"hello to you\n");
}

/// A conversation without any trouble: a program that fails at everything has not understood that
/// something is wrong.
fn expect_success_first(case: &Case) {
    let host = case.listen();
    let client = start(case, &[host.address()], &["你好"]);
    expect_success(&host, &client);
}

/// A connection beside the winner's may have come about; then it is closed without a byte.
fn expect_no_question(connection: Option<Client>) {
    if let Some(mut connection) = connection {
        connection.expect_end_without_a_byte();
    }
}

/// This must not have come earlier after the client's start. A machine that is slow makes it later.
fn expect_no_earlier(case: &Case, began: Instant, least_milliseconds: u64) {
    case.step(format!("this may not come earlier than {least_milliseconds} ms after the start"));
    let took = began.elapsed();
    // Some clocks tick only every 16 ms.
    if took < Duration::from_millis(least_milliseconds) * 19 / 20 {
        case.fail(Difference::fail(format!("it came after {} ms", took.as_millis())));
    }
}

/// One line on standard error that names each of the addresses.
fn expect_failure(case: &Case, client: &Running, addresses: &[SocketAddr]) -> Output {
    let output = client.expect_exit(1);
    case.step("it must print exactly one line on standard error, which names every address");
    let is_named = |address: &SocketAddr| output.stderr.contains(&address.to_string());
    if output.stderr.trim_end().lines().count() != 1 || !addresses.iter().all(is_named) {
        let what = format!("your program has printed {:?} on standard error", output.stderr);
        case.fail(Difference::fail(what));
    }
    if !output.stdout.is_empty() {
        case.fail(Difference::fail("and it has printed something on standard output"));
    }
    output
}

#[rstest]
#[case::hello("hello", "hello to you")]
#[case::chinese("你好", "你也好")]
#[case::nothing("", "")]
#[case::as_long_as_may_be("question", &"x".repeat(1024))]
fn a_line_goes_out_and_a_line_comes_back(#[case] text: &str, #[case] answer: &str) {
    let case = case();
    let (host, second) = (case.listen_at(newer(&case)), case.reserve());
    let client = start(&case, &[host.address(), second.address()], &[text]);
    let mut connection = host.accept();
    connection.expect(format!("{text}\n").as_bytes());
    let line = format!("{answer}\n");
    let (beginning, rest) = line.as_bytes().split_at(line.len() / 2);
    connection.send(beginning);
    connection.stay(A_MOMENT / 2);
    connection.send(rest);
    client.expect_exit_having_printed(0, line.as_bytes());
}

#[rstest]
fn the_first_address_that_works_is_the_only_one_tried() {
    let case = case();
    let hosts = [case.listen(), case.listen_at(newer(&case)), case.listen()];
    let addresses = [hosts[0].address(), hosts[1].address(), hosts[2].address()];
    for first in 0..3 {
        let mut addresses = addresses;
        addresses.rotate_left(first);
        let client = start(&case, &addresses, &["你好", "--delay", NEVER]);
        let mut connection = hosts[first].accept();
        for host in hosts.iter().filter(|host| host.address() != addresses[0]) {
            host.expect_nobody(2 * A_MOMENT);
        }
        expect_success_on(&mut connection, &client);
    }
}

#[rstest]
#[case::one(1)]
#[case::five(5)]
fn after_a_refusal_the_next_attempt_begins_at_once(#[case] count: usize) {
    let case = case();
    let ips = [newer(&case), V4];
    let refusing: Vec<Reserved> = (0..count).map(|n| case.reserve_at(ips[n % 2])).collect();
    let (host, last) = (case.listen(), case.listen());
    let mut addresses: Vec<_> = refusing.iter().map(Reserved::address).collect();
    addresses.extend([host.address(), last.address()]);
    let client = start(&case, &addresses, &["你好", "--delay", NEVER]);
    let mut connection = host.accept();
    last.expect_nobody(A_MOMENT);
    expect_success_on(&mut connection, &client);
}

/// The addresses that do not answer: `None` where the system has none. Then the rest is passed over.
fn filtered(case: &Case, count: usize) -> Option<Vec<SocketAddr>> {
    let ips = [newer(case), V4];
    let filtered: Option<Vec<_>> = (0..count).map(|n| case.filtered(ips[n % 2])).collect();
    if filtered.is_none() {
        case.step("this system has no port that does not answer, so the rest is passed over");
    }
    filtered
}

/// `d` is an address that does not answer, `r` one that refuses. The default delay is 250 ms; a
/// refusal ends only the delay that runs, so the next attempt has a whole one again.
#[rstest]
#[case::one("d", &["--delay", "800"], 800)]
#[case::three("ddd", &["--delay", "300"], 900)]
#[case::two_with_the_default_delay("dd", &[], 500)]
#[case::two_and_a_refusal_between("drd", &["--delay", "400"], 800)]
fn an_attempt_without_an_answer_has_its_delay_and_no_more(
    #[case] kinds: &str,
    #[case] delay: &[&str],
    #[case] least_milliseconds: u64,
) {
    let case = case();
    expect_success_first(&case);
    let Some(dead) = filtered(&case, kinds.matches('d').count()) else { return };
    let (refusing, host) = (case.reserve(), case.listen());
    case.tells_to_wait(Duration::from_millis(least_milliseconds));
    let mut dead = dead.into_iter();
    let address = |kind| if kind == 'd' { dead.next() } else { Some(refusing.address()) };
    let mut addresses: Vec<_> = kinds.chars().filter_map(address).collect();
    addresses.push(host.address());
    let began = Instant::now();
    let client = start(&case, &addresses, &[delay, &["你好"]].concat());
    let mut connection = host.accept();
    expect_no_earlier(&case, began, least_milliseconds);
    expect_success_on(&mut connection, &client);
}

/// Its system knocks again after a second, and then finds somebody.
#[rstest]
fn an_attempt_goes_on_when_the_next_begins() {
    let case = case();
    expect_success_first(&case);
    let Some(dead) = filtered(&case, 2) else { return };
    let client = start(&case, &dead, &["你好", "--delay", "100", "--timeout", "60000"]);
    client.expect_still_running(Duration::from_millis(500));
    let late = case.lift(dead[0]);
    expect_success(&late, &client);
}

#[rstest]
fn who_comes_second_is_closed_without_a_byte() {
    let case = case();
    expect_success_first(&case);
    let Some(dead) = filtered(&case, 1) else { return };
    let host = case.listen();
    let addresses = [dead[0], host.address()];
    let client = start(&case, &addresses, &["你好", "--delay", "100", "--timeout", "60000"]);
    let mut winner = host.accept();
    winner.expect("你好\n".as_bytes());
    let late = case.lift(dead[0]);
    // A client that has given its other attempts up does not come any more, which is right, too.
    let loser = late.accept_within(Duration::from_millis(1500));
    winner.send(b"hello to you\n");
    client.expect_exit_having_printed(0, b"hello to you\n");
    expect_no_question(loser);
}

/// Nobody can win at the second address, but a client that asks there would be heard.
#[rstest]
fn the_winner_is_waited_for_even_if_it_is_slow() {
    let case = case();
    let (host, later) = (case.listen(), case.reserve());
    let client = start(
        &case,
        &[host.address(), later.address()],
        &["你好", "--delay", "400", "--timeout", "60000"],
    );
    let mut winner = host.accept();
    winner.expect("你好\n".as_bytes());
    let too_late = later.listen().accept_within(7 * A_MOMENT);
    client.expect_still_running(A_MOMENT);
    winner.send(b"hello to you\n");
    client.expect_exit_having_printed(0, b"hello to you\n");
    expect_no_question(too_late);
}

#[rstest]
#[case::one(1)]
#[case::four(4)]
fn if_all_refuse_all_are_named(#[case] count: usize) {
    let case = case();
    expect_success_first(&case);
    let ips = [V4, newer(&case)];
    let refusing: Vec<Reserved> = (0..count).map(|n| case.reserve_at(ips[n % 2])).collect();
    let addresses: Vec<_> = refusing.iter().map(Reserved::address).collect();
    let client = start(&case, &addresses, &["你好", "--delay", NEVER]);
    expect_failure(&case, &client, &addresses);
}

#[rstest]
#[case::if_some_refuse_and_some_do_not_answer(&["--delay", "10"])]
#[case::also_before_all_are_tried(&["--delay", NEVER])]
fn the_time_limit_ends_it_and_all_are_named(#[case] delay: &[&str]) {
    let case = case();
    expect_success_first(&case);
    let Some(dead) = filtered(&case, 2) else { return };
    let refusing = case.reserve();
    let addresses = [refusing.address(), dead[0], dead[1]];
    let arguments = [delay, &["你好", "--timeout", "700"]].concat();
    case.tells_to_wait(Duration::from_millis(700));
    let began = Instant::now();
    let client = start(&case, &addresses, &arguments);
    expect_failure(&case, &client, &addresses);
    expect_no_earlier(&case, began, 700);
}

/// A time limit that a test can wait for, and yet so long that on no busy machine it is over before
/// there is a winner.
const SHORT_LIMIT: Duration = Duration::from_secs(1);

#[derive(Clone, Copy)]
enum Failure {
    Closes,
    Resets,
    IsSilent,
    EndsInTheLine,
}

#[rstest]
#[case::that_closes(Failure::Closes)]
#[case::that_resets(Failure::Resets)]
#[case::that_is_silent(Failure::IsSilent)]
#[case::that_ends_in_the_middle_of_the_line(Failure::EndsInTheLine)]
fn a_winner_is_final(#[case] failure: Failure) {
    let case = case();
    expect_success_first(&case);
    let (host, later) = (case.listen(), case.reserve());
    let addresses = [host.address(), later.address()];
    let is_silent = matches!(failure, Failure::IsSilent);
    let limit = if is_silent { SHORT_LIMIT } else { Duration::from_secs(60) };
    if is_silent {
        case.tells_to_wait(limit);
    }
    let limit = limit.as_millis().to_string();
    let client = start(&case, &addresses, &["你好", "--delay", NEVER, "--timeout", &limit]);
    let mut winner = host.accept();
    winner.expect("你好\n".as_bytes());
    let other = later.listen();
    match failure {
        Failure::Closes => winner.vanish(),
        Failure::Resets => winner.reset(),
        Failure::IsSilent => winner.stay(A_MOMENT),
        Failure::EndsInTheLine => {
            winner.send(b"hello to");
            winner.vanish();
        }
    }
    case.step("nobody else is asked in its place");
    expect_no_question(other.accept_within(3 * A_MOMENT));
    expect_failure(&case, &client, &addresses[..1]);
}
