//! Many UDP datagrams with few system calls.
//!
//! A plain `send_to` or `recv_from` moves one datagram for each call into the system, and at high
//! speed the calls cost more than the copying. [`Datagrams`] moves a batch with each call where the
//! system can, and one datagram where it cannot, behind the same two names:
//!
//! ```text
//! send:     [ 1200 | 1200 | 1200 | 700 ]  one call; the system cuts the bytes into datagrams
//!             (Linux UDP_SEGMENT, udp(7); Windows UDP_SEND_MSG_SIZE)
//! receive:  one call fills several buffers (recvmmsg(2)), and each may hold datagrams
//!             of one sender that the system put back together (Linux UDP_GRO, udp(7))
//! ```
//!
//! On the network nothing changes: every datagram travels with a header of its own. The system
//! calls are made by the crate quinn-udp, which knows them for each system. A container may forbid
//! them (seccomp(2)); then each datagram is sent and received by a plain call.

use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use socket2::{Domain, SockRef, Socket, Type};

use crate::values::os_error::is_refused_call;

/// How long [`Datagrams::send`] waits for room in the send buffer.
pub const SEND_WAIT: Duration = Duration::from_millis(250);

/// Send and receive buffer asked of the system, in bytes. It may give less: by default Linux gives
/// 208 KiB (`net.core.rmem_max`), and then a fast sender overruns a slow receiver sooner.
const SYSTEM_BUFFER: usize = 4 * 1024 * 1024;

/// Bytes of a batch. With the headers it must stay below 64 KiB, or Linux cuts it up again before
/// it even reaches a network interface (`gso_max_size`, ip-link(8)), and batches are worth nothing.
const MAX_BATCH_BYTES: usize = 65_400;

/// Buffers that one call can fill.
const BUFFERS: usize = 16;

/// Bytes of one buffer: more than the largest datagram or batch, so nothing is ever cut off.
const BUFFER_BYTES: usize = 64 * 1024;

/// One wait in the system; longer ones overflow its clock on some.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// How long to wait before sending again when the network interface's queue is full, for which
/// no system has an event.
const QUEUE_PAUSE: Duration = Duration::from_millis(1);

/// Whether a connected socket sends in batches, which go out with an address: Linux takes that,
/// for the others it is an error or not promised.
const CONNECTED_BATCHES: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// A UDP socket that moves many datagrams with one system call where the system can.
///
/// Bound and connected sockets (connect(2)) both work. Only a connected one hears that nobody
/// listens at the other end (ICMP "port unreachable", RFC 1122, section 4.1.3.3); only an
/// unconnected one is sure to send in batches on every system that knows them.
pub struct Datagrams {
    socket: UdpSocket,
    /// `None` where the system does not allow what it needs.
    system: Option<UdpSocketState>,
    buffers: [Vec<u8>; BUFFERS],
    connected: bool,
    batches: AtomicBool,
}

impl Datagrams {
    /// Takes `socket` over, with large buffers in the system.
    ///
    /// The socket, and every clone of it, no longer blocks: wait with [`receive`](Self::receive).
    /// And its datagrams are never split on the way (IP's "don't fragment", RFC 8900 has the
    /// reasons): one too large for the network is refused instead, see [`is_too_large`]. (Where a
    /// container forbids the batches, that is not asked for either.)
    pub fn new(socket: UdpSocket) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let system = batching(&socket);
        if let Some(system) = &system {
            enlarge(|bytes| system.set_send_buffer_size((&socket).into(), bytes));
            enlarge(|bytes| system.set_recv_buffer_size((&socket).into(), bytes));
        } else {
            enlarge(|bytes| SockRef::from(&socket).set_send_buffer_size(bytes));
            enlarge(|bytes| SockRef::from(&socket).set_recv_buffer_size(bytes));
        }
        let connected = socket.peer_addr().is_ok();
        let buffers = std::array::from_fn(|_| vec![0; BUFFER_BYTES]);
        Ok(Self { socket, system, buffers, connected, batches: AtomicBool::new(true) })
    }

    /// The same socket where the system allows nothing but the plain calls.
    #[cfg(test)]
    fn plain(socket: UdpSocket) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let connected = socket.peer_addr().is_ok();
        let buffers = std::array::from_fn(|_| vec![0; BUFFER_BYTES]);
        let batches = AtomicBool::new(true);
        Ok(Self { socket, system: None, buffers, connected, batches })
    }

    /// The same socket with one datagram for each system call, as on a system without batches.
    #[cfg(test)]
    fn one_by_one(self) -> Self {
        Self { batches: AtomicBool::new(false), ..self }
    }

    /// The socket itself, for its addresses.
    #[must_use]
    pub fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    /// About how many bytes of datagrams the system keeps for us until we receive them; what comes
    /// on top is lost. Small datagrams fill it sooner: each costs some hundred bytes extra.
    #[cfg(test)]
    fn receive_buffer(&self) -> io::Result<usize> {
        let bytes = socket2::SockRef::from(&self.socket).recv_buffer_size()?;
        // Linux doubles what it gives, to pay for its own records (socket(7), SO_RCVBUF).
        Ok(if cfg!(target_os = "linux") { bytes / 2 } else { bytes })
    }

    /// The most datagrams of `size` bytes that go out with one system call; 1 where the system
    /// knows no batches. It may fall to 1 later, when a network interface turns out not to take
    /// them.
    #[must_use]
    pub fn max_batch(&self, size: usize) -> usize {
        match &self.system {
            Some(system) if self.has_batches() && (!self.connected || CONNECTED_BATCHES) => {
                (MAX_BATCH_BYTES / size.max(1)).clamp(1, system.max_gso_segments())
            }
            _ => 1,
        }
    }

    fn has_batches(&self) -> bool {
        self.batches.load(Ordering::Relaxed)
    }

    /// Sends `bytes` to `to` as datagrams of `size` bytes, of which only the last may be shorter,
    /// in batches of [`max_batch`](Self::max_batch). No bytes are one empty datagram. A connected
    /// socket must send to its peer.
    ///
    /// # Errors
    /// - `ConnectionRefused` (connected sockets): nobody listened when an *earlier* datagram came
    ///   there. These were sent all the same.
    /// - [`is_too_large`]: this network takes no datagrams of that size. Send smaller ones.
    /// - `WouldBlock`: the send buffer stayed full for [`SEND_WAIT`].
    /// - `InvalidInput`: datagrams of no bytes, or port 0.
    /// - Others, as the system says (no route, forbidden by a firewall).
    ///
    /// But for the first, sending ends at the batch that failed.
    pub fn send(&self, bytes: &[u8], size: usize, to: SocketAddr) -> io::Result<()> {
        if size == 0 && !bytes.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "datagrams of no bytes"));
        }
        // Anybody may claim to come from port 0. Linux would answer a batch sent there as it does
        // when it cannot send batches at all, and we would not try them again.
        if to.port() == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "port 0 is no destination"));
        }
        self.send_batches(bytes, size, to)
    }

    fn send_batches(&self, bytes: &[u8], size: usize, to: SocketAddr) -> io::Result<()> {
        let mut refused = Ok(());
        let mut rest = bytes;
        loop {
            let (batch, after) = rest.split_at(rest.len().min(self.max_batch(size) * size));
            match self.when_there_is_room(|| self.try_send(batch, size, to)) {
                // The answer to an earlier datagram took this one's place: once more.
                Err(error) if is_refusal(&error) => {
                    refused = Err(io::ErrorKind::ConnectionRefused.into());
                    self.when_there_is_room(|| self.try_send(batch, size, to))?;
                }
                // A container, or a firewall, takes no batches: from here on, one by one.
                Err(error) if batch.len() > size && is_refused_call(&error) => {
                    self.batches.store(false, Ordering::Relaxed);
                    continue;
                }
                // The interface takes none, which shows only now: the same.
                Err(_) if batch.len() > size && self.max_batch(size) == 1 => continue,
                sent => sent?,
            }
            rest = after;
            if rest.is_empty() {
                return refused;
            }
        }
    }

    /// Tries `send` until the system has room for it, but not longer than [`SEND_WAIT`].
    fn when_there_is_room(&self, mut send: impl FnMut() -> io::Result<()>) -> io::Result<()> {
        let until = Instant::now() + SEND_WAIT;
        loop {
            let error = match send() {
                Err(error) if Instant::now() < until => error,
                sent_or_late => return sent_or_late,
            };
            if error.kind() == io::ErrorKind::WouldBlock {
                self.wait_for(PollFlags::OUT, until)?;
            } else if is(&error, Errno::NOBUFS) {
                thread::sleep(QUEUE_PAUSE);
            } else if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }

    fn try_send(&self, batch: &[u8], size: usize, to: SocketAddr) -> io::Result<()> {
        // One datagram needs nobody to cut it: the plain calls are quicker, and BSD and macOS
        // refuse an address on a connected socket (EISCONN).
        let Some(system) = self.system.as_ref().filter(|_| batch.len() > size) else {
            let sent = if self.connected {
                self.socket.send(batch)
            } else {
                self.socket.send_to(batch, to)
            };
            return sent.map(drop);
        };
        let batch = Transmit {
            destination: to,
            ecn: None,
            contents: batch,
            segment_size: Some(size),
            src_ip: None,
        };
        system.try_send((&self.socket).into(), &batch)
    }

    /// Waits at most `wait` for datagrams, calls `take` with each one that is there and its
    /// sender, in the order of arrival, and returns how many: 0 when none came in time.
    ///
    /// A wait of zero only looks. The bytes are ours again when `take` returns.
    ///
    /// # Errors
    /// `ConnectionRefused` (connected sockets): nobody listened when an earlier datagram came
    /// there. The socket works on.
    pub fn receive(
        &mut self,
        wait: Duration,
        mut take: impl FnMut(&[u8], SocketAddr),
    ) -> io::Result<usize> {
        let until = Instant::now() + wait.min(LONGEST_WAIT);
        loop {
            match self.try_receive(&mut take) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if is_refusal(&error) => {
                    // Windows tells a socket with many peers, too, but not which of them it was.
                    if self.connected {
                        return Err(io::ErrorKind::ConnectionRefused.into());
                    }
                }
                received => return received,
            }
            if !self.wait_for(PollFlags::IN, until)? {
                return Ok(0);
            }
        }
    }

    fn try_receive(&mut self, take: &mut impl FnMut(&[u8], SocketAddr)) -> io::Result<usize> {
        let Some(system) = &self.system else {
            let (length, sender) = self.socket.recv_from(&mut self.buffers[0])?;
            take(&self.buffers[0][..length], sender);
            return Ok(1);
        };
        let mut about = [RecvMeta::default(); BUFFERS];
        let most = if self.has_batches() { BUFFERS } else { 1 };
        let mut buffers = self.buffers.each_mut().map(|buffer| IoSliceMut::new(buffer));
        let filled =
            system.recv((&self.socket).into(), &mut buffers[..most], &mut about[..most])?;
        let mut count = 0;
        for (buffer, about) in self.buffers.iter().zip(&about[..filled]) {
            for datagram in split(&buffer[..about.len], about.stride) {
                take(datagram, about.addr);
                count += 1;
            }
        }
        Ok(count)
    }

    /// Waits at most `wait` until there is something to receive, and says whether there is.
    ///
    /// Linux and FreeBSD wait to the microsecond (Linux adds up to 50 of its own, the thread's
    /// timer slack); the others round up to a millisecond.
    #[cfg(test)]
    fn wait_readable(&self, wait: Duration) -> io::Result<bool> {
        self.wait_for(PollFlags::IN, Instant::now() + wait.min(LONGEST_WAIT))
    }

    fn wait_for(&self, event: PollFlags, until: Instant) -> io::Result<bool> {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).map_err(io::Error::other)?;
            // A signal handler ran meanwhile (EINTR): the wait goes on for what is left of it.
            match poll(&mut [PollFd::new(&self.socket, event)], Some(&left)) {
                Err(Errno::INTR) => {}
                ready => return Ok(ready? > 0),
            }
        }
    }
}

/// What quinn-udp needs of the system for this socket, if the system allows it.
fn batching(socket: &UdpSocket) -> Option<UdpSocketState> {
    if cfg!(any(target_os = "linux", target_os = "android")) {
        // First on a socket that nobody uses: an option of several would otherwise stay set
        // (UDP_GRO), and then a plain recvfrom(2) returns datagrams that nobody can take apart.
        let domain = Domain::for_address(socket.local_addr().ok()?);
        let trial: UdpSocket = Socket::new(domain, Type::DGRAM, None).ok()?.into();
        let state = UdpSocketState::new((&trial).into()).ok()?;
        let mut buffer = [0];
        let buffers = &mut [IoSliceMut::new(&mut buffer)];
        let came = state.recv((&trial).into(), buffers, &mut [RecvMeta::default()]);
        // It has no port, so nothing can have come. Anything but "nothing" is a refusal.
        came.err().filter(|error| error.kind() == io::ErrorKind::WouldBlock)?;
    }
    UdpSocketState::new(socket.into()).ok()
}

/// Whether a datagram was refused because of its size: more than UDP can carry, or more than the
/// nearest link carries without splitting it (`EMSGSIZE`). A link further on just drops it.
#[must_use]
pub fn is_too_large(error: &io::Error) -> bool {
    is(error, Errno::MSGSIZE)
}

/// "Nobody listens there", which Windows calls a reset.
fn is_refusal(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset)
}

fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}

/// The datagrams in a buffer: `stride` bytes each, only the last may be shorter.
fn split(bytes: &[u8], stride: usize) -> impl Iterator<Item = &[u8]> {
    // `chunks` finds nothing in no bytes, but an empty datagram is one too.
    let empty = bytes.is_empty().then_some(bytes);
    empty.into_iter().chain(bytes.chunks(stride.max(1)))
}

/// Sets a buffer of the system as large as it allows: some cap a wish, others refuse it whole.
fn enlarge(set: impl Fn(usize) -> io::Result<()>) {
    let mut bytes = SYSTEM_BUFFER;
    while set(bytes).is_err() && bytes > BUFFER_BYTES {
        bytes /= 2;
    }
}

#[cfg(test)]
mod tests;
