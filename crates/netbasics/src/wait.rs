//! Waiting for a socket or for the end, whichever comes first.
//!
//! poll(2) waits for several sockets at once, so one more can stand for the stop: the "self-pipe
//! trick". A [`Waker`] is that one. When a [`Stop`] is raised, a byte arrives there which nobody ever
//! reads, and so every wait ends, from then on.
//!
//! ```text
//! poll(waker, listener)   a client came, or the stop      Stop::wait_readable, socket::connections
//! poll(waker, datagrams)  a datagram came, or the stop    Stop::wait_readable
//! poll(waker, stream)     bytes came, there is room for bytes, or the stop            Stoppable
//! ```

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::time::Duration;

#[cfg(unix)]
pub(crate) use std::os::fd::AsFd;
#[cfg(windows)]
pub(crate) use std::os::windows::io::AsSocket as AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::SockRef;

use crate::stop::Stop;

/// How long a write may wait in which its peer takes nothing, when a server that
/// [finishes](Stoppable::finishing) is stopped; and how long its last words may take to arrive.
pub const LAST_WORDS: Duration = Duration::from_millis(100);

/// One wait in the system; longer ones overflow its clock on some.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// One end of the self-pipe. No network is needed: this works without a loopback interface.
#[cfg(unix)]
type End = std::os::unix::net::UnixStream;
/// One end of the self-pipe. poll of Windows (`WSAPoll`) takes nothing but sockets, and Windows has
/// no socketpair(2). A UDP socket that talks to itself does the same; loopback is a part of the
/// system there, and no interface that could be down.
#[cfg(not(unix))]
type End = std::net::UdpSocket;

/// Wakes all threads that wait with it, once and for all.
pub struct Waker {
    receiver: End,
    sender: End,
}

/// What is waited for on a socket.
#[derive(Clone, Copy)]
pub(crate) struct Event(PollFlags);

impl Event {
    pub(crate) const READABLE: Self = Self(PollFlags::IN);
    const WRITABLE: Self = Self(PollFlags::OUT);
}

/// Why a wait has ended.
#[derive(Debug, PartialEq)]
pub(crate) enum Woken {
    /// What was waited for has happened; or the socket has failed, which the next call tells.
    Ready,
    Stopped,
    TimedOut,
}

impl Waker {
    #[cfg(unix)]
    pub(crate) fn new() -> io::Result<Self> {
        let (receiver, sender) = End::pair()?;
        Ok(Self { receiver, sender })
    }

    #[cfg(not(unix))]
    pub(crate) fn new() -> io::Result<Self> {
        let receiver = End::bind((std::net::Ipv4Addr::LOCALHOST, 0))?;
        receiver.connect(receiver.local_addr()?)?;
        let sender = receiver.try_clone()?;
        Ok(Self { receiver, sender })
    }

    /// Ends every wait, from now on.
    pub(crate) fn wake(&self) {
        #[cfg(unix)]
        // The buffer has room: this writes once, or twice if the stop is raised meanwhile.
        let _ = (&self.sender).write(b"!");
        #[cfg(not(unix))]
        let _ = self.sender.send(b"!");
    }

    /// poll(2): waits for `event` on `socket`, for the stop, or for the end of `limit`.
    ///
    /// # Errors
    /// `Interrupted` when a signal came first; else when the system cannot wait.
    pub(crate) fn wait(
        &self,
        socket: &impl AsFd,
        event: Event,
        limit: Option<Duration>,
    ) -> io::Result<Woken> {
        let mut waited_for =
            [PollFd::new(&self.receiver, PollFlags::IN), PollFd::new(socket, event.0)];
        poll_within(&mut waited_for, limit)?;
        Ok(if !waited_for[0].revents().is_empty() {
            Woken::Stopped
        } else if !waited_for[1].revents().is_empty() {
            Woken::Ready
        } else {
            Woken::TimedOut
        })
    }
}

fn poll_within(waited_for: &mut [PollFd], limit: Option<Duration>) -> io::Result<usize> {
    let limit = limit.map(|limit| Timespec::try_from(limit.min(LONGEST_WAIT)));
    let limit = limit.transpose().map_err(io::Error::other)?;
    Ok(poll(waited_for, limit.as_ref())?)
}

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
                let mut waited_for = [PollFd::new(self.socket, Event::READABLE.0)];
                let ready = poll_within(&mut waited_for, Some(Duration::ZERO))?;
                if ready > 0 { Ok(()) } else { Err(stopped()) }
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
                let mut waited_for = [PollFd::new(self.socket, Event::WRITABLE.0)];
                let ready = poll_within(&mut waited_for, Some(LAST_WORDS))?;
                if ready > 0 { Ok(()) } else { Err(stopped()) }
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
