//! Which files are handed out, and how.

use std::fs::File;
use std::time::{SystemTime, UNIX_EPOCH};

use rstest::rstest;

use super::*;

#[rstest]
#[case::the_index("/", PAGE, "text/html; charset=utf-8")]
#[case::a_file("/numbers.txt", NUMBERS, "text/plain; charset=utf-8")]
#[case::a_query_changes_nothing("/numbers.txt?a=/../b", NUMBERS, "text/plain; charset=utf-8")]
#[case::a_blank("/a%20b.bin", "blank", "application/octet-stream")]
#[case::encoded_without_need("/n%75mbers.txt", NUMBERS, "text/plain; charset=utf-8")]
#[case::nothing_in_it("/nothing", "", "application/octet-stream")]
#[case::the_index_below("/sub/", "sub", "text/html; charset=utf-8")]
#[case::a_whole_url("http://any.host/numbers.txt", NUMBERS, "text/plain; charset=utf-8")]
fn a_file_comes_with_its_length_and_its_type(
    #[case] path: &str,
    #[case] content: &str,
    #[case] media_type: &str,
) {
    let answer = site(&[]).get(path, "");
    assert_eq!(status(&answer), 200, "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, content);
    assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", content.len())), "{head}");
    assert!(head.contains(&format!("\r\nContent-Type: {media_type}\r\n")), "{head}");
    assert!(head.contains("\r\nDate: ") && head.contains(" GMT\r\n"), "{head}");
}

#[rstest]
fn what_is_not_there_or_not_ours_is_404(
    #[values(
        "/nowhere",
        "/sub/nowhere",
        "/numbers.txt/",
        "/numbers.txt/a",
        "/sub/empty/",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/sub/../../secret.txt",
        "/..%5csecret.txt",
        "//secret.txt",
        "/.git/config",
        "/C:/secret.txt",
        "/NUL",
        "/a%2Fb"
    )]
    path: &str,
) {
    let answer = site(&[]).get(path, "");
    assert_eq!(status(&answer), 404, "{answer}");
    assert!(!answer.contains("secret"), "{answer}");
}

#[test]
fn a_name_of_more_bytes_than_the_system_has_room_for_is_404() {
    assert_eq!(status(&site(&[]).get(&format!("/{}", "a".repeat(5000)), "")), 404);
}

#[rstest]
#[case::its_path("/sub", "/sub/")]
#[case::a_query("/sub?x=1&y=/a?b", "/sub/?x=1&y=/a?b")]
#[case::an_empty_query("/sub?", "/sub/?")]
#[case::what_was_encoded_stays_encoded("/s%75b?a=%2F%20", "/s%75b/?a=%2F%20")]
#[case::a_whole_url("http://any.host/sub?x=1", "/sub/?x=1")]
fn a_folder_without_its_slash_is_elsewhere(#[case] target: &str, #[case] location: &str) {
    let answer = site(&[]).get(target, "");
    assert_eq!(status(&answer), 301, "{answer}");
    assert!(answer.contains(&format!("\r\nLocation: {location}\r\n")), "{answer}");
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_inside_the_folder_and_not_out_of_it() {
    use std::os::unix::fs::symlink;
    let site = site(&[]);
    let (folder, root) = (site.folder.path(), site.folder.path().join("site"));
    symlink("numbers.txt", root.join("inside")).unwrap();
    symlink(folder.join("secret.txt"), root.join("file")).unwrap();
    symlink("..", root.join("up")).unwrap();
    symlink("/", root.join("everything")).unwrap();
    symlink(".git", root.join("git")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    assert!(site.get("/inside", "").ends_with(NUMBERS));
    for path in
        ["/file", "/up/secret.txt", "/up/", "/everything/etc/passwd", "/git/config", "/loop"]
    {
        assert_eq!(status(&site.get(path, "")), 404, "{path}");
    }
}

/// Opening a named pipe waits until somebody writes into it.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_opened() {
    let site = site(&[]);
    let pipe = site.folder.path().join("site/pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert_eq!(status(&site.get("/pipe", "")), 404);
}

/// Such a file claims to be empty and then holds something, and an answer of no bytes would be wrong.
#[cfg(target_os = "linux")]
#[test]
fn a_file_whose_length_nobody_knows_is_not_sent_as_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site { server: serve(Path::new("/proc/self"), "127.0.0.1:0", &[]), folder };
    assert_eq!(status(&site.get("/limits", "")), 404);
    assert!(site.server.says("nobody knows its length yet", LIMIT), "{}", site.server.stderr());
}

#[rstest]
#[case::the_middle("bytes=2-4", 206, "bytes 2-4/10", "234")]
#[case::the_end("bytes=8-", 206, "bytes 8-9/10", "89")]
#[case::the_last_three("bytes=-3", 206, "bytes 7-9/10", "789")]
#[case::more_than_there_is("bytes=5-500", 206, "bytes 5-9/10", "56789")]
#[case::behind_the_end("bytes=10-", 416, "bytes */10", "")]
fn a_part_is_sent_with_its_place(
    #[case] range: &str,
    #[case] expected: u16,
    #[case] place: &str,
    #[case] content: &str,
) {
    let answer = site(&[]).get("/numbers.txt", &format!("Range: {range}\r\n"));
    assert_eq!(status(&answer), expected, "{answer}");
    assert!(answer.contains(&format!("\r\nContent-Range: {place}\r\n")), "{answer}");
    if expected == 206 {
        assert_eq!(answer.split_once("\r\n\r\n").unwrap().1, content);
    }
}

#[rstest]
#[case::several("Range: bytes=0-1,3-4\r\n")]
#[case::backwards("Range: bytes=4-2\r\n")]
fn a_range_that_is_not_understood_gets_the_whole(#[case] fields: &str) {
    let answer = site(&[]).get("/numbers.txt", fields);
    assert_eq!(status(&answer), 200, "{answer}");
    assert!(answer.ends_with(NUMBERS), "{answer}");
}

/// 9 September 2001, 01:46:40 UTC.
fn long_ago() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_000_000_000)
}

/// Gives the file of numbers this time of modification; `false` if the file system cannot hold it.
fn set_modified(site: &Site, time: SystemTime) -> bool {
    let file = File::options().write(true).open(site.folder.path().join("site/numbers.txt"));
    file.unwrap().set_modified(time).is_ok()
}

/// The value of a field in an answer, if it is there.
fn field<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next().unwrap();
    head.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[rstest]
#[case::of_1960(UNIX_EPOCH.checked_sub(Duration::from_secs(315_619_200)), None)]
#[case::just_before_1970(UNIX_EPOCH.checked_sub(Duration::from_millis(100)), None)]
#[case::of_the_first_second(Some(UNIX_EPOCH), Some("Thu, 01 Jan 1970 00:00:00 GMT"))]
#[case::long_ago(Some(long_ago()), Some("Sun, 09 Sep 2001 01:46:40 GMT"))]
#[case::of_the_future(UNIX_EPOCH.checked_add(Duration::from_secs(9_000_000_000)), Some("now"))]
#[case::of_year_10000(UNIX_EPOCH.checked_add(Duration::from_secs(253_402_300_800)), Some("now"))]
#[case::of_the_end_of_time(UNIX_EPOCH.checked_add(Duration::from_secs(1 << 62)), Some("now"))]
fn whatever_the_time_of_a_file_it_is_served(
    #[case] time: Option<SystemTime>,
    #[case] expected: Option<&str>,
) {
    let site = site(&[]);
    // Not every system has room for each of these times.
    if !time.is_some_and(|time| set_modified(&site, time)) {
        return;
    }
    let mut stream = site.connect();
    for last in ["", "Connection: close\r\n"] {
        stream.write_all(get("/numbers.txt", last).as_bytes()).unwrap();
    }
    let answers = rest(&mut stream);
    assert_eq!(answers.matches(NUMBERS).count(), 2, "{answers}");
    if expected == Some("now") {
        // Both are the current second; but a new one may begin between them.
        let is_now = || {
            let answer = site.get("/numbers.txt", "");
            field(&answer, "Last-Modified").unwrap() == field(&answer, "Date").unwrap()
        };
        assert!((0..100).any(|_| is_now()), "{answers}");
    } else {
        assert_eq!(field(&answers, "Last-Modified"), expected, "{answers}");
    }
    for since in ["If-Modified-Since", "If-Unmodified-Since", "Range: bytes=0-1\r\nIf-Range"] {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert!(status(&site.get("/numbers.txt", &format!("{since}: {date}\r\n"))) >= 200);
    }
    site.still_serves();
}

const EARLIER: &str = "Sunday, 09-Sep-01 01:46:39 GMT";

/// `{tag}` and `{date}` are what the server has said of the file, `{earlier}` is a second before.
#[rstest]
#[case::if_match("If-Match: {tag}", 200)]
#[case::if_match_any("If-Match: *", 200)]
#[case::if_match_another("If-Match: \"x\"", 412)]
#[case::if_match_a_weak_one("If-Match: W/{tag}", 412)]
#[case::if_unmodified_since("If-Unmodified-Since: {date}", 200)]
#[case::if_unmodified_since_earlier("If-Unmodified-Since: {earlier}", 412)]
#[case::if_unmodified_since_the_fifties("If-Unmodified-Since: Sat, 06 Nov 1954 08:49:37 GMT", 412)]
#[case::if_unmodified_since_no_date("If-Unmodified-Since: long ago", 200)]
#[case::a_tag_counts_more_than_a_date("If-Match: {tag}\r\nIf-Unmodified-Since: {earlier}", 200)]
#[case::if_none_match("If-None-Match: {tag}", 304)]
#[case::if_none_match_a_weak_one("If-None-Match: \"x\", W/{tag}", 304)]
#[case::if_none_match_any("If-None-Match: *", 304)]
#[case::if_none_match_another("If-None-Match: \"x\"", 200)]
#[case::if_modified_since("If-Modified-Since: {date}", 304)]
#[case::if_modified_since_earlier("If-Modified-Since: {earlier}", 200)]
#[case::if_modified_since_yesterday("If-Modified-Since: yesterday", 200)]
#[case::a_tag_counts_more_here_too("If-None-Match: \"x\"\r\nIf-Modified-Since: {date}", 200)]
#[case::a_failure_comes_first("If-None-Match: {tag}\r\nIf-Match: \"x\"", 412)]
#[case::both_hold("If-Match: {tag}\r\nIf-None-Match: {tag}", 304)]
#[case::a_range_comes_last("Range: bytes=2-\r\nIf-Unmodified-Since: {earlier}", 412)]
#[case::a_range_of_another("Range: bytes=2-\r\nIf-Match: \"x\"", 412)]
#[case::a_range_of_what_is_known("Range: bytes=2-\r\nIf-None-Match: {tag}", 304)]
#[case::a_range_of_ours("Range: bytes=2-\r\nIf-Match: {tag}", 206)]
#[case::no_such_range_and_a_failure("Range: bytes=10-\r\nIf-Match: \"x\"", 412)]
#[case::no_such_range("Range: bytes=10-\r\nIf-Match: {tag}", 416)]
#[case::if_range("Range: bytes=2-\r\nIf-Range: {tag}", 206)]
#[case::if_range_a_date("Range: bytes=2-\r\nIf-Range: {date}", 206)]
#[case::if_range_another("Range: bytes=2-\r\nIf-Range: \"x\"", 200)]
#[case::if_range_a_weak_one("Range: bytes=2-\r\nIf-Range: W/{tag}", 200)]
#[case::if_range_earlier("Range: bytes=2-\r\nIf-Range: {earlier}", 200)]
#[case::no_such_range_of_another("Range: bytes=10-\r\nIf-Range: \"x\"", 200)]
#[case::no_range("If-Range: \"x\"", 200)]
fn a_precondition_decides_what_is_sent(#[case] fields: &str, #[case] expected: u16) {
    let site = site(&[]);
    assert!(set_modified(&site, long_ago()));
    let answer = site.get("/numbers.txt", "");
    let (tag, date) = (field(&answer, "ETag").unwrap(), field(&answer, "Last-Modified").unwrap());
    let fields = fields.replace("{tag}", tag).replace("{date}", date).replace("{earlier}", EARLIER);
    let fields = format!("{fields}\r\n");
    let got = site.get("/numbers.txt", &fields);
    assert_eq!(status(&got), expected, "{fields}{got}");
    let body = got.split_once("\r\n\r\n").unwrap().1;
    match expected {
        200 => assert_eq!(body, NUMBERS),
        206 => assert_eq!(body, &NUMBERS[2..]),
        304 => assert_eq!(body, ""),
        _ => assert!(!body.is_empty()),
    }
    // A HEAD is judged as a GET is, but that it knows no ranges.
    let head =
        format!("HEAD /numbers.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n");
    let to_head = site.exchange(head.as_bytes());
    let expected = if matches!(expected, 206 | 416) { 200 } else { expected };
    assert_eq!(status(&to_head), expected, "{fields}{to_head}");
    assert!(to_head.ends_with("\r\n\r\n"), "{to_head}");
}

/// Where there would be no 2xx anyway, conditions are not looked at (RFC 9110, section 13.2.1).
#[rstest]
#[case::no_file("GET", "/nowhere", 404)]
#[case::elsewhere("GET", "/sub", 301)]
#[case::another_method("DELETE", "/numbers.txt", 405)]
#[case::an_unknown_method("BREW", "/numbers.txt", 501)]
#[case::something_without_validators("GET", "/time", 412)]
fn only_what_could_be_had_has_preconditions(
    #[case] method: &str,
    #[case] target: &str,
    #[case] expected: u16,
) {
    let fields = "If-Match: \"x\"\r\nIf-None-Match: *\r\nConnection: close\r\n";
    let request = format!("{method} {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    let answer = site(&[]).exchange(request.as_bytes());
    assert_eq!(status(&answer), expected, "{answer}");
}

/// What a client knows already is not said again (RFC 9110, sections 15.4.5 and 15.3.7).
#[rstest]
#[case::whole("", "Date, ETag, Last-Modified, Content-Type, Accept-Ranges, Content-Length")]
#[case::a_part(
    "Range: bytes=0-1\r\n",
    "Date, Content-Range, ETag, Last-Modified, Content-Type, Accept-Ranges, Content-Length"
)]
#[case::the_rest(
    "Range: bytes=0-1\r\nIf-Range: {tag}\r\n",
    "Date, Content-Range, ETag, Content-Length"
)]
#[case::nothing_new("If-None-Match: {tag}\r\n", "Date, ETag")]
fn an_answer_has_the_fields_that_its_client_needs(#[case] fields: &str, #[case] names: &str) {
    let site = site(&[]);
    let answer = site.get("/numbers.txt", "");
    let fields = fields.replace("{tag}", field(&answer, "ETag").unwrap());
    let answer = site.get("/numbers.txt", &fields);
    let head = answer.split("\r\n\r\n").next().unwrap();
    let got: Vec<_> =
        head.split("\r\n").filter_map(|line| Some(line.split_once(": ")?.0)).collect();
    assert_eq!(got.join(", "), format!("{names}, Connection"));
}

#[rstest]
#[case::a_second(Duration::from_secs(1))]
#[case::a_part_of_a_second(Duration::from_millis(1))]
fn a_file_that_has_changed_has_another_tag(#[case] later: Duration) {
    let site = site(&[]);
    let tag_at = |time| {
        assert!(set_modified(&site, time));
        field(&site.get("/numbers.txt", ""), "ETag").unwrap().to_owned()
    };
    let tag = tag_at(long_ago());
    assert_eq!(tag_at(long_ago()), tag);
    assert_ne!(tag_at(long_ago() + later), tag);
    fs::write(site.folder.path().join("site/numbers.txt"), "longer than it was").unwrap();
    assert_ne!(tag_at(long_ago()), tag);
    let known = format!("If-None-Match: {tag}\r\n");
    assert!(site.get("/numbers.txt", &known).ends_with("longer than it was"));
}

/// 64 MiB, most of which is not even on the disk.
const LARGE: u64 = 64 * 1024 * 1024;

fn large_file(site: &Site) -> File {
    let file = File::create(site.folder.path().join("site/large")).unwrap();
    file.set_len(LARGE).unwrap();
    file
}

#[test]
fn a_large_file_comes_whole_and_is_never_in_memory_whole() {
    let site = site(&[]);
    large_file(&site);
    let mut stream = site.connect();
    stream.write_all(get("/large", "Connection: close\r\n").as_bytes()).unwrap();
    assert!(head(&mut stream).contains(&format!("\r\nContent-Length: {LARGE}\r\n")));
    let length = std::io::copy(&mut stream, &mut std::io::sink()).unwrap();
    assert_eq!(length, LARGE);
    if let Some(peak) = site.server.peak_memory() {
        assert!(peak < LARGE / 2, "{peak} bytes");
    }
}

/// The head has promised a length. What comes is never longer, and if it is shorter, the
/// connection ends, so that nobody takes the next answer for the rest.
#[rstest]
#[case::shorter(1000)]
#[case::longer(LARGE + 1_000_000)]
fn a_file_that_changes_its_length_meanwhile_never_has_a_wrong_one(#[case] length: u64) {
    let site = site(&[]);
    let file = large_file(&site);
    let mut stream = site.connect();
    stream.write_all(get("/large", "").as_bytes()).unwrap();
    head(&mut stream);
    // Nobody reads yet, and the buffers between us hold less than all of it.
    file.set_len(length).unwrap();
    if length < LARGE {
        let came = std::io::copy(&mut stream, &mut std::io::sink()).unwrap();
        assert!(came < LARGE, "{came}");
        assert!(site.server.says("became shorter", LIMIT), "{}", site.server.stderr());
    } else {
        let came = std::io::copy(&mut (&stream).take(LARGE), &mut std::io::sink()).unwrap();
        assert_eq!(came, LARGE);
        stream.write_all(get("/numbers.txt", "Connection: close\r\n").as_bytes()).unwrap();
        assert!(rest(&mut stream).starts_with("HTTP/1.1 200 OK\r\n"));
    }
}
