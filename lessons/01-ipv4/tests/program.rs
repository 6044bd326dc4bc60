//! Lesson 1 as a student meets it: a program with arguments, standard input and an exit code.

// A test may stop at once when something is not as it should be.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufRead, BufReader, Write};
use std::process::{Output, Stdio};
use std::thread;

fn run(arguments: &[&str]) -> Output {
    run_with_input(arguments, "")
}

fn run_with_input(arguments: &[&str], input: impl Into<Vec<u8>>) -> Output {
    assert_cmd::cargo::cargo_bin_cmd!("lesson-01")
        .args(arguments)
        .write_stdin(input)
        .timeout(std::time::Duration::from_secs(30))
        .output()
        .unwrap()
}

fn lines(bytes: &[u8]) -> Vec<String> {
    String::from_utf8(bytes.to_vec()).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn demo_shows_the_classes_and_binds_loopback() {
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    for range in [
        "1.0.0.1 - 126.255.255.254",
        "128.0.0.1 - 191.255.255.254",
        "192.0.0.1 - 223.255.255.254",
        "224.0.0.0 - 239.255.255.255",
        "240.0.0.0 - 255.255.255.254",
    ] {
        assert!(text.contains(range), "{range} is missing in\n{text}");
    }
    assert!(text.contains("history since CIDR (RFC 1519"));
    let widest = text.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(60), "no line is broken in a terminal of 60 columns:\n{text}");
    assert!(text.contains("127.0.0.1  works: bound to 127.0.0.1:"), "{text}");
    assert!(text.lines().any(|line| line.starts_with("127.1.2.3")));
    assert!(text.lines().any(|line| line.starts_with("::1 ")));
}

#[cfg(target_os = "linux")]
#[test]
fn every_address_of_the_block_is_loopback_on_linux() {
    let text = String::from_utf8(run(&[]).stdout).unwrap();
    assert!(text.contains("127.1.2.3  works: bound to 127.1.2.3:"), "{text}");
}

#[test]
fn demo_succeeds_twice_in_a_row() {
    for round in 1..=2 {
        assert_eq!(run(&[]).status.code(), Some(0), "round {round}");
    }
}

#[test]
fn each_input_is_one_line() {
    let output = run(&["192.168.1.77", "127.0.0.1:8888", "::1", "localhost:80"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        lines(&output.stdout),
        [
            "192.168.1.77: class C (192.0.0.0/3), network 192.168.1.0/24 by class, \
             host part 0.0.0.77, private (192.168.0.0/16, RFC 1918 section 3)",
            "127.0.0.1:8888: class A (0.0.0.0/1), network 127.0.0.0/8 by class, \
             host part 0.0.0.1, loopback (127.0.0.0/8, RFC 1122 section 3.2.1.3), \
             port 8888 user (1024-49151)",
            "::1: IPv6, which has no classes, loopback (::1/128, RFC 4291 section 2.5.3)",
            "localhost:80: the name localhost, not looked up, port 80 system (0-1023)",
        ]
    );
}

#[test]
fn a_network_has_a_broadcast_address_and_hosts() {
    let output = run(&["10.1.2.3/30", "10.0.0.0/31", "10.0.0.0/32", "0.0.0.0/0", "fe80::/64"]);
    let lines = lines(&output.stdout);
    assert!(lines[0].contains("network 10.1.2.0/30, host part 0.0.0.3"), "{}", lines[0]);
    assert!(lines[0].contains("broadcast 10.1.2.3, hosts 2"), "{}", lines[0]);
    assert!(lines[1].contains("last 10.0.0.1, hosts 2"), "{}", lines[1]);
    assert!(lines[2].contains("last 10.0.0.0, hosts 1"), "{}", lines[2]);
    assert!(lines[3].contains("more than one class"), "{}", lines[3]);
    assert!(lines[3].contains("hosts 4294967294"), "{}", lines[3]);
    assert!(lines[4].contains("2^64 addresses, link-local"), "{}", lines[4]);
}

#[test]
fn a_bad_input_is_explained_and_the_good_ones_are_still_described() {
    let output = run(&["10.0.0.1", "192.168.1.256", "8.8.8.8", "1.2.3.4:65536", "10.0.0.0/33"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(lines(&output.stdout).len(), 2);
    assert_eq!(
        lines(&output.stderr),
        [
            "192.168.1.256: octet 4 is 256; an octet is at most 255",
            "1.2.3.4:65536: the port is 65536; a port is at most 65535",
            "10.0.0.0/33: the prefix length is 33; an IPv4 address has only 32 bits",
        ]
    );
}

#[test]
fn standard_input_is_read_line_by_line_where_the_dash_stands() {
    let output = run_with_input(&["1.1.1.1", "-", "2.2.2.2"], "3.3.3.3\r\n\n  4.4.4.4  \n5.5.5.5");
    assert_eq!(output.status.code(), Some(0));
    let firsts: Vec<String> =
        lines(&output.stdout).iter().map(|line| line[..7].to_owned()).collect();
    assert_eq!(firsts, ["1.1.1.1", "3.3.3.3", "4.4.4.4", "5.5.5.5", "2.2.2.2"]);
}

#[test]
fn bytes_that_are_not_text_are_a_bad_input() {
    let output = run_with_input(&["-"], b"\xff\xfe\n1.2.3.4\n".to_vec());
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(lines(&output.stdout).len(), 1);
    assert_eq!(lines(&output.stderr).len(), 1);
}

#[test]
fn json_is_one_object_a_line() {
    let output = run(&["--json", "192.168.1.77/24", "nonsense", "[fe80::1]:50000"]);
    assert_eq!(output.status.code(), Some(2));
    let objects: Vec<serde_json::Value> = lines(&output.stdout)
        .iter()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect();
    assert_eq!(objects.len(), 2);
    assert_eq!(objects[0]["input"], "192.168.1.77/24");
    assert_eq!(objects[0]["class"], "C");
    assert_eq!(objects[0]["network"], "192.168.1.0/24");
    assert_eq!(objects[0]["hosts"], 254);
    assert_eq!(objects[0]["special"], "private");
    assert_eq!(objects[1]["version"], 6);
    assert_eq!(objects[1]["port_kind"], "dynamic");
    assert_eq!(objects[1].get("class"), None);
}

#[test]
fn json_without_inputs_is_a_wrong_use() {
    assert_eq!(run(&["--json"]).status.code(), Some(2));
}

/// `lesson-01 - | head -1`: the reader takes one line and goes.
#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin!("lesson-01"))
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    // More than every pipe on the way can hold; the end of the child ends the writing.
    let writer = thread::spawn(move || while input.write_all(b"1.2.3.4\n").is_ok() {});

    let mut first_line = String::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut first_line).unwrap();
    drop(output);

    let ended = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(first_line.starts_with("1.2.3.4: class A"));
    assert_eq!(String::from_utf8(ended.stderr).unwrap(), "");
    assert_eq!(ended.status.code(), Some(0));
}

#[test]
fn help_names_what_can_be_asked() {
    let help = run(&["--help"]);
    let text = String::from_utf8(help.stdout).unwrap();
    assert!(text.contains("--json") && text.contains("standard input"), "{text}");
}
