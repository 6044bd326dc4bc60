//! Heads that are accepted, and those that could be read in more than one way.

use rstest::rstest;

use super::*;
use crate::http::framing::{self, Framing};

const GOOD: &str =
    "GET /a?b=c HTTP/1.1\r\nHost: localhost:8888\r\nX-List: a,\t b\r\nempty:\r\n\r\n";

fn parse(head: &str) -> Result<Request, Fault> {
    Request::parse(head.as_bytes())
}

/// A request with these fields, and a Host.
fn with(fields: &str) -> Result<Request, Fault> {
    parse(&format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"))
}

#[test]
fn a_request_is_a_line_and_fields() {
    let request = parse(GOOD).unwrap();
    assert_eq!((request.method.as_str(), request.target.as_str()), ("GET", "/a?b=c"));
    assert_eq!(request.version, Version::Http11);
    assert_eq!(request.fields.first("HOST"), Some("localhost:8888"));
    assert_eq!(request.fields.first("Empty"), Some(""));
    assert_eq!(request.fields.list("x-list").collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn a_response_is_a_line_and_fields() {
    let head = b"HTTP/1.0 404 Not Found\r\nContent-Length: 3\r\n\r\n";
    let response = Response::parse(head).unwrap();
    assert_eq!((response.version, response.status), (Version::Http10, 404));
    assert_eq!(response.reason, "Not Found");
}

/// Words for people, in any alphabet and with tabs (RFC 9112, section 4).
#[rstest]
#[case::a_tab(b"HTTP/1.1 200 O\tK\r\n\r\n", Some("O\tK"))]
#[case::two_blanks(b"HTTP/1.1 200  OK \r\n\r\n", Some(" OK "))]
#[case::latin_1(b"HTTP/1.1 200 d'accord\xe9\r\n\r\n", Some("d'accord\u{fffd}"))]
#[case::utf_8("HTTP/1.1 200 好\r\n\r\n".as_bytes(), Some("好"))]
#[case::a_nul(b"HTTP/1.1 200 O\0K\r\n\r\n", None)]
#[case::an_escape(b"HTTP/1.1 200 \x1b[2J\r\n\r\n", None)]
#[case::a_form_feed(b"HTTP/1.1 200 O\x0cK\r\n\r\n", None)]
#[case::a_carriage_return(b"HTTP/1.1 200 O\rK\r\n\r\n", None)]
#[case::a_tab_before_the_status(b"HTTP/1.1\t200 OK\r\n\r\n", None)]
#[case::a_tab_behind_the_status(b"HTTP/1.1 200\tOK\r\n\r\n", None)]
#[case::two_blanks_before_the_status(b"HTTP/1.1  200 OK\r\n\r\n", None)]
#[case::a_blank_before_the_version(b" HTTP/1.1 200 OK\r\n\r\n", None)]
fn a_reason_is_any_text_in_one_line(#[case] head: &[u8], #[case] expected: Option<&str>) {
    let reason = Response::parse(head).map(|response| response.reason);
    assert_eq!(reason.ok().as_deref(), expected);
}

/// A client has to take a folded line for one line, wherever it was folded; a server may refuse it
/// (RFC 9112, section 5.2).
#[rstest]
#[case::in_a_value("X-A: a\r\n b\r\n", "a   b")]
#[case::with_a_tab("X-A: a\r\n\tb\r\n", "a  \tb")]
#[case::before_a_value("X-A:\r\n a\r\n", "a")]
#[case::behind_a_value("X-A: a\r\n \r\n", "a")]
#[case::twice("X-A: a\r\n b\r\n c\r\n", "a   b   c")]
fn a_folded_line_of_an_answer_is_one_line(#[case] fields: &str, #[case] expected: &str) {
    let head = format!("HTTP/1.1 200 OK\r\n{fields}X-B: b\r\n\r\n");
    let response = Response::parse(head.as_bytes()).unwrap();
    assert_eq!(response.fields.first("X-A"), Some(expected));
    assert_eq!(response.fields.first("X-B"), Some("b"));
    assert_eq!(with(fields).unwrap_err().status, 400);
}

#[rstest]
#[case::of_the_first_line("HTTP/1.1 200 OK\r\n X-A: a\r\n\r\n")]
#[case::in_a_name("HTTP/1.1 200 OK\r\nX-\r\n A: a\r\n\r\n")]
#[case::before_a_colon("HTTP/1.1 200 OK\r\nX-A\r\n : a\r\n\r\n")]
#[case::without_a_carriage_return("HTTP/1.1 200 OK\r\nX-A: a\n b\r\n\r\n")]
fn what_is_no_fold_of_a_value_is_refused(#[case] head: &str) {
    assert_eq!(Response::parse(head.as_bytes()).unwrap_err().status, 400);
}

/// Blanks around a value are these two, and no part of it (RFC 9110, section 5.6.3).
#[rstest]
#[case::none("X-A:a\r\n", "a")]
#[case::both("X-A: \t a\t \r\n", "a")]
#[case::inside("X-A: a \tb\r\n", "a \tb")]
#[case::nothing_else("X-A: \t\r\n", "")]
#[case::a_blank_of_unicode("X-A: \u{a0}\u{3000}a\r\n", "\u{a0}\u{3000}a")]
fn only_blanks_and_tabs_are_no_part_of_a_value(#[case] field: &str, #[case] expected: &str) {
    assert_eq!(with(field).unwrap().fields.first("X-A"), Some(expected));
}

#[test]
fn only_blanks_and_tabs_surround_a_member_of_a_list() {
    let fields = with("X-A: a ,\tb,\u{a0}c,\u{85}d\r\n").unwrap().fields;
    assert_eq!(fields.list("X-A").collect::<Vec<_>>(), ["a", "b", "\u{a0}c", "\u{85}d"]);
}

#[rstest]
#[case::no_reason("HTTP/1.1 200 \r\n\r\n", Some(200))]
#[case::not_even_its_space("HTTP/1.1 200\r\n\r\n", Some(200))]
#[case::four_digits("HTTP/1.1 2000 OK\r\n\r\n", None)]
#[case::a_sign("HTTP/1.1 +20 OK\r\n\r\n", None)]
#[case::below_100("HTTP/1.1 099 OK\r\n\r\n", None)]
#[case::another_protocol("SSH-2.0-OpenSSH_9.2\r\n\r\n", None)]
#[case::no_version("200 OK\r\n\r\n", None)]
fn a_status_is_three_digits(#[case] head: &str, #[case] expected: Option<Status>) {
    let status = Response::parse(head.as_bytes()).map(|response| response.status);
    assert_eq!(status.ok(), expected);
}

#[rstest]
#[case::http_1_0("HTTP/1.0", Ok(Version::Http10))]
#[case::a_later_one_is_answered_as_1_1("HTTP/1.9", Ok(Version::Http11))]
#[case::http_0_9("HTTP/0.9", Err(505))]
#[case::http_2("HTTP/2.0", Err(505))]
#[case::two_digits("HTTP/1.10", Err(400))]
#[case::no_minor("HTTP/2", Err(400))]
#[case::small_letters("http/1.1", Err(400))]
#[case::another_protocol("ICY/1.1", Err(400))]
fn only_http_1_is_spoken(#[case] version: &str, #[case] expected: Result<Version, Status>) {
    let parsed = parse(&format!("GET / {version}\r\nHost: a\r\n\r\n"));
    assert_eq!(parsed.map(|request| request.version).map_err(|fault| fault.status), expected);
}

#[rstest]
#[case::no_version("GET /\r\n\r\n")]
#[case::two_blanks("GET  / HTTP/1.1\r\n\r\n")]
#[case::a_blank_behind("GET / HTTP/1.1 \r\n\r\n")]
#[case::a_blank_in_front(" GET / HTTP/1.1\r\n\r\n")]
#[case::a_tab("GET\t/\tHTTP/1.1\r\n\r\n")]
#[case::a_form_feed("GET\x0c/\x0cHTTP/1.1\r\n\r\n")]
#[case::a_form_feed_behind("GET / HTTP/1.1\x0c\r\n\r\n")]
#[case::a_form_feed_in_the_target("GET /\x0c HTTP/1.1\r\n\r\n")]
#[case::four_words("GET /a HTTP/1.1 /b HTTP/1.1\r\n\r\n")]
#[case::a_method_with_a_slash("G/ET / HTTP/1.1\r\n\r\n")]
#[case::no_method(" / HTTP/1.1\r\n\r\n")]
#[case::a_fragment("GET /a#b HTTP/1.1\r\n\r\n")]
#[case::a_nul("GET /a\0b HTTP/1.1\r\n\r\n")]
#[case::raw_utf8("GET /你好 HTTP/1.1\r\n\r\n")]
#[case::nothing("\r\n")]
#[case::a_blank_before_the_first_field("GET / HTTP/1.1\r\n Host: a\r\n\r\n")]
fn a_request_line_in_any_other_form_is_refused(#[case] head: &str) {
    assert_eq!(parse(head).unwrap_err().status, 400, "{head:?}");
}

#[rstest]
#[case::no_colon("nonsense\r\n")]
#[case::no_name(": a\r\n")]
#[case::a_blank_before_the_colon("Content-Length : 5\r\n")]
#[case::a_tab_before_the_colon("Content-Length\t: 5\r\n")]
#[case::a_blank_in_the_name("Content Length: 5\r\n")]
#[case::a_folded_line("X-A: a\r\n b\r\n")]
#[case::a_line_folded_with_a_tab("X-A: a\r\n\tb\r\n")]
#[case::a_nul("X-A: a\0b\r\n")]
#[case::an_escape("X-A: \x1b[2J\r\n")]
#[case::a_form_feed_in_front("X-A: \x0ca\r\n")]
#[case::a_form_feed_behind("X-A: a\x0c\r\n")]
#[case::a_vertical_tab_in_front("X-A:\x0ba\r\n")]
#[case::a_vertical_tab_behind("X-A: a\x0b\r\n")]
#[case::a_carriage_return_in_front("X-A:\r a\r\n")]
#[case::a_form_feed_before_the_colon("X-A\x0c: a\r\n")]
#[case::a_form_feed_before_the_name("\x0cX-A: a\r\n")]
#[case::del("X-A: \x7f\r\n")]
#[case::a_line_feed_alone("X-A: a\nContent-Length: 5\r\n")]
#[case::a_carriage_return_alone("X-A: a\rContent-Length: 5\r\n")]
#[case::two_carriage_returns("X-A: a\r\r\n")]
#[case::a_name_of_another_alphabet("Cоntent-Length: 5\r\n")]
#[case::an_empty_line_inside("X-A: a\r\n\r\nX-B: b\r\n")]
fn a_field_in_any_other_form_is_refused(#[case] fields: &str) {
    assert_eq!(with(fields).unwrap_err().status, 400, "{fields:?}");
}

#[test]
fn bytes_above_ascii_stand_in_values_but_not_in_names() {
    let head = b"GET / HTTP/1.1\r\nHost: a\r\nX-A: caf\xe9\r\n\r\n";
    assert!(Request::parse(head).unwrap().fields.first("X-A").unwrap().starts_with("caf"));
    assert!(Request::parse(b"GET / HTTP/1.1\r\nX\xe9: a\r\n\r\n").is_err());
}

#[test]
fn a_hundred_fields_are_taken_and_one_more_is_not() {
    assert!(with(&"X-A: a\r\n".repeat(99)).is_ok());
    assert_eq!(with(&"X-A: a\r\n".repeat(100)).unwrap_err().status, 431);
}

#[rstest]
#[case::no_field("", Ok(Framing::Length(0)))]
#[case::a_length("Content-Length: 5\r\n", Ok(Framing::Length(5)))]
#[case::leading_zeros("Content-Length: 005\r\n", Ok(Framing::Length(5)))]
#[case::more_than_64_bits(
    "Content-Length: 99999999999999999999\r\n",
    Ok(Framing::Length(u64::MAX))
)]
#[case::chunked("Transfer-Encoding: chunked\r\n", Ok(Framing::Chunked))]
#[case::chunked_in_capitals("Transfer-Encoding: CHUNKED\r\n", Ok(Framing::Chunked))]
#[case::plus("Content-Length: +5\r\n", Err(400))]
#[case::minus("Content-Length: -5\r\n", Err(400))]
#[case::hexadecimal("Content-Length: 0x5\r\n", Err(400))]
#[case::a_blank_inside("Content-Length: 5 5\r\n", Err(400))]
#[case::blanks_around("Content-Length: \t5 \r\n", Ok(Framing::Length(5)))]
#[case::a_form_feed_behind("Content-Length: 5\x0c\r\n", Err(400))]
#[case::a_blank_of_unicode("Content-Length: 5\u{a0}\r\n", Err(400))]
#[case::chunked_behind_a_blank_of_unicode("Transfer-Encoding: \u{a0}chunked\r\n", Err(400))]
#[case::empty("Content-Length:\r\n", Err(400))]
#[case::a_list("Content-Length: 5, 5\r\n", Err(400))]
#[case::two_that_differ("Content-Length: 5\r\nContent-Length: 6\r\n", Err(400))]
#[case::two_that_agree("Content-Length: 5\r\nContent-Length: 5\r\n", Err(400))]
#[case::both("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", Err(400))]
#[case::both_the_other_way("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", Err(400))]
#[case::chunked_twice("Transfer-Encoding: chunked, chunked\r\n", Err(400))]
#[case::chunked_in_two_lines(
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    Err(400)
)]
#[case::chunked_not_last("Transfer-Encoding: chunked, gzip\r\n", Err(400))]
#[case::identity("Transfer-Encoding: identity\r\n", Err(400))]
#[case::nearly_chunked("Transfer-Encoding: xchunked\r\n", Err(400))]
#[case::no_coding("Transfer-Encoding:\r\n", Err(400))]
#[case::another_coding_too("Transfer-Encoding: gzip, chunked\r\n", Err(501))]
fn a_body_has_one_length(#[case] fields: &str, #[case] expected: Result<Framing, Status>) {
    let framing = with(fields).and_then(|request| framing::of_request(&request));
    assert_eq!(framing.map_err(|fault| fault.status), expected);
}

#[test]
fn http_1_0_knows_no_transfer_encoding() {
    let request = parse("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
    assert_eq!(framing::of_request(&request).unwrap_err().status, 400);
}

#[rstest]
#[case::no_field("GET", 200, "", Framing::UntilClose)]
#[case::a_length("GET", 200, "Content-Length: 5\r\n", Framing::Length(5))]
#[case::head("HEAD", 200, "Content-Length: 5\r\n", Framing::Length(0))]
#[case::no_content("GET", 204, "", Framing::Length(0))]
#[case::not_modified("GET", 304, "Content-Length: 5\r\n", Framing::Length(0))]
fn a_response_may_end_with_the_connection(
    #[case] method: &str,
    #[case] status: Status,
    #[case] fields: &str,
    #[case] expected: Framing,
) {
    let head = format!("HTTP/1.1 {status} X\r\n{fields}\r\n");
    let response = Response::parse(head.as_bytes()).unwrap();
    assert_eq!(framing::of_response(method, &response), Ok(expected));
}

/// Every byte of a head is replaced by every other one: whatever is still accepted means the same
/// when it is sent on and read again. (Else somebody behind us could be told something else.)
#[test]
fn what_is_accepted_is_read_the_same_by_the_next_one() {
    let mut accepted = 0;
    for at in 0..GOOD.len() {
        for byte in 0..=u8::MAX {
            let mut head = GOOD.as_bytes().to_vec();
            head[at] = byte;
            if let Ok(request) = Request::parse(&head) {
                assert_eq!(parse(&request.to_string()).as_ref(), Ok(&request), "{head:?}");
                accepted += 1;
            }
        }
    }
    assert!(accepted > GOOD.len(), "{accepted}");
}

#[test]
fn no_part_of_a_head_is_taken_for_a_head() {
    for length in 0..GOOD.len() {
        assert!(Request::parse(&GOOD.as_bytes()[..length]).is_err(), "{length}");
    }
}
