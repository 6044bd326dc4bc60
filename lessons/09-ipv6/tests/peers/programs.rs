//! The lesson's programs with programs that nobody here wrote, in both directions and families.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed step is a failed test

use std::net::Ipv6Addr;
use std::process::Command;
use std::time::Duration;

use libtest_mimic::Trial;
use netlab::filtered::Filtered;
use netlab::peers::{Peer, Transport, free_port, is_bound, on_terminal, trial, trial_on_terminal};
use netlab::program::Server;

const PROGRAM: &str = env!("CARGO_BIN_EXE_lesson-09");
const LIMIT: Duration = Duration::from_secs(20);
/// How a server of ours listens for both families.
const DUAL: &[&str] = &["--dual", "--addr", "[::]:0"];
const TWO: &[&str] = &["--two", "--addr", "127.0.0.1:0"];

pub fn trials() -> Vec<Trial> {
    vec![
        trial("nc", "nc_talks_with_our_dual_server_over_both_families", || nc_talks(DUAL)),
        trial("nc", "nc_talks_with_our_two_sockets_over_both_families", || nc_talks(TWO)),
        trial("nc", "our_client_talks_with_nc_over_ipv6", our_client_talks_with_nc),
        trial("socat", "socat_talks_with_our_dual_server_over_both_families", || socat_talks(DUAL)),
        trial("socat", "socat_talks_with_our_two_sockets_over_both_families", || socat_talks(TWO)),
        trial("socat", "our_client_reaches_socats_dual_socket_over_both_families", || {
            for address in ["127.0.0.1", "[::1]"] {
                our_client_talks_with_socat("0", &[address], address);
            }
        }),
        trial("socat", "our_client_passes_over_the_family_that_socat_refuses", || {
            our_client_talks_with_socat("1", &["127.0.0.1", "[::1]"], "[::1]");
        }),
        trial("python3", "python_talks_with_our_server_and_is_called_by_its_own_name", || {
            python_talks(DUAL);
            python_talks(TWO);
        }),
        trial("python3", "our_client_talks_with_pythons_dual_server", our_client_talks_with_python),
        trial("python3", "python_writes_thousands_of_addresses_as_we_do", python_agrees),
        trial("curl", "curls_happy_eyeballs_reach_our_server_although_ipv6_is_silent", || {
            let Some((_silent, server)) = silent_and_served() else { return };
            curl_comes_by(&server, "IPv4 from 127.0.0.1");
        }),
        trial("curl", "curls_happy_eyeballs_prefer_our_servers_ipv6", || {
            curl_comes_by(&our_server(TWO), "IPv6 from [::1]");
        }),
        trial_on_terminal("in_sixty_columns_an_explanation_is_cut_between_words", narrow),
    ]
}

fn our_server(arguments: &[&str]) -> Server {
    let mut command = Command::new(PROGRAM);
    command.arg("server").args(arguments);
    Server::start(&mut command, LIMIT).unwrap()
}

/// What our client prints when it tries these addresses in turn.
fn our_client_says_hello_to(candidates: &[String]) -> String {
    let mut client = assert_cmd::Command::new(PROGRAM);
    client.timeout(LIMIT).args(["client", "hello", "你好"]);
    for candidate in candidates {
        client.args(["--candidate", candidate]);
    }
    String::from_utf8(client.assert().success().get_output().stdout.clone()).unwrap()
}

/// Tells our server something by way of `peer`, and looks at what comes back.
fn talks_with_our_server(mut peer: Peer, family: &str, address: &str) {
    let greeting = format!("you came over {family} from {address}:");
    assert!(peer.prints(&greeting, LIMIT), "{peer:?}");
    peer.tell("hello\n你好\n");
    assert!(peer.prints("hello\n你好\n", LIMIT), "{peer:?}");
    peer.close_input();
    assert!(peer.ends(LIMIT).unwrap().success(), "{peer:?}");
    assert_eq!(peer.stdout().lines().count(), 3, "{peer:?}");
}

fn nc_talks(how: &[&str]) {
    let server = our_server(how);
    let port = server.address().port().to_string();
    for (flag, host, family, shown) in
        [("-4", "127.0.0.1", "IPv4", "127.0.0.1"), ("-6", "::1", "IPv6", "[::1]")]
    {
        let nc = Peer::start(Command::new("nc").args([flag, "-N", host, &port]));
        talks_with_our_server(nc, family, shown);
    }
}

fn socat_talks(how: &[&str]) {
    let server = our_server(how);
    let port = server.address().port();
    for (to, family, shown) in [
        (format!("TCP4:127.0.0.1:{port}"), "IPv4", "127.0.0.1"),
        (format!("TCP6:[::1]:{port}"), "IPv6", "[::1]"),
    ] {
        let socat = Peer::start(Command::new("socat").args(["-t", "20", "STDIO", &to]));
        talks_with_our_server(socat, family, shown);
    }
}

fn our_client_talks_with_nc() {
    let port = free_port(Transport::Tcp);
    let mut nc = Peer::start(Command::new("nc").args(["-6", "-l", "-N", "::1", &port.to_string()]));
    nc.tell("welcome\n");
    nc.close_input();
    assert!(is_bound(Transport::Tcp, port, LIMIT), "{nc:?}");
    assert_eq!(our_client_says_hello_to(&[format!("[::1]:{port}")]), "welcome\n");
    assert!(nc.prints("hello\n你好\n", LIMIT), "{nc:?}");
    assert!(nc.ends(LIMIT).unwrap().success(), "{nc:?}");
}

/// `v6_only` is `IPV6_V6ONLY` as socat sets it; socat tells where its client came from.
fn our_client_talks_with_socat(v6_only: &str, hosts: &[&str], reached: &str) {
    let port = free_port(Transport::Tcp);
    let listen = format!("TCP6-LISTEN:{port},ipv6only={v6_only},reuseaddr");
    let echo = "SYSTEM:echo from $SOCAT_PEERADDR; cat";
    let socat = Peer::start(Command::new("socat").args([&listen, echo]));
    assert!(is_bound(Transport::Tcp, port, LIMIT), "{socat:?}");
    let candidates: Vec<String> = hosts.iter().map(|host| format!("{host}:{port}")).collect();
    let printed = our_client_says_hello_to(&candidates);
    // socat shows a mapped address as it is, with all its zeros.
    let shown = printed.lines().next().unwrap().trim_start_matches("from ");
    let bare = shown.trim_matches(['[', ']']);
    let peer: Ipv6Addr = bare.parse().unwrap_or_else(|_| panic!("{printed}"));
    let expected = if reached == "[::1]" { "::1" } else { "::ffff:127.0.0.1" };
    assert_eq!(peer, expected.parse::<Ipv6Addr>().unwrap(), "{printed}");
    assert!(printed.ends_with("hello\n你好\n"), "{printed}");
}

/// Compares what it is told with what it knows of itself.
const PYTHON_CLIENT: &str = "
import ipaddress, socket, sys
for host, family in ('127.0.0.1', 'IPv4'), ('::1', 'IPv6'):
    with socket.create_connection((host, int(sys.argv[1])), timeout=20) as s:
        me = s.getsockname()
        shown = me[0] if family == 'IPv4' else '[%s]' % ipaddress.ip_address(me[0]).compressed
        s.sendall('你好'.encode())
        s.shutdown(socket.SHUT_WR)
        answer = b''
        while data := s.recv(1024):
            answer += data
        expected = 'you came over %s from %s:%d\\n你好' % (family, shown, me[1])
        assert answer.decode() == expected, (answer.decode(), expected)
print('as expected')
";

fn python_talks(how: &[&str]) {
    let server = our_server(how);
    let port = server.address().port().to_string();
    let mut client = Peer::start(Command::new("python3").args(["-c", PYTHON_CLIENT, &port]));
    assert!(client.ends(LIMIT).unwrap().success(), "{client:?}");
    assert!(client.prints("as expected\n", LIMIT), "{client:?}");
}

const PYTHON_SERVER: &str = "
import socket
with socket.create_server(('::', 0), family=socket.AF_INET6, dualstack_ipv6=True) as server:
    print('listening on [::]:%d' % server.getsockname()[1], flush=True)
    while True:
        connection, _ = server.accept()
        with connection:
            connection.sendall(('you are %s\\n' % connection.getpeername()[0]).encode())
            while data := connection.recv(1024):
                connection.sendall(data)
";

fn our_client_talks_with_python() {
    let mut command = Command::new("python3");
    let server = Server::start(command.args(["-c", PYTHON_SERVER]), LIMIT).unwrap();
    let port = server.address().port();
    for (host, shown) in [("127.0.0.1", "::ffff:127.0.0.1"), ("[::1]", "::1")] {
        let printed = our_client_says_hello_to(&[format!("{host}:{port}")]);
        assert_eq!(printed, format!("you are {shown}\nhello\n你好\n"));
    }
}

/// Gives our program thousands of addresses in texts of all kinds, and compares what it calls their
/// canonical text with what two others write: Python's `ipaddress`, and `inet_ntop` of the system's
/// C library. They differ from RFC 5952 in what they do with IPv4 inside, and from each other.
const PYTHON_JUDGE: &str = "
import ipaddress, random, socket, subprocess, sys
random.seed(5952)
def group():
    return random.choice([0, 0, 0, 0, 1, 0xffff, random.randrange(0x10000), random.randrange(0x100)])
def address(number):
    ipv4 = random.randrange(1 << 32)
    if number % 10 == 0:
        return ipaddress.IPv6Address(0xffff << 32 | ipv4)
    if number % 10 == 1:
        return ipaddress.IPv6Address(0x64ff9b << 96 | ipv4)
    if number % 10 == 2:
        return ipaddress.IPv6Address(ipv4)
    bits = 0
    for _ in range(8):
        bits = bits << 16 | group()
    return ipaddress.IPv6Address(bits)
def spelt(ip):
    text = random.choice([ip.exploded, ip.compressed, socket.inet_ntop(socket.AF_INET6, ip.packed)])
    return random.choice([text, text.upper()])
addresses = [address(number) for number in range(4000)]
program = [sys.argv[1], 'address'] + [spelt(ip) for ip in addresses]
output = subprocess.run(program, stdout=subprocess.PIPE, timeout=20, check=True).stdout.decode()
ours = [line.split()[1] for line in output.splitlines() if line.startswith('  canonical ')]
assert len(ours) == len(addresses), len(ours)
for ip, our in zip(addresses, ours):
    ipv4 = ipaddress.IPv4Address(int(ip) & 0xffffffff)
    assert socket.inet_pton(socket.AF_INET6, our) == ip.packed, our
    if ip.ipv4_mapped:
        expected = ['::ffff:%s' % ipv4, socket.inet_ntop(socket.AF_INET6, ip.packed)]
    elif int(ip) >> 32 == 0x64ff9b << 64:
        expected = ['64:ff9b::%s' % ipv4]
    elif int(ip) >> 32 == 0:
        expected = [ip.compressed]
    else:
        expected = [ip.compressed, socket.inet_ntop(socket.AF_INET6, ip.packed)]
    assert all(text == our for text in expected), (ip.exploded, our, expected)
print('agreed on', len(ours))
";

fn python_agrees() {
    let mut judge = Peer::start(Command::new("python3").args(["-c", PYTHON_JUDGE, PROGRAM]));
    assert!(judge.ends(LIMIT).unwrap().success(), "{judge:?}");
    assert!(judge.prints("agreed on 4000\n", LIMIT), "{judge:?}");
}

/// How often a port may turn out to be somebody else's in the other family.
const TRIES: usize = 20;

/// A silent `[::1]:PORT`, and our server at `127.0.0.1:PORT`. `None` where nothing can be silent.
fn silent_and_served() -> Option<(Filtered, Server)> {
    for _ in 0..TRIES {
        let silent = Filtered::open(Ipv6Addr::LOCALHOST.into()).unwrap()?;
        let mut command = Command::new(PROGRAM);
        command.args(["server", "--addr", &format!("127.0.0.1:{}", silent.address().port())]);
        if let Ok(server) = Server::start(&mut command, LIMIT) {
            return Some((silent, server));
        }
    }
    panic!("no port was free in both families")
}

/// A name with an address of each family, as curl is told; the port is the same for both.
fn curl_comes_by(server: &Server, shown: &str) {
    let port = server.address().port();
    let resolve = format!("both.example:{port}:[::1],127.0.0.1");
    let url = format!("telnet://both.example:{port}");
    let mut command = Command::new("curl");
    command.args(["--silent", "--no-buffer", "--resolve", &resolve, &url]);
    let mut curl = Peer::start(&mut command);
    assert!(curl.prints(&format!("you came over {shown}:"), LIMIT), "{curl:?}");
    curl.tell("hello\n");
    assert!(curl.prints("\nhello\n", LIMIT), "{curl:?}");
}

/// With and without a subcommand: the demo has a label before each line.
fn narrow() {
    for args in [&["address", "2001:DB8:0:0:8:0800:200C:417A", "fe80::1%eth0"][..], &[]] {
        let command = on_terminal(60, PROGRAM, args);
        let assert = assert_cmd::Command::from_std(command).timeout(LIMIT).assert().success();
        let shown = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
        let is_log = |line: &str| line.starts_with("[server]") || line.starts_with("[client]");
        let table: Vec<&str> = shown.lines().filter(|line| !is_log(line)).collect();
        assert!(table.iter().any(|line| line.contains("same")), "{shown}");
        assert_eq!(table.iter().find(|line| line.len() > 60), None, "{shown}");
    }
}
