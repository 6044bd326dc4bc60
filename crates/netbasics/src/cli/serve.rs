//! Loops of servers that say on the log what goes wrong with one client, which ends nothing else.

use std::fmt::Display;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::Duration;

use crate::net::socket_error::SocketError;
use crate::net::{socket, udp};
use crate::system::stop::Stop;
use crate::{log, log_limited};

/// How long to wait before the next `accept` when the system is out of something.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The connections of a listener, one by one, until `stop` is raised.
///
/// A client that is gone before we get to it, or a system that is out of descriptors for a
/// moment (accept(2)), ends nothing: it is logged, and the next connection is awaited.
///
/// # Errors
/// When the system has no descriptors left to wait with.
pub fn connections<'a>(
    listener: &'a TcpListener,
    stop: &'a Stop,
) -> io::Result<impl Iterator<Item = (TcpStream, SocketAddr)> + 'a> {
    // The wait is poll's.
    listener.set_nonblocking(true)?;
    stop.waker()?;
    Ok(std::iter::from_fn(move || {
        while !stop.is_raised() {
            match socket::accept(listener, stop) {
                Ok(Some(connection)) => return Some(connection),
                Ok(None) => {}
                Err(error) => pause_after(&error),
            }
        }
        None
    }))
}

/// What to do when `accept` fails: say so and, as the reason may last (no free descriptors), give
/// the other threads a moment to finish instead of asking again at once.
pub fn pause_after(error: &io::Error) {
    log!("cannot accept a connection just now: {error}");
    thread::sleep(ACCEPT_PAUSE);
}

/// Passes each datagram and its sender to `answer` and sends back what that returns, until the
/// process is killed.
///
/// What goes wrong with one datagram (a full disk, a sender that is gone) is logged, and ends
/// nothing else.
///
/// # Errors
/// When the socket itself fails. It never returns `Ok`.
pub fn datagrams<E: Display>(
    socket: &UdpSocket,
    mut answer: impl FnMut(&[u8], SocketAddr) -> Result<Option<Vec<u8>>, E>,
) -> Result<(), SocketError> {
    let mut buffer = vec![0; udp::BUFFER_BYTES];
    loop {
        let Some((length, sender)) = udp::receive_from(socket, &mut buffer)? else { continue };
        match answer(&buffer[..length], sender) {
            Ok(None) => {}
            Ok(Some(answer)) => send_back(socket, &answer, sender),
            Err(error) => log_limited!("cannot take a datagram from {sender}: {error:#}"),
        }
    }
}

fn send_back(socket: &UdpSocket, answer: &[u8], sender: SocketAddr) {
    if let Err(error) = socket.send_to(answer, sender) {
        log_limited!("cannot answer {sender}: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    use crate::net::socket::listen_tcp;
    use crate::net::udp::tests::{at_last, bound, connected_to};

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn raising_the_stop_ends_the_connections() {
        let listener = listen_tcp("127.0.0.1:0").unwrap();
        let stop = Stop::new();
        let ends = thread::spawn({
            let stop = stop.clone();
            move || connections(&listener, &stop).unwrap().count()
        });
        stop.raise();
        assert_eq!(ends.join().unwrap(), 0);
    }

    fn answer(client: &UdpSocket) -> Vec<u8> {
        at_last(|| udp::receive_within(client, LONG).unwrap())
    }

    #[test]
    fn an_answer_goes_to_its_sender_and_a_failure_ends_nothing() {
        let server = bound();
        let client = connected_to(server.local_addr().unwrap());
        // It serves until the test's process ends.
        thread::spawn(move || {
            datagrams(&server, |datagram, _| match datagram {
                b"fail" => Err("as asked"),
                b"hush" => Ok(None),
                _ => Ok(Some(datagram.repeat(2))),
            })
        });
        for datagram in [b"fail".as_slice(), b"hush", b"", b"ab"] {
            udp::send(&client, datagram).unwrap();
        }
        assert_eq!(answer(&client), b"");
        assert_eq!(answer(&client), b"abab");
    }

    #[test]
    fn a_sender_that_is_gone_ends_nothing() {
        let server = bound();
        let address = server.local_addr().unwrap();
        thread::spawn(move || {
            datagrams(&server, |_, _| Ok::<_, Infallible>(Some(b"hello".to_vec())))
        });
        for _ in 0..3 {
            udp::send(&connected_to(address), b"gone").unwrap();
        }
        let client = connected_to(address);
        udp::send(&client, b"still there?").unwrap();
        assert_eq!(answer(&client), b"hello");
    }
}
