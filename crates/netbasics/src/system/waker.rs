//! The waker: what ends a wait for a socket.
//!
//! poll(2) waits for several sockets at once, so one more can stand for the stop: the "self-pipe
//! trick". A [`Waker`] is that one. When it wakes, a byte arrives there which nobody ever reads, and so
//! every wait ends, from then on.

use std::io;
#[cfg(unix)]
use std::io::Write;
use std::time::Duration;

#[cfg(unix)]
pub(crate) use std::os::fd::AsFd;
#[cfg(windows)]
pub(crate) use std::os::windows::io::AsSocket as AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

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
    pub(crate) const WRITABLE: Self = Self(PollFlags::OUT);
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

/// Whether `event` happens on `socket` within `limit`, whatever the waker says.
///
/// # Errors
/// As [`Waker::wait`].
pub(crate) fn happens_within(
    socket: &impl AsFd,
    event: Event,
    limit: Duration,
) -> io::Result<bool> {
    Ok(poll_within(&mut [PollFd::new(socket, event.0)], Some(limit))? > 0)
}

fn poll_within(waited_for: &mut [PollFd], limit: Option<Duration>) -> io::Result<usize> {
    let limit = limit.map(|limit| Timespec::try_from(limit.min(LONGEST_WAIT)));
    let limit = limit.transpose().map_err(io::Error::other)?;
    Ok(poll(waited_for, limit.as_ref())?)
}
