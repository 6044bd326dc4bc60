//! `classify`: the class and the purpose of addresses.

use std::net::Ipv4Addr;

use graded::Case;
use rstest::rstest;

use super::{expect_code, expect_refusals, expect_usage};

/// Which word of `ADDRESS CLASS PURPOSE` a test looks at: a wrong class is no reason to lose
/// the points for the purpose, too.
#[derive(Clone, Copy)]
enum Word {
    Class = 1,
    Purpose = 2,
}

fn expect(address: &str, word: Word, expected: &str) {
    let case = Case::of("01", "classify");
    let output = case.run(&[address], "");
    let words: Vec<&str> = output.stdout.trim_end_matches('\n').split(' ').collect();
    case.expect_equal("the number of words in the line", "3", &words.len().to_string());
    case.expect_equal("the address in the line", address, words[0]);
    let what = match word {
        Word::Class => "the class in the line",
        Word::Purpose => "the purpose in the line",
    };
    case.expect_equal(what, expected, words[word as usize]);
    case.expect_equal("the exit code", "Some(0)", &format!("{:?}", output.code));
}

#[rstest]
#[case::first_of_a("0.0.0.0", "A")]
#[case::last_of_a("127.255.255.255", "A")]
#[case::first_of_b("128.0.0.0", "B")]
#[case::last_of_b("191.255.255.255", "B")]
#[case::first_of_c("192.0.0.0", "C")]
#[case::last_of_c("223.255.255.255", "C")]
#[case::first_of_d("224.0.0.0", "D")]
#[case::last_of_d("239.255.255.255", "D")]
#[case::first_of_e("240.0.0.0", "E")]
#[case::last_but_one_of_e("255.255.255.254", "E")]
fn every_class_boundary_is_right(#[case] address: &str, #[case] expected: &str) {
    expect(address, Word::Class, expected);
}

#[rstest]
#[case::this_network("0.255.255.255", "this-network")]
#[case::after_this_network("1.0.0.0", "-")]
#[case::private_10("10.255.255.255", "private")]
#[case::before_private_172("172.15.255.255", "-")]
#[case::private_172("172.16.0.0", "private")]
#[case::private_172_to_its_end("172.31.255.255", "private")]
#[case::after_private_172("172.32.0.0", "-")]
#[case::private_192("192.168.255.255", "private")]
#[case::before_shared("100.63.255.255", "-")]
#[case::shared("100.127.255.255", "shared")]
#[case::after_shared("100.128.0.0", "-")]
#[case::link_local("169.254.0.1", "link-local")]
#[case::documentation_1("192.0.2.255", "documentation")]
#[case::documentation_2("198.51.100.0", "documentation")]
#[case::documentation_3("203.0.113.7", "documentation")]
#[case::benchmarking("198.19.255.255", "benchmarking")]
#[case::after_benchmarking("198.20.0.0", "-")]
#[case::before_multicast("223.255.255.255", "-")]
#[case::multicast("224.0.0.0", "multicast")]
#[case::multicast_to_its_end("239.255.255.255", "multicast")]
#[case::reserved("240.0.0.0", "reserved")]
#[case::reserved_to_its_end("255.255.255.254", "reserved")]
#[case::broadcast("255.255.255.255", "broadcast")]
fn every_special_block_has_its_purpose(#[case] address: &str, #[case] expected: &str) {
    expect(address, Word::Purpose, expected);
}

#[rstest]
#[case::the_usual_one("127.0.0.1")]
#[case::the_first("127.0.0.0")]
#[case::another("127.1.2.3")]
fn loopback_is_the_whole_block(#[case] address: &str) {
    expect(address, Word::Purpose, "loopback");
}

/// A random address for each first octet, told apart here by numbers and not by bits.
#[rstest]
fn any_address_has_its_class() {
    let case = Case::of("01", "classify");
    let addresses: Vec<Ipv4Addr> = (0..=255).map(|first| random_address(&case, first)).collect();
    let texts: Vec<String> = addresses.iter().map(Ipv4Addr::to_string).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let output = case.run(&texts, "");
    let classes = addresses.iter().map(|address| match u32::from(*address) {
        0..2_147_483_648 => "A",
        2_147_483_648..3_221_225_472 => "B",
        3_221_225_472..3_758_096_384 => "C",
        3_758_096_384..4_026_531_840 => "D",
        4_026_531_840.. => "E",
    });
    let expected: Vec<String> =
        texts.iter().zip(classes).map(|(text, class)| format!("{text} {class}")).collect();
    let two_words = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let got: Vec<String> = output.stdout.lines().map(two_words).collect();
    case.expect_equal("the address and the class", &expected.join("\n"), &got.join("\n"));
}

fn random_address(case: &Case, first: u8) -> Ipv4Addr {
    let bytes = case.random_bytes(3);
    Ipv4Addr::new(first, bytes[0], bytes[1], bytes[2])
}

#[rstest]
#[case::octet_too_large("300.1.1.1")]
#[case::too_few_octets("1.2.3")]
#[case::no_address_at_all("localhost")]
#[case::an_octet_with_a_leading_zero("10.0.0.01")]
fn a_bad_address_is_named_and_the_good_ones_still_print(#[case] bad: &str) {
    let case = Case::of("01", "classify");
    let good = [("10.0.0.1", "10.0.0.1 A private"), ("1.2.3.4", "1.2.3.4 A -")];
    expect_refusals(&case, good, &[bad]);
}

#[rstest]
#[case::one_a_line("8.8.8.8\n10.0.0.1\n", &["8.8.8.8 A -", "10.0.0.1 A private"], 0)]
#[case::empty_lines_and_blanks("\n  8.8.8.8 \r\n\n\t1.0.0.0", &["8.8.8.8 A -", "1.0.0.0 A -"], 0)]
#[case::a_bad_one("what?\n8.8.8.8\n", &["8.8.8.8 A -"], 2)]
#[case::nothing("", &[], 0)]
fn standard_input_works_like_arguments(
    #[case] input: &str,
    #[case] lines: &[&str],
    #[case] code: i32,
) {
    let case = Case::of("01", "classify");
    let output = case.run(&["-"], input);
    let got: Vec<&str> = output.stdout.lines().collect();
    case.expect_equal("standard output", &lines.join("\n"), &got.join("\n"));
    expect_code(&case, &output, code);
    expect_usage(&case);
}
