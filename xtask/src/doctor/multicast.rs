//! Whether a datagram to lesson 7's group comes back on the loopback interface.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

use super::finding::{Finding, text};
use super::{PATIENCE, reason};

/// The group of lesson 7; the port is any that is free, so that no node hears us.
const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 77, 7);

pub fn look() -> Vec<Finding> {
    vec![judge(&send_and_receive())]
}

fn send_and_receive() -> io::Result<()> {
    let hearing = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    // Windows binds to addresses of the machine only.
    let bind = |ip| hearing.bind(&SocketAddrV4::new(ip, 0).into());
    bind(GROUP).or_else(|_| bind(Ipv4Addr::UNSPECIFIED))?;
    hearing.join_multicast_v4(&GROUP, &Ipv4Addr::LOCALHOST)?;
    hearing.set_read_timeout(Some(PATIENCE))?;
    let hearing = UdpSocket::from(hearing);
    let group = SocketAddr::from((GROUP, hearing.local_addr()?.port()));

    let speaking = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    speaking.bind(&SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0).into())?;
    speaking.set_multicast_if_v4(&Ipv4Addr::LOCALHOST)?;
    // A lifetime of 0: it does not leave this machine, whatever the interface.
    speaking.set_multicast_ttl_v4(0)?;
    speaking.set_multicast_loop_v4(true)?;
    let speaking = UdpSocket::from(speaking);
    speaking.send_to(b"doctor", group)?;
    let us = speaking.local_addr()?;
    let mut buffer = [0; 16];
    loop {
        // Others may send to the same port.
        let (_, from) = hearing.recv_from(&mut buffer)?;
        if from == us {
            return Ok(());
        }
    }
}

fn judge(tried: &io::Result<()>) -> Finding {
    let Err(error) = tried else {
        return Finding::ok(text(
            format!("a datagram to {GROUP} comes back over loopback"),
            format!("发往 {GROUP} 的数据报能从环回接口收到"),
        ));
    };
    Finding::note(text(
        format!(
            "{GROUP} does not work over loopback ({}): lesson 7's nodes do not find each other",
            reason(error)
        ),
        format!("环回接口上的 {GROUP} 不通（{}）：第 7 课的节点无法互相发现", reason(error)),
    ))
    .or_try(text("name the other nodes: --peer HOST:PORT", "直接写出其他节点：--peer HOST:PORT"))
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;

    #[test]
    fn without_multicast_lesson_7_has_another_way() {
        let finding = judge(&Err(io::ErrorKind::TimedOut.into()));
        assert_eq!(finding.level, Level::Note);
        assert!(finding.tries[0].en.contains("--peer"));
        assert_eq!(judge(&Ok(())).level, Level::Ok);
    }
}
