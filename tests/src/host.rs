//! The test as the server of a client under test: over TCP.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use netlab::port::small_segments;
use netlab::record::Transport;
use socket2::{Domain, Socket, Type};

use crate::client::{Client, is_timeout};
use crate::patience::{Silence, Wait, patience};
use crate::shared::Shared;
use crate::step_log::Difference;

/// Clients that may wait to be accepted.
const BACKLOG: i32 = 128;
/// How often to look for a client, and whether the program still runs.
const LOOK: Duration = Duration::from_millis(5);

/// A server that the test plays. Nobody can connect any more once it is dropped.
#[derive(Debug)]
pub struct Host {
    shared: Shared,
    listener: TcpListener,
    address: SocketAddr,
}

impl Host {
    pub(crate) fn listen(shared: Shared, receive_buffer: Option<usize>) -> io::Result<Self> {
        Self::on(shared, bind(Ipv4Addr::LOCALHOST.into(), receive_buffer)?)
    }

    pub(crate) fn listen_at(shared: Shared, ip: IpAddr) -> io::Result<Self> {
        Self::on(shared, bind(ip, None)?)
    }

    pub(crate) fn listen_narrowly(shared: Shared, receive_buffer: usize) -> io::Result<Self> {
        let socket = bind(Ipv4Addr::LOCALHOST.into(), Some(receive_buffer))?;
        small_segments(&socket)?;
        Self::on(shared, socket)
    }

    fn on(shared: Shared, socket: Socket) -> io::Result<Self> {
        socket.listen(BACKLOG)?;
        let host = Self::of(shared, socket.into())?;
        host.shared.step(format!("the test's server listens on {}", host.address));
        Ok(host)
    }

    /// A host at a socket that listens already.
    pub(crate) fn of(shared: Shared, listener: TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self { shared, listener, address })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection from the program under test.
    ///
    /// # Panics
    /// When the system gives no socket; that is no failure of the program.
    #[must_use]
    pub fn accept(&self) -> Client {
        let address = self.address;
        self.shared
            .step(format!("the test's server {address} accepts a connection of your program"));
        match self.wait_for_a_client() {
            Ok((stream, client)) => self.accepted(stream, client),
            Err(error) if is_timeout(&error) => self.shared.fail(Difference::timeout(format!(
                "your program has not connected to {address} within {:?}",
                patience()
            ))),
            Err(error) => panic!("the test's server cannot accept: {error}"),
        }
    }

    /// A connection that the program under test has opened within `time`, if it has.
    #[must_use]
    pub fn accept_within(&self, time: Duration) -> Option<Client> {
        let address = self.address;
        self.shared
            .step(format!("the test's server {address} accepts a connection if there is one"));
        let silence = Silence::begin(&self.shared, time);
        loop {
            let is_last = silence.left().is_none();
            match self.listener.accept() {
                Ok((stream, client)) => return Some(self.accepted(stream, client)),
                Err(_) if is_last => return None,
                Err(_) => thread::sleep(LOOK),
            }
        }
    }

    fn accepted(&self, stream: TcpStream, client: SocketAddr) -> Client {
        let line = self.shared.line_of_host(Transport::Tcp, client, self.address);
        Client::accepted(self.shared.clone(), line, stream)
    }

    /// Expects that nobody connects, for as long as `time`.
    pub fn expect_nobody(&self, time: Duration) {
        let address = self.address;
        self.shared.step(format!("the test's server {address} expects no (further) connection"));
        let silence = Silence::begin(&self.shared, time);
        while silence.left().is_some() {
            match self.listener.accept() {
                Ok(_) if !silence.is_broken() => return,
                Ok(_) => self.shared.fail(Difference::fail(format!(
                    "your program has connected to {address}, where it should not (or not yet)"
                ))),
                Err(_) => thread::sleep(LOOK),
            }
        }
    }

    fn wait_for_a_client(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let wait = Wait::begin(&self.shared);
        loop {
            // Seen before the last look: a client may connect, send and end before we accept.
            let is_last = wait.left().is_none() || self.shared.program_has_ended();
            match self.listener.accept() {
                Err(error) if is_timeout(&error) && !is_last => thread::sleep(LOOK),
                accepted => return accepted,
            }
        }
    }
}

/// An address of the test's at which nobody listens yet, so that a client that connects is refused.
/// It is the test's nevertheless: no other program can be given it meanwhile.
#[derive(Debug)]
pub struct Reserved {
    shared: Shared,
    socket: Socket,
    address: SocketAddr,
}

impl Reserved {
    pub(crate) fn bind(shared: Shared, ip: IpAddr) -> io::Result<Self> {
        let socket = bind(ip, None)?;
        let address = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::Unsupported)?;
        shared.step(format!("nobody listens on {address}"));
        Ok(Self { shared, socket, address })
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on, the test listens there.
    ///
    /// # Panics
    /// When the system does not let it; that is no failure of the program.
    #[must_use]
    pub fn listen(self) -> Host {
        let Self { shared, socket, address } = self;
        shared.step(format!("the test's server listens on {address} from now on"));
        let host = socket.listen(BACKLOG).and_then(|()| Host::of(shared, socket.into()));
        host.unwrap_or_else(|error| panic!("the test's server cannot listen: {error}"))
    }
}

/// A small receive buffer has to be asked for before listening: what TCP may send first follows
/// from it (socket(7), tcp(7)). Accepted sockets inherit it.
fn bind(ip: IpAddr, receive_buffer: Option<usize>) -> io::Result<Socket> {
    let address = SocketAddr::from((ip, 0));
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if let Some(bytes) = receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}
