//! Opening sockets the right way on each system.
//!
//! The steps are spelled out with socket2 in lesson 2; here they stand behind plain names for
//! the lessons that follow. Every function takes anything that both resolves to addresses and
//! prints itself, so that an error can name what the person wrote.
//!
//! A name may have several addresses, of which the server has only one: `localhost` is often `::1`
//! and then 127.0.0.1. Every client therefore goes through [`try_each_address`].

use std::fmt::Display;
use std::io::{self, Read};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::net::socket_error::{SocketError, TriedAddresses, is_timeout};
use crate::system::stop::Stop;
use crate::system::wait::{LAST_WORDS, Stoppable, is_stopped};
use crate::values::exit::Usage;
use crate::values::os_error::plain;
use crate::values::port::DestinationError;

/// How many finished handshakes the system keeps for us until we `accept` them (listen(2)). More
/// clients than that at one moment are not refused, but have to knock again.
pub const BACKLOG: i32 = 1024;

/// Largest payload of one UDP datagram over IPv4, in bytes: the 65,535 of an IPv4 packet less its
/// header of 20 (RFC 791) and UDP's of 8 (RFC 768).
pub const MAX_DATAGRAM_V4: usize = 65_507;

/// Largest payload of one UDP datagram over IPv6, in bytes: the 65,535 of an IPv6 payload less
/// UDP's header of 8 (RFC 8200, section 3; RFC 768).
pub const MAX_DATAGRAM_V6: usize = 65_527;

/// Send and receive buffer of a UDP socket, in bytes, where the system allows that much: enough
/// for a few of the largest datagrams. (macOS would not even send the largest one otherwise.)
const UDP_BUFFER: usize = 256 * 1024;

/// How much of what a peer still sends is read before its connection is closed, and how long.
const DRAIN_BYTES: u64 = 64 * 1024 * 1024;
const DRAIN_TIME: Duration = Duration::from_secs(1);

/// The first address of `HOST:PORT`, asking the resolver if the host is a name: getaddrinfo(3).
pub fn resolve(address: impl ToSocketAddrs + Display) -> Result<SocketAddr, SocketError> {
    let no_address = || io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    let first = resolve_all(&address)?.first().copied();
    first.ok_or_else(no_address).map_err(SocketError::on("find the address of", &address))
}

/// All addresses of `HOST:PORT`, in the order in which the system would try them: getaddrinfo(3),
/// which sorts them by RFC 6724, section 6.
pub fn resolve_all(address: impl ToSocketAddrs + Display) -> Result<Vec<SocketAddr>, SocketError> {
    let found = address.to_socket_addrs().map_err(|error| unknown_name(&error));
    let found = found.map_err(SocketError::on("find the address of", &address))?;
    let mut addresses = Vec::new();
    for address in found {
        // A hosts file may name the same address twice.
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Ok(addresses)
}

/// All addresses of `HOST:PORT` for a client, which needs a port.
///
/// # Errors
/// When the name is unknown; a [`Usage`] when the port is 0, which asks the system for a free port
/// to *listen* on and is never used on the wire (RFC 6335, section 6).
pub fn destinations(peer: impl ToSocketAddrs + Display) -> Result<Vec<SocketAddr>, SocketError> {
    let addresses = resolve_all(&peer)?;
    if addresses.iter().any(|address| address.port() == 0) {
        let error = io::Error::new(
            io::ErrorKind::InvalidInput,
            Usage(DestinationError::PortZero.to_string()),
        );
        return Err(SocketError::on("connect to", &peer)(error));
    }
    Ok(addresses)
}

/// Calls `attempt` with each address of `peer`, one after the other, until one works; `attempt`
/// limits its own time. What it returns as `Err` only means "not this address". (To try them side by
/// side is lesson 9's topic.)
///
/// # Errors
/// `cannot DOING PEER`, with every address that was tried and why it failed.
pub fn try_each_address<T>(
    doing: &'static str,
    peer: impl ToSocketAddrs + Display,
    attempt: impl FnMut(SocketAddr) -> io::Result<T>,
) -> Result<T, SocketError> {
    let addresses = destinations(&peer)?;
    first_that_works(&peer.to_string(), &addresses, attempt).map_err(SocketError::on(doing, &peer))
}

/// Opens a TCP socket that listens on `address`: socket(2), bind(2), listen(2).
pub fn listen_tcp(address: impl ToSocketAddrs + Display) -> Result<TcpListener, SocketError> {
    open_at(&address, "listen on", |address| {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        reuse_address(&socket)?;
        only_ipv6(&socket, address)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    })
}

/// Opens a UDP socket bound to `address`: socket(2), bind(2). Bound is ready; nothing listens.
pub fn bind_udp(address: impl ToSocketAddrs + Display) -> Result<UdpSocket, SocketError> {
    open_at(&address, "bind to", |address| {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        // No address reuse: UDP has no TIME-WAIT, and two servers that share a port would each
        // get some of the datagrams.
        only_ipv6(&socket, address)?;
        enlarge_buffers(&socket);
        socket.bind(&address.into())?;
        Ok(socket.into())
    })
}

/// Connects to `address` over TCP, waiting at most `timeout` for each address it resolves to.
pub fn connect_tcp(
    address: impl ToSocketAddrs + Display,
    timeout: Duration,
) -> Result<TcpStream, SocketError> {
    try_each_address("connect to", &address, |address| {
        TcpStream::connect_timeout(&address, timeout)
    })
}

/// Opens a UDP socket that only talks with `peer`: bind(2) to a port of the system's choice,
/// connect(2). Datagrams from anybody else are dropped by the system.
///
/// That this works does not mean that anybody is there: for a name with several addresses call it
/// within [`try_each_address`], and ask.
pub fn connect_udp(peer: impl ToSocketAddrs + Display) -> Result<UdpSocket, SocketError> {
    try_each_address("send to", &peer, |peer| {
        let socket = Socket::new(Domain::for_address(peer), Type::DGRAM, Some(Protocol::UDP))?;
        enlarge_buffers(&socket);
        socket.connect(&peer.into())?;
        Ok(socket.into())
    })
}

/// Lets a restarted server have its port back at once.
///
/// After a close, the side that closed first keeps the connection in TIME-WAIT for a while, so that
/// late segments of it are not taken for those of a new one (RFC 9293, section 3.6.1), and the
/// system refuses to bind its port again. On Unix `SO_REUSEADDR` lifts that (on Linux only if the
/// earlier server had set it too). On Windows that name means something else (two programs on one port), and
/// TIME-WAIT does not stand in the way, so nothing is set.
pub fn reuse_address(socket: &Socket) -> io::Result<()> {
    if cfg!(unix) { socket.set_reuse_address(true) } else { Ok(()) }
}

/// Keeps an IPv6 socket to IPv6. Systems differ in whether `[::]` also takes IPv4 clients by
/// default (ipv6(7), `IPV6_V6ONLY`); here it never does, on any of them.
fn only_ipv6(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    if address.is_ipv6() { socket.set_only_v6(true) } else { Ok(()) }
}

/// A wish, not a condition: the system may allow less, and everything works with less.
fn enlarge_buffers(socket: &Socket) {
    let _ = socket.set_send_buffer_size(UDP_BUFFER);
    let _ = socket.set_recv_buffer_size(UDP_BUFFER);
}

/// Opens a server's socket at the first address of `name` that this machine has.
fn open_at<T>(
    name: impl ToSocketAddrs + Display,
    doing: &'static str,
    open: impl Fn(SocketAddr) -> io::Result<T>,
) -> Result<T, SocketError> {
    let addresses = resolve_all(&name)?;
    first_that_works(&name.to_string(), &addresses, open).map_err(SocketError::on(doing, &name))
}

/// Tries each of the addresses of `name`. If none works, the error names them, unless there is only
/// one and it is the name itself: then it is that address's own error.
fn first_that_works<T>(
    name: &str,
    addresses: &[SocketAddr],
    mut attempt: impl FnMut(SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let mut tried = Vec::new();
    for &address in addresses {
        match attempt(address) {
            Ok(done) => return Ok(done),
            Err(error) if addresses.len() == 1 && name == address.to_string() => return Err(error),
            Err(error) => tried.push((address, error)),
        }
    }
    Err(TriedAddresses(tried).into())
}

/// getaddrinfo(3) fails in words of its own, without a kind; they are kept, with a way out.
fn unknown_name(error: &io::Error) -> io::Error {
    let words = plain(error);
    let words = words.strip_prefix("failed to lookup address information: ").unwrap_or(&words);
    io::Error::other(format!("{words}; is the name spelt right?"))
}

/// Waits for a client or the stop, and accepts the client: poll(2), accept(2). `None` if the stop came
/// first, or the client is gone again, or a signal came.
///
/// `listener` must not block: a client may be gone between the wait and the `accept`, which then must
/// not wait for the next one.
///
/// # Errors
/// When the client could not be accepted, or the system is out of something for a moment.
pub fn accept(listener: &TcpListener, stop: &Stop) -> io::Result<Option<(TcpStream, SocketAddr)>> {
    if !stop.wait_readable(listener, None)? {
        return Ok(None);
    }
    match listener.accept() {
        Ok((stream, peer)) => {
            // Linux makes a new socket a blocking one; others make it like its listener (accept(2)).
            stream.set_nonblocking(false)?;
            Ok(Some((stream, peer)))
        }
        Err(error) if is_timeout(&error) || error.kind() == io::ErrorKind::Interrupted => Ok(None),
        Err(error) => Err(error),
    }
}

/// What a close of `stream` means from now on: a reset if `yes`, else the proper end.
///
/// `SO_LINGER` with a time of zero (socket(7)) makes close(2), and also the end of a killed
/// process, send a reset. A peer that takes the end of the stream for "complete" then sees that
/// this one was not.
pub fn reset_on_close(stream: &TcpStream, yes: bool) -> io::Result<()> {
    SockRef::from(stream).set_linger(yes.then_some(Duration::ZERO))
}

/// Closes a connection so that our last words arrive: a lingering close.
///
/// Closing a socket with unread bytes makes the system send a reset (RFC 9293, section 3.6.1), and
/// a reset may overtake what we wrote before. So: half-close our side, read what is still on its
/// way (bounded in bytes and time), then close.
pub fn lingering_close(stream: TcpStream) {
    lingering_close_within(stream, &Stop::new());
}

/// As [`lingering_close`], for a server that `stop` stops: from then on, what is still on its way
/// has only a moment left.
pub fn lingering_close_within(stream: TcpStream, stop: &Stop) {
    if stream.shutdown(Shutdown::Write).is_err() {
        return;
    }
    let read = read_the_rest(&stream, stop, DRAIN_TIME);
    if read.is_err_and(|error| is_stopped(&error)) {
        let _ = read_the_rest(&stream, &Stop::new(), LAST_WORDS);
    }
    drop(stream);
}

fn read_the_rest(stream: &TcpStream, stop: &Stop, within: Duration) -> io::Result<()> {
    let until = Instant::now() + within;
    let mut buffer = [0; 16 * 1024];
    let mut left = DRAIN_BYTES;
    loop {
        let wait = until.saturating_duration_since(Instant::now());
        let length = (&Stoppable::new(stream, stop, wait)?).read(&mut buffer)? as u64;
        if length == 0 || length > left || wait.is_zero() {
            return Ok(());
        }
        left -= length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::io::Write;
    use std::thread;

    const LIMIT: Duration = Duration::from_secs(60);

    #[rstest]
    #[case::ipv4("127.0.0.1:0")]
    #[case::ipv6("[::1]:0")]
    fn a_listener_takes_a_connection(#[case] address: &str) {
        let listener = listen_tcp(address).unwrap();
        let stream = connect_tcp(listener.local_addr().unwrap(), LIMIT).unwrap();
        let (_, peer) = listener.accept().unwrap();
        assert_eq!(peer, stream.local_addr().unwrap());
    }

    #[test]
    fn a_port_is_free_again_at_once_although_the_server_closed_first() {
        let is_free_again = || {
            let listener = listen_tcp("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            for _ in 0..20 {
                let mut client = connect_tcp(address, LIMIT).unwrap();
                let (server_side, _) = listener.accept().unwrap();
                drop(server_side);
                assert_eq!(client.read(&mut [0]).unwrap(), 0);
            }
            drop(listener);
            listen_tcp(address).is_ok()
        };
        // Somebody else may be given the port in between, but not each time.
        assert!((0..5).any(|_| is_free_again()));
    }

    #[test]
    fn a_port_in_use_is_named_with_a_way_out() {
        let listener = listen_tcp("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let message = listen_tcp(address).unwrap_err().to_string();
        assert_eq!(
            message,
            format!(
                "cannot listen on {address}: address already in use; another program has it: \
                 try --addr 127.0.0.1:0 (cargo xtask doctor tells more)"
            )
        );
    }

    #[test]
    fn a_name_that_nobody_knows_is_named_with_a_question_that_helps() {
        // A label of 64 letters is one too long (RFC 1035, section 2.3.4), so nobody is asked.
        let name = format!("{}:80", "a".repeat(64));
        let message = resolve(name.as_str()).unwrap_err().to_string();
        assert!(message.starts_with(&format!("cannot find the address of {name}: ")), "{message}");
        assert!(message.ends_with("; is the name spelt right?"), "{message}");
    }

    #[test]
    fn all_addresses_of_an_address_are_itself() {
        let address: SocketAddr = "[::1]:80".parse().unwrap();
        assert_eq!(resolve_all(address).unwrap(), [address]);
        assert!(resolve_all("localhost:80").unwrap().iter().all(|found| found.port() == 80));
    }

    /// An address where nobody listens as long as the socket lives: bind(2) without listen(2).
    fn nobody_at(any_port: &str) -> (Socket, SocketAddr) {
        let any_port: SocketAddr = any_port.parse().unwrap();
        let socket = Socket::new(Domain::for_address(any_port), Type::STREAM, None).unwrap();
        socket.bind(&any_port.into()).unwrap();
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        (socket, address)
    }

    #[rstest]
    #[case::ipv6_first("[::1]:0", "127.0.0.1:0")]
    #[case::ipv4_first("127.0.0.1:0", "[::1]:0")]
    fn an_address_where_nobody_listens_is_passed_over(#[case] nobody: &str, #[case] server: &str) {
        let (_held, nobody) = nobody_at(nobody);
        let listener = listen_tcp(server).unwrap();
        let server = listener.local_addr().unwrap();
        let connect = |address| TcpStream::connect_timeout(&address, LIMIT);
        let stream = first_that_works("a name", &[nobody, server], connect).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), server);
    }

    #[test]
    fn the_first_address_that_works_is_the_last_that_is_tried() {
        let [one, two] = [1, 2].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let mut tried = Vec::new();
        let found = first_that_works("a name", &[one, two], |address| {
            tried.push(address);
            Ok(address)
        });
        assert_eq!((found.unwrap(), tried), (one, vec![one]));
    }

    #[test]
    fn the_error_names_every_address_that_was_tried_and_why_it_failed() {
        let [one, two] = ["[::1]:8888", "127.0.0.1:8888"].map(|text| text.parse().unwrap());
        let error = first_that_works("localhost:8888", &[one, two], |address: SocketAddr| {
            let kind = if address.is_ipv6() {
                io::ErrorKind::ConnectionRefused
            } else {
                io::ErrorKind::TimedOut
            };
            Err::<(), _>(kind.into())
        });
        let error = SocketError::on("connect to", "localhost:8888")(error.unwrap_err());
        assert_eq!(
            error.to_string(),
            "cannot connect to localhost:8888: tried [::1]:8888 (connection refused) and \
             127.0.0.1:8888 (timed out); no program listens there: start the server first, or check \
             --addr"
        );
    }

    #[test]
    fn an_address_written_as_such_is_not_named_twice() {
        let (_held, nobody) = nobody_at("127.0.0.1:0");
        let message = connect_tcp(nobody, LIMIT).unwrap_err().to_string();
        assert!(message.starts_with(&format!("cannot connect to {nobody}: connection refused; ")));
    }

    #[rstest]
    #[case::tcp(|peer| connect_tcp(peer, LIMIT).map(drop))]
    #[case::udp(|peer| connect_udp(peer).map(drop))]
    fn port_0_is_wrong_usage_for_a_client(
        #[case] connect: fn(&'static str) -> Result<(), SocketError>,
    ) {
        let error = connect("127.0.0.1:0").unwrap_err();
        assert_eq!(error.to_string(), "cannot connect to 127.0.0.1:0");
        let reason = std::error::Error::source(&error).unwrap();
        assert!(reason.is::<Usage>() && reason.to_string().starts_with("port 0 is no port"));
    }

    #[test]
    fn two_udp_servers_never_share_a_port() {
        let first = bind_udp("127.0.0.1:0").unwrap();
        let second = bind_udp(first.local_addr().unwrap());
        assert_eq!(second.unwrap_err().error.kind(), io::ErrorKind::AddrInUse);
    }

    #[rstest]
    #[case::ipv4("127.0.0.1:0", MAX_DATAGRAM_V4)]
    #[case::ipv6("[::1]:0", MAX_DATAGRAM_V6)]
    fn the_largest_datagram_fits_and_one_byte_more_does_not(#[case] at: &str, #[case] max: usize) {
        let server = bind_udp(at).unwrap();
        let client = connect_udp(server.local_addr().unwrap()).unwrap();
        server.set_read_timeout(Some(LIMIT)).unwrap();
        client.send(&vec![7; max]).unwrap();
        let mut buffer = vec![0; 70_000];
        let came = loop {
            match server.recv(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                came => break came.unwrap(),
            }
        };
        assert_eq!(came, max);
        client.send(&vec![7; max + 1]).unwrap_err();
    }

    #[test]
    fn the_last_words_arrive_although_the_peer_is_still_sending() {
        let listener = listen_tcp("127.0.0.1:0").unwrap();
        let mut client = connect_tcp(listener.local_addr().unwrap(), LIMIT).unwrap();
        let (mut server_side, _) = listener.accept().unwrap();
        let sending = thread::spawn(move || {
            client.write_all(&vec![1; 8 * 1024 * 1024]).unwrap();
            client.shutdown(Shutdown::Write).unwrap();
            let mut words = String::new();
            client.read_to_string(&mut words).unwrap();
            words
        });
        server_side.write_all(b"too much").unwrap();
        lingering_close(server_side);
        assert_eq!(sending.join().unwrap(), "too much");
    }

    #[rstest]
    #[case::proper_end(false, Ok(0))]
    #[case::reset(true, Err(io::ErrorKind::ConnectionReset))]
    fn a_close_is_a_proper_end_or_a_reset(
        #[case] reset: bool,
        #[case] expected: Result<usize, io::ErrorKind>,
    ) {
        let listener = listen_tcp("127.0.0.1:0").unwrap();
        let mut client = connect_tcp(listener.local_addr().unwrap(), LIMIT).unwrap();
        let (server_side, _) = listener.accept().unwrap();
        reset_on_close(&server_side, true).unwrap();
        reset_on_close(&server_side, reset).unwrap();
        drop(server_side);
        assert_eq!(client.read(&mut [0]).map_err(|error| error.kind()), expected);
    }
}
