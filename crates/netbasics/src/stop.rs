//! Ending a server cleanly.
//!
//! A server spends its life blocked in `accept`, `recv` or `recv_from`. To end it, somebody must
//! not only say so but also wake it up. [`Stop`] does both: it is a flag, and a list of things to
//! do when the flag goes up (make one last connection to a listener, shut a stream down), so that
//! every blocked call returns and every temporary file is cleaned away by its owner.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long the last connection to our own listener may take.
const WAKE_TIMEOUT: Duration = Duration::from_secs(1);

/// Says "please end now" to a server, from another thread or from Ctrl-C. Clones share one flag.
#[derive(Clone, Default)]
pub struct Stop(Arc<Inner>);

#[derive(Default)]
struct Inner {
    raised: AtomicBool,
    wakers: Mutex<Wakers>,
}

#[derive(Default)]
struct Wakers {
    next_id: u64,
    list: Vec<(u64, Box<dyn FnOnce() + Send>)>,
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
        self.0.raised.store(true, Ordering::SeqCst);
        let wakers = std::mem::take(&mut self.wakers().list);
        for (_, wake) in wakers {
            wake();
        }
    }

    /// Whether the server should end.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.0.raised.load(Ordering::SeqCst)
    }

    /// Makes `listener.accept()` return when the stop is raised, by connecting to it once.
    ///
    /// The server must look at [`is_raised`](Self::is_raised) after each `accept`. The
    /// connection is made only as long as the returned [`Waker`] lives.
    pub fn wakes(&self, listener: &TcpListener) -> io::Result<Waker> {
        let addresses = reachable(listener.local_addr()?);
        Ok(self.when_raised(move || {
            // If none works, the listener is gone already, and nobody needs to be woken.
            let mut addresses = addresses.iter();
            addresses.any(|address| TcpStream::connect_timeout(address, WAKE_TIMEOUT).is_ok());
        }))
    }

    /// Shuts `stream` down when the stop is raised, so that a thread blocked on it returns.
    ///
    /// A blocked read then returns 0, as at the end of the stream: where that matters, look at
    /// [`is_raised`](Self::is_raised). `Shutdown::Read` tells the peer nothing; with `Both` the
    /// peer reads the end of our stream.
    pub fn shuts_down(&self, stream: &TcpStream, how: Shutdown) -> io::Result<Waker> {
        let stream = stream.try_clone()?;
        Ok(self.when_raised(move || {
            let _ = stream.shutdown(how);
        }))
    }

    /// Calls `wake` when the stop is raised, from whatever thread raises it (at once, if that has
    /// happened already): for a server that waits in a way of its own, such as an event loop.
    pub fn when_raised(&self, wake: impl FnOnce() + Send + 'static) -> Waker {
        let mut wakers = self.wakers();
        let id = wakers.next_id;
        wakers.next_id += 1;
        wakers.list.push((id, Box::new(wake)));
        drop(wakers);
        // Raised between the caller's last look and now: `raise` may have missed the new waker.
        if self.is_raised() {
            self.raise();
        }
        Waker { stop: self.clone(), id }
    }

    fn wakers(&self) -> MutexGuard<'_, Wakers> {
        // The list is valid whatever panicked while holding it.
        self.0.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a wake-up of a [`Stop`] in place; dropping it takes the wake-up away.
#[must_use = "dropping it takes the wake-up away"]
pub struct Waker {
    stop: Stop,
    id: u64,
}

impl Drop for Waker {
    fn drop(&mut self) {
        self.stop.wakers().list.retain(|(id, _)| *id != self.id);
    }
}

/// The addresses at which this machine reaches a listener of its own: a wildcard (`0.0.0.0`, `::`)
/// is an address to listen on, not one to connect to. Where IPv6 is switched off, `::` can still be
/// listened on, but there is no `::1`; if the listener takes both families, it hears of 127.0.0.1.
fn reachable(address: SocketAddr) -> Vec<SocketAddr> {
    let (v4, v6) = (IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST));
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => vec![SocketAddr::new(v4, address.port())],
        IpAddr::V6(ip) if ip.is_unspecified() => {
            vec![SocketAddr::new(v6, address.port()), SocketAddr::new(v4, address.port())]
        }
        // As it is, with the zone of a link-local address.
        _ => vec![address],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::io::Read;
    use std::thread;

    #[test]
    fn raising_wakes_a_blocked_accept() {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let stop = Stop::new();
        let waker = stop.wakes(&listener).unwrap();
        let accepting = thread::spawn(move || listener.accept().map(drop));
        stop.raise();
        accepting.join().unwrap().unwrap();
        drop(waker);
    }

    #[rstest]
    #[case(Shutdown::Read)]
    #[case(Shutdown::Both)]
    fn raising_ends_a_blocked_read(#[case] how: Shutdown) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let silent_peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        let stop = Stop::new();
        let waker = stop.shuts_down(&stream, how).unwrap();
        let reading = thread::spawn(move || stream.read(&mut [0; 8]));
        stop.raise();
        assert_eq!(reading.join().unwrap().unwrap(), 0);
        drop((waker, silent_peer));
    }

    #[test]
    fn a_waker_that_comes_after_the_stop_works_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stop = Stop::new();
        stop.raise();
        let waker = stop.wakes(&listener).unwrap();
        listener.accept().unwrap();
        drop(waker);
    }

    #[test]
    fn a_dropped_waker_is_forgotten() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stop = Stop::new();
        drop(stop.wakes(&listener).unwrap());
        assert!(stop.wakers().list.is_empty());
    }
}
