//! A UDP socket that receives and sends many datagrams with one system call where the system can
//! (`recvmmsg(2)`, `UDP_GRO` and `UDP_SEGMENT` of `udp(7)`), and one by one elsewhere.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use socket2::{Domain, Socket, Type};

use super::delay_queue::Run;

/// What a socket may hold before we look; the system may give less.
const SOCKET_BYTES: usize = 4 << 20;
/// Larger than any datagram, and than what the system gives at once.
const BUFFER_BYTES: usize = 1 << 16;
/// How long we leave a socket alone that takes no more.
pub(super) const PAUSE: Duration = Duration::from_millis(1);

pub(super) struct Port {
    socket: UdpSocket,
    state: UdpSocketState,
}

/// Buffers that a port fills.
pub(super) struct Inbox {
    buffers: Vec<Vec<u8>>,
    metas: [RecvMeta; BATCH_SIZE],
}

/// Datagrams that came from one place in one buffer.
pub(super) struct Arrival<'a> {
    pub(super) from: SocketAddr,
    /// Which of our addresses they were sent to, if the system says.
    pub(super) to: Option<IpAddr>,
    bytes: &'a [u8],
    segment: usize,
}

impl Port {
    pub(super) fn open(address: SocketAddr, registry: &Registry, token: Token) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
        // More room is better, less is no error.
        let _ = socket.set_recv_buffer_size(SOCKET_BYTES);
        let _ = socket.set_send_buffer_size(SOCKET_BYTES);
        socket.bind(&address.into())?;
        let state = batching(&socket, address)?;
        socket.set_nonblocking(true)?;
        let mut socket = UdpSocket::from_std(socket.into());
        registry.register(&mut socket, token, Interest::READABLE)?;
        Ok(Self { socket, state })
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Fills the inbox with what has come; an error of the kind `WouldBlock` if nothing has.
    pub(super) fn receive(&self, inbox: &mut Inbox) -> io::Result<usize> {
        let Inbox { buffers, metas } = inbox;
        let mut slices: Vec<_> = buffers.iter_mut().map(|b| IoSliceMut::new(b)).collect();
        let sock = || UdpSockRef::from(&self.socket);
        self.socket.try_io(|| self.state.recv(sock(), &mut slices, metas))
    }

    /// Sends a run from our address `from`, and says in an error of the kind `WouldBlock` that the
    /// system takes no more now: then the run holds what is left. Every other error is the
    /// network's: the datagram is lost, as it might be anywhere.
    pub(super) fn send(
        &self,
        run: &mut Run,
        to: SocketAddr,
        from: Option<IpAddr>,
    ) -> io::Result<()> {
        if run.datagrams > 1 && self.state.max_gso_segments() >= run.datagrams {
            match self.transmit(&run.bytes, Some(run.segment), to, from) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(error),
                Err(_) => {} // not all together: the network's packets may be smaller
            }
        }
        let mut sent = 0;
        let full = |datagram: &[u8]| match self.transmit(datagram, None, to, from) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Some(error),
            _ => {
                sent += 1;
                None
            }
        };
        let full = run.each().find_map(full);
        full.map_or(Ok(()), |error| {
            run.split_front(sent);
            Err(error)
        })
    }

    fn transmit(
        &self,
        contents: &[u8],
        segment_size: Option<usize>,
        destination: SocketAddr,
        src_ip: Option<IpAddr>,
    ) -> io::Result<()> {
        let transmit = Transmit { destination, ecn: None, contents, segment_size, src_ip };
        self.socket.try_io(|| self.state.try_send(UdpSockRef::from(&self.socket), &transmit))
    }

    pub(super) fn close(&mut self, registry: &Registry) {
        let _ = registry.deregister(&mut self.socket);
    }
}

/// Asks the system to batch.
///
/// `quinn-udp` also forbids fragmentation, which QUIC wants and a relay must not: a datagram that
/// passes without us must pass through us. With IPv4 that can be taken back. With IPv6 it cannot,
/// so there another socket is asked what the system can do, and ours receives in smaller batches.
fn batching(socket: &Socket, address: SocketAddr) -> io::Result<UdpSocketState> {
    if address.is_ipv4() {
        let state = UdpSocketState::new(UdpSockRef::from(socket))?;
        #[cfg(target_os = "linux")]
        rustix::net::sockopt::set_ip_mtu_discover(
            socket,
            rustix::net::sockopt::Ipv4PathMtuDiscovery::DONT,
        )?;
        return Ok(state);
    }
    let other = std::net::UdpSocket::bind((Ipv6Addr::LOCALHOST, 0))?;
    UdpSocketState::new(UdpSockRef::from(&other))
}

impl Inbox {
    pub(super) fn new() -> Self {
        let buffers = vec![vec![0; BUFFER_BYTES]; BATCH_SIZE];
        Self { buffers, metas: [RecvMeta::default(); BATCH_SIZE] }
    }

    pub(super) fn arrivals(&self, count: usize) -> impl Iterator<Item = Arrival<'_>> {
        self.buffers.iter().zip(&self.metas).take(count).map(|(buffer, meta)| Arrival {
            from: meta.addr,
            to: meta.dst_ip,
            bytes: &buffer[..meta.len],
            segment: meta.stride,
        })
    }
}

impl<'a> Arrival<'a> {
    /// The datagrams, each with how many bytes are left, its own included.
    pub(super) fn datagrams(&self) -> impl Iterator<Item = (&'a [u8], usize)> + use<'a> {
        let (bytes, segment) = (self.bytes, self.segment.max(1));
        let count = bytes.len().div_ceil(segment).max(1);
        (0..count).map(move |number| {
            let rest = &bytes[number * segment..];
            (&rest[..rest.len().min(segment)], rest.len())
        })
    }
}
