//! Whom we ask: one host, which the person at the keyboard has named.
//!
//! A ping or a port check is a knock at somebody's door. One knock with a reason is what these
//! messages are for; knocking at every door of a street to see which is unlocked (a *scan*) is what
//! burglars do, alarms people whose job is to watch, and is forbidden in many networks and by law in
//! some countries. So this lesson's programs take one host at a time, knock a bounded number of times
//! at a bounded rate, and refuse whatever would reach many.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Context, Result};
use netbasics::cli::program::Usage;
use netbasics::net::socket;
use netbasics::net::socket_error::SocketError;
use netbasics::values::port::{Endpoint, Host};

/// How many addresses of one name are asked at most.
const MOST_ADDRESSES: usize = 4;

/// Reads a host from the command line: an address (IPv6 with or without brackets) or a name.
pub fn parse_host(text: &str) -> Result<Host, String> {
    let text = one_name(text)?;
    let is_bare_v6 = text.contains(':') && !text.starts_with('[');
    let endpoint = if is_bare_v6 { format!("[{text}]:0") } else { format!("{text}:0") };
    let endpoint: Result<Endpoint, _> = endpoint.parse();
    endpoint.map(|endpoint| endpoint.host).map_err(|error| error.problem.to_string())
}

/// Reads `HOST:PORT` from the command line.
pub fn parse_endpoint(text: &str) -> Result<Endpoint, String> {
    let endpoint: Endpoint = one_name(text)?.parse().map_err(|error| format!("{error}"))?;
    match endpoint.port {
        0 => Err("port 0 is no port on the wire; name one from 1 to 65535".to_owned()),
        _ => Ok(endpoint),
    }
}

/// Refuses what names many hosts: lists, networks, patterns, ranges.
fn one_name(text: &str) -> Result<&str, String> {
    let host = text.rsplit_once(':').map_or(text, |(host, _)| host);
    // `10.0.0.1-9`: no name is all digits.
    let is_range =
        host.contains('-') && host.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-'));
    if text.is_empty() {
        Err("name a host, such as 127.0.0.1".to_owned())
    } else if is_range || text.contains([',', '/', '*', ' ']) {
        Err("one host at a time, by its address or name: no lists, ranges, networks or URLs. \
             Knocking at many doors to see which is open is a scan; this course makes none"
            .to_owned())
    } else {
        Ok(text)
    }
}

// listing: begin one_host
/// Refuses addresses that are not those of one host.
pub fn one_host(ip: IpAddr) -> Result<(), Usage> {
    let reason = if ip.is_multicast() {
        "a multicast address: every member of its group would answer"
    } else if ip == IpAddr::from([255; 4]) {
        "the broadcast address: every host of this network would answer"
    } else if ip.is_unspecified() {
        "no host's address: it stands for \"every address of this machine\" when one listens"
    } else {
        return Ok(());
    };
    Err(Usage(format!("{ip} is {reason}; name one host, such as 127.0.0.1")))
}
// listing: end one_host

/// The addresses of a host in the order in which the system advises to try them, at most four.
pub fn addresses(endpoint: &Endpoint) -> Result<Vec<SocketAddr>> {
    let mut addresses = Vec::new();
    for address in socket::resolve_all(endpoint)?.into_iter().take(MOST_ADDRESSES) {
        // `::ffff:127.0.0.1` is an IPv4 address in another spelling (RFC 4291, section 2.5.5.2).
        let address = match address.ip().to_canonical() {
            IpAddr::V4(v4) => SocketAddr::new(v4.into(), address.port()),
            IpAddr::V6(_) => address,
        };
        one_host(address.ip())?;
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Ok(addresses)
}

/// The first of them: whom a ping asks. (Its port is 0, for ICMP has none.)
pub fn first_address(host: &Host) -> Result<SocketAddr> {
    let endpoint = Endpoint { host: host.clone(), port: 0 };
    let found = addresses(&endpoint).map_err(|error| match error.downcast::<SocketError>() {
        Ok(error) => SocketError { address: host.to_string(), ..error }.into(),
        Err(error) => error,
    });
    found?.first().copied().with_context(|| format!("{host} has no address"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("127.0.0.1", "127.0.0.1")]
    #[case("::1", "::1")]
    #[case("[::1]", "::1")]
    #[case("localhost", "localhost")]
    #[case("web-1.example.com", "web-1.example.com")]
    #[case("1-2.example.com", "1-2.example.com")]
    fn one_host_is_read(#[case] text: &str, #[case] host: &str) {
        assert_eq!(parse_host(text).unwrap().to_string(), host);
        let target = if host.contains(':') { format!("[{host}]:80") } else { format!("{host}:80") };
        assert_eq!(parse_endpoint(&target).unwrap().to_string(), target);
    }

    #[rstest]
    #[case::of_addresses("10.0.0.1-10.0.0.9")]
    #[case::of_the_last_octet("10.0.0.1-9")]
    #[case::of_all("10.0.0.-")]
    #[case::network("10.0.0.0/8")]
    #[case::network_v6("2001:db8::/32")]
    #[case::list("::1,::2")]
    #[case::two("a b")]
    fn several_hosts_are_not(#[case] text: &str) {
        assert!(parse_host(text).unwrap_err().starts_with("one host at a time"));
        assert!(parse_endpoint(&format!("{text}:80")).is_err());
    }

    #[test]
    fn another_spelling_of_an_ipv4_address_is_that_address() {
        let endpoint = parse_endpoint("[::ffff:127.0.0.1]:80").unwrap();
        assert_eq!(addresses(&endpoint).unwrap(), ["127.0.0.1:80".parse().unwrap()]);
    }
}
