//! `endpoint`: what `HOST:PORT` means.

use graded::Case;
use rstest::rstest;

use super::{expect_code, expect_lines, expect_refusals, expect_usage};

const GOOD: [(&str, &str); 2] =
    [("127.0.0.1:80", "ipv4 127.0.0.1 80 system"), ("[::1]:8888", "ipv6 ::1 8888 user")];
/// The longest label, and a letter more would be too much.
const LABEL: &str = "a234567890b234567890c234567890d234567890e234567890f234567890g23";

fn case() -> Case {
    Case::of("01", "endpoint")
}

#[rstest]
#[case::loopback("127.0.0.1:8888", "ipv4 127.0.0.1 8888 user")]
#[case::all_of_them("0.0.0.0:80", "ipv4 0.0.0.0 80 system")]
#[case::the_last_one("255.255.255.255:80", "ipv4 255.255.255.255 80 system")]
fn an_ipv4_address_is_told(#[case] text: &str, #[case] line: &str) {
    expect_lines(&case(), &[text], &[line]);
}

#[rstest]
#[case::loopback("[::1]:443", "ipv6 ::1 443 system")]
#[case::unspecified("[::]:8888", "ipv6 :: 8888 user")]
#[case::with_an_ipv4_address("[::ffff:192.0.2.1]:53", "ipv6 ::ffff:192.0.2.1 53 system")]
fn an_ipv6_address_stands_in_brackets(#[case] text: &str, #[case] line: &str) {
    expect_lines(&case(), &[text], &[line]);
}

#[rstest]
#[case::zeros("[2001:0db8:0:0:0:0:0:0001]:80", "ipv6 2001:db8::1 80 system")]
#[case::letters("[2001:DB8::ABCD]:80", "ipv6 2001:db8::abcd 80 system")]
#[case::one_zero_group("[2001:db8:0:1:1:1:1:1]:80", "ipv6 2001:db8:0:1:1:1:1:1 80 system")]
fn an_ipv6_address_is_printed_in_its_canonical_form(#[case] text: &str, #[case] line: &str) {
    expect_lines(&case(), &[text], &[line]);
}

#[rstest]
#[case::one_label("localhost:8888", "name localhost 8888 user")]
#[case::digits_and_hyphens("3com-1.x--y.example:80", "name 3com-1.x--y.example 80 system")]
#[case::a_number_that_is_not_the_last_label("10.0.0.example:80", "name 10.0.0.example 80 system")]
#[case::capital_letters("WWW.Example.ORG:80", "name www.example.org 80 system")]
fn a_name_is_told_in_small_letters(#[case] text: &str, #[case] line: &str) {
    expect_lines(&case(), &[text], &[line]);
}

#[rstest]
fn names_may_be_as_long_as_names_are() {
    let case = case();
    // 63 + 1 + 63 + 1 + 63 + 1 + 61 = 253.
    let longest = format!("{LABEL}.{LABEL}.{LABEL}.{}", &LABEL[..61]);
    let line = format!("name {longest} 80 system");
    expect_lines(&case, &[&format!("{longest}:80")], &[&line]);
    expect_refusals(&case, GOOD, &[&format!("{longest}x:80"), &format!("{LABEL}x:80")]);
}

#[rstest]
#[case::of_any("127.0.0.1:0", "any")]
#[case::first_of_system("127.0.0.1:1", "system")]
#[case::last_of_system("127.0.0.1:1023", "system")]
#[case::first_of_user("127.0.0.1:1024", "user")]
#[case::last_of_user("127.0.0.1:49151", "user")]
#[case::first_of_dynamic("127.0.0.1:49152", "dynamic")]
#[case::last_of_dynamic("127.0.0.1:65535", "dynamic")]
fn a_port_is_in_its_range(#[case] text: &str, #[case] range: &str) {
    let (_, port) = text.split_at("127.0.0.1:".len());
    expect_lines(&case(), &[text], &[&format!("ipv4 127.0.0.1 {port} {range}")]);
}

#[rstest]
fn any_address_and_port() {
    let case = case();
    let mut texts = Vec::new();
    let mut lines = Vec::new();
    for _ in 0..20 {
        let bytes = case.random_bytes(16);
        let port = case.random_length(1024, 49_151);
        let [a, b, c, d] = [bytes[0], bytes[1], bytes[2], bytes[3]];
        texts.push(format!("{a}.{b}.{c}.{d}:{port}"));
        lines.push(format!("ipv4 {a}.{b}.{c}.{d} {port} user"));
        // No group is zero, so nothing is shortened.
        let groups = bytes.chunks(2).map(|pair| format!("{:x}{:02x}", pair[0] | 1, pair[1]));
        let address = groups.collect::<Vec<_>>().join(":");
        texts.push(format!("[{address}]:{port}"));
        lines.push(format!("ipv6 {address} {port} user"));
    }
    let (texts, lines) = (borrowed(&texts), borrowed(&lines));
    expect_lines(&case, &texts, &lines);
}

fn borrowed(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

#[rstest]
#[case::too_large(&["a:65536", "a:99999"])]
#[case::none_at_all(&["example.org", "127.0.0.1", "127.0.0.1:", "[::1]", "[::1]:"])]
#[case::no_number(&["example.org:http", "example.org:-1", "example.org:8o"])]
#[case::another_way_to_write_a_number(&["127.0.0.1:+80", "127.0.0.1:080", "127.0.0.1: 80"])]
fn a_bad_port_is_refused(#[case] bad: &[&str]) {
    expect_refusals(&case(), GOOD, bad);
}

#[rstest]
#[case::no_brackets(&["::1:80", "fe80::1", "2001:db8::1:443"])]
#[case::half_a_pair(&["[::1:80", "::1]:80"])]
#[case::no_colon_behind(&["[::1]80", "[::1]x:80"])]
#[case::no_ipv6_inside(&["[127.0.0.1]:80", "[localhost]:80", "[]:80", "[::g]:80", "[1:2:3]:80"])]
fn ipv6_without_its_brackets_is_refused(#[case] bad: &[&str]) {
    expect_refusals(&case(), GOOD, bad);
}

#[rstest]
#[case::octet_too_large(&["10.0.0.256:80", "1.2.3.999:80"])]
#[case::too_few_octets(&["10.1:80", "1.2.3:80", "12345:80"])]
#[case::too_many_octets(&["1.2.3.4.5:80"])]
#[case::a_leading_zero(&["10.0.0.01:80"])]
#[case::a_name_that_ends_in_a_number(&["example.7:80"])]
fn a_bad_address_is_no_name(#[case] bad: &[&str]) {
    expect_refusals(&case(), GOOD, bad);
}

#[rstest]
#[case::empty(&[":80", ".:80"])]
#[case::an_empty_label(&["a..b:80", ".a:80", "a.:80"])]
#[case::a_hyphen_at_an_end(&["-a:80", "a-:80", "a.-b:80", "a-.b:80"])]
#[case::other_characters(&["my host:80", "a_b:80", "例子.cn:80", "a/b:80"])]
#[case::a_url(&["http://example.org:80", "http://example.org"])]
fn what_is_no_name_is_refused(#[case] bad: &[&str]) {
    expect_refusals(&case(), GOOD, bad);
}

#[rstest]
#[case::one_a_line("a:1\nb:2\n", 0)]
#[case::empty_lines_and_blanks("\n  a:1 \r\n\n\tb:2", 0)]
#[case::a_bad_one("a:1\na\nb:2", 2)]
fn standard_input_works_like_arguments(#[case] input: &str, #[case] code: i32) {
    let case = case();
    let output = case.run(&["-"], input);
    case.expect_equal("standard output", "name a 1 system\nname b 2 system\n", &output.stdout);
    expect_code(&case, &output, code);
    expect_usage(&case);
}
