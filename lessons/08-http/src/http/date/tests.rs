//! Dates in three forms, and what is none.

use std::time::Duration;

use rstest::rstest;

use super::*;

fn at(seconds: u64) -> Option<HttpDate> {
    HttpDate::of(UNIX_EPOCH + Duration::from_secs(seconds))
}

#[rstest]
#[case::fixdate("Sun, 06 Nov 1994 08:49:37 GMT")]
#[case::rfc_850("Sunday, 06-Nov-94 08:49:37 GMT")]
#[case::asctime("Sun Nov  6 08:49:37 1994")]
fn all_three_forms_are_understood_and_one_is_sent(#[case] text: &str) {
    let date = HttpDate::parse(text).unwrap();
    assert_eq!(Some(date), at(784_111_777));
    assert_eq!(date.to_string(), "Sun, 06 Nov 1994 08:49:37 GMT");
}

#[rstest]
#[case::the_first_year("Sat, 01 Jan 0000 00:00:00 GMT")]
#[case::before_1970("Fri, 01 Jan 1960 00:00:00 GMT")]
#[case::a_leap_day("Thu, 29 Feb 2024 00:00:00 GMT")]
#[case::a_leap_second("Sat, 31 Dec 2016 23:59:60 GMT")]
#[case::the_last_second("Fri, 31 Dec 9999 23:59:59 GMT")]
fn what_can_be_written_is_written_the_same_again(#[case] text: &str) {
    assert_eq!(HttpDate::parse(text).unwrap().to_string(), text);
}

/// More than 50 years ahead is in the last century.
#[rstest]
#[case("Tuesday, 05-Nov-69 00:00:00 GMT", "2069")]
#[case("Wednesday, 05-Nov-80 00:00:00 GMT", "1980")]
#[case("Friday, 05-Nov-99 00:00:00 GMT", "1999")]
fn a_year_of_two_digits_is_near(#[case] text: &str, #[case] year: &str) {
    assert!(HttpDate::parse(text).unwrap().to_string().contains(year), "{text}");
}

#[rstest]
fn everything_else_is_no_date(
    #[values(
        "",
        "yesterday",
        "0",
        "1994-11-06T08:49:37Z",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "sun, 06 nov 1994 08:49:37 gmt",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun,06 Nov 1994 08:49:37 GMT",
        "Sun, 06  Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06\u{a0}Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Mon, 06 Nov 1994 08:49:37 GMT",
        "Thu, 31 Nov 1994 08:49:37 GMT",
        "Wed, 29 Feb 2023 00:00:00 GMT",
        "Fri, 01 Jan +10000 00:00:00 GMT",
        "Sat, 01 Jan 10000 00:00:00 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov 06 08:49:37 1994",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT"
    )]
    text: &str,
) {
    assert_eq!(HttpDate::parse(text), None, "{text:?}");
}

#[rstest]
#[case::the_beginning(Some(UNIX_EPOCH), Some("Thu, 01 Jan 1970 00:00:00 GMT"))]
#[case::just_before(UNIX_EPOCH.checked_sub(Duration::from_nanos(100)), None)]
#[case::long_before(UNIX_EPOCH.checked_sub(Duration::from_secs(9_999_999_999)), None)]
#[case::the_last(
    UNIX_EPOCH.checked_add(Duration::from_millis(253_402_300_799_900)),
    Some("Fri, 31 Dec 9999 23:59:59 GMT")
)]
#[case::the_first_that_cannot_be_written(
    UNIX_EPOCH.checked_add(Duration::from_secs(253_402_300_800)),
    None
)]
#[case::the_last_of_64_bits(UNIX_EPOCH.checked_add(Duration::from_secs(i64::MAX as u64)), None)]
fn whatever_a_file_system_says_is_a_date_or_none(
    #[case] time: Option<SystemTime>,
    #[case] expected: Option<&str>,
) {
    // Not every system can hold each of these times.
    let Some(time) = time else { return };
    assert_eq!(HttpDate::of(time).map(|date| date.to_string()).as_deref(), expected);
}
