//! With real sockets: what a search for a connection leaves behind.

use std::io::{Read, Write};
use std::net::TcpListener;

use super::*;

const LIMIT: Duration = Duration::from_secs(20);

fn settings() -> Settings {
    Settings { attempt_delay: Duration::from_millis(20), give_up: LIMIT, ..Settings::default() }
}

#[cfg(target_os = "linux")] // its list of sockets shows what is left
mod leftovers {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use netlab::filtered::Filtered;

    use super::*;

    /// Whether a socket of this machine is still asking for a connection to that port: state `02`,
    /// `SYN_SENT`, in the system's list of sockets (proc(5)).
    fn somebody_is_connecting_to(port: u16) -> bool {
        let suffix = format!(":{port:04X}");
        ["tcp", "tcp6"].iter().any(|list| {
            let list = std::fs::read_to_string(format!("/proc/net/{list}")).unwrap();
            let mut rows = list.lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
            rows.any(|row| row[2].ends_with(&suffix) && row[3] == "02")
        })
    }

    #[test]
    fn losers_are_closed_when_the_winner_is_there() {
        let silent = [IpAddr::from(Ipv6Addr::LOCALHOST), Ipv4Addr::LOCALHOST.into()]
            .map(|host| Filtered::open(host).unwrap().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let [v6, v4] = silent.each_ref().map(Filtered::address);
        let addresses = [v6, v4, listener.local_addr().unwrap()];
        // The list begins with IPv6 and has only one of it: the silent two come first.
        let winner = connect("a name", &addresses, settings()).unwrap();
        assert_eq!(winner.peer_addr().unwrap(), addresses[2]);
        for silent in [v6, v4] {
            assert!(!somebody_is_connecting_to(silent.port()));
        }
    }

    #[test]
    fn who_gives_up_leaves_nothing_behind() {
        let silent = Filtered::open(Ipv4Addr::LOCALHOST.into()).unwrap().unwrap();
        let settings = Settings { give_up: Duration::from_millis(50), ..settings() };
        connect("a name", &[silent.address()], settings).unwrap_err();
        assert!(!somebody_is_connecting_to(silent.address().port()));
    }
}

#[test]
fn the_winner_waits_as_streams_of_the_standard_library_do() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = connect("a name", &[listener.local_addr().unwrap()], settings()).unwrap();
    client.set_read_timeout(Some(LIMIT)).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    let late = std::thread::spawn(move || {
        // Only now that somebody reads, as far as anybody can tell.
        std::thread::yield_now();
        server.write_all(b"late").unwrap();
    });
    let mut heard = String::new();
    client.read_to_string(&mut heard).unwrap();
    late.join().unwrap();
    assert_eq!(heard, "late");
}

#[test]
fn a_name_without_addresses_is_an_error() {
    let error = connect("a name", &[], settings()).unwrap_err().to_string();
    assert_eq!(error, "cannot connect to a name: it has no address");
}
