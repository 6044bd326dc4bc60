//! The relay: what a client talks to in place of the server.
//!
//! ```text
//! client ──► relay ──► server
//!        ◄──       ◄──
//! ```
//!
//! It shapes, breaks and remembers what passes, as [`Conditions`] say. One thread carries
//! everything; if it dies, programs on both sides see what they see when a connection is cut, and
//! nothing else happens.

mod chunks;
mod clients;
mod counts;
mod delay_queue;
mod event_loop;
mod flow;
mod monitor;
mod pair;
mod port;
mod shared_link;
mod splice;
mod stream_faults;
mod tcp;
mod timer;
mod udp;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use mio::net::TcpListener;
use mio::{Poll, Waker};
use socket2::{Domain, Socket, Type};

use self::counts::Counters;
pub use self::counts::{Counts, Tally};
use self::event_loop::{Carrier, WAKER};
use self::monitor::Monitor;
use self::tcp::TcpCarrier;
use self::udp::UdpCarrier;
use crate::conditions::Conditions;
use crate::record::{Recorder, Transport};

/// Clients that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// A running relay; dropping it ends it and closes its connections.
pub struct Relay {
    address: SocketAddr,
    counters: Arc<Counters>,
    ended: Arc<AtomicBool>,
    waker: Waker,
    /// A bound socket that does not listen: a client that connects to it is refused by the system.
    _refuses: Option<Socket>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    /// Starts a relay in front of `server`, on this computer only and on a port of the system's
    /// choice.
    ///
    /// # Errors
    ///
    /// When the conditions cannot be, or the system gives no socket.
    pub fn start(
        transport: Transport,
        server: SocketAddr,
        conditions: Conditions,
        recorder: Option<Box<dyn Recorder>>,
    ) -> io::Result<Self> {
        let ip: IpAddr = match server {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        };
        Self::start_at((ip, 0).into(), transport, server, conditions, recorder)
    }

    /// Starts a relay that clients find at `listen`.
    ///
    /// # Errors
    ///
    /// As [`Relay::start`], and when the address is not ours or is taken.
    #[allow(clippy::needless_pass_by_value)] // a relay's conditions are its own
    pub fn start_at(
        listen: SocketAddr,
        transport: Transport,
        server: SocketAddr,
        conditions: Conditions,
        recorder: Option<Box<dyn Recorder>>,
    ) -> io::Result<Self> {
        conditions.check()?;
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let counters = Arc::<Counters>::default();
        let monitor = Monitor::new(Arc::clone(&counters), recorder);
        let registry = poll.registry().try_clone()?;
        match transport {
            Transport::Udp => {
                let carrier = UdpCarrier::open(listen, server, &conditions, registry, monitor)?;
                let address = carrier.address()?;
                Self::run(poll, carrier, waker, address, counters)
            }
            Transport::Tcp => {
                let socket = bind_tcp(listen)?;
                let address = socket.local_addr()?.as_socket().unwrap_or(listen);
                if conditions.refuse {
                    let ended = Arc::default();
                    return Ok(Self {
                        address,
                        counters,
                        ended,
                        waker,
                        _refuses: Some(socket),
                        thread: None,
                    });
                }
                socket.listen(BACKLOG)?;
                let listener = TcpListener::from_std(socket.into());
                let carrier = TcpCarrier::new(listener, server, &conditions, registry, monitor)?;
                Self::run(poll, carrier, waker, address, counters)
            }
        }
    }

    fn run(
        poll: Poll,
        carrier: impl Carrier + Send + 'static,
        waker: Waker,
        address: SocketAddr,
        counters: Arc<Counters>,
    ) -> io::Result<Self> {
        let ended = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&ended);
        let thread = thread::Builder::new().name("relay".into()).spawn(move || {
            if let Err(error) = event_loop::run(poll, carrier, &end) {
                eprintln!("the relay at {address} ended: {error}");
            }
        })?;
        Ok(Self { address, counters, ended, waker, _refuses: None, thread: Some(thread) })
    }

    /// Where clients go in place of the server.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The numbers so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counters.counts()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = self.waker.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic of its own is not ours
        }
    }
}

fn bind_tcp(listen: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(listen), Type::STREAM, None)?;
    // The same port again at once; on Windows the option means something else.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&listen.into())?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
