//! Whom we ask: one host, which the person at the keyboard has named.
//!
//! A ping or a port check is a knock at somebody's door. One knock with a reason is what these
//! messages are for; knocking at every door of a street to see which is unlocked (a *scan*) is what
//! burglars do, alarms people whose job is to watch, and is forbidden in many networks and by law in
//! some countries. So this lesson's programs take one host at a time, knock a bounded number of times
//! at a bounded rate, and refuse whatever would reach many.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Context, Result};
use netbasics::port::{Endpoint, Host};
use netbasics::program::Usage;
use netbasics::socket;
use netbasics::trouble::Trouble;

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
    // `10.0.0.1-9`; no name ends in a label of digits and hyphens.
    let last_label = host.rsplit('.').next().unwrap_or_default();
    let is_range =
        last_label.contains('-') && last_label.chars().all(|c| c.is_ascii_digit() || c == '-');
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
    let found = addresses(&endpoint).map_err(|error| match error.downcast::<Trouble>() {
        Ok(trouble) => Trouble { address: host.to_string(), ..trouble }.into(),
        Err(error) => error,
    });
    found?.first().copied().with_context(|| format!("{host} has no address"))
}
