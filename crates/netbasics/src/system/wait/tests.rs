use super::*;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use rstest::rstest;

/// Nothing else than the stop ends a wait with this limit within the test's time.
const LONG: Duration = Duration::from_secs(3600);
/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(1);

/// Before a wait begins, or while it lasts. (If the wait has not begun by then, that is as before.)
#[derive(Clone, Copy, Debug)]
enum Raised {
    Before,
    During,
}

/// Runs `wait` on a thread of its own, raises the stop, and returns what came of the wait.
fn stopped_while<T: Send + 'static>(
    raised: Raised,
    wait: impl FnOnce(&Stop) -> T + Send + 'static,
) -> T {
    let stop = Stop::new();
    if let Raised::Before = raised {
        stop.raise();
    }
    let (tell, ended) = mpsc::channel();
    let waited_with = stop.clone();
    thread::spawn(move || tell.send(wait(&waited_with)));
    if let Raised::During = raised {
        // It must be the stop that ends the wait: nothing else does.
        assert!(matches!(ended.recv_timeout(50 * SHORT), Err(RecvTimeoutError::Timeout)));
        stop.raise();
    }
    ended.recv_timeout(PATIENCE).expect("the stop ends the wait")
}

/// Two ends of a connection.
fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (client, listener.accept().unwrap().0)
}

/// Writes until its peer's buffers and its own are full and the write fails.
fn write_all_it_takes(stream: &Stoppable<'_, TcpStream>) -> io::Error {
    let (mut stream, bytes) = (stream, vec![b'x'; 256 * 1024]);
    loop {
        if let Err(error) = stream.write(&bytes) {
            return error;
        }
    }
}

#[rstest]
fn the_stop_ends_a_wait_for_a_client(#[values(Raised::Before, Raised::During)] raised: Raised) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    assert!(!stopped_while(raised, move |stop| stop.wait_readable(&listener, None)).unwrap());
}

#[rstest]
fn the_stop_ends_a_wait_for_a_datagram(#[values(Raised::Before, Raised::During)] raised: Raised) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    assert!(!stopped_while(raised, move |stop| stop.wait_readable(&socket, LONG)).unwrap());
}

#[rstest]
fn the_stop_ends_a_read(
    #[values(Raised::Before, Raised::During)] raised: Raised,
    #[values(false, true)] finishes: bool,
) {
    let (silent_peer, stream) = pair();
    let read = move |stop: &Stop| {
        let stoppable = Stoppable { finishes, ..Stoppable::new(&stream, stop, LONG).unwrap() };
        (&stoppable).read(&mut [0; 8]).unwrap_err()
    };
    assert!(is_stopped(&stopped_while(raised, read)));
    drop(silent_peer);
}

#[rstest]
fn the_stop_ends_a_write_to_a_peer_that_does_not_read(
    #[values(Raised::Before, Raised::During)] raised: Raised,
    #[values(false, true)] finishes: bool,
) {
    let (deaf_peer, stream) = pair();
    let write = move |stop: &Stop| {
        let stoppable = Stoppable { finishes, ..Stoppable::new(&stream, stop, LONG).unwrap() };
        write_all_it_takes(&stoppable)
    };
    assert!(is_stopped(&stopped_while(raised, write)));
    drop(deaf_peer);
}

#[test]
fn a_stop_ends_every_wait_from_then_on_even_if_there_is_a_client() {
    let stop = Stop::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    assert!(stop.wait_readable(&listener, LONG).unwrap());
    stop.raise();
    assert!(!stop.wait_readable(&listener, LONG).unwrap());
    assert!(!stop.wait_readable(&listener, LONG).unwrap());
}

#[test]
fn one_stop_wakes_everybody() {
    let stop = Stop::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| assert!(!stop.wait_readable(&listener, LONG).unwrap()));
        }
        stop.raise();
    });
}

#[test]
fn a_client_is_something_to_accept() {
    let (stop, listener) = (Stop::new(), TcpListener::bind("127.0.0.1:0").unwrap());
    assert!(!stop.wait_readable(&listener, SHORT).unwrap());
    let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    assert!(stop.wait_readable(&listener, LONG).unwrap());
}

#[test]
fn an_empty_datagram_is_something_to_read() {
    let (stop, socket) = (Stop::new(), UdpSocket::bind("127.0.0.1:0").unwrap());
    assert!(!stop.wait_readable(&socket, SHORT).unwrap());
    socket.send_to(&[], socket.local_addr().unwrap()).unwrap();
    assert!(stop.wait_readable(&socket, LONG).unwrap());
}

#[test]
fn a_peer_that_is_silent_or_does_not_read_is_a_timeout() {
    let ((peer, stream), stop) = (pair(), Stop::new());
    let stoppable = Stoppable::new(&stream, &stop, SHORT).unwrap();
    let read = (&stoppable).read(&mut [0; 8]);
    assert_eq!(read.unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(write_all_it_takes(&stoppable).kind(), ErrorKind::TimedOut);
    drop(peer);
}

#[test]
fn what_arrives_is_read_and_so_is_the_end() {
    let ((mut peer, stream), stop) = (pair(), Stop::new());
    let stoppable = Stoppable::new(&stream, &stop, PATIENCE).unwrap();
    let writing = thread::spawn(move || peer.write_all(&vec![b'x'; 1_000_000]));
    let mut bytes = Vec::new();
    (&stoppable).read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len(), 1_000_000);
    writing.join().unwrap().unwrap();
}

#[test]
fn a_write_waits_for_a_slow_reader() {
    let ((mut peer, stream), stop) = (pair(), Stop::new());
    let reading = thread::spawn(move || {
        let mut bytes = Vec::new();
        peer.read_to_end(&mut bytes).map(|_| bytes.len())
    });
    let stoppable = Stoppable::new(&stream, &stop, PATIENCE).unwrap();
    (&stoppable).write_all(&vec![b'x'; 10_000_000]).unwrap();
    drop(stream);
    assert_eq!(reading.join().unwrap().unwrap(), 10_000_000);
}

/// Else a client that never pauses would keep a stopped server for as long as it likes.
#[test]
fn a_stopped_read_leaves_what_has_arrived_but_for_a_server_that_finishes() {
    let ((mut peer, stream), stop) = (pair(), Stop::new());
    peer.write_all(b"last").unwrap();
    let stoppable = Stoppable::new(&stream, &stop, PATIENCE).unwrap();
    assert_eq!((&stoppable).read(&mut [0]).unwrap(), 1);
    stop.raise();
    assert!(is_stopped(&(&stoppable).read(&mut [0; 8]).unwrap_err()));
    let finishing = stoppable.finishing();
    assert_eq!((&finishing).read(&mut [0; 8]).unwrap(), 3);
    assert!(is_stopped(&(&finishing).read(&mut [0; 8]).unwrap_err()));
}

#[test]
fn last_words_that_need_no_wait_are_said_after_the_stop() {
    let ((mut peer, stream), stop) = (pair(), Stop::new());
    stop.raise();
    let stoppable = Stoppable::new(&stream, &stop, PATIENCE).unwrap();
    (&stoppable).write_all(b"bye").unwrap();
    let mut heard = [0; 3];
    peer.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"bye");
}
