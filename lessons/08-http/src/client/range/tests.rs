//! Ranges as they are written, and answers that bring them or something else.

use rstest::rstest;

use super::*;

/// How many bytes an answer with this status and these fields has to bring.
fn checked(range: &str, status: u16, fields: &str) -> Result<Option<u64>> {
    let asked = (!range.is_empty()).then(|| Range::parse(range).unwrap());
    let head = format!("HTTP/1.1 {status} X\r\n{fields}\r\n");
    Range::check(asked, &Response::parse(head.as_bytes()).unwrap())
}

#[rstest]
#[case::what_was_asked_for("2-4", "bytes 2-4/10", 3)]
#[case::up_to_the_end("2-99", "bytes 2-9/10", 8)]
#[case::all_the_rest("2-", "bytes 2-9/10", 8)]
#[case::the_end("-3", "bytes 7-9/10", 3)]
#[case::more_than_there_is("-30", "bytes 0-9/10", 10)]
#[case::of_unknown_length("2-4", "bytes 2-4/*", 3)]
#[case::less_of_unknown_length("2-4", "bytes 2-3/*", 2)]
#[case::the_rest_of_unknown_length("2-", "bytes 2-9/*", 8)]
#[case::the_end_of_unknown_length("-3", "bytes 7-9/*", 3)]
#[case::in_capitals("2-4", "BYTES 2-4/10", 3)]
#[case::of_the_largest_length("0-", "bytes 0-18446744073709551614/18446744073709551615", u64::MAX)]
fn the_part_that_was_asked_for_is_taken(
    #[case] range: &str,
    #[case] content_range: &str,
    #[case] length: u64,
) {
    let fields = format!("Content-Range: {content_range}\r\n");
    assert_eq!(checked(range, 206, &fields).unwrap(), Some(length));
}

#[rstest]
#[case::another_beginning("2-4", "bytes 3-4/10")]
#[case::another_end("2-4", "bytes 2-5/10")]
#[case::less("2-4", "bytes 2-3/10")]
#[case::not_the_rest("2-", "bytes 2-8/10")]
#[case::not_the_end("-3", "bytes 6-8/10")]
#[case::more_of_the_end("-3", "bytes 6-9/10")]
#[case::less_of_the_end("-3", "bytes 8-9/10")]
#[case::more_of_an_unknown_end("-3", "bytes 6-9/*")]
#[case::backwards("2-4", "bytes 4-2/10")]
#[case::beyond_the_length("2-4", "bytes 2-4/4")]
#[case::no_part("2-4", "bytes */10")]
#[case::another_unit("2-4", "lines 2-4/10")]
#[case::no_unit("2-4", "2-4/10")]
#[case::no_length("2-4", "bytes 2-4")]
#[case::a_sign("2-4", "bytes +2-4/10")]
#[case::two_blanks("2-4", "bytes  2-4/10")]
#[case::an_equals_sign("2-4", "bytes=2-4/10")]
#[case::beyond_64_bits("2-4", "bytes 2-4/18446744073709551616")]
#[case::nothing("2-4", "")]
fn any_other_part_is_not(#[case] range: &str, #[case] content_range: &str) {
    let fields = format!("Content-Range: {content_range}\r\n");
    let error = checked(range, 206, &fields).unwrap_err().to_string();
    assert!(error.contains("part") && error.contains(content_range), "{error}");
}

#[rstest]
#[case::without_a_range("2-4", 206, "", "does not say which")]
#[case::two_ranges(
    "2-4",
    206,
    "Content-Range: bytes 2-4/10\r\nContent-Range: bytes 2-4/10\r\n",
    "does not say which"
)]
#[case::several_parts(
    "2-4",
    206,
    "Content-Type: Multipart/ByteRanges; boundary=a\r\n",
    "several parts"
)]
#[case::all("2-4", 200, "", "without --range")]
#[case::a_part_of_all("", 206, "Content-Range: bytes 0-9/10\r\n", "all was asked for")]
fn an_answer_to_another_question_is_not_taken(
    #[case] range: &str,
    #[case] status: u16,
    #[case] fields: &str,
    #[case] reason: &str,
) {
    let error = checked(range, status, fields).unwrap_err().to_string();
    assert!(error.contains(reason), "{error}");
}

#[rstest]
#[case::all("", 200)]
#[case::all_that_there_is("0-", 200)]
#[case::no_such_part("2-4", 416)]
#[case::no_such_file("2-4", 404)]
#[case::elsewhere("2-4", 301)]
fn other_answers_bring_what_they_bring(#[case] range: &str, #[case] status: u16) {
    assert_eq!(checked(range, status, "").unwrap(), None);
}

#[rstest]
#[case("0-0", "bytes=0-0")]
#[case("10-", "bytes=10-")]
#[case("-10", "bytes=-10")]
fn a_range_is_sent_as_it_was_written(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(Range::parse(text).unwrap().to_string(), expected);
}

#[rstest]
fn what_is_no_range_is_not_sent(
    #[values("", "-", "5", "a-b", "4-2", "+1-2", "1-2,3-4", "1 - 2", "18446744073709551616-")]
    text: &str,
) {
    assert!(Range::parse(text).is_err());
}
