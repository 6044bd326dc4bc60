//! Whether programs on this machine can talk to each other, over TCP and over UDP.

use std::env::consts::OS;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};

use course::Text;

use super::finding::{Finding, command, text};
use super::{PATIENCE, reason};

pub fn look_v4() -> Vec<Finding> {
    vec![judge_v4(&[tcp(Ipv4Addr::LOCALHOST.into()), udp(Ipv4Addr::LOCALHOST.into())], OS)]
}

pub fn look_v6() -> Vec<Finding> {
    vec![judge_v6(&[tcp(Ipv6Addr::LOCALHOST.into()), udp(Ipv6Addr::LOCALHOST.into())], OS)]
}

/// One byte from a client to a server.
fn tcp(ip: IpAddr) -> io::Result<()> {
    let listener = TcpListener::bind((ip, 0))?;
    let mut client = TcpStream::connect_timeout(&listener.local_addr()?, PATIENCE)?;
    client.write_all(b"?")?;
    // It is in the queue already, and ours is the only one that is meant to come.
    let (mut server, _) = listener.accept()?;
    server.set_read_timeout(Some(PATIENCE))?;
    server.read_exact(&mut [0])
}

/// One datagram.
fn udp(ip: IpAddr) -> io::Result<()> {
    let any = SocketAddr::from((ip, 0));
    let (server, client) = (UdpSocket::bind(any)?, UdpSocket::bind(any)?);
    server.set_read_timeout(Some(PATIENCE))?;
    client.send_to(b"?", server.local_addr()?)?;
    server.recv(&mut [0]).map(drop)
}

fn judge_v4([tcp, udp]: &[io::Result<()>; 2], os: &str) -> Finding {
    let (protocol, error) = match (tcp, udp) {
        (Ok(()), Ok(())) => {
            return Finding::ok(text(
                "TCP and UDP over 127.0.0.1 work",
                "经过 127.0.0.1 的 TCP 和 UDP 都正常",
            ));
        }
        (Err(error), _) => ("TCP", reason(error)),
        (_, Err(error)) => ("UDP", reason(error)),
    };
    Finding::problem(text(
        format!("{protocol} over 127.0.0.1 does not work ({error})"),
        format!("经过 127.0.0.1 的 {protocol} 不通（{error}）"),
    ))
    .or_try(bring_up(os))
}

fn bring_up(os: &str) -> Text {
    match os {
        "linux" => command("sudo ip link set lo up"),
        "macos" => command("sudo ifconfig lo0 up"),
        _ => text(
            "a firewall may stop it: allow programs of this machine to talk over 127.0.0.1",
            "可能被防火墙拦住了：请允许本机程序通过 127.0.0.1 通信",
        ),
    }
}

fn judge_v6(tried: &[io::Result<()>; 2], os: &str) -> Finding {
    let Some(error) = tried.iter().find_map(|result| result.as_ref().err()) else {
        return Finding::ok(text("TCP and UDP over ::1 work", "经过 ::1 的 TCP 和 UDP 都正常"));
    };
    let error = reason(error);
    let finding = Finding::note(text(
        format!(
            "::1 does not work ({error}): lesson 9 shows less, and tests of IPv6 fail or are left out"
        ),
        format!("::1 不通（{error}）：第 9 课只能演示一部分，IPv6 的测试会失败或被略过"),
    ));
    match os {
        "linux" => finding.or_try(command("sudo sysctl -w net.ipv6.conf.lo.disable_ipv6=0")),
        _ => finding,
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;
    use rstest::rstest;

    fn refused() -> io::Result<()> {
        Err(io::ErrorKind::NetworkUnreachable.into())
    }

    #[rstest]
    #[case::all_is_well([Ok(()), Ok(())], Level::Ok, Level::Ok)]
    #[case::tcp_is_stopped([refused(), Ok(())], Level::Problem, Level::Note)]
    #[case::udp_is_stopped([Ok(()), refused()], Level::Problem, Level::Note)]
    fn ipv4_is_needed_and_ipv6_is_not(
        #[case] tried: [io::Result<()>; 2],
        #[case] v4: Level,
        #[case] v6: Level,
    ) {
        for os in ["linux", "macos", "windows"] {
            let finding = judge_v4(&tried, os);
            assert_eq!(finding.level, v4);
            assert_eq!(finding.tries.is_empty(), v4 == Level::Ok);
            assert_eq!(judge_v6(&tried, os).level, v6);
        }
    }
}
