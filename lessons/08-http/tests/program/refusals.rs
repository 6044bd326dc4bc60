//! Requests that two programs could read in two ways, and requests without an end.

use rstest::rstest;

use super::*;

/// What an attacker would like to smuggle past somebody.
const SECOND: &str = "GET /numbers.txt HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// One answer, which says that the connection ends, and then its end: nothing of what followed was
/// taken for a request.
fn refused(answer: &str, expected: u16) {
    assert_eq!(status(answer), expected, "{answer}");
    assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
    assert_eq!(answer.matches("\r\nDate: ").count(), 1, "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("\r\nContent-Length: {}", body.len())), "{answer}");
}

#[rstest]
#[case::two_lengths("Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!")]
#[case::two_equal_lengths("Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello")]
#[case::a_list_of_lengths("Content-Length: 5, 5\r\n\r\nhello")]
#[case::length_and_chunked("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG")]
#[case::chunked_and_length("Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nG")]
#[case::plus("Content-Length: +5\r\n\r\nhello")]
#[case::minus("Content-Length: -5\r\n\r\nhello")]
#[case::hexadecimal("Content-Length: 0x5\r\n\r\nhello")]
#[case::no_number("Content-Length: five\r\n\r\nhello")]
#[case::an_empty_length("Content-Length: \r\n\r\nhello")]
#[case::a_blank_before_the_colon("Content-Length : 5\r\n\r\nhello")]
#[case::chunked_before_a_colon("Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n")]
#[case::a_folded_field("Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n")]
#[case::a_bare_line_feed("X-A: a\nContent-Length: 5\r\n\r\nhello")]
#[case::a_bare_carriage_return("X-A: a\rContent-Length: 5\r\n\r\nhello")]
#[case::a_head_that_ends_with_bare_line_feeds("X-A: a\n\n")]
#[case::a_nul("X-A: a\0b\r\n\r\n")]
#[case::a_form_feed_around_a_value("Content-Length: \x0c5\r\n\r\nhello")]
#[case::a_form_feed_behind_a_value("Transfer-Encoding: chunked\x0c\r\n\r\n0\r\n\r\n")]
#[case::a_vertical_tab_behind_a_value("Content-Length: 5\x0b\r\n\r\nhello")]
#[case::a_form_feed_before_the_colon("Content-Length\x0c: 5\r\n\r\nhello")]
#[case::a_blank_of_unicode("Content-Length: 5\u{a0}\r\n\r\nhello")]
#[case::a_blank_behind_a_chunk_size("Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n")]
#[case::a_form_feed_behind_a_chunk_size(
    "Transfer-Encoding: chunked\r\n\r\n5\x0c;a\r\nhello\r\n0\r\n\r\n"
)]
#[case::a_second_host("Host: other\r\n\r\n")]
#[case::chunked_twice("Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n")]
#[case::chunked_not_last("Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n")]
#[case::nearly_chunked("Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n")]
#[case::a_chunk_size_with_a_sign("Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n")]
#[case::a_chunk_size_with_0x("Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n")]
#[case::nonsense_for_a_chunk_size("Transfer-Encoding: chunked\r\n\r\nZ\r\nhello\r\n0\r\n\r\n")]
#[case::a_chunk_size_too_large("Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n")]
#[case::a_chunk_that_is_longer("Transfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n0\r\n\r\n")]
#[case::a_bare_line_feed_in_chunks("Transfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n")]
fn what_could_be_read_in_two_ways_is_400_and_the_end(
    #[case] fields: &str,
    #[values("GET", "POST")] method: &str,
) {
    let site = site(&[]);
    let request = format!("{method} / HTTP/1.1\r\nHost: localhost\r\n{fields}{SECOND}");
    refused(&site.exchange(request.as_bytes()), 400);
    site.still_serves();
}

#[rstest]
#[case::no_host("GET / HTTP/1.1\r\n\r\n", 400)]
#[case::nonsense("nonsense\r\n\r\n", 400)]
#[case::another_protocol("SSH-2.0-OpenSSH_9.2\r\n", 400)]
#[case::the_beginning_of_tls("\x16\x03\x01\x02\n", 400)]
#[case::http_0_9("GET /\r\n", 400)]
#[case::http_2("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505)]
#[case::http_3("GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505)]
#[case::a_nul_in_the_target("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 400)]
#[case::chunked_in_1_0("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400)]
#[case::another_coding(
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    501
)]
#[case::a_large_body("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n", 413)]
#[case::an_endless_length(
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    413
)]
#[case::a_large_chunk(
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n",
    413
)]
fn what_is_no_request_of_ours_is_refused(#[case] request: &str, #[case] expected: u16) {
    let site = site(&[]);
    refused(&site.exchange(format!("{request}{SECOND}").as_bytes()), expected);
    site.still_serves();
}

#[rstest]
#[case::a_long_target(format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(8200)), 414)]
#[case::a_line_without_end("a".repeat(100_000), 414)]
#[case::a_long_field(get("/", &format!("X-A: {}\r\n", "a".repeat(40_000))), 431)]
#[case::many_fields(get("/", &"X-A: a\r\n".repeat(101)), 431)]
#[case::fields_without_end(get("/", &"X-A: aaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(10_000)), 431)]
fn a_head_without_end_is_not_read_to_its_end(#[case] request: String, #[case] expected: u16) {
    let site = site(&[]);
    refused(&site.exchange(request.as_bytes()), expected);
}

#[rstest]
#[case::in_its_first_line("GET / HT")]
#[case::in_its_fields("GET / HTTP/1.1\r\nHost: a\r\nX-")]
#[case::in_its_body("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe")]
fn a_request_that_stops_in_the_middle_is_answered_with_408(#[case] request: &str) {
    let site = site(&["--request-time", "0.2"]);
    refused(&site.exchange(request.as_bytes()), 408);
    assert!(site.server.says("did not arrive in time → 408", LIMIT), "{}", site.server.stderr());
}

/// Each byte comes in time, the request does not.
#[test]
fn a_request_that_drips_is_answered_with_408() {
    let site = site(&["--request-time", "0.3"]);
    let mut stream = site.connect();
    stream.write_all(b"GET / HTTP/1.1\r\nX-A: ").unwrap();
    let mut drip = stream.try_clone().unwrap();
    let dripping = thread::spawn(move || {
        while drip.write_all(b"a").is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    });
    refused(&rest(&mut stream), 408);
    drop(stream);
    drop(site);
    dripping.join().unwrap();
}

#[test]
fn a_connection_on_which_nothing_comes_is_closed_without_a_word() {
    let site = site(&["--idle", "1"]);
    assert_eq!(rest(&mut site.connect()), "");
    let mut stream = site.connect();
    stream.write_all(get("/numbers.txt", "").as_bytes()).unwrap();
    let answer = rest(&mut stream);
    assert!(answer.ends_with(NUMBERS), "one answer, and then silence: {answer}");
}

#[test]
fn how_long_a_request_may_take_says_nothing_about_the_time_between_two() {
    let site = site(&["--request-time", "0.2"]);
    let mut stream = site.connect();
    for _ in 0..2 {
        stream.write_all(get("/nothing", "").as_bytes()).unwrap();
        assert!(head(&mut stream).starts_with("HTTP/1.1 200 OK\r\n"));
        // Longer than a request may take. Nothing is waited for here: time is what is tested.
        thread::sleep(Duration::from_millis(400));
    }
}

#[rstest]
#[case::post("POST", 405)]
#[case::put("PUT", 405)]
#[case::delete("DELETE", 405)]
#[case::options("OPTIONS", 405)]
#[case::trace("TRACE", 405)]
#[case::one_that_nobody_knows("BREW", 501)]
#[case::small_letters("get", 501)]
fn other_methods_are_refused_and_the_connection_lives_on(
    #[case] method: &str,
    #[case] expected: u16,
) {
    let site = site(&[]);
    let body = "Content-Length: 5\r\n\r\nhello";
    let request = format!("{method} /numbers.txt HTTP/1.1\r\nHost: a\r\n{body}");
    let both = site.exchange((request + &get("/numbers.txt", "Connection: close\r\n")).as_bytes());
    assert_eq!(status(&both), expected, "{both}");
    assert_eq!(both.contains("\r\nAllow: GET, HEAD\r\n"), expected == 405, "{both}");
    assert!(both.ends_with(NUMBERS), "{both}");
}

/// A sender must not put blanks there, and a recipient must remove them (RFC 9112, section 7.1.1).
#[rstest]
#[case::before_an_extension("5 ;a=b\r\nhello\r\n0\r\n\r\n")]
#[case::before_several("5\t ; a = b ;\tc=\"d;\te\"\r\nhello\r\n0 ;f\r\n\r\n")]
fn blanks_among_chunk_extensions_count_for_nothing(#[case] body: &str) {
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let next = get("/numbers.txt", "Connection: close\r\n");
    let both = site(&[]).exchange(format!("{head}{body}{next}").as_bytes());
    assert_eq!(status(&both), 405, "{both}");
    assert!(both.ends_with(NUMBERS), "{both}");
}

/// curl does this with a large body. Whether the body follows nobody knows then, so the connection
/// must end.
#[test]
fn a_client_that_asks_whether_to_send_a_body_gets_its_answer_at_once() {
    let site = site(&[]);
    let fields = "Content-Length: 1000000\r\nExpect: 100-continue\r\n";
    let request = format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    refused(&site.exchange(request.as_bytes()), 405);
}

/// It is still sending when we refuse: what it then reads is the answer and no reset.
#[test]
fn a_client_in_the_middle_of_a_large_body_reads_the_refusal() {
    let site = site(&[]);
    let mut stream = site.connect();
    let mut sending = stream.try_clone().unwrap();
    let upload = thread::spawn(move || {
        let head = "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n";
        sending.write_all(head.as_bytes()).unwrap();
        sending.write_all(&vec![0; 8_000_000]).unwrap();
        sending.shutdown(Shutdown::Write).unwrap();
    });
    refused(&rest(&mut stream), 413);
    upload.join().unwrap();
}
