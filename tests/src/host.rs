//! The test as the server of a client under test: over TCP.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use netlab::record::Transport;
use socket2::{Domain, Socket, Type};

use crate::client::{Client, is_timeout};
use crate::desk::Desk;
use crate::patience::{Wait, patience};
use crate::story::Difference;

/// Clients that may wait to be accepted.
const BACKLOG: i32 = 128;
/// How often to look for a client, and whether the program still runs.
const LOOK: Duration = Duration::from_millis(5);

/// A server that the test plays. Nobody can connect any more once it is dropped.
#[derive(Debug)]
pub struct Host {
    desk: Desk,
    listener: TcpListener,
    address: SocketAddr,
}

impl Host {
    pub(crate) fn listen(desk: Desk, receive_buffer: Option<usize>) -> io::Result<Self> {
        let listener = listen(receive_buffer)?;
        let address = listener.local_addr()?;
        desk.step(format!("the test's server listens on {address}"));
        Ok(Self { desk, listener, address })
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
        self.desk.step("the test's server accepts a connection of your program");
        match self.wait_for_a_client() {
            Ok((stream, client)) => {
                let line = self.desk.line_of_host(Transport::Tcp, client, self.address);
                Client::accepted(self.desk.clone(), line, stream)
            }
            Err(error) if is_timeout(&error) => self.desk.fail(Difference::timeout(format!(
                "your program has not connected within {:?}",
                patience()
            ))),
            Err(error) => panic!("the test's server cannot accept: {error}"),
        }
    }

    /// Expects that nobody connects, for as long as `time`.
    pub fn expect_nobody(&self, time: Duration) {
        self.desk.step("the test's server expects no further connection");
        let until = std::time::Instant::now() + time;
        while std::time::Instant::now() < until {
            match self.listener.accept() {
                Ok(_) => self.desk.fail(Difference::fail("your program has connected once more")),
                Err(_) => thread::sleep(LOOK),
            }
        }
    }

    fn wait_for_a_client(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let wait = Wait::begin(&self.desk);
        loop {
            // Seen before the last look: a client may connect, send and end before we accept.
            let is_last = wait.left().is_none() || self.desk.program_has_ended();
            match self.listener.accept() {
                Err(error) if is_timeout(&error) && !is_last => thread::sleep(LOOK),
                accepted => return accepted,
            }
        }
    }
}

/// A small receive buffer has to be asked for before listening: what TCP may send first follows
/// from it (socket(7), tcp(7)). Accepted sockets inherit it.
fn listen(receive_buffer: Option<usize>) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    if let Some(bytes) = receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}
