//! Whether lesson 10 may send ICMP echo requests: one goes to this machine itself.

use std::env::consts::OS;
use std::io::{self, ErrorKind};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};

use super::finding::{Finding, command, text};
use super::{PATIENCE, reason};

/// An echo request (RFC 792): type 8, code 0, checksum, identifier 0, sequence number 1. The checksum
/// is the complement of the sum of its words, 0x0800 + 0x0001.
const ECHO_REQUEST: [u8; 8] = [8, 0, 0xf7, 0xfe, 0, 0, 0, 1];

pub fn look() -> Vec<Finding> {
    vec![judge(&ping(), OS)]
}

fn ping() -> io::Result<()> {
    // A datagram socket: a raw one would be for administrators.
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::ICMPV4))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    socket.send(&ECHO_REQUEST)?;
    socket.recv(&mut [MaybeUninit::uninit(); 64]).map(drop)
}

fn judge(tried: &io::Result<()>, os: &str) -> Finding {
    let Err(error) = tried else {
        return Finding::ok(text(
            "ICMP echo requests are allowed, and answered by 127.0.0.1",
            "可以发送 ICMP 回显请求，127.0.0.1 也有应答",
        ));
    };
    let without = Finding::note(text(
        format!("no ICMP echo ({}): lesson 10 looks at ports only", reason(error)),
        format!("不能发送 ICMP 回显请求（{}）：第 10 课只能检查端口", reason(error)),
    ));
    match (os, error.kind()) {
        ("linux", ErrorKind::PermissionDenied) => {
            without.or_try(command("sudo sysctl -w net.ipv4.ping_group_range=\"0 2147483647\""))
        }
        ("windows", _) => without.or_try(text(
            "Windows' own ping; its ICMP sockets are for administrators",
            "使用 Windows 自带的 ping；它的 ICMP 套接字只对管理员开放",
        )),
        _ => without,
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("linux", ErrorKind::PermissionDenied, Some("ping_group_range"))]
    #[case("linux", ErrorKind::TimedOut, None)]
    #[case("windows", ErrorKind::PermissionDenied, Some("own ping"))]
    #[case("macos", ErrorKind::PermissionDenied, None)]
    fn what_helps_depends_on_the_system(
        #[case] os: &str,
        #[case] error: ErrorKind,
        #[case] advice: Option<&str>,
    ) {
        let finding = judge(&Err(error.into()), os);
        assert_eq!(finding.level, Level::Note);
        assert_eq!(!finding.tries.is_empty(), advice.is_some());
        assert!(advice.is_none_or(|advice| finding.tries[0].en.contains(advice)), "{finding:?}");
    }

    #[test]
    fn the_checksum_of_the_request_is_right() {
        let words = ECHO_REQUEST.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1]));
        assert_eq!(words.sum::<u32>(), 0xffff);
    }
}
