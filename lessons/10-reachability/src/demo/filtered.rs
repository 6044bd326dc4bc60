//! A port that does not answer, made without a firewall.

use std::io;
use std::net::{IpAddr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};

/// More than the queue of a listener that asked for the shortest one holds.
const CALLERS: usize = 8;

/// It is there as long as this lives.
pub struct Filtered {
    pub listener: Socket,
    _callers: Vec<Socket>,
}

// listing: begin filtered
impl Filtered {
    /// Opens a listener that never accepts, and fills the queue in which the system keeps finished
    /// handshakes until somebody accepts them (listen(2)). Then Linux and macOS drop every further
    /// SYN without a word, hoping that there is room when it is sent again; Windows refuses it.
    pub fn open(host: IpAddr) -> io::Result<Self> {
        let address = SocketAddr::new(host, 0);
        let socket =
            || Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP));
        let listener = socket()?;
        listener.bind(&address.into())?;
        // 1 and not 0: on macOS 0 means "as many as the system likes".
        listener.listen(1)?;
        let full = listener.local_addr()?;
        let mut callers = Vec::new();
        for _ in 0..CALLERS {
            let caller = socket()?;
            // connect(2) that does not wait: those that find no room would wait forever.
            caller.set_nonblocking(true)?;
            let _ = caller.connect(&full);
            callers.push(caller);
        }
        Ok(Self { listener, _callers: callers })
    }
}
// listing: end filtered
