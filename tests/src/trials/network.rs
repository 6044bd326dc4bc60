use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream, UdpSocket};

use netlab::conditions::{Conditions, Path, StreamFaults};
use netlab::faults::{DatagramFaults, Fate};
use netlab::record::Transport;

use super::{A_MOMENT, assert_says, case, report_of, serving_once};

/// The second datagram to the server is lost.
fn loses_the_second() -> Conditions {
    let datagrams = DatagramFaults { exactly: [(1, Fate::Lose)].into(), ..Default::default() };
    let to_server = Path { datagrams, ..Path::default() };
    Conditions { to_server, ..Conditions::default() }
}

#[test]
fn what_the_network_loses_is_on_the_wire_of_the_report() {
    let report = report_of(|| {
        let case = case();
        let host = case.listen_udp();
        let server = case.network(Transport::Udp, host.address(), loses_the_second());
        let program = UdpSocket::bind("127.0.0.1:0").unwrap();
        for payload in [b"1", b"2", b"3"] {
            program.send_to(payload, server).unwrap();
        }
        assert_eq!((host.receive().1, host.receive().1), (b"1".to_vec(), b"3".to_vec()));
        case.fail(crate::Difference::fail("enough"));
    });
    assert_says(&report, &["the network lies between 127.0.0.1:", "client 1 → server: #1, 1 byte"]);
    assert_says(&report, &["\"2\": lost"]);
    // The relay tells it all; the test's own end does not tell it again.
    assert_eq!(report.matches("\"1\"").count(), 1, "{report}");
}

#[test]
fn a_client_keeps_its_number_behind_a_network() {
    let report = report_of(|| {
        let case = case();
        let slice = Path {
            stream: StreamFaults { slice: Some(2), ..StreamFaults::default() },
            ..Path::default()
        };
        let (server, _serving) = serving_once(|mut stream| {
            let mut all = Vec::new();
            stream.read_to_end(&mut all).unwrap();
            stream.write_all(&all).unwrap();
        });
        let network = case.network(Transport::Tcp, server, Conditions::both_ways(0, slice));
        let (unused, _waiting) = serving_once(drop);
        let first = case.connect(unused);
        let mut second = case.connect(network);
        second.send(b"sliced");
        second.half_close();
        second.expect_last_words(b"whole");
        first.vanish();
    });
    assert_says(&report, &["client 2 sends 6 bytes", "client 2 → server: 6 bytes \"sliced\""]);
    assert_says(&report, &["client 1 connects", "client 2 connects"]);
}

#[test]
fn a_refused_connection_is_told_in_words() {
    let report = report_of(|| {
        let case = case();
        let host = case.listen();
        let refuses = Conditions { refuse: true, ..Conditions::default() };
        let nobody = case.network(Transport::Tcp, host.address(), refuses);
        let _ = case.connect(nobody);
    });
    assert_says(&report, &["client 1 cannot connect: connection refused, as nobody listens there"]);
    assert_says(&report, &["nobody listens on 127.0.0.1:"]);
}

#[test]
fn a_filtered_port_gives_no_answer_for_as_long_as_the_case_lasts() {
    let case = case();
    let address = case.filtered(Ipv4Addr::LOCALHOST.into());
    assert!(address.is_some() || !cfg!(target_os = "linux"));
    if let Some(address) = address {
        let error = TcpStream::connect_timeout(&address, A_MOMENT).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }
}
