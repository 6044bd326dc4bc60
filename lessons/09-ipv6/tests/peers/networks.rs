//! The lesson's programs in networks that this machine does not have: one without IPv6, and one with
//! two links on which the same address exists. Each is a network namespace (`network_namespaces(7)`),
//! which unshare makes and which is gone with its last program.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed step is a failed test

use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use libtest_mimic::Trial;
use netlab::peers::trial_if;
use netlab::program::Server;
use netlab::rounds::few_or_all;

const PROGRAM: &str = env!("CARGO_BIN_EXE_lesson-09");
const LIMIT: Duration = Duration::from_secs(20);

/// As on a machine whose owner has switched IPv6 off.
const NO_IPV6: &str = "ip link set lo up && echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6";

/// Two links, and on each of them a host that has called itself `fe80::7`.
const TWO_LINKS: &str = "ip link set lo up && for link in one two; do
    { ip link add $link type dummy || ip link add $link type bridge; } 2> /dev/null &&
    ip link set $link up && ip addr add fe80::7/64 dev $link nodad || exit 1; done";

const MISSING: &str = "this machine has no IPv6 (no socket at ::1: ";

pub fn trials() -> Vec<Trial> {
    let (no_ipv6, two_links) = (can_be_made(NO_IPV6), can_be_made(TWO_LINKS));
    let without_ipv6 = |name, test| {
        let missing = "no network without IPv6 can be made here (unshare -rn, ip)".to_owned();
        trial_if(no_ipv6, missing, name, test)
    };
    let with_two_links = |name, test| {
        let missing = "no network with two links can be made here (unshare -rn, ip)".to_owned();
        trial_if(two_links, missing, name, test)
    };
    vec![
        without_ipv6("the_demo_says_that_there_is_no_ipv6_and_shows_the_rest", demo),
        without_ipv6("the_demo_succeeds_again_and_again_without_ipv6", demos_in_a_row),
        without_ipv6("a_dual_server_is_one_of_ipv4_where_there_is_no_ipv6", || {
            serves_ipv4_alone(&["--dual", "--addr", "[::]:0"]);
        }),
        without_ipv6("two_sockets_are_one_where_there_is_no_ipv6", || {
            serves_ipv4_alone(&["--two", "--addr", "[::1]:0"]);
        }),
        without_ipv6("an_ipv6_address_is_refused_with_the_reason", ipv6_address),
        without_ipv6("happy_eyeballs_end_at_the_ipv4_address", eyeballs),
        with_two_links("a_link_local_address_is_reached_on_its_link_only", link_local),
        with_two_links("ctrl_c_ends_a_server_whose_address_has_gone", address_gone),
        with_two_links("ctrl_c_ends_a_server_whose_loopback_is_down", loopback_down),
    ]
}

/// `command`, in a network of its own that `setup` (lines for sh) has made.
fn within(setup: &str, command: &[&str]) -> Command {
    let mut shell = Command::new("unshare");
    // From here on sh is the program itself, so that who ends it ends the program.
    shell.args(["-rn", "sh", "-c", &format!("{setup} && exec \"$@\""), "sh"]).args(command);
    shell
}

fn can_be_made(setup: &str) -> bool {
    let mut attempt = within(setup, &["true"]);
    let silent = attempt.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    silent.status().is_ok_and(|status| status.success())
}

fn to_its_end(command: Command) -> Output {
    assert_cmd::Command::from_std(command).timeout(2 * LIMIT).output().unwrap()
}

fn lesson(setup: &str, arguments: &[&str]) -> Output {
    to_its_end(within(setup, &[&[PROGRAM], arguments].concat()))
}

fn server(setup: &str, arguments: &[&str]) -> Server {
    let mut command = within(setup, &[&[PROGRAM, "server"], arguments].concat());
    Server::start(&mut command, LIMIT).unwrap()
}

/// A client in the network of the server.
fn client(server: &Server, arguments: &[&str]) -> Output {
    let target = format!("--target={}", server.id());
    let mut command = Command::new("nsenter");
    command.args([&target, "--user", "--net", "--preserve-credentials", PROGRAM, "client"]);
    command.args(arguments);
    to_its_end(command)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn demo() {
    let output = lesson(NO_IPV6, &[]);
    let printed = text(&output.stdout);
    assert!(output.status.success(), "{}{printed}", text(&output.stderr));
    assert_eq!(printed.matches(MISSING).count(), 1, "{printed}");
    for expected in [
        "what follows is the half that needs only IPv4\n",
        "[address]   canonical   2001:db8::8:800:200c:417a\n",
        "[server] listening on 127.0.0.1:8888\n",
        "[client] you came over IPv4 from 127.0.0.1:",
        "[client] hello over IPv4\n",
        " attempt 2 is connected over IPv4",
        "[client] hello by happy eyeballs\n",
    ] {
        assert!(printed.contains(expected), "{expected} in\n{printed}");
    }
    assert!(!printed.contains("over IPv6"), "{printed}");
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
}

fn demos_in_a_row() {
    let runs = few_or_all(2, 10);
    let before = format!("for run in $(seq 2 {runs}); do \"$1\" || exit 1; done");
    let all = format!("{NO_IPV6} && {before}");
    let output = lesson(&all, &[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout).matches(MISSING).count(), runs);
}

fn serves_ipv4_alone(arguments: &[&str]) {
    let mut server = server(NO_IPV6, arguments);
    assert!(server.address().is_ipv4());
    assert!(server.says(MISSING, LIMIT), "{}", server.stderr());
    let output = client(&server, &["--addr", &format!("127.0.0.1:{}", server.address().port())]);
    let printed = text(&output.stdout);
    assert!(printed.starts_with("you came over IPv4 from 127.0.0.1:"), "{output:?}");
    assert_eq!(server.interrupt(LIMIT).unwrap().code(), Some(0));
    assert_eq!(server.stdout(), format!("listening on {}\n", server.address()));
}

fn ipv6_address() {
    for address in ["[::1]:8888", "[::]:8888"] {
        let output = lesson(NO_IPV6, &["server", "--addr", address]);
        assert_eq!(output.status.code(), Some(1));
        let said = text(&output.stderr);
        assert!(said.starts_with(&format!("cannot listen on {address}: {MISSING}")), "{said}");
        assert!(said.ends_with("): try --addr 127.0.0.1:8888\n"), "{said}");
    }
}

fn eyeballs() {
    let server = server(NO_IPV6, &["--addr", "127.0.0.1:0"]);
    let port = server.address().port();
    let (v6, v4) = (format!("[::1]:{port}"), format!("127.0.0.1:{port}"));
    let output = client(&server, &["--candidate", &v6, "--candidate", &v4, "hello"]);
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains(" attempt 1 has failed: address not available\n"), "{said}");
    assert!(said.contains(" attempt 2 is connected over IPv4"), "{said}");
    assert!(text(&output.stdout).ends_with("hello\n"), "{output:?}");
}

fn link_local() {
    let server = server(TWO_LINKS, &["--addr", "[fe80::7%one]:0"]);
    let SocketAddr::V6(address) = server.address() else { panic!("{:?}", server.address()) };
    let (port, number) = (address.port(), address.scope_id());
    assert_ne!(number, 0, "the readiness line names the link");
    for zone in ["one".to_owned(), number.to_string()] {
        let output = client(&server, &["--addr", &format!("[fe80::7%{zone}]:{port}"), "hello"]);
        let printed = text(&output.stdout);
        let greeting = format!("you came over IPv6 from [fe80::7%{number}]:");
        assert!(printed.starts_with(&greeting) && printed.ends_with("hello\n"), "{output:?}");
    }
    // The same 128 bits on the other link are somebody else.
    let output = client(&server, &["--addr", &format!("[fe80::7%two]:{port}")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains(": connection refused; "), "{output:?}");
}

/// As when a laptop leaves a network.
fn address_gone() {
    let mut server = server(TWO_LINKS, &["--addr", "[fe80::7%one]:0"]);
    change(&server, &["addr", "del", "fe80::7/64", "dev", "one"]);
    assert_eq!(server.interrupt(LIMIT).expect("it ends").code(), Some(0));
}

fn loopback_down() {
    for arguments in [&["--addr", "127.0.0.1:0"][..], &["--dual", "--addr", "[::]:0"]] {
        let mut server = server(TWO_LINKS, arguments);
        change(&server, &["link", "set", "lo", "down"]);
        assert_eq!(server.interrupt(LIMIT).expect("it ends").code(), Some(0));
    }
}

/// Changes the network of a server.
fn change(server: &Server, ip: &[&str]) {
    let target = format!("--target={}", server.id());
    let mut command = Command::new("nsenter");
    command.args([&target, "--user", "--net", "--preserve-credentials", "ip"]).args(ip);
    assert!(command.status().unwrap().success());
}
