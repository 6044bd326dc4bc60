//! `HOST:PORT`, the place a socket is bound or connected to.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use super::error::{EndpointError, EndpointProblem, Fault};
use crate::values::address::{scan_v4, scan_zoned};

/// One end of a conversation: a host and a port.
///
/// Written `127.0.0.1:8888`, `[::1]:8888` (the brackets of RFC 3986 section 3.2.2, without which
/// nobody could tell the last group from the port), `[fe80::1%eth0]:8888` or `localhost:8888`.
/// Reading one looks nothing up; the name of a host or an interface is looked up when
/// `to_socket_addrs` is called on it, as `TcpStream::connect` does (the storey `net` has that).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// The host.
    pub host: Host,
    /// The port; 0 asks the system to pick one.
    pub port: u16,
}

/// A host, by address or by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address.
    V6(Ipv6Addr),
    /// An IPv6 address and the zone it is valid in: the name or the number of an interface of this
    /// machine (RFC 4007 section 11.2). A link-local address means nothing without.
    V6Zone(Ipv6Addr, String),
    /// A name that is still to be looked up: letters, digits, hyphens and dots (RFC 1123
    /// section 2.1), and underscores, which some local networks use.
    Name(String),
}

impl fmt::Display for Host {
    /// IPv6 without brackets; [`Endpoint`] adds them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(f),
            Self::V6(address) => address.fmt(f),
            Self::V6Zone(address, zone) => write!(f, "{address}%{zone}"),
            Self::Name(name) => f.pad(name),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            host @ (Host::V6(_) | Host::V6Zone(..)) => write!(f, "[{host}]:{}", self.port),
            host => write!(f, "{host}:{}", self.port),
        }
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        let host = match address {
            SocketAddr::V4(v4) => Host::V4(*v4.ip()),
            SocketAddr::V6(v6) if v6.scope_id() == 0 => Host::V6(*v6.ip()),
            SocketAddr::V6(v6) => Host::V6Zone(*v6.ip(), v6.scope_id().to_string()),
        };
        Self { host, port: address.port() }
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        scan_endpoint(text).map_err(|fault| EndpointError::new(text, fault))
    }
}

fn scan_endpoint(text: &str) -> Result<Endpoint, Fault> {
    if text.is_empty() {
        return Err((0, EndpointProblem::Empty));
    }
    if let Some(bracketed) = text.strip_prefix('[') {
        return scan_bracketed(bracketed).map_err(|fault| shift(fault, 1));
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err(explain_no_colon(text));
    };
    if let Some(colon) = host.find(':') {
        return Err(explain_more_colons(text, colon));
    }
    let host = scan_host(host)?;
    let port = scan_port(port).map_err(|fault| shift(fault, text.len() - port.len()))?;
    Ok(Endpoint { host, port })
}

/// Reads what follows the `[`.
fn scan_bracketed(text: &str) -> Result<Endpoint, Fault> {
    let Some((address, after)) = text.split_once(']') else {
        return Err((text.len(), EndpointProblem::UnclosedBracket));
    };
    let (address, zone) =
        scan_zoned(address).map_err(|(at, p)| (at, EndpointProblem::Address(p)))?;
    let start = text.len() - after.len();
    let Some(port) = after.strip_prefix(':') else {
        return Err((start, EndpointProblem::MissingPort));
    };
    let port = scan_port(port).map_err(|fault| shift(fault, start + 1))?;
    let host = match zone {
        None => Host::V6(address),
        Some(zone) => Host::V6Zone(address, zone.to_owned()),
    };
    Ok(Endpoint { host, port })
}

fn scan_host(text: &str) -> Result<Host, Fault> {
    if text.is_empty() {
        return Err((0, EndpointProblem::EmptyHost));
    }
    if text.chars().all(|c| c.is_ascii_digit() || c == '.') {
        let address = scan_v4(text).map_err(|(at, p)| (at, EndpointProblem::Address(p)))?;
        return Ok(Host::V4(address));
    }
    let is_name_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    if let Some((at, found)) = text.char_indices().find(|(_, c)| !is_name_char(*c)) {
        return Err((at, EndpointProblem::NotInAName { found }));
    }
    if let Some(at) = text.find("..").or(text.starts_with('.').then_some(0)) {
        return Err((at, EndpointProblem::EmptyLabel));
    }
    Ok(Host::Name(text.to_owned()))
}

fn scan_port(digits: &str) -> Result<u16, Fault> {
    if digits.is_empty() {
        return Err((0, EndpointProblem::MissingPort));
    }
    if let Some((at, found)) = digits.char_indices().find(|(_, c)| !c.is_ascii_digit()) {
        return Err((at, EndpointProblem::PortNotADigit { found }));
    }
    digits.parse().map_err(|_| (0, EndpointProblem::PortTooLarge { digits: digits.to_owned() }))
}

fn explain_no_colon(text: &str) -> Fault {
    if text.chars().all(|c| c.is_ascii_digit()) {
        (0, EndpointProblem::OnlyAPort)
    } else {
        (text.len(), EndpointProblem::MissingPort)
    }
}

fn explain_more_colons(text: &str, first_colon: usize) -> Fault {
    let address = text.split('%').next().unwrap_or(text);
    if address.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, ':' | '.')) {
        (0, EndpointProblem::Ipv6WithoutBrackets)
    } else {
        (first_colon, EndpointProblem::ExtraColon)
    }
}

fn shift((at, problem): Fault, by: usize) -> Fault {
    (at + by, problem)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::values::address::AddressProblem;

    const LINK_LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);

    #[rstest]
    #[case("127.0.0.1:8888", Host::V4(Ipv4Addr::LOCALHOST), 8888)]
    #[case("[::1]:0", Host::V6(Ipv6Addr::LOCALHOST), 0)]
    #[case("[fe80::1%eth0]:80", Host::V6Zone(LINK_LOCAL, "eth0".to_owned()), 80)]
    #[case("[fe80::1%2]:80", Host::V6Zone(LINK_LOCAL, "2".to_owned()), 80)]
    #[case("localhost:65535", Host::Name("localhost".to_owned()), 65535)]
    #[case("db_1.example.com:5432", Host::Name("db_1.example.com".to_owned()), 5432)]
    fn endpoint_is_host_and_port(#[case] text: &str, #[case] host: Host, #[case] port: u16) {
        let endpoint: Endpoint = text.parse().unwrap();
        assert_eq!(endpoint, Endpoint { host, port });
        assert_eq!(endpoint.to_string(), text);
    }

    #[rstest]
    #[case("", 1, "nothing there; write HOST:PORT, such as 127.0.0.1:8888")]
    #[case("127.0.0.1", 10, "no port; write HOST:PORT, such as 127.0.0.1:8888")]
    #[case("127.0.0.1:", 11, "no port; write HOST:PORT, such as 127.0.0.1:8888")]
    #[case("[::1]", 6, "no port; write HOST:PORT, such as 127.0.0.1:8888")]
    #[case("8888", 1, "a port without a host; write 127.0.0.1:8888")]
    #[case(
        ":8888",
        1,
        "no host before the ':'; 127.0.0.1 is this machine, 0.0.0.0 all of its addresses"
    )]
    #[case("127.0.0.1:65536", 11, "the port is 65536; a port is at most 65535")]
    #[case("127.0.0.1:99999999999", 11, "the port is 99999999999; a port is at most 65535")]
    #[case(
        "127.0.0.1:http",
        11,
        "the port contains 'h'; a port is a number from 0 to 65535 (character 11)"
    )]
    #[case(
        "127.0.0.1:-1",
        11,
        "the port contains '-'; a port is a number from 0 to 65535 (character 11)"
    )]
    #[case("::1:8888", 1, "an IPv6 address needs brackets before a port, such as [::1]:8888")]
    #[case("fe80::1", 1, "an IPv6 address needs brackets before a port, such as [::1]:8888")]
    #[case(
        "fe80::1%eth0:80",
        1,
        "an IPv6 address needs brackets before a port, such as [::1]:8888"
    )]
    #[case(
        "[fe80::1%]:80",
        10,
        "nothing after the '%'; an interface stands there, as in fe80::1%eth0"
    )]
    #[case("[::1:8888", 10, "the '[' is never closed; write [ADDRESS]:PORT, such as [::1]:8888")]
    #[case("[::g]:80", 4, "group 1 contains 'g'; a group is digits 0-9 and a-f (character 4)")]
    #[case(
        "[127.0.0.1]:80",
        2,
        "no colon; an IPv6 address is groups joined by colons, such as ::1"
    )]
    #[case("127.0.0.256:80", 9, "octet 4 is 256; an octet is at most 255")]
    #[case("127.0.1:80", 1, "3 octets; an IPv4 address has 4, such as 192.168.1.1")]
    #[case(
        "http://localhost:80",
        5,
        "more than one ':'; write HOST:PORT alone, without http:// or the like (character 5)"
    )]
    #[case(
        "my host:80",
        3,
        "the host contains ' '; a name is letters, digits, '-', '_' and '.' (character 3)"
    )]
    #[case(
        "例子.cn:80",
        1,
        "the host contains '例'; a name is letters, digits, '-', '_' and '.' (character 1)"
    )]
    #[case(
        "a..b:80",
        2,
        "two dots with nothing between them, or a dot at the beginning of the name (character 2)"
    )]
    fn endpoint_error_says_where_and_why(#[case] text: &str, #[case] at: usize, #[case] why: &str) {
        let error = text.parse::<Endpoint>().unwrap_err();
        let prefix = if text.is_empty() { "(empty)" } else { text };
        assert_eq!(error.to_string(), format!("{prefix}: {why}"));
        assert_eq!(error.position, at);
    }

    #[test]
    fn a_bad_octet_can_be_told_from_its_type() {
        let error = "1.2.3.4444:80".parse::<Endpoint>().unwrap_err();
        let octet = AddressProblem::OctetTooLarge { octet: 4, digits: "4444".to_owned() };
        assert_eq!(error.problem, EndpointProblem::Address(octet));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn any_text_is_parsed_without_panic(text in any::<String>()) {
            if let Err(error) = text.parse::<Endpoint>() {
                prop_assert_eq!(error.to_string().lines().count(), 1);
                prop_assert!(error.position <= text.chars().count() + 1);
            }
        }

        #[test]
        fn displayed_endpoint_is_read_back(address in any::<SocketAddr>()) {
            let endpoint = Endpoint::from(address);
            prop_assert_eq!(endpoint.to_string().parse(), Ok(endpoint));
        }

        #[test]
        fn displayed_name_is_read_back(
            name in "[a-z][a-z0-9-]{0,9}(\\.[a-z]{1,5}){0,3}",
            port: u16,
        ) {
            let endpoint = Endpoint { host: Host::Name(name), port };
            prop_assert_eq!(endpoint.to_string().parse(), Ok(endpoint));
        }

        /// Only digits, dots, colons and brackets: no name can be meant.
        #[test]
        fn numbers_are_read_as_the_standard_library_reads_them(
            text in r"\[?[0-9]{1,3}(\.[0-9]{1,3}){2,4}:[0-9]{0,6}|\[?[0-9:]{1,9}(%[1-9])?\]?:[0-9]{1,6}",
        ) {
            let ours = text.parse::<Endpoint>().ok();
            prop_assert_eq!(ours, text.parse::<SocketAddr>().ok().map(Endpoint::from));
        }
    }
}
