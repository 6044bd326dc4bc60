//! Every message is answered with its length.

use std::net::SocketAddr;

use graded::Case;
use netlab::conditions::{Coalesce, Conditions, Path, Stall, StreamFaults};
use netlab::record::Transport;
use rstest::rstest;

use super::{A_MOMENT, expect_code_1_on_a_taken_port, expect_code_2_on_arguments};

/// What fits into one segment on every system's loopback, and into every buffer.
const SHORT: usize = 500;

fn case() -> Case {
    Case::of("02", "answer")
}

/// One client from its first byte to the answer.
fn converse(case: &Case, server: SocketAddr, message: &[u8]) {
    let mut client = case.connect(server);
    client.send(message);
    client.half_close();
    client.expect_last_words(&answer_to(message));
}

fn answer_to(message: &[u8]) -> Vec<u8> {
    format!("你好, {} bytes\n", message.len()).into_bytes()
}

#[rstest]
#[case::hello("hello")]
#[case::chinese("你好")]
#[case::two_words("good morning")]
#[case::empty("")]
fn a_short_message_is_answered_with_its_length(#[case] message: &str) {
    let case = case();
    let server = case.serve();
    converse(&case, server, message.as_bytes());
}

#[rstest]
#[case::zero_bytes(b"\0\0")]
#[case::not_utf8(b"\xff\xfe \xc3\x28")]
#[case::newlines(b"\r\n\n")]
#[case::blanks(b"  \t ")]
fn any_bytes_make_a_message(#[case] edge: &[u8]) {
    let case = case();
    let server = case.serve();
    let middle = case.random_bytes(case.random_length(1, SHORT));
    converse(&case, server, &[edge, &middle, edge].concat());
}

#[rstest]
fn every_client_is_answered() {
    let case = case();
    let server = case.serve();
    for _ in 0..20 {
        let message = case.random_bytes(case.random_length(0, SHORT));
        converse(&case, server, &message);
    }
}

#[rstest]
#[case::one_byte_at_a_time(1)]
#[case::a_few_bytes_at_a_time(7)]
fn a_message_lasts_until_the_half_close(#[case] piece: usize) {
    let case = case();
    let server = case.serve();
    let message = case.random_bytes(case.random_length(6_000, 9_000));
    let (beginning, rest) = message.split_at(3);
    let mut client = case.connect(server);
    client.send_in_pieces(beginning, piece);
    client.expect_silence(A_MOMENT);
    client.send_in_pieces(rest, piece);
    client.expect_silence(A_MOMENT);
    client.half_close();
    client.expect_last_words(&answer_to(&message));
}

/// Whatever the client's segments were: the network cuts, glues and delays.
#[rstest]
#[case::cut_to_single_bytes(StreamFaults { slice: Some(1), ..StreamFaults::default() })]
#[case::glued(StreamFaults {
    coalesce: Some(Coalesce { bytes: 1_500, wait: A_MOMENT }),
    ..StreamFaults::default()
})]
#[case::with_a_pause_in_the_middle(StreamFaults {
    stall: Some(Stall { after: 1_000, time: A_MOMENT }),
    ..StreamFaults::default()
})]
fn the_network_may_cut_and_glue(#[case] stream: StreamFaults) {
    let case = case();
    let path = Path { stream, ..Path::default() };
    let conditions = Conditions { to_server: path, ..Conditions::default() };
    let relay = case.network(Transport::Tcp, case.serve(), conditions);
    let message = case.random_bytes(case.random_length(2_000, 3_000));
    let mut client = case.connect(relay);
    client.send_in_pieces(&message, 700);
    client.half_close();
    client.expect_last_words(&answer_to(&message));
}

#[rstest]
#[case::a_mebibyte(1024 * 1024)]
#[case::an_odd_number(300_001)]
fn a_large_message_is_counted_to_the_last_byte(#[case] length: usize) {
    let case = case();
    let server = case.serve();
    converse(&case, server, &case.random_bytes(length));
}

#[rstest]
#[case::close_without_a_word(0, false)]
#[case::close_in_the_middle(SHORT, false)]
#[case::reset_at_once(0, true)]
#[case::reset_in_the_middle(SHORT, true)]
#[case::reset_of_a_large_message(300_000, true)]
fn a_client_that_vanishes_ends_only_its_own_connection(
    #[case] length: usize,
    #[case] resets: bool,
) {
    let case = case();
    let server = case.serve();
    for _ in 0..5 {
        let mut client = case.connect(server);
        client.send(&case.random_bytes(length));
        if resets { client.reset() } else { client.vanish() }
    }
    converse(&case, server, &case.random_bytes(SHORT));
}

/// The client is still connected when the server is killed, so the server's side closes
/// first, and TIME-WAIT is on the server's port.
#[rstest]
fn the_same_port_can_be_bound_again_at_once() {
    let case = case();
    let server = case.serve_on_a_free_port(&[]);
    let mut client = case.connect(server);
    client.send(b"unfinished");
    client.stay(A_MOMENT);
    let again = case.serve_at(&[], &server.to_string());
    converse(&case, again, b"hello");
    client.vanish();
}

#[rstest]
fn it_tells_by_its_exit_code_why_it_cannot_serve() {
    let case = case();
    let server = case.serve();
    converse(&case, server, b"hello");
    expect_code_1_on_a_taken_port(&case, server);
    converse(&case, server, b"hello");
    let nowhere = ["server", "--addr", "nowhere"];
    expect_code_2_on_arguments(&case, &[&nowhere, &["server", "--loud"]]);
}
