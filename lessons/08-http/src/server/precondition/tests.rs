//! Every combination of preconditions, and the rule of RFC 9110, section 13.2.2, once more, as a
//! table of what each field alone says.

use rstest::rstest;

use super::*;
use crate::http::head::Request;

const TAG: &str = "\"v2\"";
const MODIFIED: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const EARLIER: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
const LATER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

fn validators() -> Validators {
    let modified = HttpDate::parse(MODIFIED);
    Validators { tag: Some(TAG.to_owned()), modified, is_strong_date: true }
}

fn fields(lines: &str) -> Fields {
    Request::parse(format!("GET / HTTP/1.1\r\n{lines}\r\n").as_bytes()).unwrap().fields
}

fn failed(lines: &str) -> Option<Status> {
    validators().failed_precondition(&fields(lines))
}

/// What a field says: nothing (it is not there, or counts for nothing), that the version is the
/// client's, or that it is another one.
#[derive(Clone, Copy, PartialEq)]
enum Says {
    Nothing,
    Ours,
    Other,
}
use Says::{Nothing, Other, Ours};

type Cases = &'static [(Option<&'static str>, Says)];

const STRONG: Cases = &[
    (None, Nothing),
    (Some("*"), Ours),
    (Some("\"v2\""), Ours),
    (Some("\"v1\", \"v2\""), Ours),
    (Some("\"v1\""), Other),
    (Some("W/\"v2\""), Other),
    (Some("v2"), Other),
    (Some(""), Other),
];
const WEAK: Cases = &[
    (None, Nothing),
    (Some("*"), Ours),
    (Some("\"v2\""), Ours),
    (Some("W/\"v1\",\t,W/\"v2\""), Ours),
    (Some("\"v1\""), Other),
    (Some("w/\"v2\""), Other),
    (Some("\"V2\""), Other),
    (Some(""), Other),
];
const DATES: Cases = &[
    (None, Nothing),
    (Some("yesterday"), Nothing),
    (Some("Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT"), Nothing),
    (Some(MODIFIED), Ours),
    (Some("Sunday, 06-Nov-94 08:49:37 GMT"), Ours),
    (Some("Sun Nov  6 08:49:37 1994"), Ours),
    (Some(LATER), Ours),
    (Some(EARLIER), Other),
    (Some("Sat, 06 Nov 1954 08:49:37 GMT"), Other),
];

#[test]
fn the_fields_count_in_their_order_whatever_they_are_combined_with() {
    let line = |name, value: Option<&str>| value.map(|value| format!("{name}: {value}\r\n"));
    let mut count = 0;
    for &(if_match, match_says) in STRONG {
        for &(unmodified_since, unmodified_says) in DATES {
            for &(none_match, none_match_says) in WEAK {
                for &(modified_since, modified_says) in DATES {
                    let lines: String = [
                        // Their order in the request means nothing.
                        line("If-Modified-Since", modified_since),
                        line("If-None-Match", none_match),
                        line("If-Unmodified-Since", unmodified_since),
                        line("If-Match", if_match),
                    ]
                    .into_iter()
                    .flatten()
                    .collect();
                    let precondition =
                        if if_match.is_some() { match_says } else { unmodified_says };
                    let known = if none_match.is_some() { none_match_says } else { modified_says };
                    let expected = match (precondition, known) {
                        (Other, _) => Some(412),
                        (_, Ours) => Some(304),
                        _ => None,
                    };
                    assert_eq!(failed(&lines), expected, "{lines}");
                    count += 1;
                }
            }
        }
    }
    assert_eq!(count, 8 * 9 * 8 * 9);
}

/// A tag may have commas, and no blank; lists may have empty members, and come in several lines.
#[rstest]
#[case::in_a_second_line("If-Match: \"a\"\r\nIf-Match: \"v2\"\r\n", true)]
#[case::behind_empty_members("If-Match: ,, \t,\"v2\" ,\r\n", true)]
#[case::behind_a_tag_with_commas("If-Match: \"a,b\", \"v2\"\r\n", true)]
#[case::of_another_with_ours_inside("If-Match: \"a,v2,b\"\r\n", false)]
#[case::of_nothing("If-Match: \"\"\r\n", false)]
#[case::with_a_blank("If-Match: \" v2\"\r\n", false)]
#[case::in_single_quotes("If-Match: 'v2'\r\n", false)]
#[case::with_more_behind_it("If-Match: \"v2\"x\r\n", false)]
#[case::with_another_blank("If-Match: \"v1\",\u{a0}\"v2\"\r\n", false)]
#[case::an_asterisk_in_a_list("If-Match: *, \"v1\"\r\n", false)]
#[case::two_asterisks("If-Match: *\r\nIf-Match: *\r\n", false)]
fn a_list_of_tags_is_read_as_a_list(#[case] lines: &str, #[case] is_ours: bool) {
    assert_eq!(failed(lines), if is_ours { None } else { Some(412) });
    let lines = lines.replace("If-Match", "If-None-Match");
    assert_eq!(failed(&lines), is_ours.then_some(304));
}

#[rstest]
#[case::two_dates(&format!("If-Modified-Since: {MODIFIED}\r\nIf-Modified-Since: {LATER}\r\n"))]
#[case::two_of_the_other(
    &format!("If-Unmodified-Since: {EARLIER}\r\nIf-Unmodified-Since: {EARLIER}\r\n")
)]
#[case::small_letters("If-Modified-Since: sun, 06 nov 1994 08:49:37 gmt\r\n")]
fn a_date_that_does_not_stand_alone_counts_for_nothing(#[case] lines: &str) {
    assert_eq!(failed(lines), None);
}

#[rstest]
#[case::none("", true)]
#[case::our_tag("If-Range: \"v2\"\r\n", true)]
#[case::our_date("If-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n", true)]
#[case::our_date_in_an_old_form("If-Range: Sunday, 06-Nov-94 08:49:37 GMT\r\n", true)]
#[case::another_tag("If-Range: \"v1\"\r\n", false)]
#[case::a_weak_tag("If-Range: W/\"v2\"\r\n", false)]
#[case::a_list("If-Range: \"v1\", \"v2\"\r\n", false)]
#[case::two_lines("If-Range: \"v2\"\r\nIf-Range: \"v2\"\r\n", false)]
#[case::an_asterisk("If-Range: *\r\n", false)]
#[case::an_earlier_date("If-Range: Sun, 06 Nov 1994 08:49:36 GMT\r\n", false)]
#[case::a_later_date("If-Range: Sun, 06 Nov 1994 08:49:38 GMT\r\n", false)]
#[case::nonsense("If-Range: v2\r\n", false)]
#[case::nothing("If-Range:\r\n", false)]
fn a_range_is_for_exactly_one_version(#[case] lines: &str, #[case] counts: bool) {
    assert_eq!(validators().allow_range(&fields(lines)), counts);
}

/// In the second in which a file was modified, its date may still come to stand for another
/// version, and is no strong validator (RFC 9110, section 8.8.2.2).
#[test]
fn a_date_is_strong_when_its_second_is_over() {
    let file = tempfile::tempfile().unwrap();
    let about = file.metadata().unwrap();
    let modified = about.modified().unwrap();
    let second = std::time::Duration::from_secs(1);
    let if_range = |now| {
        let validators = Validators::of(&about, now);
        let date = validators.modified.unwrap();
        validators.allow_range(&fields(&format!("If-Range: {date}\r\n")))
    };
    assert!(!if_range(modified));
    assert!(if_range(modified + second));
    // The clock has been put back: the file seems to be of the future.
    assert!(!if_range(modified - second));
}

/// What has no validators has a current version all the same.
#[rstest]
#[case::any("If-Match: *\r\n", None)]
#[case::none_of_any("If-None-Match: *\r\n", Some(304))]
#[case::a_tag("If-Match: \"v2\"\r\n", Some(412))]
#[case::not_a_tag("If-None-Match: \"v2\"\r\n", None)]
#[case::a_date("If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", None)]
#[case::another_date("If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", None)]
fn without_validators_only_an_asterisk_fits(#[case] lines: &str, #[case] expected: Option<Status>) {
    let none = Validators::default();
    assert_eq!(none.failed_precondition(&fields(lines)), expected);
    let date = "If-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    assert!(!none.allow_range(&fields(date)) && !none.allow_range(&fields("If-Range: x\r\n")));
}
