//! Paths that lead to a file, and the many that must not.

use std::path::Path;

use rstest::rstest;

use super::*;

#[rstest]
#[case::the_folder("/", "")]
#[case::a_file("/poem.txt", "poem.txt")]
#[case::a_folder("/pictures/", "pictures")]
#[case::below("/pictures/moon.svg", "pictures/moon.svg")]
#[case::a_blank("/a%20b", "a b")]
#[case::utf8("/%E9%9D%99", "静")]
#[case::small_digits("/%e9%9d%99", "静")]
#[case::encoded_once_only("/%252e%252e", "%2e%2e")]
#[case::a_plus_is_a_plus("/a+b", "a+b")]
#[case::dots_inside("/a..b", "a..b")]
#[case::nearly_a_device("/console", "console")]
fn a_path_leads_to_a_place(#[case] path: &str, #[case] expected: &str) {
    assert_eq!(resolve(path).unwrap(), Path::new(expected));
}

#[rstest]
fn a_path_that_could_lead_elsewhere_leads_nowhere(
    #[values(
        "/..",
        "/../secret",
        "/a/../../secret",
        "/a/..",
        "/.",
        "/./a",
        "/%2e%2e/secret",
        "/%2E%2E/secret",
        "/.%2e/secret",
        "/%2e./secret",
        "/..%2fsecret",
        "/..%5csecret",
        "/a%2f..%2f..%2fsecret",
        "/..\\secret",
        "/a\\b",
        "/%5csecret",
        "//etc/passwd",
        "//",
        "/a//b",
        "/%2fetc%2fpasswd",
        "/C:/secret",
        "/C:secret",
        "/c%3a/secret",
        "/%5c%5chost%5cshare",
        "/poem.txt::$DATA",
        "/poem.txt.",
        "/poem.txt%20",
        "/.git/config",
        "/.env",
        "/%2egit/config",
        "/a/.hidden",
        "/NUL",
        "/nul.txt",
        "/con",
        "/Aux.tar.gz",
        "/com1",
        "/LPT9.log",
        "/com%C2%B9",
        "/conin$",
        "/nul%20.txt",
        "/a%0ab",
        "/a%1bb",
        "/%ff",
        "/%c0%ae%c0%ae/secret",
        "/a%7c",
        "/a*"
    )]
    path: &str,
) {
    assert_eq!(resolve(path).unwrap_err().status, 404, "{path}");
}

#[rstest]
fn what_is_no_path_at_all_is_a_bad_request(
    #[values(
        "/%",
        "/%4",
        "/%zz",
        "/%+1",
        "/%4g",
        "/a%",
        "/%%41",
        "/a%00b",
        "/%00",
        "/poem.txt%00.svg"
    )]
    path: &str,
) {
    assert_eq!(resolve(path).unwrap_err().status, 400, "{path}");
}

#[rstest]
#[case::a_path("/a/b", Ok(("/a/b", "")))]
#[case::a_query("/a/b?c=d?e", Ok(("/a/b", "?c=d?e")))]
#[case::an_empty_query("/a?", Ok(("/a", "?")))]
#[case::a_query_with_a_url("/a?u=http://b/c", Ok(("/a", "?u=http://b/c")))]
#[case::a_url("http://localhost:8888/a?b", Ok(("/a", "?b")))]
#[case::a_url_of_another_case("HTTPS://LOCALHOST/a", Ok(("/a", "")))]
#[case::a_url_without_a_path("http://localhost?b", Ok(("/", "?b")))]
#[case::no_host("http:///a", Err(400))]
#[case::a_user("http://a@b/c", Err(400))]
#[case::another_scheme("ftp://a/b", Err(400))]
#[case::an_asterisk("*", Err(400))]
#[case::a_host_and_port("localhost:443", Err(400))]
#[case::a_relative_path("a/b", Err(400))]
#[case::an_empty_path("?a", Err(400))]
fn the_path_and_the_query_of_a_target(
    #[case] target: &str,
    #[case] expected: Result<(&str, &str), u16>,
) {
    assert_eq!(path_and_query(target).map_err(|fault| fault.status), expected);
}

#[rstest]
#[case::one("HTTP/1.1", "Host: localhost\r\n", true)]
#[case::with_a_port("HTTP/1.1", "Host: localhost:8888\r\n", true)]
#[case::ipv6("HTTP/1.1", "Host: [::1]\r\n", true)]
#[case::ipv6_with_a_port("HTTP/1.1", "Host: [::1]:8888\r\n", true)]
#[case::none("HTTP/1.1", "", false)]
#[case::none_in_1_0("HTTP/1.0", "", true)]
#[case::two("HTTP/1.1", "Host: a\r\nHost: b\r\n", false)]
#[case::two_that_agree("HTTP/1.1", "Host: a\r\nhost: a\r\n", false)]
#[case::two_in_1_0("HTTP/1.0", "Host: a\r\nHost: a\r\n", false)]
#[case::empty("HTTP/1.1", "Host:\r\n", false)]
#[case::a_path("HTTP/1.1", "Host: a/b\r\n", false)]
#[case::a_user("HTTP/1.1", "Host: a@b\r\n", false)]
#[case::two_words("HTTP/1.1", "Host: a b\r\n", false)]
#[case::a_list("HTTP/1.1", "Host: a, b\r\n", false)]
#[case::no_number("HTTP/1.1", "Host: a:b\r\n", false)]
#[case::ipv6_without_brackets("HTTP/1.1", "Host: ::1\r\n", false)]
#[case::an_open_bracket("HTTP/1.1", "Host: [::1\r\n", false)]
fn a_request_names_one_host(#[case] version: &str, #[case] fields: &str, #[case] is_taken: bool) {
    let head = format!("GET / {version}\r\n{fields}\r\n");
    let request = Request::parse(head.as_bytes()).unwrap();
    assert_eq!(check_host(&request).is_ok(), is_taken);
}
