//! Heads and bodies that come in any pieces, end early, or never end.

use std::io::BufReader;

use rstest::rstest;

use super::*;

const LIMIT: u64 = 1000;

/// What comes out of `wire`, read byte by byte, and what is left on it; or why not.
fn received(framing: Framing, wire: &[u8]) -> Result<(Vec<u8>, Vec<u8>), WireError> {
    let mut input = BufReader::with_capacity(1, wire);
    let mut body = Vec::new();
    receive(&mut input, framing, LIMIT, &mut |piece| {
        body.extend_from_slice(piece);
        Ok(())
    })?;
    let mut rest = Vec::new();
    input.read_to_end(&mut rest)?;
    Ok((body, rest))
}

/// The status that a fault deserves; 0 for a connection that ended too early.
fn status(error: &WireError) -> Status {
    match error {
        WireError::Fault(fault) => fault.status,
        WireError::Connection(error) if error.kind() == ErrorKind::UnexpectedEof => 0,
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[case::nothing(Framing::Length(0), "rest", "", "rest")]
#[case::a_length(Framing::Length(5), "hellorest", "hello", "rest")]
#[case::until_the_end(Framing::UntilClose, "hello", "hello", "")]
#[case::one_chunk(Framing::Chunked, "5\r\nhello\r\n0\r\n\r\nrest", "hello", "rest")]
#[case::two_chunks(Framing::Chunked, "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\nrest", "hello", "rest")]
#[case::no_chunk(Framing::Chunked, "0\r\n\r\nrest", "", "rest")]
#[case::hexadecimal(Framing::Chunked, "A\r\n0123456789\r\n0\r\n\r\n", "0123456789", "")]
#[case::leading_zeros(Framing::Chunked, "005\r\nhello\r\n000\r\n\r\n", "hello", "")]
#[case::an_extension(Framing::Chunked, "5;a=b\r\nhello\r\n0;c\r\n\r\nrest", "hello", "rest")]
#[case::blanks_before_extensions(
    Framing::Chunked,
    "5 ;a=b\r\nhello\r\n0 \t; c = \"d;e\" ;f\r\n\r\nrest",
    "hello",
    "rest"
)]
#[case::a_tab_in_an_extension(Framing::Chunked, "5;a=\"\t\"\r\nhello\r\n0\r\n\r\n", "hello", "")]
#[case::a_trailer(Framing::Chunked, "5\r\nhello\r\n0\r\nX-A: b\r\n\r\nrest", "hello", "rest")]
#[case::line_ends_inside(Framing::Chunked, "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n", "")]
fn a_body_ends_where_its_framing_says(
    #[case] framing: Framing,
    #[case] wire: &str,
    #[case] body: &str,
    #[case] rest: &str,
) {
    let came = received(framing, wire.as_bytes()).unwrap();
    assert_eq!(came, (body.as_bytes().to_vec(), rest.as_bytes().to_vec()));
}

#[rstest]
#[case::no_size("\r\nhello\r\n0\r\n\r\n")]
#[case::no_number("five\r\nhello\r\n0\r\n\r\n")]
#[case::plus("+5\r\nhello\r\n0\r\n\r\n")]
#[case::minus("-5\r\nhello\r\n0\r\n\r\n")]
#[case::with_0x("0x5\r\nhello\r\n0\r\n\r\n")]
#[case::an_underscore("0_5\r\nhello\r\n0\r\n\r\n")]
#[case::a_blank_behind("5 \r\nhello\r\n0\r\n\r\n")]
#[case::a_blank_in_front(" 5\r\nhello\r\n0\r\n\r\n")]
#[case::a_tab_behind("5\t\r\nhello\r\n0\r\n\r\n")]
#[case::a_form_feed_behind("5\x0c\r\nhello\r\n0\r\n\r\n")]
#[case::a_form_feed_before_an_extension("5\x0c;a\r\nhello\r\n0\r\n\r\n")]
#[case::a_blank_of_unicode_before_an_extension("5\u{a0};a\r\nhello\r\n0\r\n\r\n")]
#[case::only_an_extension(" ;a\r\nhello\r\n0\r\n\r\n")]
#[case::a_nul_in_an_extension("5;a=\0\r\nhello\r\n0\r\n\r\n")]
#[case::more_than_64_bits("10000000000000005\r\nhello\r\n0\r\n\r\n")]
#[case::a_bare_line_feed("5\nhello\r\n0\r\n\r\n")]
#[case::a_carriage_return_in_an_extension("5;\rhello\r\n0\r\n\r\n")]
#[case::a_chunk_too_long("4\r\nhello\r\n0\r\n\r\n")]
#[case::no_line_end_behind_the_chunk("5\r\nhello0\r\n\r\n")]
#[case::a_bare_line_feed_behind_the_chunk("5\r\nhello\n0\r\n\r\n")]
#[case::nonsense_for_a_trailer("0\r\nnonsense\r\n\r\n")]
#[case::a_bare_line_feed_at_the_end("0\r\n\n")]
fn chunks_in_any_other_form_are_refused(#[case] wire: &str) {
    assert_eq!(status(&received(Framing::Chunked, wire.as_bytes()).unwrap_err()), 400);
}

#[test]
fn a_line_in_front_of_a_chunk_has_an_end() {
    let wire = format!("5;{}\r\nhello\r\n0\r\n\r\n", "a".repeat(1000));
    assert_eq!(status(&received(Framing::Chunked, wire.as_bytes()).unwrap_err()), 400);
}

#[rstest]
#[case::of_a_length(Framing::Length(5), "hello")]
#[case::in_chunks(Framing::Chunked, "5\r\nhello\r\n0\r\nX-A: b\r\n\r\n")]
fn a_body_that_ends_early_is_an_error_wherever_it_ends(
    #[case] framing: Framing,
    #[case] wire: &str,
) {
    for length in 0..wire.len() {
        let error = received(framing, &wire.as_bytes()[..length]).unwrap_err();
        assert_eq!(status(&error), 0, "after {length} bytes: {error:?}");
    }
}

#[rstest]
#[case::by_its_length(Framing::Length(LIMIT + 1), String::new())]
#[case::by_one_chunk(Framing::Chunked, "ffffffffffffffff\r\n".to_owned())]
#[case::by_many_chunks(Framing::Chunked, "1\r\na\r\n".repeat(1001))]
#[case::without_an_end(Framing::UntilClose, "a".repeat(1001))]
fn a_body_beyond_the_limit_is_refused(#[case] framing: Framing, #[case] wire: String) {
    assert_eq!(status(&received(framing, wire.as_bytes()).unwrap_err()), 413);
}

#[rstest]
#[case::its_length(Framing::Length(LIMIT), "a".repeat(1000))]
#[case::chunks(Framing::Chunked, "1\r\na\r\n".repeat(1000) + "0\r\n\r\n")]
#[case::the_end(Framing::UntilClose, "a".repeat(1000))]
fn a_body_of_just_the_limit_is_taken(#[case] framing: Framing, #[case] wire: String) {
    assert_eq!(received(framing, wire.as_bytes()).unwrap().0, "a".repeat(1000).as_bytes());
}

#[test]
fn the_fields_behind_a_body_are_returned() {
    let mut wire: &[u8] = b"0\r\nX-Digest: 12\r\n\r\n";
    let trailer = receive(&mut wire, Framing::Chunked, LIMIT, &mut |_| Ok(())).unwrap();
    assert_eq!(trailer.first("x-digest"), Some("12"));
}

#[test]
fn a_head_is_read_to_its_empty_line_and_not_further() {
    let mut wire: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /next";
    assert_eq!(read_head(&mut wire).unwrap(), b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(wire, b"GET /next");
}

#[rstest]
#[case::one(b"\r\nGET / HTTP/1.1\r\n\r\n", true)]
#[case::two(b"\r\n\r\nGET / HTTP/1.1\r\n\r\n", false)]
fn one_empty_line_in_front_is_skipped(#[case] mut wire: &[u8], #[case] is_skipped: bool) {
    assert_eq!(read_head(&mut wire).unwrap().starts_with(b"GET"), is_skipped);
}

#[rstest]
#[case::a_bare_line_feed("GET / HTTP/1.1\nHost: a\r\n\r\n", 400)]
#[case::a_bare_line_feed_at_the_end("GET / HTTP/1.1\r\nHost: a\r\n\n", 400)]
#[case::nothing("", 0)]
#[case::no_end("GET / HTTP/1.1\r\nHost: a\r\n", 0)]
#[case::a_long_line(&"a".repeat(MAX_LINE_BYTES), 414)]
#[case::long_fields(&format!("GET / HTTP/1.1\r\n{}", "X-A: a\r\n".repeat(MAX_HEAD_BYTES / 8)), 431)]
#[case::a_long_field(&format!("GET / HTTP/1.1\r\n{}", "a".repeat(MAX_HEAD_BYTES)), 431)]
fn a_head_without_an_end_is_refused(#[case] wire: &str, #[case] expected: Status) {
    assert_eq!(status(&read_head(&mut wire.as_bytes()).unwrap_err()), expected);
}
