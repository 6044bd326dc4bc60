//! `target`: what a client has to do for a URL.

use graded::{Case, Output};
use rstest::rstest;

/// Stand first and last wherever something is refused: a bad URL must not end the run.
const GOOD: [(&str, &str); 2] =
    [("http://a/", "tcp a 80 a /"), ("https://b:8443", "tls b 8443 b:8443 /")];

fn case() -> Case {
    Case::of("08", "target")
}

/// The program prints `line` for `url`, says nothing else, and ends well.
fn expect_line(case: &Case, url: &str, line: &str) {
    expect_lines(case, &[url], &[line]);
}

fn expect_lines(case: &Case, urls: &[&str], lines: &[&str]) {
    let output = case.run(urls, "");
    case.expect_equal("standard output", &(lines.join("\n") + "\n"), &output.stdout);
    case.expect_equal("standard error", "", &output.stderr);
    expect_code(case, &output, 0);
}

/// Bad URLs between two good ones: each has its complaint on standard error, the good ones are
/// answered all the same, and the exit code tells.
fn expect_complaints(case: &Case, complaint: &str, bad: &[&str]) {
    let [(first, first_line), (last, last_line)] = GOOD;
    let output = case.run(&[&[first], bad, &[last]].concat(), "");
    let complaints: Vec<String> = bad.iter().map(|url| format!("{url}: {complaint}\n")).collect();
    case.expect_equal("standard error", &complaints.concat(), &output.stderr);
    case.expect_equal("standard output", &format!("{first_line}\n{last_line}\n"), &output.stdout);
    expect_code(case, &output, 2);
}

fn expect_code(case: &Case, output: &Output, code: i32) {
    let got = output.code.map_or("none".to_owned(), |code| code.to_string());
    case.expect_equal("the exit code", &code.to_string(), &got);
}

#[rstest]
#[case::of_a_page("http://example.org/index.html", "tcp example.org 80 example.org /index.html")]
#[case::with_tls("https://example.org/", "tls example.org 443 example.org /")]
#[case::with_a_query(
    "http://example.org/where?q=now",
    "tcp example.org 80 example.org /where?q=now"
)]
#[case::of_an_ipv4_address("http://192.0.2.7/a/b", "tcp 192.0.2.7 80 192.0.2.7 /a/b")]
#[case::of_many_labels("https://3.a-b.example/x", "tls 3.a-b.example 443 3.a-b.example /x")]
fn a_url_is_taken_apart(#[case] url: &str, #[case] line: &str) {
    expect_line(&case(), url, line);
}

/// Through standard input, where empty lines and the blanks around a URL do not count.
#[rstest]
fn any_url_on_standard_input_is_taken_apart() {
    let case = case();
    let word = || {
        let bytes = case.random_bytes(case.random_length(1, 9));
        bytes.into_iter().map(|byte| char::from(b'a' + byte % 26)).collect::<String>()
    };
    let (mut input, mut lines) = (Vec::new(), Vec::new());
    for (scheme, security) in [("http", "tcp"), ("https", "tls")].repeat(10) {
        let (host, path, query) = (word() + ".example", word(), word());
        let port = case.random_length(1_000, 65_535);
        input.push(format!("\n  {scheme}://{host}:{port}/{path}?{query}#{path} \n"));
        lines.push(format!("{security} {host} {port} {host}:{port} /{path}?{query}\n"));
    }
    let output = case.run(&["-"], &input.concat());
    case.expect_equal("standard output", &lines.concat(), &output.stdout);
    expect_code(&case, &output, 0);
    let output = case.run(&["-"], "http://a/\nhttp:/b/\n");
    case.expect_equal("standard output", "tcp a 80 a /\n", &output.stdout);
    case.expect_equal("standard error", "http:/b/: not http or https\n", &output.stderr);
    expect_code(&case, &output, 2);
}

#[rstest]
#[case::given("http://a:8080/", "tcp a 8080 a:8080 /")]
#[case::the_largest("https://a:65535/", "tls a 65535 a:65535 /")]
#[case::the_usual_one_of_http("http://a:80/", "tcp a 80 a /")]
#[case::the_usual_one_of_https("https://a:443/", "tls a 443 a /")]
#[case::that_of_https_for_http("http://a:443/", "tcp a 443 a:443 /")]
#[case::that_of_http_for_https("https://a:80/", "tls a 80 a:80 /")]
#[case::empty("https://a:/", "tls a 443 a /")]
#[case::with_zeros_in_front("http://a:0008080/", "tcp a 8080 a:8080 /")]
#[case::the_usual_one_with_zeros("http://a:00080/", "tcp a 80 a /")]
fn the_usual_port_is_left_out_of_the_host_field(#[case] url: &str, #[case] line: &str) {
    expect_line(&case(), url, line);
}

#[rstest]
#[case::alone("http://[::1]/", "tcp ::1 80 [::1] /")]
#[case::with_a_port("https://[2001:db8::7]:8443/", "tls 2001:db8::7 8443 [2001:db8::7]:8443 /")]
#[case::with_the_usual_port("http://[::1]:80", "tcp ::1 80 [::1] /")]
#[case::in_another_form("http://[2001:DB8:0:0::0001]/", "tcp 2001:db8::1 80 [2001:db8::1] /")]
#[case::with_an_ipv4_address(
    "http://[::ffff:192.0.2.1]/",
    "tcp ::ffff:192.0.2.1 80 [::ffff:192.0.2.1] /"
)]
fn an_ipv6_address_has_brackets_in_the_host_field_only(#[case] url: &str, #[case] line: &str) {
    expect_line(&case(), url, line);
}

#[rstest]
#[case::no_path("http://a", "tcp a 80 a /")]
#[case::no_path_but_a_query("http://a?q", "tcp a 80 a /?q")]
#[case::no_path_but_a_port("http://a:81?q", "tcp a 81 a:81 /?q")]
#[case::no_path_but_a_fragment("http://a#top", "tcp a 80 a /")]
#[case::a_fragment("http://a/b#top", "tcp a 80 a /b")]
#[case::a_fragment_behind_a_query("http://a/b?c=d#top", "tcp a 80 a /b?c=d")]
#[case::an_empty_fragment("http://a/b#", "tcp a 80 a /b")]
#[case::a_query_within_a_fragment("http://a/b#c?d", "tcp a 80 a /b")]
#[case::a_path_within_a_fragment("http://a#b/c", "tcp a 80 a /")]
fn the_fragment_stays_at_home_and_an_empty_path_is_a_slash(#[case] url: &str, #[case] line: &str) {
    expect_line(&case(), url, line);
}

#[rstest]
#[case::a_url_in_the_query("http://a?u=http://b:81/c@d", "tcp a 80 a /?u=http://b:81/c@d")]
#[case::a_url_in_the_path("http://a/http://b/", "tcp a 80 a /http://b/")]
#[case::a_colon_and_an_at_in_the_path("http://a/b:81@c", "tcp a 80 a /b:81@c")]
#[case::an_at_in_the_query("https://a:8443?b@c", "tls a 8443 a:8443 /?b@c")]
#[case::an_at_in_the_fragment("http://a#b@c:81", "tcp a 80 a /")]
#[case::two_question_marks("http://a/b?c?d", "tcp a 80 a /b?c?d")]
fn the_authority_ends_at_the_first_slash_or_question_mark(#[case] url: &str, #[case] line: &str) {
    expect_line(&case(), url, line);
}

#[rstest]
#[case::percent_encodings("http://a/%41%2f%2E?%3d%23", "tcp a 80 a /%41%2f%2E?%3d%23")]
#[case::dots("http://a/b/../c/./d", "tcp a 80 a /b/../c/./d")]
#[case::slashes("http://a//b///", "tcp a 80 a //b///")]
#[case::an_empty_query("http://a/b?", "tcp a 80 a /b?")]
#[case::capital_letters(
    "HTTPS://WWW.Example.ORG/Path?Q=A",
    "tls www.example.org 443 www.example.org /Path?Q=A"
)]
#[case::every_mark("http://a/-._~!$&'()*+,;=:@?/?", "tcp a 80 a /-._~!$&'()*+,;=:@?/?")]
fn path_and_query_are_sent_as_they_are_written(#[case] url: &str, #[case] line: &str) {
    expect_line(&case(), url, line);
}

#[rstest]
#[case::of_another_scheme("not http or https", &["ftp://a/", "mailto:a@b.example", "httpx://a/", "file:///a"])]
#[case::of_no_scheme("not http or https", &["a.example/", "//a/", "/b", "http:a", "http:/a/", "://a/"])]
#[case::of_no_host("no host", &["http://", "http:///b", "https://?b", "http://#b", "http://:80/", "http://::1/"])]
#[case::with_a_user("user information", &["http://u@a/", "http://u:p@a/", "https://bank.example@evil.example/", "http://@a/"])]
#[case::with_a_bad_name("bad host", &["http://a_b/", "http://a*/", "http://%61/", "http://a,b"])]
#[case::with_a_bad_address("bad host", &["http://[::1", "http://[]/", "http://[::g]/", "http://[127.0.0.1]/", "http://[::1]x/"])]
fn what_is_no_http_url_is_refused_with_its_reason(#[case] reason: &str, #[case] bad: &[&str]) {
    expect_complaints(&case(), reason, bad);
}

#[rstest]
#[case::too_large(&["http://a:65536/", "https://a:99999999999999999999/"])]
#[case::zero(&["http://a:0/", "http://a:000/"])]
#[case::no_number(&["http://a:http/", "http://a:8o", "http://a:80:81/", "http://2001:db8::1/"])]
#[case::with_a_sign(&["http://a:+80/", "http://a:-80/"])]
fn a_bad_port_is_refused(#[case] bad: &[&str]) {
    expect_complaints(&case(), "bad port", bad);
}

#[rstest]
#[case::blanks("bad character", &["http://a b/", "http://a/b c", "http://a/?b\tc"])]
#[case::marks("bad character", &["http://a/<b>", "http://a/{b}", "http://a/b|c", "http://a/\"b\"", "http://a/^`"])]
#[case::backslashes("bad character", &["http://a\\b/", "http://a/b\\c", "http:\\\\a\\b"])]
#[case::other_letters("bad character", &["http://例子.example/", "http://a/é", "http://a/#ü"])]
#[case::half_an_encoding("bad percent-encoding", &["http://a/%", "http://a/%4", "http://a/%4?b", "http://a/b%"])]
#[case::no_hexadecimal_digits("bad percent-encoding", &["http://a/%zz", "http://a/?b=%4g", "http://a/%%20", "http://a/#100%"])]
#[case::in_the_name("bad percent-encoding", &["http://a%", "http://%g1/"])]
fn a_bad_character_is_refused_wherever_it_stands(#[case] reason: &str, #[case] bad: &[&str]) {
    expect_complaints(&case(), reason, bad);
}
