//! The program from outside: against itself, against sockets of the test, and with arguments that it
//! must refuse. (What needs an ICMP socket is in `peers.rs`, as not every system gives one.)

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests end at the first thing that is wrong

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use netlab::filtered::Filtered;
use netlab::port::free_address;
use netlab::program::{CAN_INTERRUPT, Server, uninterrupted};
use netlab::record::Transport;
use rstest::rstest;
use socket2::{Domain, SockRef, Socket, Type};

const PROGRAM: &str = env!("CARGO_BIN_EXE_lesson-10");
/// Nothing here takes that long but on a machine that is very busy.
const LIMIT: Duration = Duration::from_secs(20);
const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

fn program(arguments: &[&str]) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(PROGRAM);
    command.args(arguments).timeout(LIMIT);
    command
}

/// What it says on standard output and on standard error, and its exit code.
fn run(arguments: &[&str]) -> (String, String, i32) {
    said(&mut program(arguments))
}

fn said(command: &mut assert_cmd::Command) -> (String, String, i32) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

fn serve_on(addr: &str) -> Server {
    let mut command = std::process::Command::new(PROGRAM);
    Server::start(command.args(["server", "--addr", addr]), LIMIT).unwrap()
}

fn listener(host: IpAddr) -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((host, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

// The demo

#[test]
fn the_demo_shows_every_answer_with_labels() {
    let (stdout, stderr, code) = run(&["--addr", "127.0.0.1:0"]);
    assert_eq!((stderr.as_str(), code), ("", 0), "{stdout}");
    let client: Vec<&str> =
        stdout.lines().filter_map(|line| line.strip_prefix("[client] ")).collect();
    assert!(stdout.starts_with("[server] listening on 127.0.0.1:"), "{stdout}");
    assert!(stdout.lines().all(|line| line.starts_with('[')), "{stdout}");
    assert!(client[0].contains(" is open: the handshake took "), "{stdout}");
    assert!(client[1].contains(" is closed: a reset (RST) came after "), "{stdout}");
    if cfg!(target_os = "linux") {
        assert!(client[2].contains(" is filtered: nothing came for 0.3 s; "), "{stdout}");
    }
    // Both addresses, or the reason why not.
    let refused = client.iter().any(|line| line.starts_with("cannot ping 127.0.0.1: "));
    let answered = client.iter().filter(|line| line.starts_with("3 sent, 3 answered, 0% lost; "));
    assert!(refused || answered.count() == 2, "{stdout}");
}

#[test]
fn the_demo_works_twice_in_a_row_on_one_port() {
    let addr = free_address(Transport::Tcp).to_string();
    for _ in 0..2 {
        program(&["--addr", &addr]).assert().success();
    }
}

#[test]
fn the_demo_says_what_to_try_when_its_port_is_taken() {
    let (_taken, address) = listener(V4);
    let (_, stderr, code) = run(&["--addr", &address.to_string()]);
    assert_eq!(code, 1);
    assert_eq!(
        stderr,
        format!(
            "cannot listen on {address}: address already in use; another program has it: \
             try --addr 127.0.0.1:0 (cargo xtask doctor tells more)\n"
        )
    );
}

// The port check

#[rstest]
#[case::ipv4(V4)]
#[case::ipv6(V6)]
fn a_port_with_a_listener_is_open(#[case] host: IpAddr) {
    // It never accepts: the system makes the handshake all the same.
    let (_listener, address) = listener(host);
    let target = address.to_string();
    let (stdout, stderr, code) = run(&["port", &target]);
    let evidence = format!("{target} is open: the handshake took ");
    assert!(stdout.starts_with(&evidence) && stdout.ends_with(" ms\n"), "{stdout}");
    assert_eq!((stderr.as_str(), code), ("", 0));
}

#[rstest]
#[case::ipv4(V4)]
#[case::ipv6(V6)]
fn a_port_that_is_taken_and_not_listened_on_is_closed(#[case] host: IpAddr) {
    let any_port = SocketAddr::new(host, 0);
    let socket = Socket::new(Domain::for_address(any_port), Type::STREAM, None).unwrap();
    socket.bind(&any_port.into()).unwrap();
    let target = socket.local_addr().unwrap().as_socket().unwrap().to_string();
    let (stdout, stderr, code) = run(&["port", &target]);
    assert!(
        stdout.starts_with(&format!("{target} is closed: a reset (RST) came after "))
            && stdout.ends_with(" ms; the host is there, but no program listens\n"),
        "{stdout}"
    );
    assert_eq!((stderr, code), (format!("{target} cannot be reached\n"), 1));
}

#[rstest]
#[case::ipv4(V4)]
#[case::ipv6(V6)]
fn a_port_that_does_not_answer_is_filtered(#[case] host: IpAddr) {
    let Some(filtered) = Filtered::open(host).unwrap() else { return };
    let target = filtered.address().to_string();
    let (stdout, stderr, code) = run(&["port", &target, "--timeout", "0.2"]);
    assert_eq!(
        stdout,
        format!(
            "{target} is filtered: nothing came for 0.2 s; a firewall drops what we send, or \
             nobody is there\n"
        )
    );
    assert_eq!((stderr, code), (format!("{target} cannot be reached\n"), 1));
}

#[test]
fn a_check_is_one_connection_without_a_word() {
    let (listener, address) = listener(V4);
    program(&["port", &address.to_string()]).assert().success();
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    assert_eq!(
        uninterrupted(|| stream.read(&mut [0; 16])).unwrap(),
        0,
        "it closes properly and has said nothing"
    );
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "it came once");
}

#[test]
fn a_name_is_looked_up_and_the_answer_names_the_address() {
    let address = free_address(Transport::Tcp);
    let _listener = TcpListener::bind(address).unwrap();
    let (stdout, _, code) = run(&["port", &format!("localhost:{}", address.port())]);
    // Where localhost is ::1 first, that is asked first, and closed.
    let last = stdout.lines().last().unwrap();
    assert!(last.starts_with(&format!("{address} is open: ")), "{stdout}");
    assert_eq!(code, 0);
}

#[test]
fn a_name_that_nobody_knows_is_a_clear_line() {
    // A label of 64 letters is one too long (RFC 1035, section 2.3.4), so nobody is asked.
    let name = "a".repeat(64);
    let with_port = format!("{name}:80");
    for (command, named) in [("ping", &name), ("port", &with_port)] {
        let (stdout, stderr, code) = run(&[command, named]);
        assert!(stderr.starts_with(&format!("cannot find the address of {named}: ")), "{stderr}");
        assert_eq!((stdout.as_str(), code, stderr.lines().count()), ("", 1, 1));
    }
}

// What is refused

#[rstest]
#[case::network(&["ping", "127.0.0.0/8"], "one host at a time")]
#[case::list(&["ping", "127.0.0.1,127.0.0.2"], "one host at a time")]
#[case::range(&["ping", "127.0.0.1-9"], "one host at a time")]
#[case::range_of_ports(&["port", "127.0.0.1:1-99"], "the port contains '-'")]
#[case::range_with_port(&["port", "127.0.0.1-9:80"], "one host at a time")]
#[case::list_of_ports(&["port", "127.0.0.1:80,81"], "one host at a time")]
#[case::pattern(&["ping", "127.0.0.*"], "one host at a time")]
#[case::url(&["port", "http://localhost:80"], "one host at a time")]
#[case::several(&["ping", "127.0.0.1", "127.0.0.2"], "unexpected argument")]
#[case::nobody(&["ping", ""], "name a host, such as 127.0.0.1")]
#[case::multicast(&["ping", "224.0.0.1"], "224.0.0.1 is a multicast address: ")]
#[case::multicast_v6(&["ping", "ff02::1"], "ff02::1 is a multicast address: ")]
#[case::multicast_mapped(&["ping", "::ffff:224.0.0.1"], "224.0.0.1 is a multicast address: ")]
#[case::multicast_port(&["port", "[ff02::1]:80"], "ff02::1 is a multicast address: ")]
#[case::broadcast(&["ping", "255.255.255.255"], "255.255.255.255 is the broadcast address: ")]
#[case::broadcast_client(&["client", "--addr", "255.255.255.255:80"], "is the broadcast address: ")]
#[case::everywhere(&["ping", "0.0.0.0"], "0.0.0.0 is no host's address: ")]
#[case::everywhere_v6(&["ping", "::"], ":: is no host's address: ")]
#[case::no_address(&["ping", "127.0.0.300"], "octet 4 is 300; an octet is at most 255")]
#[case::no_address_v6(&["ping", "::g"], "group 1 contains 'g'")]
#[case::no_port(&["port", "127.0.0.1"], "no port; write HOST:PORT")]
#[case::port_zero(&["port", "127.0.0.1:0"], "port 0 is no port on the wire")]
#[case::too_many(&["ping", "::1", "--count", "101"], "101 is not in 1..=100")]
#[case::none(&["ping", "::1", "--count", "0"], "0 is not in 1..=100")]
#[case::too_fast(&["ping", "::1", "--interval", "0.09"], "at most 10 probes a second")]
#[case::too_large(&["ping", "::1", "--size", "1453"], "1453 is not in 8..=1452")]
#[case::too_small(&["ping", "::1", "--size", "7"], "7 is not in 8..=1452")]
#[case::no_time(&["port", "[::1]:1", "--timeout", "0"], "a time limit is more than zero seconds")]
#[case::demos_address(&["--addr", "127.0.0.1:1", "ping", "::1"], "cannot be used with '--addr")]
#[case::unknown(&["scan"], "unrecognized subcommand")]
fn what_names_more_or_less_than_one_host_at_a_bounded_rate_is_refused(
    #[case] arguments: &[&str],
    #[case] why: &str,
) {
    let (stdout, stderr, code) = run(arguments);
    assert!(stderr.contains(why), "{stderr}");
    assert_eq!((stdout.as_str(), code), ("", 2));
}

// The target

#[rstest]
#[case::ipv4("127.0.0.1:0")]
#[case::ipv6("[::1]:0")]
fn the_target_greets_and_closes(#[case] addr: &str) {
    let server = serve_on(addr);
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let mut greeting = String::new();
    stream.read_to_string(&mut greeting).unwrap();
    assert_eq!(greeting, format!("hello {}\n", stream.local_addr().unwrap()));
    assert!(server.says(" knocked and was greeted", LIMIT), "{server:?}");
}

#[test]
fn visitors_that_hang_flood_reset_or_vanish_do_not_stop_the_target() {
    let mut server = serve_on("127.0.0.1:0");
    let address = server.address();
    let connect = || TcpStream::connect(address).unwrap();
    let hanging: Vec<_> = (0..20).map(|_| connect()).collect();
    for _ in 0..200 {
        drop(connect());
    }
    for _ in 0..20 {
        let stream = connect();
        SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    }
    let mut flooding = connect();
    flooding.set_write_timeout(Some(LIMIT)).unwrap();
    // It may be cut off in the middle, and that is all.
    let _ = flooding.write_all(&vec![b'x'; 4 * 1024 * 1024]);
    let mut polite = connect();
    polite.set_read_timeout(Some(LIMIT)).unwrap();
    polite.shutdown(Shutdown::Write).unwrap();
    let mut greeting = String::new();
    polite.read_to_string(&mut greeting).unwrap();
    assert!(greeting.starts_with("hello "), "{greeting}");
    program(&["port", &address.to_string()]).assert().success();
    assert!(server.ended().is_none());
    drop(hanging);
}

#[test]
fn ctrl_c_ends_the_target_and_its_port_is_free_at_once() {
    let addr = free_address(Transport::Tcp).to_string();
    let mut server = serve_on(&addr);
    program(&["port", &addr]).assert().success();
    let status = server.interrupt(LIMIT).expect("it ends");
    assert!(!CAN_INTERRUPT || status.code() == Some(0), "{status}: {}", server.stderr());
    let again = serve_on(&addr);
    program(&["port", &again.address().to_string()]).assert().success();
}

// The client

#[test]
fn the_client_asks_host_and_port_and_the_port_decides() {
    let addr = free_address(Transport::Tcp).to_string();
    let server = serve_on(&addr);
    let (stdout, stderr, code) = run(&["client", "--addr", &addr]);
    assert!(stdout.contains(&format!("{addr} is open: ")), "{stdout}");
    let pinged = stdout.contains("3 sent, 3 answered, 0% lost; ");
    assert!(pinged || stderr.starts_with("cannot ping 127.0.0.1: "), "{stdout}{stderr}");
    assert_eq!(code, 0);
    drop(server);
    let (stdout, stderr, code) = run(&["client", "--addr", &addr]);
    assert!(stdout.contains(&format!("{addr} is closed: ")), "{stdout}");
    assert!(stderr.ends_with(&format!("{addr} cannot be reached\n")), "{stderr}");
    assert_eq!(code, 1);
}

// The decoder

const REQUEST: &str = "08 00 6a 90 01 02 03 04 68 69 21";
const HEADER: &str = "45000000 00000000 40010000 7f000001 7f000002";

#[rstest]
#[case::request(
    REQUEST,
    "echo request, identifier 258, sequence number 772, data bytes: 3; checksum 0x6a90 is right"
)]
#[case::damaged(
    "08 00 6a 91 01 02 03 04 68 69 21",
    "echo request, identifier 258, sequence number 772, data bytes: 3; checksum 0x6a91 is wrong"
)]
#[case::as_wireshark_copies_it(
    "00:00:ff:ff:00:00:00:00",
    "echo reply, identifier 0, sequence number 0, data bytes: 0; checksum 0xffff is right"
)]
#[case::another_kind("0d00f2ff00000000", "type 13, code 0; checksum 0xf2ff is right")]
#[case::cut_off("08 00 6a", "too short: an ICMP message has at least 8 bytes")]
fn a_message_is_explained(#[case] hex: &str, #[case] expected: &str) {
    let (stdout, stderr, code) = said(program(&["decode"]).write_stdin(format!("\n{hex}\n")));
    assert_eq!((stdout, stderr.as_str(), code), (format!("{expected}\n"), "", 0));
}

const DUMPED: &str = "echo request, identifier 258, sequence number 772, data bytes: 11; checksum";

#[rstest]
#[case::wireshark(
    "0000   08 00 d9 42 01 02 03 04 68 69 21 20 61 62 63 64   ........hi! abcd\n\
     0010   65 66 67                                          efg"
)]
#[case::wireshark_with_a_gap(
    "0000  08 00 d9 42 01 02 03 04  68 69 21 20 61 62 63 64  ........ hi! abcd\n\
     0010  65 66 67                                          efg"
)]
#[case::xxd(
    "00000000: 0800 d942 0102 0304 6869 2120 6162 6364  ........hi! abcd\n\
     00000010: 6566 67                                  efg"
)]
#[case::hexdump(
    "00000000  08 00 d9 42 01 02 03 04  68 69 21 20 61 62 63 64  |........hi! abcd|\n\
     00000010  65 66 67                                          |efg|\n00000013"
)]
#[case::od("0000000 08 00 d9 42 01 02 03 04 68 69 21 20 61 62 63 64\n0000020 65 66 67\n0000023")]
#[case::tcpdump(
    "03:44:55.000001 IP 127.0.0.1 > 127.0.0.1: ICMP echo request, id 258, seq 772, length 19\n\
     \t0x0000:  0800 d942 0102 0304 6869 2120 6162 6364  ........hi!.abcd\n\
     \t0x0010:  6566 67                                  efg"
)]
#[case::with_prefixes("0x08, 0x00, 0xd9, 0x42, 0x01 0x02 0x03 0x04 0x68692120 0x61626364656667")]
#[case::two_of_them(
    "0000  08 00 d9 42 01 02 03 04 68 69 21 20 61 62 63 64 65 66 67\n0000  00 00 ff ff 00 00 00 00"
)]
fn the_dumps_of_other_programs_are_read(#[case] dump: &str) {
    let (stdout, stderr, code) = said(program(&["decode"]).write_stdin(dump));
    assert_eq!((stderr.as_str(), code), ("", 0), "{stdout}");
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!(lines.len(), 1 + usize::from(dump.matches("0000  ").count() == 2), "{stdout}");
    assert!(lines[0].starts_with(DUMPED) && lines[0].ends_with(" is right"), "{stdout}");
}

#[test]
fn rows_that_are_repeated_are_counted() {
    let dump = "00000000  08 00 f7 fe 00 00 00 01  00 00 00 00 00 00 00 00  |................|\n\
                00000010  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n*\n\
                00000048\n";
    let (stdout, stderr, code) = said(program(&["decode"]).write_stdin(dump));
    assert_eq!((stderr.as_str(), code), ("", 0));
    assert!(stdout.contains("data bytes: 64; checksum 0xf7fe is right"), "{stdout}");
}

#[rstest]
#[case::beginning_is_missing(
    "0010   08 00 f7 fe 00 00 00 01",
    "line 1: it begins at offset 0010, but 0 bytes came before it"
)]
#[case::row_is_missing(
    "0000   08 00 f7 fe 00 00 00 01\n0010   00 00",
    "line 2: it begins at offset 0010, but 8 bytes came before it"
)]
#[case::words(
    "0000000 0045 2000 c9e5 0040",
    "line 1: these are words, not bytes: print them with `hexdump -C` or `xxd`"
)]
#[case::nothing_to_repeat("*", "line 1: no row is before this *")]
#[case::endless(
    "0000  00 00\n*\nffffffff  00 00",
    "line 3: it begins at offset ffffffff, but 2 bytes came before it"
)]
fn a_dump_that_is_not_whole_is_told(#[case] dump: &str, #[case] says: &str) {
    let (_, stderr, code) = said(program(&["decode"]).write_stdin(dump));
    assert_eq!((stderr.trim_end(), code), (says, 2));
}

#[test]
fn a_packet_and_a_problem_tell_who_and_about_what() {
    let problem = format!("0303fcfc00000000 {HEADER} 0035003500080000");
    let udp = HEADER.replace("4001", "4011");
    let lines = format!("{HEADER} {REQUEST}\n{HEADER} {problem}\n{udp} 0035003500080000\n");
    let (stdout, _, code) = said(program(&["decode"]).write_stdin(lines));
    let way = "from 127.0.0.1 to 127.0.0.2";
    let lines: Vec<&str> = stdout.lines().collect();
    assert!(lines[0].starts_with(&format!("{way}: echo request, identifier 258, ")), "{stdout}");
    let port = "port unreachable: no program has that port";
    assert!(lines[1].starts_with(&format!("{way}: {port}, about a packet {way}; ")), "{stdout}");
    assert_eq!((lines[2], code), (&*format!("{way}: no ICMP, but protocol 17"), 0));
}

#[test]
fn icmpv6_without_addresses_has_a_checksum_that_nobody_can_check() {
    let mut decode = program(&["decode", "--v6"]);
    let (stdout, _, code) = said(decode.write_stdin("8100afe9 00050006 68"));
    let expected = "echo reply, identifier 5, sequence number 6, data bytes: 1; checksum not \
                    checked: it needs the addresses\n";
    assert_eq!((stdout.as_str(), code), (expected, 0));
}

#[rstest]
#[case::a_letter("08 0g", "line 2: 'g' is no hexadecimal digit\n")]
#[case::half_a_byte("08 0", "line 2: a digit is missing: a byte is two\n")]
#[case::not_ascii("08 你", "line 2: '你' is no hexadecimal digit\n")]
fn what_is_not_hexadecimal_is_named_with_its_line(#[case] line: &str, #[case] says: &str) {
    let input = format!("{REQUEST}\n{line}\n");
    let (stdout, stderr, code) = said(program(&["decode"]).write_stdin(input));
    assert_eq!((stdout.lines().count(), stderr.as_str(), code), (1, says, 2));
}
