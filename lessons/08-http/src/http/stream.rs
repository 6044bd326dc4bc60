//! A connection, with or without TLS, on which no wait lasts forever.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use netbasics::net::socket;
use netbasics::system::stop::Stop;
use netbasics::system::wait::Stoppable;
use rustls::{ClientConnection, ConnectionCommon, ServerConnection, StreamOwned};

/// How long an answer that is being sent may go on after Ctrl-C.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A TCP stream with a time limit for each wait and a point in time at which all waiting ends.
pub struct Timed {
    tcp: TcpStream,
    /// The longest single wait, where nothing else is said.
    wait: Duration,
    /// When reading ends, whatever came meanwhile: one byte a second must not keep a thread busy
    /// for hours.
    read_until: Option<Instant>,
    stop: Stop,
    write_until: Option<Instant>,
}

impl Timed {
    pub fn new(tcp: TcpStream, wait: Duration, stop: Stop) -> io::Result<Self> {
        // A head and a body are two writes; the second must not wait for the first one's ACK.
        tcp.set_nodelay(true)?;
        Ok(Self { tcp, wait, read_until: None, stop, write_until: None })
    }

    /// The stream, no wait of which lasts longer than `wait`, nor goes on when the server stops; but
    /// what has arrived by then is still read.
    fn stoppable(&self, wait: Duration) -> io::Result<Stoppable<'_, TcpStream>> {
        Ok(Stoppable::new(&self.tcp, &self.stop, wait)?.finishing())
    }

    fn close(self) {
        socket::lingering_close_within(self.tcp, &self.stop);
    }

    /// From now on, reading ends after `limit` in total; with `None` only single waits are limited.
    pub fn limit_reading(&mut self, limit: Option<Duration>) {
        self.read_until = limit.map(|limit| Instant::now() + limit);
    }
}

// listing: begin timed
impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.read_until.map(|until| until.saturating_duration_since(Instant::now()));
        let wait = left.unwrap_or(self.wait);
        if wait.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        (&self.stoppable(wait)?).read(buffer)
    }
}
// listing: end timed

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // After Ctrl-C an answer may be finished, but a slow reader is not waited for.
        if self.stop.is_raised() {
            let now = Instant::now();
            if now >= *self.write_until.get_or_insert(now + LAST_WORDS) {
                return Err(io::Error::other("this server ends, and the client has not taken all"));
            }
        }
        (&self.stoppable(self.wait)?).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(()) // A socket keeps nothing back.
    }
}

/// The same bytes with and without TLS: HTTP does not notice the difference.
pub enum Stream {
    Plain(Timed),
    TlsServer(Box<StreamOwned<ServerConnection, Timed>>),
    TlsClient(Box<StreamOwned<ClientConnection, Timed>>),
}

impl Stream {
    /// As [`Timed::limit_reading`].
    pub fn limit_reading(&mut self, limit: Option<Duration>) {
        match self {
            Self::Plain(timed) => timed.limit_reading(limit),
            Self::TlsServer(tls) => tls.sock.limit_reading(limit),
            Self::TlsClient(tls) => tls.sock.limit_reading(limit),
        }
    }

    /// Ends the connection so that the last words arrive. Under TLS the end is a message of its
    /// own, `close_notify` (RFC 9846, section 6.1), which nobody on the way can forge.
    pub fn close(self) {
        match self {
            Self::Plain(timed) => timed.close(),
            Self::TlsServer(mut tls) => {
                tls.conn.send_close_notify();
                send_last_words(&mut tls.conn, &mut tls.sock);
                tls.sock.close();
            }
            Self::TlsClient(mut tls) => {
                tls.conn.send_close_notify();
                send_last_words(&mut tls.conn, &mut tls.sock);
                tls.sock.close();
            }
        }
    }
}

/// Sends what TLS has left to say, without listening any more.
pub fn send_last_words<S>(tls: &mut ConnectionCommon<S>, to: &mut Timed) {
    while tls.wants_write() && tls.write_tls(to).is_ok_and(|sent| sent > 0) {}
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(timed) => timed.read(buffer),
            Self::TlsServer(tls) => tls.read(buffer),
            Self::TlsClient(tls) => tls.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(timed) => timed.write(bytes),
            Self::TlsServer(tls) => tls.write(bytes),
            Self::TlsClient(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(timed) => timed.flush(),
            Self::TlsServer(tls) => tls.flush(),
            Self::TlsClient(tls) => tls.flush(),
        }
    }
}
