//! The event loop: wait until a socket is ready or a time has come, then let the carrier work.
//!
//! One thread carries everything. `mio` says which sockets are ready (edge-triggered: only once,
//! until they have been found empty), and a timer wakes it for what waits in a queue.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mio::{Events, Poll, Token};

use super::timer::{SystemTimer, Timer};

/// Wakes the event loop to check for shutdown.
pub(super) const WAKER: Token = Token(0);
/// The timer.
pub(super) const TIMER: Token = Token(1);
/// The socket that clients come to.
pub(super) const FRONT: Token = Token(2);
/// The first token of a connection.
pub(super) const FIRST: usize = 3;

const EVENTS_AT_ONCE: usize = 1024;

/// When the carrier wants its next turn, if no socket becomes ready before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// There is more to do already.
    Now,
    /// At a time since the relay was started.
    At(Duration),
    /// Only when a socket is ready.
    Ready,
}

impl Next {
    /// The earliest of some times, if any.
    pub(super) fn earliest(times: impl IntoIterator<Item = Option<Duration>>) -> Self {
        times.into_iter().flatten().min().map_or(Self::Ready, Self::At)
    }
}

/// What carries bytes from one side to the other.
pub(super) trait Carrier {
    /// Time since the relay was started.
    fn now(&self) -> Duration;
    /// Something may have happened to a socket.
    fn ready(&mut self, token: Token);
    /// Does what there is to do without waiting, but not forever.
    fn turn(&mut self) -> Next;
}

/// Runs until told to end, or until the system's poll itself fails.
pub(super) fn run(mut poll: Poll, mut carrier: impl Carrier, ended: &AtomicBool) -> io::Result<()> {
    let mut timer = SystemTimer::new(poll.registry(), TIMER)?;
    let mut events = Events::with_capacity(EVENTS_AT_ONCE);
    while !ended.load(Ordering::SeqCst) {
        let wait = match carrier.turn() {
            Next::Now => Some(Duration::ZERO),
            Next::Ready => None,
            Next::At(at) => match at.checked_sub(carrier.now()) {
                None => Some(Duration::ZERO),
                Some(wait) => timer.set(at, wait)?,
            },
        };
        match poll.poll(&mut events, wait) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        let sockets =
            events.iter().map(mio::event::Event::token).filter(|token| token.0 >= FRONT.0);
        sockets.for_each(|token| carrier.ready(token));
    }
    Ok(())
}
