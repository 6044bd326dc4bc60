//! A network error as a sentence: what failed, on which address, why, and what to try.
//!
//! The system's own words (`Connection refused (os error 111)`) are exact but say nothing to
//! somebody who meets them for the first time. Here each common kind gets a reason in the words
//! of the RFCs and manual pages, and one thing to try.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::IpAddr;

use crate::program::plain;

/// Where one learns more about this machine: at the end of an error that it explains.
pub const DOCTOR: &str = "cargo xtask doctor tells more";

/// A socket operation that failed, and on which address.
///
/// It prints as one line: `cannot connect to 127.0.0.1:8888: connection refused; no program
/// listens there: start the server first, or check --addr`.
#[derive(Debug)]
pub struct Trouble {
    /// What was tried, as in "cannot …": `listen on`, `connect to`, `send to`.
    pub doing: &'static str,
    /// The address it was tried on, as the person wrote it.
    pub address: String,
    /// What the system answered.
    pub error: io::Error,
}

impl Trouble {
    /// For `map_err`: `.map_err(Trouble::on("listen on", &addr))`.
    pub fn on(doing: &'static str, address: impl fmt::Display) -> impl FnOnce(io::Error) -> Self {
        move |error| Self { doing, address: address.to_string(), error }
    }
}

impl Trouble {
    /// Whether the reason lies with this machine, so that `cargo xtask doctor` tells more about it:
    /// a port that is taken, loopback that is down, no IPv6, the order of `localhost`'s addresses.
    fn lies_with_this_machine(&self) -> bool {
        use io::ErrorKind as Kind;
        let host = self.address.rsplit_once(':').map_or(&*self.address, |(host, _)| host);
        let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
        let is_here = host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback());
        match self.error.kind() {
            Kind::AddrInUse => true,
            Kind::AddrNotAvailable | Kind::NetworkUnreachable | Kind::HostUnreachable => is_here,
            Kind::ConnectionRefused => host == "localhost",
            _ => false,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { doing, address, error } = self;
        write!(f, "cannot {doing} {address}: {}", explain(error))?;
        if self.lies_with_this_machine() { write!(f, " ({DOCTOR})") } else { Ok(()) }
    }
}

// The io::Error is part of the sentence already, so it is not named as a source again.
impl Error for Trouble {}

/// The reason behind a socket error and what to try, in one line: `reason; advice`.
#[must_use]
pub fn explain(error: &io::Error) -> String {
    use io::ErrorKind as Kind;
    let sentence = match error.kind() {
        Kind::AddrInUse => "address already in use; another program has it: try --addr 127.0.0.1:0",
        Kind::AddrNotAvailable => {
            "address not available; no interface of this machine has it: try --addr 127.0.0.1:8888"
        }
        Kind::ConnectionRefused => {
            "connection refused; no program listens there: start the server first, or check --addr"
        }
        Kind::ConnectionReset | Kind::ConnectionAborted => {
            "connection reset; the peer ended it without a proper close: it crashed, or it refused \
             what it was sent"
        }
        Kind::BrokenPipe | Kind::NotConnected => {
            "broken pipe; the peer has already closed the connection"
        }
        Kind::TimedOut | Kind::WouldBlock => {
            "timed out; the peer is silent, or does not take what it is sent"
        }
        Kind::PermissionDenied => {
            "permission denied; many systems keep ports below 1024 for themselves: try port 8888"
        }
        Kind::UnexpectedEof => "the connection ended in the middle of a message",
        Kind::NetworkUnreachable | Kind::HostUnreachable => {
            "unreachable; this machine knows no way to that address: check --addr"
        }
        _ => return plain(error),
    };
    sentence.to_owned()
}

/// Whether the error is a read or write timeout.
///
/// Unix reports one as `EAGAIN` ([`io::ErrorKind::WouldBlock`]), Windows as `WSAETIMEDOUT`
/// ([`io::ErrorKind::TimedOut`]); see [`std::net::TcpStream::set_read_timeout`].
#[must_use]
pub fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// Whether a UDP error only says that an earlier datagram of ours found nobody.
///
/// The peer's host answers a datagram to a closed port with ICMP "port unreachable" (RFC 1122,
/// section 3.2.2.1), and the system hands that to the next call on the socket: Linux as
/// `ECONNREFUSED` on connected sockets, Windows as `WSAECONNRESET` on any. One vanished peer is
/// no reason for a server to stop.
#[must_use]
pub fn is_unreachable_peer(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_names_what_where_why_and_what_to_try() {
        let trouble = Trouble::on("listen on", "127.0.0.1:8888")(io::ErrorKind::AddrInUse.into());
        assert_eq!(
            trouble.to_string(),
            "cannot listen on 127.0.0.1:8888: address already in use; \
             another program has it: try --addr 127.0.0.1:0 (cargo xtask doctor tells more)"
        );
    }

    #[test]
    fn the_doctor_is_named_where_the_reason_lies_with_this_machine() {
        use io::ErrorKind::{
            AddrInUse, AddrNotAvailable, ConnectionRefused, ConnectionReset, NetworkUnreachable,
        };
        let named = [
            (AddrInUse, "0.0.0.0:8888"),
            (AddrNotAvailable, "[::1]:8888"),
            (NetworkUnreachable, "127.0.0.1:8888"),
            (ConnectionRefused, "localhost:8888"),
        ];
        let unnamed = [
            (AddrNotAvailable, "10.9.9.9:8888"),
            (NetworkUnreachable, "192.0.2.1:8888"),
            (ConnectionRefused, "127.0.0.1:8888"),
            (ConnectionReset, "localhost:8888"),
            (ConnectionRefused, "socket file"),
        ];
        for (kind, address) in named.into_iter().chain(unnamed) {
            let sentence = Trouble::on("connect to", address)(kind.into()).to_string();
            let is_pointed = sentence.ends_with(" (cargo xtask doctor tells more)");
            assert_eq!(is_pointed, named.contains(&(kind, address)), "{sentence}");
        }
    }

    #[test]
    fn an_unknown_kind_keeps_the_systems_words_without_the_number() {
        let full = io::Error::from_raw_os_error(28);
        assert!(full.to_string().contains("os error"));
        assert!(!explain(&full).contains("os error"));
    }
}
