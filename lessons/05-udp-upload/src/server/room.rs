//! How many uploads may be under way, in all and from one host.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Result, ensure};

/// How many uploads are under way at once, each with a file of its own; more are refused.
pub const MAX_UNDER_WAY: usize = 256;
/// How many of them may come from one host, or it could take every place and keep it.
pub const MAX_OF_ONE_HOST: usize = 64;

/// Whether another upload of `peer` may begin beside those of `others`.
///
/// # Errors
/// Which of the two limits is reached.
pub fn check(others: impl Iterator<Item = SocketAddr>, peer: SocketAddr) -> Result<()> {
    let (mut all, mut of_this_host) = (0, 0);
    for other in others {
        all += 1;
        of_this_host += usize::from(host(other) == host(peer));
    }
    ensure!(all < MAX_UNDER_WAY, "too many uploads at once; try again later");
    ensure!(
        of_this_host < MAX_OF_ONE_HOST,
        "too many uploads at once from {}; wait until one of them is over",
        peer.ip()
    );
    Ok(())
}

/// The host, without the port, which any program can change at will. Over IPv6 a host picks the last
/// 64 of the 128 bits itself (RFC 4291, section 2.5.1), as often as it likes, so only the first 64
/// count, which all hosts of a link share.
fn host(peer: SocketAddr) -> u128 {
    match peer.ip() {
        IpAddr::V4(ip) => ip.to_bits().into(),
        IpAddr::V6(ip) => ip.to_bits() & !u128::from(u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// The first `count` ports of a host.
    fn peers(host: &str, count: usize) -> Vec<SocketAddr> {
        let ports = 1..=u16::try_from(count).unwrap();
        ports.map(|port| SocketAddr::new(host.parse().unwrap(), port)).collect()
    }

    #[rstest]
    #[case::ipv4("192.0.2.1", "192.0.2.1", "192.0.2.2")]
    #[case::ipv6("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")]
    fn one_host_does_not_take_every_place(
        #[case] host: &str,
        #[case] the_same: &str,
        #[case] another: &str,
    ) {
        let begun = peers(host, MAX_OF_ONE_HOST);
        let refused = check(begun.iter().copied(), peers(the_same, 1)[0]).unwrap_err();
        assert!(refused.to_string().starts_with("too many uploads at once from "), "{refused}");
        check(begun.into_iter(), peers(another, 1)[0]).unwrap();
    }

    #[test]
    fn all_hosts_together_take_so_many_places() {
        let hosts = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"];
        let begun: Vec<_> = hosts.iter().flat_map(|host| peers(host, MAX_OF_ONE_HOST)).collect();
        assert_eq!(begun.len(), MAX_UNDER_WAY);
        let refused = check(begun.into_iter(), peers("192.0.2.5", 1)[0]).unwrap_err();
        assert_eq!(refused.to_string(), "too many uploads at once; try again later");
    }
}
