//! `both`: one store, over TCP and over UDP at the same time.

use std::any::Any;
use std::net::{SocketAddr, TcpListener, UdpSocket};

use graded::{Case, Client, Difference, Sender};
use netlab::conditions::{Coalesce, Conditions, Path, StreamFaults};
use netlab::record::Transport;
use rstest::rstest;

use super::{A_MOMENT, expect_code, expect_refused};

const LONGEST_KEY: usize = 32;
const LONGEST_VALUE: usize = 200;
const MOST_KEYS: usize = 1000;
const LARGEST_NUMBER: &str = "999999999999999";

/// A server, and one end of each transport.
struct Ends {
    case: Case,
    server: SocketAddr,
    tcp: Client,
    udp: Sender,
}

fn start() -> Ends {
    let case = Case::of("06", "both");
    let server = case.serve();
    let (tcp, udp) = (case.connect(server), case.sender(server));
    Ends { case, server, tcp, udp }
}

/// Which way a command goes.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Tcp,
    Udp,
}
use Way::{Tcp, Udp};

impl Ends {
    /// One command and its answer, both without their newlines.
    fn ask(&mut self, way: Way, command: &str, answer: &str) {
        self.ask_bytes(way, command.as_bytes(), answer.as_bytes());
    }

    fn ask_bytes(&mut self, way: Way, command: &[u8], answer: &[u8]) {
        let (command, answer) = ([command, b"\n"].concat(), [answer, b"\n"].concat());
        match way {
            Tcp => {
                self.tcp.send(&command);
                self.tcp.expect(&answer);
            }
            Udp => {
                self.udp.send(&command);
                self.udp.expect(&answer);
            }
        }
    }

    fn random_word(&self, length: usize) -> String {
        let bytes = self.case.random_bytes(length);
        bytes.into_iter().map(|byte| char::from(b'a' + byte % 26)).collect()
    }

    /// A key that nobody can know beforehand.
    fn random_key(&self) -> String {
        self.random_word(self.case.random_length(4, LONGEST_KEY))
    }
}

/// What the task has as an example, and every answer that there is.
#[rstest]
#[case::tcp(Tcp)]
#[case::udp(Udp)]
fn every_command_has_its_answer(#[case] way: Way) {
    let mut ends = start();
    let key = ends.random_key();
    for (command, answer) in [
        ("get KEY", "none"),
        ("set KEY 39", "ok"),
        ("get KEY", "value 39"),
        ("add KEY 3", "value 42"),
        ("set KEY two words", "ok"),
        ("get KEY", "value two words"),
        ("del KEY", "ok"),
        ("del KEY", "none"),
        ("add KEY 007", "value 7"),
        ("get KEY", "value 7"),
    ] {
        ends.ask(way, &command.replace("KEY", &key), answer);
    }
}

#[rstest]
#[case::blanks(b" a  b ")]
#[case::zero_bytes(b"\0\0")]
#[case::not_utf8(b"\xff\xc3\x28")]
#[case::a_carriage_return(b"ends with\r")]
fn a_value_may_be_any_bytes_but_a_newline(#[case] value: &[u8]) {
    let mut ends = start();
    for (setting, getting) in [(Tcp, Udp), (Udp, Tcp)] {
        let key = ends.random_key().into_bytes();
        ends.ask_bytes(setting, &[b"set ", key.as_slice(), b" ", value].concat(), b"ok");
        ends.ask_bytes(getting, &[b"get ", key.as_slice()].concat(), &[b"value ", value].concat());
    }
}

#[rstest]
fn what_is_set_over_one_is_seen_over_the_other() {
    let mut ends = start();
    let (key, other) = (ends.random_key(), ends.random_key());
    for (here, there) in [(Tcp, Udp), (Udp, Tcp)] {
        let word = ends.random_word(20);
        ends.ask(here, &format!("set {key} {word}"), "ok");
        ends.ask(there, &format!("get {key}"), &format!("value {word}"));
        ends.ask(there, &format!("get {other}"), "none");
        ends.ask(there, &format!("set {key} 1"), "ok");
        ends.ask(here, &format!("add {key} 2"), "value 3");
        ends.ask(there, &format!("add {key} 4"), "value 7");
        ends.ask(here, &format!("del {key}"), "ok");
        ends.ask(there, &format!("get {key}"), "none");
    }
}

/// A newline at its end belongs to it or not; one in its middle makes it wrong.
#[rstest]
fn a_datagram_is_one_command() {
    let ends = start();
    for (datagram, answer) in [
        ("set a 1", "ok\n"),
        ("get a", "value 1\n"),
        ("get a\n", "value 1\n"),
        ("set a 2\nset a 3\n", "error\n"),
        ("set a 2\n\n", "error\n"),
        ("get a", "value 1\n"),
        ("", "error\n"),
        ("\n", "error\n"),
    ] {
        ends.udp.send(datagram.as_bytes());
        ends.udp.expect(answer.as_bytes());
    }
    ends.udp.expect_silence(A_MOMENT);
}

#[rstest]
#[case::cut_to_single_bytes(StreamFaults { slice: Some(1), ..StreamFaults::default() })]
#[case::cut_to_seven_bytes(StreamFaults { slice: Some(7), ..StreamFaults::default() })]
#[case::glued(StreamFaults {
    coalesce: Some(Coalesce { bytes: 300, wait: A_MOMENT }),
    ..StreamFaults::default()
})]
fn segments_are_no_commands(#[case] stream: StreamFaults) {
    let ends = start();
    let path = Path { stream, ..Path::default() };
    let conditions = Conditions { to_server: path, ..Conditions::default() };
    let network = ends.case.network(Transport::Tcp, ends.server, conditions);
    let mut client = ends.case.connect(network);
    let (mut said, mut answers) = (Vec::new(), Vec::new());
    for number in 0..20 {
        let word = ends.random_word(ends.case.random_length(1, 20));
        said.push(format!("set key{number} {word}\nget key{number}\n"));
        answers.push(format!("ok\nvalue {word}\n"));
    }
    client.send(said.concat().as_bytes());
    client.half_close();
    client.expect_last_words(answers.concat().as_bytes());
}

/// The stream ends in the middle of a line: there is no saying what is missing. (A client that was
/// to set 1000 and was cut off after 10 has not set 10.)
#[rstest]
fn half_a_line_is_not_carried_out() {
    let mut ends = start();
    ends.ask(Tcp, "set account 50", "ok");
    for is_reset in [false, true] {
        let mut client = ends.case.connect(ends.server);
        client.send(b"get account\nset account 10");
        client.expect(b"value 50\n");
        if is_reset {
            client.reset();
        } else {
            client.half_close();
            client.expect_close();
        }
        ends.ask(Udp, "get account", "value 50");
    }
}

/// All of them at once; a sum that is wrong, or that two were told, is one that got lost.
#[rstest]
fn of_many_additions_at_once_none_is_lost() {
    let mut ends = start();
    let (clients, rounds) = (8, 400);
    let number = |_| ends.case.random_length(1, 1_000_000_000);
    let numbers: Vec<Vec<usize>> =
        (0..clients).map(|_| (0..rounds).map(number).collect()).collect();
    let mut total: usize = numbers.iter().flatten().sum();
    let mut connections: Vec<Client> =
        (0..clients).map(|_| ends.case.connect(ends.server)).collect();
    for (client, numbers) in connections.iter_mut().zip(&numbers) {
        let said: Vec<String> = numbers.iter().map(|n| format!("add sum {n}\n")).collect();
        client.send(said.concat().as_bytes());
        client.half_close();
    }
    let senders: Vec<Sender> = (0..4).map(|_| ends.case.sender(ends.server)).collect();
    let mut told: Vec<Vec<u8>> = Vec::new();
    for _ in 0..50 {
        let number = ends.case.random_length(1, 1_000_000_000);
        for sender in &senders {
            total += number;
            sender.send(format!("add sum {number}").as_bytes());
        }
        told.extend(senders.iter().map(Sender::receive));
    }
    for client in &mut connections {
        let answers = client.receive_to_the_end();
        told.extend(answers.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec));
    }
    let additions = clients * rounds + 50 * senders.len();
    ends.case.expect_equal("an answer to each", &additions.to_string(), &told.len().to_string());
    ends.case.step("no two of these additions have the same result");
    told.sort();
    if let Some((result, _)) = told.iter().zip(&told[1..]).find(|(one, other)| one == other) {
        let result = String::from_utf8_lossy(result).trim_end().to_owned();
        let what = format!("two clients were told {result:?}, so one of the two got lost");
        ends.case.fail(Difference::fail(what));
    }
    ends.case.step(format!("the sum of these {additions} additions is {total}"));
    ends.ask(Tcp, "get sum", &format!("value {total}"));
    ends.ask(Udp, "get sum", &format!("value {total}"));
}

#[rstest]
#[case::an_unknown_word("put a 2")]
#[case::a_capital_letter("SET a 2")]
#[case::no_word(" set a 2")]
#[case::nothing("")]
#[case::no_key("get")]
#[case::an_empty_key("get ")]
#[case::two_keys("get a b")]
#[case::no_value("set a")]
#[case::an_empty_value("set a ")]
#[case::two_blanks_before_the_key("set  a 2")]
#[case::a_key_that_is_not_ascii("set ä 2")]
#[case::no_number("add a two")]
#[case::a_negative_number("add a -1")]
#[case::a_sign("add a +1")]
#[case::a_fraction("add a 1.5")]
#[case::a_blank_behind_the_number("add a 1 ")]
#[case::a_number_of_16_digits("add a 0000000000000001")]
#[case::a_value_that_is_no_number("add text 1")]
#[case::a_sum_of_16_digits("add large 1")]
#[case::a_carriage_return("del a\r")]
fn a_wrong_command_changes_nothing(#[case] command: &str) {
    let mut ends = start();
    let large = format!("set large {LARGEST_NUMBER}");
    for command in ["set a 1", "set text 1e3", &large] {
        ends.ask(Tcp, command, "ok");
    }
    for way in [Tcp, Udp] {
        ends.ask(way, command, "error");
        ends.ask(way, "get a", "value 1");
        ends.ask(way, "get text", "value 1e3");
        ends.ask(way, "get large", &format!("value {LARGEST_NUMBER}"));
    }
}

#[rstest]
#[case::tcp(Tcp)]
#[case::udp(Udp)]
fn keys_and_values_have_their_limits(#[case] way: Way) {
    let mut ends = start();
    let key = ends.random_word(LONGEST_KEY);
    let value = ends.random_word(LONGEST_VALUE);
    ends.ask(way, &format!("set {key} {value}"), "ok");
    ends.ask(way, &format!("set {key}a b"), "error");
    ends.ask(way, &format!("set {key} {value}c"), "error");
    ends.ask(way, &format!("add {key}a 1"), "error");
    ends.ask(way, &format!("set {key} {}", value.repeat(300)), "error");
    ends.ask(way, &"x".repeat(60_000), "error");
    ends.ask(way, &format!("get {key}"), &format!("value {value}"));
    ends.ask(way, &format!("get {key}a"), "error");
}

#[rstest]
fn a_thousand_keys_are_enough() {
    let mut ends = start();
    let said: Vec<String> =
        (0..MOST_KEYS).map(|number| format!("set key{number} {number}\n")).collect();
    ends.tcp.send(said.concat().as_bytes());
    ends.tcp.expect("ok\n".repeat(MOST_KEYS).as_bytes());
    for way in [Tcp, Udp] {
        ends.ask(way, "set more 1", "error");
        ends.ask(way, "add more 1", "error");
        ends.ask(way, "get more", "none");
        // Those that are there can still be changed.
        ends.ask(way, "set key7 70", "ok");
        ends.ask(way, "add key7 7", "value 77");
        ends.ask(way, "del key8", "ok");
        ends.ask(way, "add more 1", "value 1");
        ends.ask(way, "del more", "ok");
        ends.ask(way, "set key8 8", "ok");
    }
}

/// Clients that say nothing, half a line, or are gone; datagrams whose sender is gone.
#[rstest]
fn nobody_holds_up_the_others() {
    let mut ends = start();
    let silent = ends.case.connect(ends.server);
    let mut slow = ends.case.connect(ends.server);
    slow.send(b"set slow ");
    ends.ask(Tcp, "set a 1", "ok");
    ends.ask(Udp, "add a 1", "value 2");
    for sum in 3..8 {
        let mut client = ends.case.connect(ends.server);
        client.send(b"add a 1\nad");
        client.expect(format!("value {sum}\n").as_bytes());
        client.reset();
        let sender = ends.case.sender(ends.server);
        (0..3).for_each(|_| sender.send(b"get a"));
        drop(sender);
        ends.ask(Udp, "get nothing", "none");
    }
    ends.ask(Tcp, "get a", "value 7");
    slow.send(b"but sure\n");
    slow.expect(b"ok\n");
    ends.ask(Udp, "get slow", "value but sure");
    silent.vanish();
}

/// A server with half of its port would serve half of its clients, and nobody would notice.
#[rstest]
fn it_has_its_port_over_both_or_not_at_all() {
    let mut ends = start();
    for way in [Tcp, Udp] {
        let (_taken, address) = taken(&ends.case, way);
        let output = ends.case.run(&["server", "--addr", &address], "");
        expect_code(&ends.case, 1, output.code);
        ends.case.expect_equal("nothing on standard output", "", &output.stdout);
        ends.case.step(format!("expect one line on standard error that names {address}"));
        if output.stderr.trim_end().lines().count() != 1 || !output.stderr.contains(&address) {
            let what = format!("standard error is not that: {:?}", output.stderr);
            ends.case.fail(Difference::fail(what));
        }
    }
    ends.ask(Tcp, "set a 1", "ok");
    ends.ask(Udp, "get a", "value 1");
}

/// A port that somebody else has, over one of the two transports.
fn taken(case: &Case, way: Way) -> (Box<dyn Any>, String) {
    let any_port = "127.0.0.1:0";
    let (socket, address): (Box<dyn Any>, _) = match way {
        Tcp => {
            let listener = TcpListener::bind(any_port).unwrap();
            let address = listener.local_addr();
            (Box::new(listener), address)
        }
        Udp => {
            let socket = UdpSocket::bind(any_port).unwrap();
            let address = socket.local_addr();
            (Box::new(socket), address)
        }
    };
    let address = address.unwrap().to_string();
    let transport = if way == Tcp { "TCP" } else { "UDP" };
    case.step(format!("somebody else has {address} over {transport}"));
    (socket, address)
}

#[rstest]
#[case::another_role(&["client", "--addr", "127.0.0.1:0"])]
#[case::an_unknown_option(&["server", "--addr", "127.0.0.1:0", "--loud"])]
#[case::no_address(&["server", "--addr", "nowhere"])]
fn wrong_arguments_are_refused(#[case] arguments: &[&str]) {
    let mut ends = start();
    expect_refused(&ends.case, arguments);
    // The same program takes right ones.
    ends.ask(Tcp, "get a", "none");
}
