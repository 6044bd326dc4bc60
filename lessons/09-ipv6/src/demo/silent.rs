//! An address that does not answer, on a machine where nothing gets lost.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

/// Within one machine a handshake takes no time at all: after this it is not going to happen.
const NO_ANSWER: Duration = Duration::from_millis(100);
/// How short we would like the queue of finished handshakes to be. (Some systems take 0 for "as long
/// as you like".)
const BACKLOG: i32 = 1;
/// How many clients we expect to find room in it at most.
const MOST_IN_QUEUE: usize = 16;

/// A listener that accepts nobody, and whose queue of finished handshakes is full: what comes then is
/// dropped without a word, as a firewall would drop it (listen(2)). Windows refuses it instead.
pub struct Silent {
    address: SocketAddr,
    /// The listener, and the clients that keep its queue full.
    _held: Option<(Socket, Vec<TcpStream>)>,
}

impl Silent {
    pub fn open(host: IpAddr) -> io::Result<Self> {
        let any_port = SocketAddr::new(host, 0);
        let listener =
            Socket::new(Domain::for_address(any_port), Type::STREAM, Some(Protocol::TCP))?;
        listener.bind(&any_port.into())?;
        listener.listen(BACKLOG)?;
        let address = listener.local_addr()?.as_socket().ok_or(io::ErrorKind::Unsupported)?;
        let handshakes =
            (0..MOST_IN_QUEUE).map(|_| TcpStream::connect_timeout(&address, NO_ANSWER));
        let queue: Vec<TcpStream> = handshakes.map_while(Result::ok).collect();
        // A queue that takes them all would not be silent. Without its listener the address refuses
        // at least.
        let held = (queue.len() < MOST_IN_QUEUE).then_some((listener, queue));
        Ok(Self { address, _held: held })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
