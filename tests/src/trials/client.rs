use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use super::{A_MOMENT, assert_says, case, report_of, serving_once};
use crate::client::Client;

/// A server that says `words`, closes its half, and reads to the end.
fn saying(words: &'static [u8]) -> impl FnOnce(TcpStream) + Send + 'static {
    move |mut stream| {
        stream.write_all(words).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    }
}

/// A client of a server that says `words` tries this.
fn with_a_server_saying(words: &'static [u8], test: impl FnOnce(&mut Client)) {
    let case = case();
    let (server, serving) = serving_once(saying(words));
    let mut client = case.connect(server);
    test(&mut client);
    drop(client);
    serving.join().unwrap();
}

#[test]
fn what_comes_is_taken_piece_by_piece() {
    with_a_server_saying(b"one\ntwothreefour", |client| {
        assert_eq!(client.receive_line(), b"one\n");
        client.expect(b"two");
        assert_eq!(client.receive(5), b"three");
        client.expect_slowly(b"four", 1, std::time::Duration::ZERO);
        client.expect_close();
    });
}

#[test]
fn the_first_wrong_byte_is_told_without_waiting_for_the_rest() {
    let report = report_of(|| {
        let case = case();
        let (server, _serving) = serving_once(|mut stream| {
            stream.write_all(b"hellO").unwrap();
            // Stays connected: a program that waits for more waits long.
            let _ = stream.read_to_end(&mut Vec::new());
        });
        case.connect(server).expect(b"hello, world");
    });
    assert_says(&report, &["fail: the bytes are not the ones expected", "difference at byte 4"]);
    assert_says(&report, &["--> ", "client 1 expects 12 bytes", "server → client 1: 5 bytes"]);
    assert_says(&report, &["replay: cargo xtask grade 00/trial --case "]);
}

/// Not at the end of the wait for all of it.
#[test]
fn the_wire_shows_each_piece_when_it_came() {
    let mut waited = Duration::ZERO;
    let report = report_of(|| {
        let case = case();
        let (server, _serving) = serving_once(|mut stream| {
            stream.set_nodelay(true).unwrap();
            stream.write_all(b"one").unwrap();
            stream.read_exact(&mut [0]).unwrap();
            std::thread::sleep(10 * A_MOMENT);
            stream.write_all(b"two").unwrap();
            let _ = stream.read_to_end(&mut Vec::new());
        });
        let mut client = case.connect(server);
        client.expect(b"one");
        client.send(b".");
        let began = Instant::now();
        let failure = report_of(|| client.expect(b"two, three"));
        waited = began.elapsed();
        panic!("{failure}");
    });
    let seconds = |piece: &str| -> f64 {
        let line = report.lines().find(|line| line.contains(piece)).unwrap_or_else(|| {
            panic!("nothing says {piece:?} in:\n{report}");
        });
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    let (first, second) = (seconds("3 bytes \"one\""), seconds("3 bytes \"two\""));
    assert!(first + 0.5 <= second, "{report}");
    assert!(second < first + waited.as_secs_f64() - 1.0, "{report}");
}

#[test]
fn a_close_before_the_line_is_complete_is_told() {
    let report = report_of(|| {
        with_a_server_saying(b"no newline", |client| {
            client.receive_line();
        });
    });
    assert_says(&report, &["a line ends in a newline", "no newline"]);
}

#[test]
fn what_ends_with_certain_bytes_is_taken_whole_and_the_rest_stays() {
    with_a_server_saying(b"one\n\ntwo", |client| {
        assert_eq!(client.receive_through(b"\n\n", "a head"), b"one\n\n");
        client.expect(b"two");
    });
    let report = report_of(|| {
        with_a_server_saying(b"one\n", |client| {
            client.receive_through(b"\n\n", "a head");
        });
    });
    assert_says(&report, &["client 1 expects a head", "a head ends with 2 bytes  \"\\n\\n\""]);
}

#[test]
fn bytes_in_place_of_the_close_are_told() {
    let report = report_of(|| with_a_server_saying(b"more", Client::expect_close));
    assert_says(&report, &["something came in place of the close", "\"more\""]);
}

#[test]
fn speaking_out_of_turn_is_told() {
    let report = report_of(|| with_a_server_saying(b"!", |client| client.expect_silence(A_MOMENT)));
    assert_says(&report, &["your program spoke before it was its turn"]);
}

#[test]
fn a_close_and_a_reset_both_end_a_connection() {
    with_a_server_saying(b"words before the close", Client::expect_end_or_reset);
    let case = case();
    let (server, serving) = serving_once(|stream| {
        // Closing with unread bytes resets.
        stream.peek(&mut [0]).unwrap();
    });
    let mut client = case.connect(server);
    client.send(b"unread");
    client.expect_end_or_reset();
    serving.join().unwrap();
}

#[test]
fn a_client_that_is_gone_is_seen_on_the_wire() {
    let report = report_of(|| {
        let case = case();
        let (server, _serving) = serving_once(saying(b""));
        drop(case.connect(server));
        case.fail(crate::Difference::fail("enough"));
    });
    assert_says(&report, &["client 1 → server: end of the stream (FIN)"]);
}
