//! Real ICMP, and programs that nobody here wrote: the system's ping, Python, nc, tshark. Everything
//! that pings does so in a network of its own.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests end at the first thing that is wrong

mod network;

use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use libtest_mimic::Trial;
use netlab::peers::{self, Peer, Transport, free_port, is_bound, trial};
use netlab::program::{Running, Server, poll};
use netlab::rounds::few_or_all;
use network::{ALLOW, inside};

const PROGRAM: &str = env!("CARGO_BIN_EXE_lesson-10");
/// Nothing here takes that long but on a machine that is very busy.
const LIMIT: Duration = Duration::from_secs(20);
/// A host's own answers, switched off.
const MUTE: &str = "echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all
                    echo 1 > /proc/sys/net/ipv6/icmp/echo_ignore_all";
const QUICK: [&str; 4] = ["--count", "3", "--interval", "0.1"];

fn main() -> ExitCode {
    peers::run(few_or_all(short(), short().into_iter().chain(long()).collect()))
}

/// What takes seconds, as it waits for silence or for a program that pings once a second.
fn long() -> Vec<Trial> {
    vec![
        network("the_demo_pings_and_works_again_and_again", &[], demo_again_and_again),
        network("the_systems_ping_agrees", &["ping"], the_systems_ping_agrees),
        network("the_systems_pings_are_decoded", &["ping", "python3"], decoding_the_systems_ping),
        network("a_host_may_answer_as_it_likes", &["python3"], a_host_may_answer_as_it_likes),
    ]
}

fn short() -> Vec<Trial> {
    vec![
        network("both_loopback_addresses_answer", &[], both_loopback_addresses_answer),
        network("probes_of_any_size_come_back", &[], probes_of_any_size_come_back),
        network("a_name_is_pinged_at_its_address", &[], a_name_is_pinged_at_its_address),
        network("no_icmp_socket_is_a_clear_line", &[], no_icmp_socket_is_a_clear_line),
        network("a_mute_host_costs_as_many_probes_as_asked_for", &[], mute_host),
        network("a_host_that_nobody_reaches_has_its_reason", &[], unreachable_hosts),
        network("a_host_that_is_not_there_is_silent", &[], a_host_that_is_not_there_is_silent),
        network("ctrl_c_ends_a_ping_with_its_numbers", &[], ctrl_c_ends_a_ping_with_its_numbers),
        network("tshark_reads_our_pings", &["tshark", "python3"], tshark_reads_our_pings),
        network("python_finds_our_pings_right", &["python3"], python_finds_our_pings_right),
        network("a_firewall_may_say_no", &["python3"], a_firewall_may_say_no),
        trial("python3", "checksums_are_those_of_python", checksums_are_those_of_python),
        trial("python3", "pythons_ports_are_told_apart", pythons_ports_are_told_apart),
        trial("python3", "python_is_greeted", python_is_greeted),
        trial("xxd", "dumps_of_xxd_are_decoded", || {
            dumps_are_decoded("xxd", &[&[], &["-g1"], &["-p"]]);
        }),
        trial("hexdump", "dumps_of_hexdump_are_decoded", || {
            dumps_are_decoded("hexdump", &[&["-C"], &["-Cv"]]);
        }),
        trial("od", "dumps_of_od_are_decoded", || {
            dumps_are_decoded("od", &[&["-tx1"], &["-Ax", "-tx1z"], &["-An", "-tx1"]]);
        }),
        trial("tshark", "dumps_of_tshark_are_decoded", || {
            captures_are_decoded("tshark", &[&["-x"]]);
        }),
        trial("tcpdump", "dumps_of_tcpdump_are_decoded", || {
            captures_are_decoded(
                "tcpdump",
                &[&["-n", "-x"], &["-n", "-X"], &["-n", "-XX"], &["-tx"]],
            );
        }),
        trial("nc", "a_port_of_nc_is_open", a_port_of_nc_is_open),
        trial("nc", "nc_finds_our_port_open", nc_finds_our_port_open),
    ]
}

/// A test that needs a network of its own, and these programs.
fn network(name: &str, programs: &[&str], test: fn()) -> Trial {
    let mut missing = Vec::new();
    if !network::can_be_made() {
        missing.push("no network namespaces here (unshare -rn, ip)".to_owned());
    }
    for program in programs {
        let mut command = Command::new(program);
        command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if command.status().is_err() {
            missing.push(format!("{program} is not installed"));
        }
    }
    peers::trial_if(missing.is_empty(), missing.join(", "), &format!("{name} [unshare]"), test)
}

/// What a command says on standard output and on standard error, and its exit code.
fn run(command: Command) -> (String, String, i32) {
    let output = assert_cmd::Command::from_std(command).timeout(LIMIT).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

/// Our program in a network where `setup` was run.
fn ours(setup: &str, arguments: &[&str]) -> (String, String, i32) {
    let mut command = inside(setup, PROGRAM);
    command.args(arguments);
    run(command)
}

fn ping<'a>(host: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["ping", host], more].concat()
}

// Our ping

fn both_loopback_addresses_answer() {
    for host in ["127.0.0.1", "::1", "127.8.9.10"] {
        let (stdout, stderr, code) = ours(ALLOW, &ping(host, &QUICK));
        let lines: Vec<&str> = stdout.lines().collect();
        assert_eq!(lines[0], format!("ping {host}: 3 probes with 56 bytes of data"));
        for (number, line) in (1..=3).zip(&lines[1..4]) {
            assert!(line.starts_with(&format!("answer to probe {number} after ")), "{stdout}");
        }
        let summary = "3 sent, 3 answered, 0% lost; round trip min/avg/max/stddev ";
        assert!(lines[4].starts_with(summary), "{stdout}");
        assert_eq!((lines.len(), stderr.as_str(), code), (5, "", 0));
    }
}

fn probes_of_any_size_come_back() {
    for host in ["127.0.0.1", "::1"] {
        for size in ["8", "9", "1452"] {
            let (stdout, _, code) = ours(ALLOW, &ping(host, &["--count", "1", "--size", size]));
            assert!(stdout.contains("1 sent, 1 answered, 0% lost"), "{size}: {stdout}");
            assert_eq!(code, 0);
        }
    }
}

fn a_name_is_pinged_at_its_address() {
    let (stdout, stderr, code) = ours(ALLOW, &ping("localhost", &["--count", "1"]));
    assert!(stdout.starts_with("ping 127.0.0.1: ") || stdout.starts_with("ping ::1: "), "{stdout}");
    assert_eq!((stderr.as_str(), code), ("", 0));
}

fn demo_again_and_again() {
    // One network for all, and one port.
    let script = format!("{ALLOW}\nfor i in 1 2 3 4; do \"$@\"; done");
    let (stdout, stderr, code) = ours(&script, &[]);
    assert_eq!((stderr.as_str(), code), ("", 0), "{stdout}");
    for said in ["is open: ", "is closed: ", "is filtered: "] {
        assert_eq!(stdout.matches(said).count(), 5, "{stdout}");
    }
    assert_eq!(stdout.matches("[client] 3 sent, 3 answered, 0% lost; ").count(), 10, "{stdout}");
}

/// A new network allows ICMP sockets to nobody (icmp(7)).
fn no_icmp_socket_is_a_clear_line() {
    for host in ["127.0.0.1", "::1"] {
        let (stdout, stderr, code) = ours("", &ping(host, &QUICK));
        let expected = format!(
            "cannot ping {host}: this system gives our group no ICMP socket; an administrator \
             allows it to everybody until the next restart, for ICMPv6 too, with: \
             sudo sysctl -w net.ipv4.ping_group_range=\"0 2147483647\" \
             (cargo xtask doctor tells more)\n"
        );
        assert_eq!((stdout.as_str(), stderr, code), ("", expected, 1));
    }
    // The demo goes on without, and so does the client.
    let (stdout, stderr, code) = ours("", &[]);
    assert_eq!(stdout.matches("[client] cannot ping 127.0.0.1: ").count(), 1, "{stdout}");
    assert!(stdout.contains(" is filtered: "), "{stdout}");
    assert_eq!((stderr.as_str(), code), ("", 0));
}

/// A host that does not answer: bounded in probes, counted by the system itself.
fn mute_host() {
    let count = "grep '^IcmpMsg:' /proc/net/snmp >&2";
    let setup = format!("{ALLOW}\n{MUTE}\n\"$@\" || echo \"ended with $?\"\n{count}");
    let plan = ["--count", "5", "--interval", "0.1", "--timeout", "0.1"];
    let mut command = inside(&setup, PROGRAM);
    command.args(ping("127.0.0.1", &plan));
    let output = assert_cmd::Command::from_std(command).timeout(LIMIT).output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stdout.contains("5 sent, 0 answered, 100% lost\nended with 1\n"), "{stdout}");
    let no_answer = "no answer from 127.0.0.1; that does not prove that it is down: many hosts \
                     and networks are told not to answer a ping\n";
    assert!(stderr.starts_with(no_answer), "{stderr}");
    let counts: Vec<&str> = stderr.lines().filter(|line| line.starts_with("IcmpMsg:")).collect();
    // `IcmpMsg: InType8 OutType8` and below it the numbers.
    let columns = counts[0].split(' ').zip(counts[1].split(' '));
    let sent: Vec<_> = columns.filter(|(name, _)| *name == "OutType8").collect();
    assert_eq!(sent, [("OutType8", "5")], "{stderr}");
}

/// Routes that lead nowhere; the addresses are for documentation (RFC 5737, RFC 3849).
const NOWHERE: &str = "
    ip route add unreachable 192.0.2.1
    ip route add prohibit 192.0.2.2
    ip route add blackhole 192.0.2.3
    ip -6 route add unreachable 2001:db8::1
    ip -6 route add prohibit 2001:db8::2
";

fn unreachable_hosts() {
    let setup = format!("{ALLOW}\n{NOWHERE}");
    for (host, target, reason) in [
        ("192.0.2.1", "192.0.2.1:80", "host unreachable; "),
        ("192.0.2.2", "192.0.2.2:80", "not permitted; "),
        ("192.0.2.4", "192.0.2.4:80", "network unreachable; "),
        ("2001:db8::1", "[2001:db8::1]:80", "host unreachable; "),
        ("2001:db8::2", "[2001:db8::2]:80", "not permitted; "),
        ("2001:db8::4", "[2001:db8::4]:80", "network unreachable; "),
    ] {
        let (stdout, stderr, code) = ours(&setup, &ping(host, &QUICK));
        assert!(stderr.starts_with(&format!("cannot ping {host}: {reason}")), "{stderr}");
        assert_eq!((stdout.as_str(), stderr.lines().count(), code), ("", 1, 1));
        let (stdout, stderr, code) = ours(&setup, &["port", target]);
        assert!(stdout.starts_with(&format!("{target} is filtered: {reason}")), "{stdout}");
        assert_eq!((stderr, code), (format!("{target} cannot be reached\n"), 1));
    }
    let (_, stderr, code) = ours(&setup, &ping("192.0.2.3", &QUICK));
    assert!(stderr.contains("its route to an address is a black hole"), "{stderr}");
    assert_eq!(code, 1);
    let (stdout, stderr, code) = ours(&setup, &["port", "192.0.2.3:80"]);
    assert!(stderr.starts_with("cannot check 192.0.2.3:80: invalid argument; "), "{stderr}");
    assert_eq!((stdout.as_str(), code), ("", 1));
    // The broadcast address of the loopback network: the system knows, we do not.
    let (_, stderr, code) = ours(&setup, &ping("127.255.255.255", &QUICK));
    assert!(stderr.contains("it is the broadcast address of a network"), "{stderr}");
    assert_eq!(code, 1);
}

/// A network with room for many hosts, and none of them there.
fn a_host_that_is_not_there_is_silent() {
    let setup = format!(
        "{ALLOW}
         ip link add here type veth peer name there
         ip address add 198.51.100.1/24 dev here
         ip link set here up
         ip link set there up"
    );
    let brief = ["--count", "2", "--interval", "0.1", "--timeout", "0.2"];
    let (stdout, stderr, code) = ours(&setup, &ping("198.51.100.7", &brief));
    assert!(stdout.ends_with("\n2 sent, 0 answered, 100% lost\n"), "{stdout}");
    assert!(stderr.starts_with("no answer from 198.51.100.7; "), "{stderr}");
    assert_eq!(code, 1);
    let (stdout, _, code) = ours(&setup, &["port", "198.51.100.7:80", "--timeout", "0.2"]);
    assert!(stdout.contains(" is filtered: nothing came for 0.2 s; "), "{stdout}");
    assert_eq!(code, 1);
}

fn ctrl_c_ends_a_ping_with_its_numbers() {
    let mut command = inside(ALLOW, PROGRAM);
    command.args(ping("127.0.0.1", &["--count", "100", "--interval", "20"]));
    let mut running = Running::start(&mut command, |_| {}).unwrap();
    let answered = || running.stdout().contains("answer to probe 1 ").then_some(());
    poll(LIMIT, answered).expect("an answer");
    let status = running.interrupt(LIMIT).expect("it ends");
    running.drain(LIMIT);
    assert_eq!(status.code(), Some(0), "{running:?}");
    assert!(running.stdout().contains("\n1 sent, 1 answered, 0% lost; "), "{running:?}");
}

// The system's ping

fn the_systems_ping_agrees() {
    for (setup, theirs, lost) in [
        (ALLOW.to_owned(), " 0% packet loss", "0%"),
        (format!("{ALLOW}\n{MUTE}"), " 100% packet loss", "100%"),
    ] {
        for host in ["127.0.0.1", "::1"] {
            let mut system = inside(&setup, "ping");
            system.args(["-c", "3", "-i", "0.2", "-W", "1", host]);
            let (stdout, _, code) = run(system);
            assert!(stdout.contains(theirs), "{stdout}");
            let plan = ["--count", "3", "--interval", "0.2", "--timeout", "0.2"];
            let (stdout, stderr, our_code) = ours(&setup, &ping(host, &plan));
            assert!(stdout.contains(&format!(", {lost} lost")), "{stdout}{stderr}");
            assert_eq!(our_code, code, "the same exit code");
        }
    }
}

/// Runs the command that its arguments name, prints each IP packet with ICMP that has gone over the
/// loopback interface in hexadecimal, and whether its own arithmetic finds the checksum right.
const CAPTURE: &str = "
import socket, struct, subprocess, sys
OUTGOING = 4  # on the loopback interface every packet is seen twice
def right(data):
    if len(data) % 2: data += b'\\0'
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    return total % 0xffff == 0 and total > 0
with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3)) as sock:
    sock.bind(('lo', 3))
    ended = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, timeout=20).returncode
    sock.setblocking(False)
    while True:
        try: packet, origin = sock.recvfrom(65536)
        except BlockingIOError: break
        if origin[2] != OUTGOING: continue
        if packet[0] >> 4 == 4 and packet[9] == 1:
            verdict = right(packet[(packet[0] & 15) * 4:])
        elif packet[0] >> 4 == 6 and packet[6] == 58:
            message = packet[40:]
            verdict = right(packet[8:40] + struct.pack('!IHBB', len(message), 0, 0, 58) + message)
        else: continue
        print('right' if verdict else 'wrong', packet.hex())
sys.exit(ended)
";

/// The packets of a command, and that Python finds them right.
fn capture(command: &[&str]) -> Vec<String> {
    let mut python = inside(ALLOW, "python3");
    python.args(["-c", CAPTURE]).args(command);
    let (stdout, stderr, code) = run(python);
    assert_eq!((stderr.as_str(), code), ("", 0), "{stdout}");
    let packet = |line: &str| line.strip_prefix("right ").expect("a right checksum").to_owned();
    stdout.lines().map(packet).collect()
}

fn decode(packets: &[String]) -> Vec<String> {
    let mut command = assert_cmd::Command::new(PROGRAM);
    let output = command.arg("decode").timeout(LIMIT).write_stdin(packets.join("\n")).output();
    let stdout = String::from_utf8(output.unwrap().stdout).unwrap();
    stdout.lines().map(str::to_owned).collect()
}

/// Three requests and three replies, of `bytes` of data, all of them right.
fn assert_is_a_ping(host: &str, bytes: &str, packets: &[String]) {
    let lines = decode(packets);
    let mut expected = Vec::new();
    for number in 1..=3 {
        expected.push(("echo request", number));
        expected.push(("echo reply", number));
    }
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for ((kind, number), line) in expected.into_iter().zip(&lines) {
        assert!(line.starts_with(&format!("from {host} to {host}: {kind}, ")), "{line}");
        let end = format!(", sequence number {number}, data bytes: {bytes}; checksum ");
        assert!(line.contains(&end) && line.ends_with(" is right"), "{line}");
    }
}

fn decoding_the_systems_ping() {
    for host in ["127.0.0.1", "::1"] {
        for size in ["0", "56", "57", "1452"] {
            let packets = capture(&["ping", "-c", "3", "-i", "0.2", "-s", size, host]);
            assert_is_a_ping(host, size, &packets);
        }
    }
}

fn python_finds_our_pings_right() {
    for host in ["127.0.0.1", "::1"] {
        for size in ["8", "57", "1452"] {
            let more = [&QUICK[..], &["--size", size]].concat();
            let packets = capture(&[&[PROGRAM], &ping(host, &more)[..]].concat());
            assert_is_a_ping(host, size, &packets);
        }
    }
}

/// A capture file (of raw IP, 101) of the packets that stand on its standard input.
const PCAP: &str = "
import struct, sys
out = sys.stdout.buffer
out.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
for number, line in enumerate(sys.stdin):
    packet = bytes.fromhex(line)
    out.write(struct.pack('<IIII', 0, number, len(packet), len(packet)) + packet)
";

fn tshark_reads_our_pings() {
    for (host, icmp) in [("127.0.0.1", "icmp"), ("::1", "icmpv6")] {
        let packets = capture(&[&[PROGRAM], &ping(host, &QUICK)[..]].concat());
        let mut python = assert_cmd::Command::new("python3");
        let written = python.args(["-c", PCAP]).timeout(LIMIT).write_stdin(packets.join("\n"));
        let mut file = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut file, &written.output().unwrap().stdout).unwrap();
        let mut tshark = Command::new("tshark");
        tshark.arg("-r").arg(file.path()).args(["-T", "fields", "-E", "separator= "]);
        let sequence = if icmp == "icmp" { "icmp.seq" } else { "icmpv6.echo.sequence_number" };
        for field in [format!("{icmp}.type"), format!("{icmp}.checksum.status"), sequence.into()] {
            tshark.args(["-e", &field]);
        }
        let (stdout, stderr, _) = run(tshark);
        let (request, reply) = if icmp == "icmp" { (8, 0) } else { (128, 129) };
        // Status 1 is "good".
        let expected = [1, 2, 3].map(|n| format!("{request} 1 {n}\n{reply} 1 {n}\n"));
        assert_eq!(stdout, expected.concat(), "{stderr}");
    }
}

/// Python's messages with Python's checksums: random lengths and bytes, with and without IP headers,
/// half of them damaged in one bit. The first word of each line is for us.
const MESSAGES: &str = "
import random, socket, struct
random.seed(10)
def checksum(data):
    if len(data) % 2: data += b'\\0'
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total >> 16: total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
for number in range(4000):
    data = random.randbytes(random.choice([0, 1, 2, 3, 56, random.randrange(1500)]))
    shape = number % 4
    kind = random.choice([128, 129]) if shape == 3 else random.choice([0, 8])
    front = struct.pack('!BB', kind, 0)
    back = random.randbytes(4) + data
    source, destination = random.randbytes(16), random.randbytes(16)
    pseudo = source + destination + struct.pack('!IHBB', 8 + len(data), 0, 0, 58)
    sum_of = (pseudo if shape == 3 else b'') + front + b'\\0\\0' + back
    message = bytearray(front + struct.pack('!H', checksum(sum_of)) + back)
    verdict = 'right'
    if random.random() < 0.5:
        verdict = 'wrong'
        message[random.randrange(2, len(message))] ^= 1 << random.randrange(8)
    options = random.randrange(11) * 4 if shape == 2 else 0
    header = [b'', b'', struct.pack('!BBHHHBBH', 0x45 + options // 4, 0, 0, 0, 0, 64, 1, 0)
              + source[:4] + destination[:4] + bytes(options),
              struct.pack('!IHBB', 0x60000000, len(message), 58, 64) + source + destination][shape]
    print(verdict, (header + message).hex())
";

fn checksums_are_those_of_python() {
    let mut python = Command::new("python3");
    python.args(["-c", MESSAGES]);
    let (stdout, stderr, _) = run(python);
    let (verdicts, packets): (Vec<&str>, Vec<String>) = stdout
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(verdict, packet)| (verdict, packet.to_owned()))
        .unzip();
    assert_eq!(verdicts.len(), 4000, "{stderr}");
    let lines = decode(&packets);
    assert_eq!(lines.len(), 4000);
    for ((verdict, packet), line) in verdicts.iter().zip(&packets).zip(&lines) {
        assert!(line.contains(": echo re") || line.starts_with("echo re"), "{line}\n{packet}");
        assert!(line.ends_with(&format!(" is {verdict}")), "{line}\n{packet}");
    }
}

// A host that answers as it likes

/// Answers the echo requests of the command in place of the host, in the way that its first argument
/// names.
const HOST: &str = "
import socket, struct, subprocess, sys
def message(kind, code, rest):
    data = bytes([kind, code, 0, 0]) + rest
    padded = data + b'\\0' * (len(data) % 2)
    total = sum(struct.unpack('!%dH' % (len(padded) // 2), padded))
    while total >> 16: total = (total & 0xffff) + (total >> 16)
    return data[:2] + struct.pack('!H', ~total & 0xffff) + data[4:]
way, held = sys.argv[1], []
with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as sock:
    sock.settimeout(0.05)
    ping = subprocess.Popen(sys.argv[2:])
    while ping.poll() is None:
        try: packet = sock.recv(65536)
        except TimeoutError: continue
        length = (packet[0] & 15) * 4
        if packet[length] != 8: continue
        rest = packet[length + 4:]
        def say(*messages):
            for each in messages: sock.sendto(each, ('127.0.0.1', 0))
        answer = message(0, 0, rest)
        if way == 'twice': say(answer, answer)
        if way == 'damaged': say(message(0, 0, rest[:-1] + bytes([rest[-1] ^ 1])))
        if way == 'short': say(message(0, 0, rest[:-1]))
        if way == 'stranger': say(message(0, 0, rest[:4] + bytes(len(rest) - 4)), answer)
        if way == 'future': say(message(0, 0, rest[:2] + b'\\x7f\\xff' + rest[4:]))
        if way == 'nonsense': say(bytes(4), message(0, 0, b'')[:4], message(99, 9, rest), answer)
        if way == 'refused': say(message(3, 3, bytes(4) + packet[:length + 8]))
        if way == 'reversed':
            held.append(answer)
            if len(held) == 2: say(held[1], held[0])
        if way == 'flood': say(*[answer] * 200)
sys.exit(ping.returncode)
";

fn a_host_may_answer_as_it_likes() {
    // Patient where answers come, and only as patient as need be where none do.
    let quick = ["--count", "2", "--interval", "0.1", "--timeout", "15"];
    let vain = ["--count", "2", "--interval", "0.1", "--timeout", "2"];
    let slow = ["--count", "2", "--interval", "2.5", "--timeout", "2"];
    for (way, plan, summary, code) in [
        ("twice", quick, "2 sent, 2 answered, # answered again, 0% lost; ", 0),
        ("damaged", vain, "2 sent, 0 answered, 2 in error, 100% lost", 1),
        ("short", vain, "2 sent, 0 answered, 2 in error, 100% lost", 1),
        ("stranger", quick, "2 sent, 2 answered, 0% lost; ", 0),
        ("future", vain, "2 sent, 0 answered, 2 in error, 100% lost", 1),
        ("nonsense", quick, "2 sent, 2 answered, 0% lost; ", 0),
        ("refused", vain, "2 sent, 0 answered, 2 in error, 100% lost", 1),
        ("reversed", slow, "2 sent, 2 answered, 1 late, 0% lost; ", 0),
        ("flood", quick, "2 sent, 2 answered, # answered again, 0% lost; ", 0),
    ] {
        let mut python = inside(&format!("{ALLOW}\n{MUTE}"), "python3");
        python.args(["-c", HOST, way, PROGRAM]).args(ping("127.0.0.1", &plan));
        let (stdout, stderr, ended) = run(python);
        let last = stdout.lines().last().unwrap_or_default();
        // The last duplicates may come when the ping has all its answers and has ended.
        let fits = match summary.split_once('#') {
            None => last.starts_with(summary),
            Some((before, after)) => last.starts_with(before) && last.contains(after),
        };
        assert!(fits, "{way}: {stdout}{stderr}");
        assert_eq!(ended, code, "{way}: {stdout}{stderr}");
        if way == "refused" {
            assert!(stdout.contains("\nrefused; the host, or a firewall before it, "), "{stdout}");
        }
    }
}

/// A port that does not answer, and behind it a firewall that answers the SYN with ICMP: the rest of
/// the arguments is the command, whose last argument is filled in.
const FIREWALL: &str = "
import socket, struct, subprocess, sys
code = int(sys.argv[1])
with socket.socket() as full, socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as icmp, \\
        socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800)) as wire:
    full.bind(('127.0.0.1', 0))
    full.listen(0)
    target = full.getsockname()
    callers = [socket.socket() for _ in range(4)]
    for caller in callers:
        caller.setblocking(False)
        caller.connect_ex(target)
    wire.bind(('lo', 0x0800))
    wire.settimeout(0.05)
    check = subprocess.Popen(sys.argv[2:] + ['%s:%d' % target])
    while check.poll() is None:
        try: packet = wire.recv(65536)
        except TimeoutError: continue
        length = (packet[0] & 15) * 4
        to, flags = struct.unpack('!H', packet[length + 2:length + 4])[0], packet[length + 13]
        if packet[9] != 6 or to != target[1] or flags != 2: continue
        data = bytes([3, code, 0, 0]) + bytes(4) + packet[:length + 8]
        total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
        while total >> 16: total = (total & 0xffff) + (total >> 16)
        icmp.sendto(data[:2] + struct.pack('!H', ~total & 0xffff) + data[4:], ('127.0.0.1', 0))
sys.exit(check.returncode)
";

fn a_firewall_may_say_no() {
    for (code, verdict) in [
        ("13", " is filtered: host unreachable; "),
        ("9", " is filtered: network unreachable; "),
        // RFC 1122, section 3.2.2.1: TCP takes "port unreachable" for a reset.
        ("3", " is closed: "),
    ] {
        let mut python = inside("", "python3");
        python.args(["-c", FIREWALL, code, PROGRAM, "port", "--timeout", "15"]);
        let (stdout, stderr, ended) = run(python);
        assert!(stdout.contains(verdict), "{code}: {stdout}{stderr}");
        assert_eq!(ended, 1);
    }
}

// The port check

/// A listener of each family, a port that is taken and not listened on, and one that does not answer;
/// it ends with its standard input.
const PORTS: &str = "
import socket, sys
def bound(family, host):
    sock = socket.socket(family)
    sock.bind((host, 0))
    return sock
four, six = bound(socket.AF_INET, '127.0.0.1'), bound(socket.AF_INET6, '::1')
four.listen(); six.listen()
closed, full = bound(socket.AF_INET, '127.0.0.1'), bound(socket.AF_INET, '127.0.0.1')
full.listen(0)
callers = [socket.socket() for _ in range(4)]
for caller in callers:
    caller.setblocking(False)
    caller.connect_ex(full.getsockname())
print(*(sock.getsockname()[1] for sock in (four, six, closed, full)), 'ready', flush=True)
sys.stdin.read()
";

fn pythons_ports_are_told_apart() {
    let mut command = Command::new("python3");
    let python = Peer::start(command.args(["-c", PORTS]));
    assert!(python.prints("ready\n", LIMIT), "{python:?}");
    let printed = python.stdout();
    let ports: Vec<&str> = printed.split(' ').collect();
    let check = |target: String, verdict: &str, code: i32| {
        let mut command = Command::new(PROGRAM);
        command.args(["port", &target, "--timeout", "0.3"]);
        let (stdout, stderr, ended) = run(command);
        assert!(stdout.starts_with(&format!("{target} is {verdict}: ")), "{stdout}{stderr}");
        assert_eq!(ended, code);
    };
    check(format!("127.0.0.1:{}", ports[0]), "open", 0);
    check(format!("[::1]:{}", ports[1]), "open", 0);
    check(format!("127.0.0.1:{}", ports[2]), "closed", 1);
    if cfg!(target_os = "linux") {
        check(format!("127.0.0.1:{}", ports[3]), "filtered", 1);
    }
}

fn a_port_of_nc_is_open() {
    let port = free_port(Transport::Tcp);
    let mut nc = Peer::start(Command::new("nc").args(["-l", "127.0.0.1", &port.to_string()]));
    assert!(is_bound(Transport::Tcp, port, LIMIT), "{nc:?}");
    let mut command = Command::new(PROGRAM);
    command.args(["port", &format!("127.0.0.1:{port}")]);
    let (stdout, _, code) = run(command);
    assert!(stdout.contains(" is open: "), "{stdout}");
    assert_eq!(code, 0);
    // It serves one connection; that was ours, it heard nothing, and it ended.
    nc.close_input();
    assert!(nc.ends(LIMIT).is_some(), "{nc:?}");
    assert_eq!(nc.stdout(), "");
}

fn serve(addr: &str) -> Server {
    let mut command = Command::new(PROGRAM);
    Server::start(command.args(["server", "--addr", addr]), LIMIT).unwrap()
}

fn nc_finds_our_port_open() {
    for (addr, host) in [("127.0.0.1:0", "127.0.0.1"), ("[::1]:0", "::1")] {
        let server = serve(addr);
        let port = server.address().port().to_string();
        let mut nc = Command::new("nc");
        nc.args(["-z", "-v", host, &port]);
        let (stdout, stderr, code) = run(nc);
        assert!(stderr.contains("succeeded"), "{stdout}{stderr}");
        assert_eq!(code, 0);
    }
}

const GUEST: &str = "
import socket, sys
host, port = sys.argv[1].rsplit(':', 1)
with socket.create_connection((host, int(port)), 20) as sock:
    greeting = b''.join(iter(lambda: sock.recv(4096), b''))
    print(greeting.decode() == 'hello %s:%d\\n' % sock.getsockname())
";

fn python_is_greeted() {
    let server = serve("127.0.0.1:0");
    let mut python = Command::new("python3");
    python.args(["-c", GUEST, &server.address().to_string()]);
    assert_eq!(run(python), ("True\n".to_owned(), String::new(), 0));
}

/// A ping of 127.0.0.1 as an IPv4 packet, and what is to be said of it.
const PING: &[u8] = b"\x45\0\0\x20\xe5\xc9\x40\0\x40\x01\x57\x11\x7f\0\0\x01\x7f\0\0\x01\
    \x08\0\xe5\x13\x10\xe7\0\x01\0\x01\x02\x03";
const PING_EXPLAINED: &str = "from 127.0.0.1 to 127.0.0.1: echo request, identifier 4327, sequence \
    number 1, data bytes: 4; checksum 0xe513 is right";

/// What such a command prints is decoded as `expected`.
fn assert_is_decoded(command: &mut Command, expected: &[&str]) {
    let output = command.stderr(Stdio::null()).output().unwrap();
    let dump = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(decode(std::slice::from_ref(&dump)), expected, "{command:?}:\n{dump}");
}

fn dumps_are_decoded(program: &str, arguments: &[&[&str]]) {
    let folder = tempfile::tempdir().unwrap();
    let (ping, zeros) = (folder.path().join("ping"), folder.path().join("zeros"));
    std::fs::write(&ping, PING).unwrap();
    // Rows that are all the same are shown once.
    let message = [&b"\x08\0\xf7\xfe\0\0\0\x01"[..], &[0; 8 + 200]].concat();
    std::fs::write(&zeros, message).unwrap();
    let explained = "echo request, identifier 0, sequence number 1, data bytes: 208; checksum 0xf7fe \
                     is right";
    for arguments in arguments {
        assert_is_decoded(Command::new(program).args(*arguments).arg(&ping), &[PING_EXPLAINED]);
        // Without offsets, nothing says where a message without an IP header ends.
        if !arguments.iter().any(|argument| matches!(*argument, "-p" | "-An")) {
            assert_is_decoded(Command::new(program).args(*arguments).arg(&zeros), &[explained]);
        }
    }
}

fn captures_are_decoded(program: &str, arguments: &[&[&str]]) {
    let folder = tempfile::tempdir().unwrap();
    let capture = folder.path().join("ping.pcap");
    // A frame of Ethernet, filled up with zeros to the smallest one, twice, in a file as of libpcap.
    let frame = [&[2; 12], &b"\x08\0"[..], PING, &[0; 14]].concat();
    let length = u32::try_from(frame.len()).unwrap().to_le_bytes();
    let packet = [&[0; 8], &length[..], &length, &frame].concat();
    let header = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x01\0\0\0";
    std::fs::write(&capture, [&header[..], &packet, &packet].concat()).unwrap();
    for arguments in arguments {
        let mut command = Command::new(program);
        assert_is_decoded(command.arg("-r").arg(&capture).args(*arguments), &[PING_EXPLAINED; 2]);
    }
}
