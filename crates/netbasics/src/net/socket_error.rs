//! A network error as a sentence: what failed, on which address, why, and what to try.
//!
//! The system's own words (`Connection refused (os error 111)`) are exact but say nothing to
//! somebody who meets them for the first time. Here each common kind gets a reason in the words
//! of the RFCs and manual pages, and one thing to try.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};

use crate::values::exit::Usage;
use crate::values::os_error::plain;
use crate::values::port::PortKind;

/// Where one learns more about this machine: at the end of an error that it explains.
pub const DOCTOR: &str = "cargo xtask doctor tells more";

/// A socket operation that failed, and on which address.
///
/// It prints as one line: `cannot connect to 127.0.0.1:8888: connection refused; no program
/// listens there: start the server first, or check --addr`.
#[derive(Debug)]
pub struct SocketError {
    /// What was tried, as in "cannot …": `listen on`, `connect to`, `send to`.
    pub doing: &'static str,
    /// The address it was tried on, as the person wrote it.
    pub address: String,
    /// What the system answered.
    pub error: io::Error,
}

impl SocketError {
    /// For `map_err`: `.map_err(SocketError::on("listen on", &addr))`.
    pub fn on(doing: &'static str, address: impl fmt::Display) -> impl FnOnce(io::Error) -> Self {
        move |error| Self { doing, address: address.to_string(), error }
    }
}

impl SocketError {
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

impl fmt::Display for SocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { doing, address, error } = self;
        write!(f, "cannot {doing} {address}")?;
        if self.source().is_some() {
            return Ok(());
        }
        let sentence = match tried_addresses(error) {
            Some(tried) => tried.sentence(|at, error| reason(doing, at, error)),
            None => reason(doing, address, error),
        };
        write!(f, ": {sentence}")?;
        if self.lies_with_this_machine() { write!(f, " ({DOCTOR})") } else { Ok(()) }
    }
}

impl Error for SocketError {
    /// The `io::Error` is part of the sentence already. Only wrong usage is named as the source, since
    /// the exit code depends on it.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.error.get_ref()?.downcast_ref::<Usage>()?)
    }
}

/// The addresses of a name of which none worked, and why.
#[derive(Debug)]
pub struct TriedAddresses(pub Vec<(SocketAddr, io::Error)>);

impl From<TriedAddresses> for io::Error {
    /// Of the kind of the last error.
    fn from(tried: TriedAddresses) -> Self {
        let kind = tried.0.last().map_or(io::ErrorKind::NotFound, |(_, error)| error.kind());
        Self::new(kind, tried)
    }
}

impl TriedAddresses {
    /// All of them in one sentence, with one advice.
    fn sentence(&self, explain: impl Fn(&SocketAddr, &io::Error) -> String) -> String {
        let explained: Vec<String> = self.0.iter().map(|(at, error)| explain(at, error)).collect();
        let tried = self.0.iter().zip(&explained);
        let tried: Vec<String> = tried
            .map(|((address, _), reason)| format!("{address} ({})", split_advice(reason).0))
            .collect();
        let Some((last, others)) = tried.split_last() else {
            return "the name has no address".to_owned();
        };
        let all = if others.is_empty() {
            last.clone()
        } else {
            format!("{} and {last}", others.join(", "))
        };
        // A host that refuses is there, so it is the nearest to success.
        let refused =
            self.0.iter().position(|(_, error)| error.kind() == io::ErrorKind::ConnectionRefused);
        let best = refused.unwrap_or(explained.len() - 1);
        match split_advice(&explained[best]).1 {
            Some(advice) => format!("tried {all}; {advice}"),
            None => format!("tried {all}"),
        }
    }
}

impl fmt::Display for TriedAddresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence(|_, error| explain(error)))
    }
}

impl Error for TriedAddresses {}

/// Takes `reason; advice` apart.
fn split_advice(sentence: &str) -> (&str, Option<&str>) {
    sentence.split_once("; ").map_or((sentence, None), |(reason, advice)| (reason, Some(advice)))
}

fn tried_addresses(error: &io::Error) -> Option<&TriedAddresses> {
    error.get_ref()?.downcast_ref()
}

/// As [`explain`], knowing what was tried and where: "permission denied" alone has many causes.
fn reason(doing: &str, address: impl fmt::Display, error: &io::Error) -> String {
    if error.kind() != io::ErrorKind::PermissionDenied {
        return explain(error);
    }
    let address = address.to_string();
    let port = address.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    let is_low = port.is_some_and(|port| port > 0 && PortKind::of(port) == PortKind::System);
    match doing {
        "listen on" | "bind to" if is_low => {
            "permission denied; many systems keep ports below 1024 for themselves: try port 8888"
        }
        "listen on" | "bind to" => {
            "permission denied; the system has reserved that port, or a container forbids it: try \
             --addr 127.0.0.1:0"
        }
        "send to" | "talk to" | "reach" => {
            "permission denied; a broadcast address needs a socket with SO_BROADCAST, which ours \
             is not, and a firewall may forbid others: give the address of one machine"
        }
        _ => return explain(error),
    }
    .to_owned()
}

/// The reason behind a socket error and what to try, in one line: `reason; advice`.
#[must_use]
pub fn explain(error: &io::Error) -> String {
    use io::ErrorKind as Kind;
    if let Some(tried) = tried_addresses(error) {
        return tried.to_string();
    }
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
            "permission denied; a firewall, or the container that this runs in, forbids it"
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
    use rstest::rstest;

    #[rstest]
    #[case::low_port("listen on", "localhost:80", "ports below 1024")]
    #[case::low_udp_port("bind to", "[::1]:53", "ports below 1024")]
    #[case::other_port("listen on", "127.0.0.1:8888", "the system has reserved that port")]
    #[case::any_port("listen on", "127.0.0.1:0", "or a container forbids it")]
    #[case::broadcast("send to", "255.255.255.255:80", "a broadcast address needs")]
    #[case::in_the_middle("receive on", "127.0.0.1:80", "the container that this runs in")]
    fn permission_denied_has_the_reason_of_what_was_tried(
        #[case] doing: &'static str,
        #[case] address: &str,
        #[case] reason: &str,
    ) {
        let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
        let said = SocketError::on(doing, address)(denied()).to_string();
        assert!(said.starts_with(&format!("cannot {doing} {address}: permission denied; ")));
        assert!(said.contains(reason), "{said}");
        let tried = TriedAddresses(vec![("127.0.0.1:80".parse().unwrap(), denied())]).into();
        let said = SocketError::on("listen on", "localhost:80")(tried).to_string();
        assert!(said.contains("tried 127.0.0.1:80 (permission denied); many systems"), "{said}");
    }

    #[test]
    fn a_sentence_names_what_where_why_and_what_to_try() {
        let error = SocketError::on("listen on", "127.0.0.1:8888")(io::ErrorKind::AddrInUse.into());
        assert_eq!(
            error.to_string(),
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
            let sentence = SocketError::on("connect to", address)(kind.into()).to_string();
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
