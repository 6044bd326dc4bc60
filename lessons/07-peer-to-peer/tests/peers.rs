//! Our node with programs that nobody here wrote: Python, nc, socat; and on a machine whose kernel
//! has no place for multicast groups (unshare makes one).

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests end at the first thing that is wrong

mod common;

use std::net::SocketAddr;
use std::process::{Command, ExitCode};

use common::{LARGE, LIMIT, PROGRAM, SMALL, addr, assert_says, client, node, times};
use netlab::peers::{
    self, LOCALHOST_IS_IPV6_FIRST, Peer, Transport, free_port, is_bound, trial, trial_if,
    trial_with_hosts, with_hosts,
};
use netlab::port::free_address;
use netlab::program::{Server, poll};

const PYTHON_NODE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/node.py");

fn main() -> ExitCode {
    let no_net = "unshare makes no network of its own here (or this is not Linux)";
    peers::run(vec![
        trial("python3", "python_joins_speaks_and_leaves", python_joins_speaks_and_leaves),
        trial("python3", "our_visitor_joins_at_python", our_visitor_joins_at_python),
        trial("python3", "our_node_passes_on_between_pythons", our_node_passes_on_between_pythons),
        trial("python3", "python_passes_on_between_our_nodes", python_passes_on_between_our_nodes),
        trial(
            "python3",
            "python_and_our_node_connect_at_once",
            python_and_our_node_connect_at_once,
        ),
        trial("python3", "python_hears_our_announcement", python_hears_our_announcement),
        trial(
            "python3",
            "our_node_hears_pythons_announcement",
            our_node_hears_pythons_announcement,
        ),
        trial("socat", "our_node_hears_socats_announcement", our_node_hears_socats_announcement),
        trial("socat", "socat_hears_our_announcement", socat_hears_our_announcement),
        trial("socat", "socat_sends_garbage", socat_sends_garbage),
        trial("nc", "nc_sends_garbage", nc_sends_garbage),
        trial("nc", "our_visitor_finds_that_nc_is_no_node", our_visitor_finds_that_nc_is_no_node),
        trial_if(
            has_networks_of_its_own(),
            no_net.into(),
            "without_multicast_it_says_so_and_goes_on_with_peers [unshare]",
            without_multicast_it_says_so_and_goes_on_with_peers,
        ),
        trial_if(
            has_networks_of_its_own(),
            no_net.into(),
            "without_multicast_the_demo_works_all_the_same [unshare]",
            without_multicast_the_demo_works_all_the_same,
        ),
        trial_if(
            has_networks_of_its_own(),
            no_net.into(),
            "without_a_loopback_interface_it_fails_with_one_line [unshare]",
            without_a_loopback_interface_it_fails_with_one_line,
        ),
        trial_with_hosts("a_node_at_the_second_address_is_joined", second_address_is_tried),
    ])
}

/// A node in Python, and where it listens.
fn python(id: u64, name: &str, peers: &[&str]) -> (Peer, SocketAddr) {
    let mut command = Command::new("python3");
    let python = Peer::start(command.args([PYTHON_NODE, &id.to_string(), name]).args(peers));
    let listening = || {
        let said = python.stdout();
        let (line, _) = said.strip_prefix("listening on ")?.split_once('\n')?;
        Some(line.parse().unwrap())
    };
    let address = poll(LIMIT, listening).expect("its readiness line");
    (python, address)
}

fn assert_prints(peer: &Peer, text: &str) {
    assert!(peer.prints(text, LIMIT), "no `{text}` in {peer:?}");
}

fn python_joins_speaks_and_leaves() {
    for id in [SMALL, LARGE] {
        let ann = node("ann", &[]);
        let (mut python, address) = python(id, "python", &[&addr(&ann)]);
        assert_says(&ann, &format!("python is here, at {address}"));
        assert_prints(&python, "neighbour\n");
        python.tell("hello\n你好\n");
        for line in ["python says: hello", "python says: 你好"] {
            assert_says(&ann, &format!("{line}\n"));
            assert_eq!(times(&ann, line), 1);
        }
        client(ann.address(), &["--name", "bob", "and hello"]).assert().success();
        assert_prints(&python, "bob says: and hello\n");
        python.close_input();
        assert_says(&ann, "python has left");
        assert_eq!(python.ends(LIMIT).unwrap().code(), Some(0));
    }
}

fn our_visitor_joins_at_python() {
    for id in [SMALL, LARGE] {
        let (python, address) = python(id, "python", &[]);
        client(address, &["--name", "bob", "hello", "你好"]).assert().success();
        assert_prints(&python, "bob says: hello\nbob says: 你好\nfarewell\n");
    }
}

fn our_node_passes_on_between_pythons() {
    let ann = node("ann", &[]);
    let (mut one, _) = python(SMALL, "one", &[&addr(&ann)]);
    assert_prints(&one, "neighbour\n");
    let (two, _) = python(LARGE, "two", &[&addr(&ann)]);
    assert_prints(&two, "told of ::ffff:127.0.0.1 ");
    one.tell("can you hear me?\n");
    assert_prints(&two, "one says: can you hear me?\n");
    assert_says(&ann, "one says: can you hear me?");
}

fn python_passes_on_between_our_nodes() {
    let (python, address) = python(LARGE / 2, "python", &[]);
    let peer = address.to_string();
    let ann = node("ann", &["--peer", &peer]);
    let bob = node("bob", &["--peer", &peer]);
    for node in [&ann, &bob] {
        assert_says(node, "python is here");
    }
    assert_prints(&python, "neighbour\nneighbour\n");
    client(ann.address(), &["--name", "eve", "--discover", "none", "hello"]).assert().success();
    assert_says(&bob, "eve says: hello\n");
    assert_eq!(times(&bob, "eve says: hello"), 1);
}

/// Each is told of the other. However the connections cross, one of them is left.
fn python_and_our_node_connect_at_once() {
    for id in [SMALL, LARGE] {
        for _ in 0..5 {
            let own = free_address(Transport::Tcp).to_string();
            // Python listens before it calls us, and it calls as soon as we are there.
            let ann = common::node_at(&own, "ann", &[]);
            let (mut python, address) = python(id, "python", &[&own, &own]);
            let _also = client(ann.address(), &["--discover", "none", "hi"]).output().unwrap();
            assert_prints(&python, "neighbour\n");
            assert_says(&ann, &format!("python is here, at {address}"));
            python.tell("once\n");
            assert_says(&ann, "python says: once\n");
            assert_eq!(times(&ann, "python says: once"), 1);
            assert_eq!(python.stdout().matches("neighbour\n").count(), 1);
        }
    }
}

// Discovery

const HEAR: &str = "
import socket, struct, sys
group, port = sys.argv[1], int(sys.argv[2])
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
sock.bind(('', port))
membership = socket.inet_aton(group) + socket.inet_aton('127.0.0.1')
sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
sock.settimeout(20)
print('hearing', flush=True)
datagram, (host, _) = sock.recvfrom(100)
magic, version, _, at = struct.unpack('>4sBQH', datagram)
print(magic.decode(), version, host, at, flush=True)
";

const ANNOUNCE: &str = "
import socket, struct, sys
group, port, at = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton('127.0.0.1'))
sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 0)
sock.sendto(struct.pack('>4sBQH', b'PEER', 1, 77, at), (group, port))
";

const GROUP: &str = "239.255.77.8";

/// The arguments that make a node announce itself on a port of its own; and this port.
fn multicast() -> (Vec<String>, u16) {
    let port = free_port(Transport::Udp);
    let group = format!("{GROUP}:{port}");
    (["--discover", "multicast", "--group", &group].map(String::from).to_vec(), port)
}

fn announcing(arguments: &[String]) -> Server {
    node("ann", &arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

fn python_hears_our_announcement() {
    let (arguments, port) = multicast();
    let mut command = Command::new("python3");
    let python = Peer::start(command.args(["-c", HEAR, GROUP, &port.to_string()]));
    assert_prints(&python, "hearing\n");
    let ann = announcing(&arguments);
    assert_prints(&python, &format!("PEER 1 127.0.0.1 {}\n", ann.address().port()));
}

fn our_node_hears_pythons_announcement() {
    let (arguments, port) = multicast();
    let ann = announcing(&arguments);
    let (python, address) = python(LARGE, "python", &[]);
    let announce = || {
        let (port, at) = (port.to_string(), address.port().to_string());
        let mut command = Command::new("python3");
        assert!(command.args(["-c", ANNOUNCE, GROUP, &port, &at]).status().unwrap().success());
        ann.stderr().contains("python is here").then_some(())
    };
    // ann may not have joined the group yet when the first one is sent.
    poll(LIMIT, announce).expect("ann connects");
    assert_prints(&python, "neighbour\n");
}

fn our_node_hears_socats_announcement() {
    let (arguments, port) = multicast();
    let ann = announcing(&arguments);
    let (_python, address) = python(LARGE, "python", &[]);
    let announcement =
        [b"PEER\x01", &77_u64.to_be_bytes()[..], &address.port().to_be_bytes()].concat();
    let to = format!("UDP4-DATAGRAM:{GROUP}:{port},ip-multicast-if=127.0.0.1,ip-multicast-ttl=0");
    let announce = || {
        let mut socat = assert_cmd::Command::new("socat");
        socat.args(["-u", "-", &to]).write_stdin(announcement.clone()).assert().success();
        ann.stderr().contains("python is here").then_some(())
    };
    poll(LIMIT, announce).expect("ann connects");
}

fn socat_hears_our_announcement() {
    let (arguments, port) = multicast();
    let at = format!("UDP4-RECV:{port},reuseaddr,ip-add-membership={GROUP}:127.0.0.1");
    let socat = Peer::start(Command::new("socat").args(["-u", &at, "STDOUT"]));
    assert!(is_bound(Transport::Udp, port, LIMIT), "{socat:?}");
    let _ann = announcing(&arguments);
    assert_prints(&socat, "PEER\x01");
}

// Garbage

fn socat_sends_garbage() {
    let ann = node("ann", &[]);
    let to = format!("TCP4:{}", ann.address());
    let mut socat = assert_cmd::Command::new("socat");
    socat.args(["-", &to]).timeout(LIMIT).write_stdin(vec![0xa5; 300_000]).output().unwrap();
    assert_says(&ann, "is turned away: a message of 2779096485 bytes is too long");
    client(ann.address(), &["--name", "bob", "still there?"]).assert().success();
    assert_says(&ann, "bob says: still there?");
}

fn nc_sends_garbage() {
    let ann = node("ann", &[]);
    let (host, port) = (ann.address().ip().to_string(), ann.address().port().to_string());
    let mut nc = Peer::start(Command::new("nc").args([&host, &port]));
    nc.tell("hello, is this a chat?\n");
    assert_says(&ann, "is turned away: a message of 1751477356 bytes is too long");
    client(ann.address(), &["--name", "bob", "still there?"]).assert().success();
    assert_says(&ann, "bob says: still there?");
}

fn our_visitor_finds_that_nc_is_no_node() {
    let port = free_port(Transport::Tcp);
    let mut nc = Peer::start(Command::new("nc").args(["-l", "127.0.0.1", &port.to_string()]));
    assert!(is_bound(Transport::Tcp, port, LIMIT), "{nc:?}");
    nc.tell("good evening\n");
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let output = client(address, &["hello"]).assert().code(1).get_output().clone();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.ends_with("a message of 1735356260 bytes is too long; the limit is 1071\n"),
        "{said}"
    );
}

// A machine without multicast

/// A network of its own, with a loopback interface and no place for multicast groups.
const NO_GROUPS: &str =
    "ip link set lo up && echo 0 > /proc/sys/net/ipv4/igmp_max_memberships && exec \"$@\"";

fn in_a_network(script: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--net", "sh", "-c", script, "sh"]).args(arguments);
    command
}

fn has_networks_of_its_own() -> bool {
    let output = in_a_network(NO_GROUPS, &["true"]).output();
    output.is_ok_and(|output| output.status.success())
}

fn without_multicast_it_says_so_and_goes_on_with_peers() {
    // Both nodes and the visitor live in one network: a shell starts them.
    let script = format!(
        "{PROGRAM} server --addr 127.0.0.1:7001 --name ann & ann=$!
         {PROGRAM} server --addr 127.0.0.1:7002 --name bob --peer 127.0.0.1:7001 --stdin < \"$1\" &
         bob=$!
         read go; {PROGRAM} client --addr 127.0.0.1:7001 --name eve hello
         read go; kill $ann $bob; wait"
    );
    let script = NO_GROUPS.replace("exec \"$@\"", &format!("{{ {script}; }}"));
    let mut nodes = Peer::start(&mut in_a_network(&script, &["/dev/null"]));
    let says = |nodes: &Peer, text: &str, times: usize| {
        let enough = || (nodes.stderr().matches(text).count() >= times).then_some(());
        assert!(poll(LIMIT, enough).is_some(), "no {times} `{text}` in {nodes:?}");
    };
    let sentence = "multicast does not work here (No buffer space available; cargo xtask doctor \
                    tells more): name the others with --peer HOST:PORT";
    says(&nodes, sentence, 2);
    says(&nodes, "bob is here", 1);
    nodes.tell("go\n");
    says(&nodes, "eve says: hello\n", 2);
    nodes.tell("go\n");
    assert_eq!(nodes.ends(LIMIT).unwrap().code(), Some(0), "{nodes:?}");
}

fn without_multicast_the_demo_works_all_the_same() {
    let output = in_a_network(NO_GROUPS, &[PROGRAM]).output().unwrap();
    let (stdout, stderr) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{stderr}");
    assert!(stderr.starts_with("multicast does not work here ("), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    for line in ["[bob] ann says: good evening\n", "[ann] cid says: 你好\n", "[ann] bob has left\n"]
    {
        assert_eq!(stdout.matches(line).count(), 1, "{stdout}");
    }
}

fn without_a_loopback_interface_it_fails_with_one_line() {
    let output = in_a_network("exec \"$@\"", &[PROGRAM, "client", "hello"]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.starts_with("cannot connect to 127.0.0.1:8888: "), "{stderr}");
}

fn second_address_is_tried() {
    let ann = common::node_at(&free_address(Transport::Tcp).to_string(), "ann", &[]);
    let mut client = with_hosts(LOCALHOST_IS_IPV6_FIRST, PROGRAM);
    let to = format!("localhost:{}", ann.address().port());
    client.args(["client", "--addr", &to, "--name", "bob", "hello"]);
    assert_cmd::Command::from_std(client).timeout(2 * LIMIT).assert().success();
    assert_says(&ann, "bob says: hello");
}
