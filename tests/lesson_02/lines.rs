//! Every line is answered with its number and itself backwards.

use std::net::SocketAddr;

use graded::Case;
use netlab::conditions::{Coalesce, Conditions, Path, StreamFaults};
use netlab::record::Transport;
use rstest::rstest;

use super::{
    A_MOMENT, expect_code_1_on_a_taken_port, expect_code_2_on_arguments, expect_little_memory,
};

/// Twice the memory that a client may take.
const ENDLESS_BYTES: usize = 32 * 1024 * 1024;

fn case() -> Case {
    Case::of("02", "lines")
}

/// The answer to line number `number`.
fn answer(number: usize, line: &[u8]) -> Vec<u8> {
    let backwards: Vec<u8> = line.iter().rev().copied().collect();
    [format!("{number}: ").as_bytes(), &backwards, b"\n"].concat()
}

fn refusal(number: usize) -> Vec<u8> {
    format!("{number}! too long\n").into_bytes()
}

/// Letters that nobody can know beforehand. (Whether any bytes make a line is a check of its own.)
fn random_word(case: &Case, length: usize) -> Vec<u8> {
    case.random_bytes(length).into_iter().map(|byte| b'a' + byte % 26).collect()
}

/// A client that says something, half-closes, and hears `answers` and the close.
fn converse(case: &Case, server: SocketAddr, said: &[u8], answers: &[u8]) {
    let mut client = case.connect(server);
    client.send(said);
    client.half_close();
    client.expect_last_words(answers);
}

/// A client that says one line.
fn say_line(case: &Case, server: SocketAddr, line: &[u8]) {
    converse(case, server, &[line, b"\n"].concat(), &answer(1, line));
}

/// Many short lines, some of them empty: what is said, and the answers.
fn random_lines(case: &Case, count: usize) -> (Vec<u8>, Vec<u8>) {
    let (mut said, mut answers) = (Vec::new(), Vec::new());
    for number in 1..=count {
        let length = if number % 4 == 0 { 0 } else { case.random_length(1, 30) };
        let line = random_word(case, length);
        said.extend([&line, b"\n".as_slice()].concat());
        answers.extend(answer(number, &line));
    }
    (said, answers)
}

#[rstest]
#[case::hello("hello")]
#[case::chinese("你好")]
#[case::two_words("good morning")]
#[case::one_letter("x")]
#[case::empty("")]
fn a_line_is_answered_with_its_number_and_itself_backwards(#[case] line: &str) {
    let case = case();
    say_line(&case, case.serve(), line.as_bytes());
}

#[rstest]
#[case::zero_bytes(b"\0\0")]
#[case::not_utf8(b"\xff\xfe \xc3\x28")]
#[case::blanks(b"  \t ")]
#[case::a_carriage_return_at_the_beginning(b"\r ")]
fn any_bytes_make_a_line(#[case] edge: &[u8]) {
    let case = case();
    let server = case.serve();
    let middle = case.random_bytes(case.random_length(1, 500));
    let middle: Vec<u8> = middle.into_iter().filter(|byte| *byte != b'\n').collect();
    say_line(&case, server, &[edge, &middle, edge].concat());
}

#[rstest]
#[case::one("hello\r\n", "1: olleh\n")]
#[case::one_alone("\r\n", "1: \n")]
#[case::two("hello\r\r\n", "1: \rolleh\n")]
#[case::one_and_a_blank("hello\r \n", "1:  \rolleh\n")]
#[case::one_each("one\r\n\r\ntwo\r\n", "1: eno\n2: \n3: owt\n")]
fn one_carriage_return_before_the_newline_belongs_to_the_end(
    #[case] said: &str,
    #[case] answers: &str,
) {
    let case = case();
    let mut client = case.connect(case.serve());
    // The newline comes later than the carriage return, and nothing else does.
    client.send_slowly(said.as_bytes(), said.len() - 1, A_MOMENT);
    client.half_close();
    client.expect_last_words(answers.as_bytes());
}

#[rstest]
#[case::without_a_newline("hello", "1: olleh\n")]
#[case::behind_a_newline("one\ntwo", "1: eno\n2: owt\n")]
#[case::with_a_newline("one\ntwo\n", "1: eno\n2: owt\n")]
#[case::with_a_carriage_return("one\ntwo\r", "1: eno\n2: \rowt\n")]
#[case::nothing_at_all("", "")]
fn the_last_line_may_end_with_the_stream(#[case] said: &str, #[case] answers: &str) {
    let case = case();
    converse(&case, case.serve(), said.as_bytes(), answers.as_bytes());
}

#[rstest]
fn a_line_is_answered_as_soon_as_it_is_complete() {
    let case = case();
    let mut client = case.connect(case.serve());
    client.send(b"one\n");
    client.expect(&answer(1, b"one"));
    client.send(b"tw");
    client.expect_silence(A_MOMENT);
    client.send(b"o\nthree\nfo");
    client.expect(&[answer(2, b"two"), answer(3, b"three")].concat());
    client.expect_silence(A_MOMENT);
    client.send(b"ur\n");
    client.expect(&answer(4, b"four"));
    client.half_close();
    client.expect_close();
}

#[rstest]
#[case::one_byte_at_a_time(40, 1)]
#[case::three_bytes_at_a_time(100, 3)]
#[case::ten_lines_at_once(10, 1_000)]
#[case::a_thousand_lines_at_once(1_000, 100_000)]
fn segments_are_no_lines(#[case] count: usize, #[case] piece: usize) {
    let case = case();
    let server = case.serve();
    expect_answers_to_many(&case, server, count, piece);
}

/// The client sends in its own way, and the network cuts and glues.
#[rstest]
#[case::cut_to_single_bytes(StreamFaults { slice: Some(1), ..StreamFaults::default() })]
#[case::cut_to_five_bytes(StreamFaults { slice: Some(5), ..StreamFaults::default() })]
#[case::glued(StreamFaults {
    coalesce: Some(Coalesce { bytes: 200, wait: A_MOMENT }),
    ..StreamFaults::default()
})]
fn the_network_may_cut_and_glue(#[case] stream: StreamFaults) {
    let case = case();
    let server = case.serve();
    let path = Path { stream, ..Path::default() };
    let conditions = Conditions { to_server: path, ..Conditions::default() };
    let relay = case.network(Transport::Tcp, server, conditions);
    expect_answers_to_many(&case, relay, 30, 20);
}

fn expect_answers_to_many(case: &Case, server: SocketAddr, count: usize, piece: usize) {
    let (said, answers) = random_lines(case, count);
    let mut client = case.connect(server);
    client.send_in_pieces(&said, piece);
    client.half_close();
    client.expect_last_words(&answers);
}

#[rstest]
#[case::as_long_as_may_be(1_000, b"\n", true)]
#[case::as_long_as_may_be_with_a_carriage_return(1_000, b"\r\n", true)]
#[case::one_byte_too_long(1_001, b"\n", false)]
#[case::one_byte_too_long_with_a_carriage_return(1_001, b"\r\n", false)]
#[case::a_carriage_return_too_long(1_000, b"\r\r\n", false)]
#[case::two_bytes_too_long(1_002, b"\n", false)]
#[case::twice_too_long(2_004, b"\n", false)]
#[case::much_too_long(70_000, b"\r\n", false)]
fn a_line_of_1000_bytes_is_answered_and_a_longer_one_refused(
    #[case] length: usize,
    #[case] end: &[u8],
    #[case] is_answered: bool,
) {
    let case = case();
    let line = random_word(&case, length);
    let said = [&line, end, b"short\n"].concat();
    let first = if is_answered { answer(1, &line) } else { refusal(1) };
    converse(&case, case.serve(), &said, &[first, answer(2, b"short")].concat());
}

/// There, a carriage return is a byte like any other.
#[rstest]
#[case::as_long_as_may_be(1_000, b"", true)]
#[case::as_long_as_may_be_with_a_carriage_return(999, b"\r", true)]
#[case::one_byte_too_long(1_001, b"", false)]
#[case::a_carriage_return_too_long(1_000, b"\r", false)]
#[case::much_too_long(70_000, b"", false)]
fn the_same_limit_holds_at_the_end_of_the_stream(
    #[case] length: usize,
    #[case] end: &[u8],
    #[case] is_answered: bool,
) {
    let case = case();
    let line = [&random_word(&case, length), end].concat();
    let answer = if is_answered { answer(1, &line) } else { refusal(1) };
    converse(&case, case.serve(), &line, &answer);
}

#[rstest]
fn an_endless_line_takes_no_memory() {
    let case = case();
    let mut client = case.connect(case.serve());
    let before = case.peak_memory();
    client.send(&random_word(&case, 65_536).repeat(ENDLESS_BYTES / 65_536));
    client.expect_silence(A_MOMENT);
    client.send(b"\n");
    client.half_close();
    client.expect_last_words(&refusal(1));
    expect_little_memory(&case, before);
}

#[rstest]
fn every_client_begins_with_line_1() {
    let case = case();
    let server = case.serve();
    for _ in 0..10 {
        let line = random_word(&case, case.random_length(0, 100));
        say_line(&case, server, &line);
    }
}

#[rstest]
#[case::close_without_a_word(b"", false)]
#[case::close_in_the_middle_of_a_line(b"one\ntw", false)]
#[case::reset_at_once(b"", true)]
#[case::reset_in_the_middle_of_a_line(b"one\ntw", true)]
fn a_client_that_vanishes_ends_only_its_own_connection(#[case] said: &[u8], #[case] resets: bool) {
    let case = case();
    let server = case.serve();
    for _ in 0..5 {
        let mut client = case.connect(server);
        client.send(said);
        if resets { client.reset() } else { client.vanish() }
    }
    say_line(&case, server, &random_word(&case, 100));
}

/// The client is still connected when the server is killed, so the server's side closes first, and
/// TIME-WAIT is on the server's port.
#[rstest]
fn the_same_port_can_be_bound_again_at_once() {
    let case = case();
    let server = case.serve_on_a_free_port(&[]);
    let mut client = case.connect(server);
    client.send(b"unfinished");
    client.stay(A_MOMENT);
    let again = case.serve_at(&[], &server.to_string());
    say_line(&case, again, b"hello");
    client.vanish();
}

#[rstest]
fn it_tells_by_its_exit_code_why_it_cannot_serve() {
    let case = case();
    let server = case.serve();
    say_line(&case, server, b"hello");
    expect_code_1_on_a_taken_port(&case, server);
    let nowhere = ["server", "--addr", "nowhere"];
    expect_code_2_on_arguments(&case, &[&nowhere, &["server", "--loud"]]);
}
