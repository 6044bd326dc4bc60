//! Which addresses the name `localhost` has, and in which order.

use std::env::consts::OS;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, ToSocketAddrs};

use super::finding::{Finding, text};
use super::reason;

pub fn look() -> Vec<Finding> {
    // Where the file does not have the name, a resolver may ask a server of the network for it, and
    // nothing here is to leave this machine. (Other systems answer for themselves.)
    let is_known =
        OS != "linux" || fs::read_to_string("/etc/hosts").is_ok_and(|hosts| has_localhost(&hosts));
    if !is_known {
        return vec![judge(Ok(Vec::new()), OS)];
    }
    let found = ("localhost", 0).to_socket_addrs();
    vec![judge(found.map(|found| found.map(|address| address.ip()).collect()), OS)]
}

/// Whether hosts(5) has a line for the name.
fn has_localhost(hosts: &str) -> bool {
    let lines = hosts.lines().map(|line| line.split('#').next().unwrap_or_default());
    lines.into_iter().any(|line| line.split_whitespace().skip(1).any(|name| name == "localhost"))
}

fn judge(found: io::Result<Vec<IpAddr>>, os: &str) -> Finding {
    let addresses = match found {
        Ok(addresses) => addresses,
        Err(error) => return unknown(&format!(" ({})", reason(&error)), os),
    };
    let Some(first) = addresses.first() else { return unknown("", os) };
    let list = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if let Some(elsewhere) = addresses.iter().find(|address| !address.is_loopback()) {
        return Finding::note(text(
            format!("the name stands for {elsewhere}, which is not this machine's loopback"),
            format!("这个名字指向 {elsewhere}，不是本机的环回地址"),
        ))
        .or_try(write_it(os));
    }
    if *first == Ipv4Addr::LOCALHOST {
        return Finding::ok(text(format!("it is {list}"), format!("它是 {list}")));
    }
    Finding::note(text(
        format!(
            "it is {list}, in this order, and servers of the course listen on 127.0.0.1: a program \
             that tries only the first address does not find them"
        ),
        format!("依次是 {list}，而本课程的服务器监听 127.0.0.1：只试第一个地址的程序会连不上"),
    ))
    .or_try(text("write 127.0.0.1 instead of localhost", "用 127.0.0.1 代替 localhost"))
}

fn unknown(why: &str, os: &str) -> Finding {
    Finding::note(text(
        format!("the name has no address{why}"),
        format!("这个名字没有对应的地址{why}"),
    ))
    .or_try(write_it(os))
}

fn write_it(os: &str) -> course::Text {
    let hosts = match os {
        "windows" => r"C:\Windows\System32\drivers\etc\hosts",
        _ => "/etc/hosts",
    };
    text(
        format!("write 127.0.0.1 instead, or the line `127.0.0.1 localhost` into {hosts}"),
        format!("直接写 127.0.0.1，或者在 {hosts} 里加一行 `127.0.0.1 localhost`"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level::{self, Note, Ok as Fine};
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::ipv4_alone(&["127.0.0.1"], Fine, "it is 127.0.0.1")]
    #[case::ipv4_first(&["127.0.0.1", "::1"], Fine, "it is 127.0.0.1, ::1")]
    #[case::ipv6_first(&["::1", "127.0.0.1"], Note, "it is ::1, 127.0.0.1, in this order")]
    #[case::ipv6_alone(&["::1"], Note, "it is ::1, in this order")]
    #[case::elsewhere(&["192.168.1.7"], Note, "stands for 192.168.1.7")]
    #[case::nowhere(&[], Note, "has no address")]
    fn the_order_of_the_addresses_counts(
        #[case] addresses: &[&str],
        #[case] level: Level,
        #[case] said: &str,
    ) {
        let found = addresses.iter().map(|address| address.parse().unwrap()).collect();
        let finding = judge(Ok(found), "linux");
        assert_eq!(finding.level, level);
        assert!(finding.said.en.contains(said), "{finding:?}");
    }

    #[rstest]
    #[case("127.0.0.1 localhost\n::1 localhost ip6-localhost\n", true)]
    #[case("127.0.0.1\tmachine localhost # ours\n", true)]
    #[case("# 127.0.0.1 localhost\n127.0.1.1 machine\n", false)]
    #[case("", false)]
    fn a_hosts_file_has_the_name_or_not(#[case] hosts: &str, #[case] has: bool) {
        assert_eq!(has_localhost(hosts), has);
    }
}
