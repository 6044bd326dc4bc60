//! Waiting for a socket or for the end, whichever comes first.
//!
//! poll(2) waits for several sockets at once, so one more can stand for the stop: a [`Waker`]. When a
//! [`Stop`] is raised, its waker ends every wait, from then on.
//!
//! ```text
//! poll(waker, listener)   a client came, or the stop      Stop::wait_readable, serve::connections
//! poll(waker, datagrams)  a datagram came, or the stop    Stop::wait_readable
//! poll(waker, stream)     bytes came, there is room for bytes, or the stop            Stoppable
//! ```

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;

use crate::system::stop::Stop;
use crate::system::waker::{AsFd, Event, Waker, Woken, happens_within};

/// How long a write may wait in which its peer takes nothing, when a server that
/// [finishes](Stoppable::finishing) is stopped; and how long its last words may take to arrive.
pub const LAST_WORDS: Duration = Duration::from_millis(100);

/// Why a read or write of a [`Stoppable`] has failed: its stop was raised.
#[derive(Debug)]
pub struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server is being stopped")
    }
}

impl Error for Stopped {}

/// Whether an error says [`Stopped`].
#[must_use]
pub fn is_stopped(error: &io::Error) -> bool {
    matches!(error.get_ref(), Some(inner) if inner.is::<Stopped>())
}

fn stopped() -> io::Error {
    io::Error::other(Stopped)
}

/// A stream whose reads and writes end when a [`Stop`] is raised, wherever they wait, and when
/// nothing has moved for a time limit.
///
/// The stream does not block any more: a read that finds nothing waits in poll(2), for bytes *or*
/// for the stop. A read that the stop has ended is an error and no end of the stream, so that half
/// a message is never taken for a whole one. A write fails only if it would have to wait: there are
/// last words that a stopped server may still say.
pub struct Stoppable<'a, S> {
    socket: &'a S,
    stop: &'a Stop,
    waker: Arc<Waker>,
    limit: Option<Duration>,
    finishes: bool,
}

impl<'a, S: AsFd> Stoppable<'a, S> {
    /// `socket`, which `stop` stops. Each wait is limited by `limit`, if there is one; then the
    /// error is `TimedOut`.
    ///
    /// # Errors
    /// When the system has no descriptors left for the waker.
    pub fn new(
        socket: &'a S,
        stop: &'a Stop,
        limit: impl Into<Option<Duration>>,
    ) -> io::Result<Self> {
        SockRef::from(socket).set_nonblocking(true)?;
        let (waker, limit) = (stop.waker()?, limit.into());
        Ok(Self { socket, stop, waker, limit, finishes: false })
    }

    /// Lets a stopped server finish what it is doing: what has arrived is still read, and a write
    /// goes on as long as its peer takes some of it every [`LAST_WORDS`].
    #[must_use]
    pub fn finishing(self) -> Self {
        Self { finishes: true, ..self }
    }

    /// The stream itself.
    #[must_use]
    pub fn socket(&self) -> &'a S {
        self.socket
    }

    /// # Errors
    /// [`Stopped`], if nothing more is to be read.
    pub(crate) fn check(&self) -> io::Result<()> {
        if self.stop.is_raised() && !self.finishes { Err(stopped()) } else { Ok(()) }
    }

    /// Waits until there is something to read, or until it is clear that nothing will come.
    pub(crate) fn wait_readable(&self) -> io::Result<()> {
        match self.waker.wait(self.socket, Event::READABLE, self.limit)? {
            Woken::Ready => Ok(()),
            // Both may have come while this thread was not running: what has arrived is still read.
            Woken::Stopped if self.finishes => {
                let ready = happens_within(self.socket, Event::READABLE, Duration::ZERO)?;
                if ready { Ok(()) } else { Err(stopped()) }
            }
            Woken::Stopped => Err(stopped()),
            Woken::TimedOut => Err(ErrorKind::TimedOut.into()),
        }
    }

    fn wait_writable(&self) -> io::Result<()> {
        match self.waker.wait(self.socket, Event::WRITABLE, self.limit)? {
            Woken::Ready => Ok(()),
            Woken::TimedOut => Err(ErrorKind::TimedOut.into()),
            Woken::Stopped if !self.finishes => Err(stopped()),
            Woken::Stopped => {
                let ready = happens_within(self.socket, Event::WRITABLE, LAST_WORDS)?;
                if ready { Ok(()) } else { Err(stopped()) }
            }
        }
    }
}

impl<S: AsFd> Read for &Stoppable<'_, S>
where
    for<'s> &'s S: Read,
{
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.check()?;
        let mut socket = self.socket;
        loop {
            match socket.read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.wait_readable()?,
                result => return result,
            }
        }
    }
}

impl<S: AsFd> Write for &Stoppable<'_, S>
where
    for<'s> &'s S: Write,
{
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut socket = self.socket;
        loop {
            match socket.write(bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.wait_writable()?,
                result => return result,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(()) // A socket keeps nothing back.
    }
}

#[cfg(test)]
mod tests;
