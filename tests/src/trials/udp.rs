use std::net::UdpSocket;

use super::{A_MOMENT, assert_says, case, report_of};

#[test]
fn datagrams_go_both_ways() {
    let case = case();
    let host = case.listen_udp();
    let program = UdpSocket::bind("127.0.0.1:0").unwrap();
    program.send_to(b"ping", host.address()).unwrap();
    let (peer, payload) = host.receive();
    assert_eq!((peer, payload.as_slice()), (program.local_addr().unwrap(), b"ping".as_slice()));
    host.send_to(peer, b"");
    assert_eq!(program.recv(&mut [0; 9]).unwrap(), 0);
    host.expect_silence(A_MOMENT);
}

#[test]
fn a_datagram_in_the_silence_is_told() {
    let report = report_of(|| {
        let case = case();
        let host = case.listen_udp();
        let program = UdpSocket::bind("127.0.0.1:0").unwrap();
        program.send_to(b"once more", host.address()).unwrap();
        host.expect_silence(std::time::Duration::from_secs(60));
    });
    assert_says(&report, &["has sent a datagram where it should be silent", "\"once more\""]);
    assert_says(&report, &["client 1 → server: #0, 9 bytes \"once more\""]);
}

#[test]
fn a_sender_hears_only_the_server_it_sends_to() {
    let case = case();
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let sender = case.sender(server.local_addr().unwrap());
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    stranger.send_to(b"lies", sender.address()).unwrap();
    sender.expect_silence(A_MOMENT);
    server.send_to(b"truth", sender.address()).unwrap();
    assert_eq!(sender.receive(), b"truth");
}

/// Asked in a loop: the system may tell of the refusal with the next call, or the one after it.
#[test]
fn a_host_refuses_everybody_and_then_takes_one() {
    let case = case();
    let host = case.listen_udp();
    let program = UdpSocket::bind("127.0.0.1:0").unwrap();
    program.connect(host.address()).unwrap();
    host.refuse_everybody();
    program.set_read_timeout(Some(A_MOMENT)).unwrap();
    let is_refused = || program.send(b"?").and_then(|_| program.recv(&mut [0])).is_err();
    assert!(is_refused());
    host.take_only_from(program.local_addr().unwrap());
    while program.send(b"now?").is_err() {}
    assert_eq!(host.receive().1, b"now?");
    host.send_to(program.local_addr().unwrap(), b"!");
    program.set_read_timeout(None).unwrap();
    assert_eq!(program.recv(&mut [0; 9]).unwrap(), 1);
}

#[test]
fn a_datagram_is_noticed_amid_the_strays() {
    let case = case();
    let host = case.listen_udp();
    let program = UdpSocket::bind("127.0.0.1:0").unwrap();
    program.connect(host.address()).unwrap();
    let address = program.local_addr().unwrap();
    let program = std::thread::spawn(move || {
        for _ in 0..3 {
            assert_eq!(program.recv(&mut [0; 9]).unwrap(), 5);
        }
        program.send(b"well?").unwrap();
    });
    assert_eq!(host.receive_amid(address, b"stray"), (address, b"well?".to_vec()));
    program.join().unwrap();
}

#[test]
#[cfg(unix)]
fn a_program_that_has_ended_sends_no_more() {
    let report = report_of(|| {
        let case = super::case_of("exit 2");
        let host = case.listen_udp();
        let _running = case.start_client(host.address(), &[]);
        let _ = host.receive();
    });
    assert_says(&report, &["fail: your program has ended (exit status: 2)"]);
}
