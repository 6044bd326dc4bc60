//! `probe`: a client that tells whether TCP ports are open. The test has the ports.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use graded::{Case, Client, Difference, Host, Running};
use netlab::conditions::Conditions;
use netlab::record::Transport;
use rstest::rstest;

use super::{A_MOMENT, expect_refused};

/// So long that no probe is over by itself while a test lasts.
const FOR_EVER: &[&str] = &["--timeout", "86400000"];
/// So short that a test can wait for it.
const SOON: &[&str] = &["--timeout", "400"];
/// So long that no busy machine lets it pass between two bytes that drip.
const LIMIT: Duration = Duration::from_secs(1);
const AT_ONCE: usize = 4;

fn case() -> Case {
    Case::of("10", "probe")
}

fn hosts(case: &Case, count: usize) -> Vec<Host> {
    (0..count).map(|_| case.listen()).collect()
}

/// A port that refuses for as long as the case lasts.
fn closed(case: &Case) -> SocketAddr {
    let conditions = Conditions { refuse: true, ..Conditions::default() };
    let nobody = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
    case.network(Transport::Tcp, nobody, conditions)
}

/// Starts the program on these ports, in this order.
fn start(case: &Case, options: &[&str], targets: &[SocketAddr]) -> Running {
    let ports: Vec<String> = targets[1..].iter().map(|target| target.port().to_string()).collect();
    let ports: Vec<&str> = ports.iter().map(String::as_str).collect();
    case.start_client(targets[0], &[options, &ports].concat())
}

/// Expects these results, a line each, and the exit code that follows from them.
fn expect_results(client: &Running, results: &[(SocketAddr, &str)]) {
    let line = |(target, found): &(SocketAddr, &str)| format!("{} {found}\n", target.port());
    let printed: String = results.iter().map(line).collect();
    let all_are_open = results.iter().all(|(_, found)| found.starts_with("open"));
    client.expect_exit_having_printed(i32::from(!all_are_open), printed.as_bytes());
}

/// A connection over which nothing may come but the close.
fn expect_a_look(host: &Host) {
    host.accept().expect_close();
}

#[rstest]
fn an_open_port_is_connected_to_and_left_again() {
    let case = case();
    let host = case.listen();
    let client = start(&case, FOR_EVER, &[host.address()]);
    expect_a_look(&host);
    expect_results(&client, &[(host.address(), "open")]);
    host.expect_nobody(A_MOMENT);
}

/// The program is told to wait for a day: but here is an answer.
#[rstest]
fn a_closed_port_is_told_at_once() {
    let case = case();
    let target = closed(&case);
    let client = start(&case, FOR_EVER, &[target]);
    expect_results(&client, &[(target, "closed")]);
}

#[rstest]
fn a_port_that_gives_no_answer_is_filtered() {
    let case = case();
    let Some(target) = case.filtered(Ipv4Addr::LOCALHOST.into()) else {
        case.step("this system has no port that gives no answer");
        return;
    };
    case.tells_to_wait(4 * A_MOMENT);
    let client = start(&case, SOON, &[target]);
    expect_results(&client, &[(target, "filtered")]);
}

#[rstest]
#[case::before_or_after_it_is_noticed(&[])]
#[case::while_a_banner_is_awaited(&["--banner"])]
fn a_port_that_resets_is_open(#[case] options: &[&str]) {
    let case = case();
    let host = case.listen();
    let client = start(&case, &[FOR_EVER, options].concat(), &[host.address()]);
    host.accept().reset();
    expect_results(&client, &[(host.address(), "open")]);
}

/// The closed ports are known first, the filtered ones last.
#[rstest]
fn the_results_come_in_the_order_asked_for() {
    let case = case();
    let (hosts, closed) = (hosts(&case, 3), closed(&case));
    let open = |index: usize| (hosts[index].address(), "open");
    let slow = case.filtered(Ipv4Addr::LOCALHOST.into()).map(|address| (address, "filtered"));
    let mut results = vec![open(2), (closed, "closed"), open(0), (closed, "closed"), open(1)];
    if let Some(slow) = slow {
        results.insert(0, slow);
        results.insert(4, slow);
    }
    let targets: Vec<SocketAddr> = results.iter().map(|(target, _)| *target).collect();
    let client = start(&case, if slow.is_some() { SOON } else { FOR_EVER }, &targets);
    hosts.iter().for_each(expect_a_look);
    expect_results(&client, &results);
}

/// Sixteen at most: one in `--addr` and fifteen more.
#[rstest]
fn sixteen_ports_may_be_asked_for() {
    let case = case();
    let host = case.listen();
    let targets = [host.address(); 16];
    let client = start(&case, FOR_EVER, &targets);
    for _ in 0..targets.len() {
        expect_a_look(&host);
    }
    expect_results(&client, &targets.map(|target| (target, "open")));
    host.expect_nobody(A_MOMENT);
}

/// Ports whose probes last until they are told something.
struct Slow {
    case: Case,
    hosts: Vec<Host>,
    client: Running,
}

impl Slow {
    fn start(count: usize) -> Self {
        let case = case();
        let hosts = hosts(&case, count);
        let targets: Vec<SocketAddr> = hosts.iter().map(Host::address).collect();
        let client = start(&case, &[FOR_EVER, &["--banner"]].concat(), &targets);
        Self { case, hosts, client }
    }

    fn expect_nobody_at(&self, from: usize) {
        self.case.step("the other ports are not asked yet");
        for host in &self.hosts[from..] {
            host.expect_nobody(A_MOMENT / 4);
        }
    }

    fn expect_results(&self) {
        let said: Vec<String> =
            (0..self.hosts.len()).map(|index| format!("open port number {index}")).collect();
        let results: Vec<(SocketAddr, &str)> =
            self.hosts.iter().zip(&said).map(|(h, said)| (h.address(), said.as_str())).collect();
        expect_results(&self.client, &results);
    }
}

/// The probe of port number `index` is over.
fn end(index: usize, mut connection: Client) {
    connection.send(format!("port number {index}\n").as_bytes());
    connection.expect_close();
}

#[rstest]
fn no_more_than_four_are_asked_at_once() {
    let slow = Slow::start(7);
    let first: Vec<Client> = slow.hosts[..AT_ONCE].iter().map(Host::accept).collect();
    slow.expect_nobody_at(AT_ONCE);
    // All four end, so that also a program which asks in groups goes on.
    for (index, connection) in first.into_iter().enumerate() {
        end(index, connection);
    }
    let rest: Vec<Client> = slow.hosts[AT_ONCE..].iter().map(Host::accept).collect();
    for (index, connection) in rest.into_iter().enumerate().rev() {
        end(AT_ONCE + index, connection);
    }
    slow.expect_results();
}

#[rstest]
fn the_next_begins_as_soon_as_one_is_over() {
    let slow = Slow::start(6);
    let mut in_flight: Vec<(usize, Client)> =
        (0..AT_ONCE).map(|index| (index, slow.hosts[index].accept())).collect();
    for next in AT_ONCE..slow.hosts.len() {
        slow.expect_nobody_at(next);
        // Any of them but the first one.
        let (index, connection) = in_flight.remove(slow.case.random_length(1, AT_ONCE - 1));
        end(index, connection);
        in_flight.push((next, slow.hosts[next].accept()));
    }
    for (index, connection) in in_flight {
        end(index, connection);
    }
    slow.expect_results();
}

/// A port that is asked for its banner.
struct Speaker {
    case: Case,
    host: Host,
    client: Running,
    connection: Client,
}

impl Speaker {
    fn start(options: &[&str]) -> Self {
        Self::start_in(case(), options)
    }

    fn start_in(case: Case, options: &[&str]) -> Self {
        let host = case.listen();
        let options = [options, &["--banner"]].concat();
        let client = start(&case, &options, &[host.address()]);
        let connection = host.accept();
        Self { case, host, client, connection }
    }

    fn expect_shown(&self, banner: &str) {
        let found = if banner.is_empty() { "open".to_owned() } else { format!("open {banner}") };
        expect_results(&self.client, &[(self.host.address(), &found)]);
    }
}

/// What the port says, with a pause after each part, and what is printed of it.
#[rstest]
#[case::of_ssh(&["SSH-2.0-OpenSSH_9.6\r\n"], "SSH-2.0-OpenSSH_9.6")]
#[case::and_more(&["220 ready ~\nand what else?\n"], "220 ready ~")]
#[case::in_pieces(&["2", "20 rea", "dy\r", "\n"], "220 ready")]
#[case::with_blanks(&["  two  words \n"], "  two  words ")]
#[case::without_a_letter(&["\r\n"], "")]
#[case::with_control_characters(&["\x1b[2J\tbye\x7f\r\r\n"], "?[2J?bye??")]
#[case::in_chinese(&["你好\n"], "??????")]
fn a_banner_is_the_first_line(#[case] said: &[&str], #[case] shown: &str) {
    let mut speaker = Speaker::start(FOR_EVER);
    for part in said {
        speaker.connection.expect_silence(A_MOMENT / 4);
        speaker.connection.send(part.as_bytes());
    }
    speaker.connection.expect_end_or_reset();
    speaker.expect_shown(shown);
}

#[rstest]
#[case::of_nothing("", "")]
#[case::of_half_a_line("half a line", "half a line")]
#[case::of_a_carriage_return("half a line\r", "half a line?")]
fn the_close_ends_a_banner(#[case] said: &str, #[case] shown: &str) {
    let mut speaker = Speaker::start(FOR_EVER);
    speaker.connection.send(said.as_bytes());
    speaker.connection.half_close();
    speaker.expect_shown(shown);
}

#[rstest]
#[case::as_long_as_may_be(80, "\r\n")]
#[case::with_its_carriage_return_as_long_as_may_be(79, "\r\n")]
#[case::a_byte_too_long(81, "\n")]
#[case::without_an_end(4_000, "")]
fn no_more_than_80_bytes_of_a_banner_are_shown(#[case] length: usize, #[case] end: &str) {
    let mut speaker = Speaker::start(FOR_EVER);
    let letters = speaker.case.random_bytes(length).into_iter().map(|byte| b'a' + byte % 26);
    let line: String = letters.map(char::from).collect();
    speaker.connection.send([&line, end].concat().as_bytes());
    speaker.connection.expect_end_or_reset();
    speaker.expect_shown(&line[..length.min(80)]);
}

/// Nothing comes, or half a line.
#[rstest]
#[case::nothing("")]
#[case::half_a_line("half")]
fn a_banner_is_not_waited_for_longer_than_the_limit(#[case] said: &str) {
    let mut speaker = Speaker::start(SOON);
    speaker.connection.send(said.as_bytes());
    speaker.connection.expect_end_or_reset();
    let output = speaker.client.expect_exit(0);
    // On a busy machine the time may be over before anything is said.
    expect_open(&speaker, &output.stdout);
}

/// Each byte comes before the limit of a single read is over, and they never end: the whole probe
/// has one limit.
#[rstest]
fn bytes_that_drip_do_not_prolong_a_probe() {
    let case = case();
    let patience = case.patience();
    let limit = LIMIT.max(patience / 8);
    case.tells_to_wait(limit);
    let timed = case.must_act_within(limit);
    let mut speaker = Speaker::start_in(case, &["--timeout", &limit.as_millis().to_string()]);
    // Eighty of them, after which a banner is at its end anyway, would take twice as long as we wait.
    speaker.connection.send_until_gone(b".", (patience + limit) / 40);
    drop(timed);
    let output = speaker.client.expect_exit(0);
    expect_open(&speaker, &output.stdout);
}

fn expect_open(speaker: &Speaker, printed: &str) {
    let open = format!("{} open", speaker.host.address().port());
    speaker.case.step(format!("its standard output begins with {open:?}"));
    if !printed.starts_with(&open) {
        let what = "your program has printed something else than expected";
        speaker.case.fail(Difference::fail(what).with(open.as_bytes(), printed.as_bytes()));
    }
}

/// Nobody is asked where it is not clear who.
#[rstest]
#[case::no_port(&["0"])]
#[case::a_port_above_all(&["65536"])]
#[case::a_port_by_name(&["http"])]
#[case::seventeen_ports(&["1"; 16])]
#[case::no_time(&["--timeout", "0"])]
#[case::a_time_that_is_no_number(&["--timeout", "soon"])]
#[case::an_unknown_option(&["--loud"])]
fn wrong_arguments_are_refused(#[case] wrong: &[&str]) {
    let case = case();
    let host = case.listen();
    let address = host.address().to_string();
    expect_refused(&case, &[&["client", "--addr", &address], wrong].concat());
    expect_refused(&case, &["client", "--addr", "127.0.0.1:0"]);
    expect_refused(&case, &["server", "--addr", &address]);
    host.expect_nobody(A_MOMENT / 4);
    // The same program takes right ones.
    let client = start(&case, FOR_EVER, &[host.address()]);
    host.accept().expect_end_or_reset();
    client.expect_exit(0);
}
