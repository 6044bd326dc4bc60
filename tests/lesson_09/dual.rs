//! `dual`: a server for both families, which knows how addresses are written. Everything that needs
//! IPv6 is passed over where the machine has none; each check has a part that does not need it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpStream};

use graded::{Case, Client, Difference};
use netlab::conditions::{Coalesce, Conditions, Path, StreamFaults};
use netlab::port::free_port;
use netlab::record::Transport;
use rstest::rstest;

use super::{A_MOMENT, V4, V6};

fn case() -> Case {
    Case::of("09", "dual")
}

/// The server for both families, or for IPv4 alone where the machine has no IPv6, and its families.
fn serve_both(case: &Case) -> (SocketAddr, &'static [IpAddr]) {
    if case.has_ipv6() { (case.serve_at(&[], "[::]:0"), &[V4, V6]) } else { (case.serve(), &[V4]) }
}

/// What a client at this address is told first.
fn greeting(client: SocketAddr) -> String {
    let family = if client.is_ipv4() { "IPv4" } else { "IPv6" };
    format!("{family} {} {}\n", client.ip(), client.port())
}

/// A client of the server's port at `ip`, which has been greeted.
fn connect(case: &Case, server: SocketAddr, ip: IpAddr) -> Client {
    let mut client = case.connect(SocketAddr::new(ip, server.port()));
    let greeting = greeting(client.address());
    client.expect(greeting.as_bytes());
    client
}

/// A client that asks for each of the `pairs` in turn, and then half-closes.
fn converse(case: &Case, server: SocketAddr, ip: IpAddr, pairs: &[(&str, &str)]) {
    let mut client = connect(case, server, ip);
    for (line, expected) in pairs {
        client.send(format!("{line}\n").as_bytes());
        client.expect(format!("{expected}\n").as_bytes());
    }
    client.half_close();
    client.expect_close();
}

/// The same over each of the families.
fn converse_over_each(case: &Case, server: SocketAddr, ips: &[IpAddr], pairs: &[(&str, &str)]) {
    for ip in ips {
        converse(case, server, *ip, pairs);
    }
}

/// Asks for `pairs` over IPv4, as that is all that these checks need.
fn ask(pairs: &[(&str, &str)]) {
    let case = case();
    converse(&case, case.serve(), V4, pairs);
}

#[rstest]
fn a_client_over_ipv4_is_told_its_ipv4_address() {
    let case = case();
    let (server, _) = serve_both(&case);
    for _ in 0..3 {
        converse(&case, server, V4, &[("::1", "::1")]);
    }
    case.step("the same, if the server listens on IPv4 alone");
    converse(&case, case.serve(), V4, &[("::1", "::1")]);
}

#[rstest]
fn a_client_over_ipv6_is_told_its_ipv6_address() {
    let case = case();
    let (server, families) = serve_both(&case);
    for _ in 0..3 {
        converse_over_each(&case, server, families, &[("::1", "::1")]);
    }
    if families.contains(&V6) {
        case.step("the same, if the server listens on IPv6 alone");
        converse(&case, case.serve_at(&[], "[::1]:0"), V6, &[("::1", "::1")]);
    }
}

/// Where the server was told to listen, and at which family nobody may be found then.
#[rstest]
#[case::ipv4("127.0.0.1", V4, V6)]
#[case::ipv6("::1", V6, V4)]
#[case::all_of_ipv4("0.0.0.0", V4, V6)]
fn an_address_of_one_family_is_for_that_family_only(
    #[case] told: IpAddr,
    #[case] family: IpAddr,
    #[case] other: IpAddr,
) {
    let case = case();
    converse(&case, case.serve(), V4, &[("::1", "::1")]);
    if !case.has_ipv6() {
        return;
    }
    // Free in both families: of all programs, only this one may be found there.
    let told = SocketAddr::new(told, free_port(Transport::Tcp));
    let server = case.serve_at(&[], &told.to_string());
    converse(&case, server, family, &[("::1", "::1")]);
    let elsewhere = SocketAddr::new(other, server.port());
    case.step(format!("nobody may listen on {elsewhere}"));
    if TcpStream::connect_timeout(&elsewhere, case.patience()).is_ok() {
        let what =
            format!("your program was told {told}, and yet a client finds it at {elsewhere}");
        case.fail(Difference::fail(what));
    }
}

#[rstest]
#[case::as_it_is("2001:db8::1", "2001:db8::1")]
#[case::leading_zeros("2001:0db8:00ab:000c:0001:0fff:1000:0100", "2001:db8:ab:c:1:fff:1000:100")]
#[case::large_letters("2001:DB8::ABCD:EF01", "2001:db8::abcd:ef01")]
#[case::large_and_small_letters("FE80::aBcD:0eF0", "fe80::abcd:ef0")]
#[case::zeros_of_all_lengths("1:00:2:000:3:0000:4:0", "1:0:2:0:3:0:4:0")]
#[case::loopback("0000:0000:0000:0000:0000:0000:0000:0001", "::1")]
#[case::eight_long_groups(
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
)]
fn letters_are_small_and_zeros_do_not_lead(#[case] line: &str, #[case] expected: &str) {
    ask(&[(line, expected)]);
}

#[rstest]
#[case::in_the_middle("2001:5:0:0:0:0:0:1", "2001:5::1")]
#[case::all("0:0:0:0:0:0:0:0", "::")]
#[case::at_the_beginning("0:0:0:4:5:6:7:8", "::4:5:6:7:8")]
#[case::at_the_end("1:2:3:4:5:0:0:0", "1:2:3:4:5::")]
#[case::one_group_only("1:2:3:0:5:6:7:8", "1:2:3:0:5:6:7:8")]
#[case::one_group_that_was_shortened("1:2:3::5:6:7:8", "1:2:3:0:5:6:7:8")]
#[case::one_group_at_the_end("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0")]
#[case::one_group_at_the_beginning("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8")]
#[case::the_longest("1:0:0:4:0:0:0:8", "1:0:0:4::8")]
#[case::the_longest_comes_first("1:0:0:0:5:0:0:8", "1::5:0:0:8")]
#[case::the_first_of_two("1:0:0:4:5:0:0:8", "1::4:5:0:0:8")]
#[case::the_first_of_two_at_the_ends("0:0:3:4:5:6:0:0", "::3:4:5:6:0:0")]
#[case::the_wrong_one_was_shortened("1:0:0:4:5::8", "1::4:5:0:0:8")]
#[case::two_of_two_and_a_single_one("0:0:3:0:5:6:0:0", "::3:0:5:6:0:0")]
fn the_first_of_the_longest_runs_of_zeros_is_shortened(#[case] line: &str, #[case] expected: &str) {
    ask(&[(line, expected)]);
}

/// Addresses that nobody knows beforehand, of which most groups are zeros, in their longest form.
#[rstest]
fn any_address_is_written_as_it_should_be() {
    let case = case();
    let (server, families) = serve_both(&case);
    let lines: Vec<(String, String)> = (0..60)
        .map(|_| {
            let group = |bytes: &[u8]| match bytes[0] % 3 {
                0 => u16::from_be_bytes([bytes[1] % 16, bytes[2]]) >> (bytes[3] % 12),
                _ => 0,
            };
            let mut groups: Vec<u16> = case.random_bytes(32).chunks(4).map(group).collect();
            groups[0] = 0x2001;
            let address = groups.try_into().map_or(Ipv6Addr::UNSPECIFIED, |g: [u16; 8]| g.into());
            let long: Vec<_> = address.segments().map(|group| format!("{group:04X}")).to_vec();
            (long.join(":"), address.to_string())
        })
        .collect();
    let pairs: Vec<(&str, &str)> = lines.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    converse_over_each(&case, server, families, &pairs);
}

#[rstest]
#[case::mapped("::ffff:192.0.2.1", "::ffff:192.0.2.1")]
#[case::mapped_in_hexadecimal("::FFFF:C000:0201", "::ffff:192.0.2.1")]
#[case::mapped_in_its_longest_form("0:0:0:0:0:ffff:7f00:1", "::ffff:127.0.0.1")]
#[case::mapped_zeros("::ffff:0:0", "::ffff:0.0.0.0")]
#[case::almost_mapped("::fffe:192.0.2.1", "::fffe:c000:201")]
#[case::one_group_too_early("::ffff:0:192.0.2.1", "::ffff:0:c000:201")]
#[case::at_the_end_of_another("64:ff9b::192.0.2.33", "64:ff9b::c000:221")]
#[case::after_six_groups("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304")]
#[case::after_zeros_alone("::192.0.2.1", "::c000:201")]
#[case::that_is_small("::0.0.0.1", "::1")]
fn an_embedded_ipv4_address_is_understood(#[case] line: &str, #[case] expected: &str) {
    ask(&[(line, expected)]);
}

#[rstest]
#[case::nothing("")]
#[case::words("hello")]
#[case::chinese("你好")]
#[case::ipv4("192.0.2.1")]
#[case::seven_groups("1:2:3:4:5:6:7")]
#[case::nine_groups("1:2:3:4:5:6:7:8:9")]
#[case::nine_groups_with_a_gap("1:2:3:4::5:6:7:8")]
#[case::two_gaps("1::2::3")]
#[case::three_colons("1:::2")]
#[case::a_colon_at_the_end("1:2:3:4:5:6:7:8:")]
#[case::a_colon_at_the_beginning(":1:2:3:4:5:6:7:8")]
#[case::five_digits("12345::")]
#[case::five_digits_for_a_small_number("00001::")]
#[case::no_digit("1:2:3:g::")]
#[case::a_sign("+1::")]
#[case::a_zone("fe80::1%eth0")]
#[case::a_prefix("2001:db8::/32")]
#[case::brackets("[::1]")]
#[case::a_blank_before(" ::1")]
#[case::a_blank_behind("::1 ")]
#[case::an_octet_of_256("::256.0.2.1")]
#[case::three_octets("::192.0.2")]
#[case::a_leading_zero_in_an_octet("::192.0.02.1")]
#[case::ipv4_in_the_middle("::192.0.2.1:1")]
#[case::ipv4_after_seven_groups("1:2:3:4:5:6:7:1.2.3.4")]
fn what_is_no_address_is_invalid(#[case] line: &str) {
    ask(&[(line, "invalid"), ("0::", "::"), (line, "invalid")]);
}

#[rstest]
#[case::cut_to_single_bytes(StreamFaults { slice: Some(1), ..StreamFaults::default() })]
#[case::glued(StreamFaults {
    coalesce: Some(Coalesce { bytes: 500, wait: A_MOMENT }),
    ..StreamFaults::default()
})]
fn the_network_may_cut_and_glue(#[case] stream: StreamFaults) {
    let case = case();
    let path = Path { stream, ..Path::default() };
    let conditions = Conditions { to_server: path, ..Conditions::default() };
    let network = case.network(Transport::Tcp, case.serve(), conditions);
    let mut client = case.connect(network);
    // It is the network that the server sees, at a port that we do not know.
    let greeting = client.receive_line();
    if !greeting.starts_with(b"IPv4 127.0.0.1 ") {
        let what = "the greeting is not the one expected (the port is the network's)";
        case.fail(Difference::fail(what).with(b"IPv4 127.0.0.1 40000\n", &greeting));
    }
    client.send("0:0::1\r\nhello\n\n::ffff:7f00:1\nA::".as_bytes());
    client.half_close();
    client.expect_last_words(b"::1\ninvalid\ninvalid\n::ffff:127.0.0.1\na::\n");
}

#[rstest]
#[case::closes(b"::", false)]
#[case::resets(b"::1", true)]
#[case::sends_an_endless_line(&[b':'; 200], false)]
fn a_client_that_misbehaves_ends_only_itself(#[case] said: &[u8], #[case] resets: bool) {
    let case = case();
    let (server, families) = serve_both(&case);
    let mut early: Vec<Client> = families.iter().map(|ip| connect(&case, server, *ip)).collect();
    for ip in families.iter().cycle().take(4) {
        let mut client = connect(&case, server, *ip);
        client.send(said);
        if said.len() > 100 {
            client.expect_end_or_reset();
        } else if resets {
            client.reset();
        } else {
            client.vanish();
        }
    }
    for client in &mut early {
        client.send(b"1::0\n");
        client.expect(b"1::\n");
    }
    converse_over_each(&case, server, families, &[("::1", "::1")]);
}
