//! Ending a server cleanly.
//!
//! A server spends its life waiting: in `accept`, in a read, in a write that its peer does not take,
//! for a datagram. To end it, somebody must not only say so but also end that wait. [`Stop`] does
//! both: it is a flag, and it wakes every thread that waits with it. How waiting for a socket *and*
//! for a stop works is in [`waker`](crate::system::waker).

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::system::waker::{AsFd, Event, Waker, Woken};

/// Says "please end now" to a server, from another thread or from Ctrl-C. Clones share one flag.
#[derive(Clone, Default)]
pub struct Stop(Arc<Inner>);

#[derive(Default)]
struct Inner {
    raised: AtomicBool,
    woken: Mutex<ToWake>,
}

/// What is to be woken when the flag goes up.
#[derive(Default)]
struct ToWake {
    /// One for all threads that wait for a socket: made when the first of them comes.
    waker: Option<Arc<Waker>>,
    next_id: u64,
    callbacks: Vec<(u64, Box<dyn FnOnce() + Send>)>,
}

impl Stop {
    /// A stop that only [`raise`](Self::raise) raises.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A stop that Ctrl-C raises (and SIGTERM, where there is one). A second Ctrl-C ends the
    /// process at once with code 130, for the case that a clean end hangs.
    ///
    /// # Errors
    /// When the process has already installed a handler: call it once.
    pub fn on_ctrl_c() -> io::Result<Self> {
        let stop = Self::new();
        let handler = stop.clone();
        ctrlc::set_handler(move || {
            if handler.is_raised() {
                std::process::exit(130);
            }
            handler.raise();
        })
        .map_err(io::Error::other)?;
        Ok(stop)
    }

    /// Raises the flag and wakes everything that waits.
    pub fn raise(&self) {
        let is_first = !self.0.raised.swap(true, Ordering::SeqCst);
        let mut woken = self.woken();
        if let Some(waker) = woken.waker.as_ref().filter(|_| is_first) {
            waker.wake();
        }
        let callbacks = std::mem::take(&mut woken.callbacks);
        drop(woken);
        for (_, callback) in callbacks {
            callback();
        }
    }

    /// Whether the server should end.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.0.raised.load(Ordering::SeqCst)
    }

    /// Waits until `socket` has something to read or to accept; `false` when this stop was raised
    /// instead, or nothing has happened for `limit`.
    ///
    /// There may be nothing any more when the caller looks: a client can be gone before it is
    /// accepted (accept(2)), a datagram can turn out to be damaged (select(2), BUGS). So let the
    /// socket not block, or give it a time limit.
    ///
    /// # Errors
    /// When the system cannot wait, for lack of memory or of descriptors.
    pub fn wait_readable(
        &self,
        socket: &impl AsFd,
        limit: impl Into<Option<Duration>>,
    ) -> io::Result<bool> {
        match self.waker()?.wait(socket, Event::READABLE, limit.into()) {
            // A signal came first (Ctrl-Z, and then `fg`): as good as nothing.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(false),
            woken => Ok(woken? == Woken::Ready),
        }
    }

    /// Calls `callback` when the stop is raised, from the thread that raises it (at once, if that
    /// has happened already): for a server that waits for something else than a socket.
    pub fn when_raised(&self, callback: impl FnOnce() + Send + 'static) -> Registration {
        let mut woken = self.woken();
        let id = woken.next_id;
        woken.next_id += 1;
        woken.callbacks.push((id, Box::new(callback)));
        drop(woken);
        // Raised between the caller's last look and now: `raise` may have missed the new callback.
        if self.is_raised() {
            self.raise();
        }
        Registration { stop: self.clone(), id }
    }

    /// What wakes those who wait for a socket.
    pub(crate) fn waker(&self) -> io::Result<Arc<Waker>> {
        let mut woken = self.woken();
        if let Some(waker) = &woken.waker {
            return Ok(Arc::clone(waker));
        }
        let waker = Arc::new(Waker::new()?);
        // `raise` sets the flag before it takes the lock that we hold: it wakes this waker, or we
        // see its flag.
        if self.is_raised() {
            waker.wake();
        }
        woken.waker = Some(Arc::clone(&waker));
        Ok(waker)
    }

    fn woken(&self) -> MutexGuard<'_, ToWake> {
        // What is in it is valid whatever panicked while holding it.
        self.0.woken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a callback of a [`Stop`] in place; dropping it takes the callback away.
#[must_use = "dropping it takes the callback away"]
pub struct Registration {
    stop: Stop,
    id: u64,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.stop.woken().callbacks.retain(|(id, _)| *id != self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_callback_is_called_once_however_often_the_stop_is_raised() {
        let (called, calls) = mpsc::channel();
        let stop = Stop::new();
        let registration = stop.when_raised(move || called.send(()).unwrap());
        stop.clone().raise();
        stop.raise();
        // The sender went with the callback.
        assert_eq!(calls.iter().count(), 1);
        drop(registration);
    }

    #[test]
    fn a_callback_that_comes_after_the_stop_is_called_at_once() {
        let (called, calls) = mpsc::channel();
        let stop = Stop::new();
        stop.raise();
        let registration = stop.when_raised(move || called.send(()).unwrap());
        assert_eq!(calls.try_recv(), Ok(()));
        drop(registration);
    }

    #[test]
    fn a_dropped_registration_is_forgotten() {
        let stop = Stop::new();
        drop(stop.when_raised(|| panic!("nobody waits for this any more")));
        stop.raise();
    }
}
