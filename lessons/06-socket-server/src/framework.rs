//! A small framework for servers: what `socketserver` is in Python.
//!
//! ```text
//!            Source                    Runner                      Handler
//!   ┌──────────────────────┐   ┌────────────────────┐   ┌─────────────────────────┐
//!   │ streams:   accept    │   │ inline             │   │ answer(message, peer)   │
//!   │ datagrams: recvfrom  │──►│ a thread for each  │──►│              └► answer  │
//!   └──────────────────────┘   │ a bounded pool     │   └─────────────────────────┘
//!        TCP, UDP, Unix        └────────────────────┘       yours; no socket in it
//! ```
//!
//! Three traits and one loop. A source waits for what comes, a runner decides on which thread it is
//! served, a handler answers. None of them knows the others, so that any source goes with any
//! runner and any handler.

mod address;
pub mod pool;
mod request;
pub mod runner;
pub mod source;

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail};
use netbasics::cli::{log, log_limited};
use netbasics::net::socket_error::explain;

pub use address::{Address, Location, Peer};
pub use request::{Request, Service};

/// How long to wait after an error, which may last (no free descriptors), before the next try.
const PAUSE: Duration = Duration::from_millis(50);
/// How long it may take a connection to end once it was cut.
const CUT_WITHIN: Duration = Duration::from_secs(1);

// listing: begin traits
/// What a server does: it answers messages. A message is a datagram, or a line of a stream without
/// its line feed; and so is the answer. Many threads may call it at the same time.
pub trait Handler: Send + Sync {
    /// The answer to `message`, which came from `peer`.
    fn answer(&self, message: &[u8], peer: &Peer) -> Vec<u8>;
}

/// What the four servers differ in: where requests come from.
pub trait Source: Send {
    /// The next request; `None` if there was none for a moment, so that the caller can look
    /// whether it should end. Dropping the source refuses later clients.
    fn next(&mut self) -> io::Result<Option<Request>>;
}

/// On which thread a request is served, and whether the loop goes on meanwhile.
pub trait Runner: Send {
    /// Runs `job`, now or as soon as there is a place for it. While this waits, nothing is
    /// accepted. Dropping the runner waits for nothing: what it has taken is still run.
    fn run(&self, job: Job);
}

/// One request, to be served on whatever thread.
pub type Job = Box<dyn FnOnce() + Send>;
// listing: end traits

// listing: begin accept
/// The one loop of all four servers: take the next request, have it run, look whether to end.
fn accept_all(
    mut source: Box<dyn Source>,
    runner: &dyn Runner,
    service: &Arc<Service>,
    running: &Sender<Infallible>,
) {
    while !service.stop.is_raised() {
        match source.next() {
            Ok(Some(request)) => {
                let (service, running) = (Arc::clone(service), running.clone());
                runner.run(Box::new(move || {
                    service.attend(request);
                    drop(running);
                }));
            }
            Ok(None) => {}
            // A client that is gone already, or no free descriptors: no reason to end.
            Err(error) => {
                log_limited!("cannot take the next request just now: {}", explain(&error));
                thread::sleep(PAUSE);
            }
        }
    }
    // `source` is dropped here: the listening socket is closed, the socket file is removed. What is
    // running goes on.
}
// listing: end accept

// listing: begin serve
/// Serves until `service.stop` is raised. Then nobody new is let in, what is running may go on for
/// `grace`, and what is still running after that is cut.
pub fn serve(
    source: Box<dyn Source>,
    runner: Box<dyn Runner>,
    service: Service,
    grace: Duration,
) -> Result<()> {
    let service = Arc::new(service);
    let (tell, told_to_stop) = mpsc::channel();
    let _registration = service.stop.when_raised(move || _ = tell.send(()));
    // Nothing is ever sent here. The loop and every request hold a sender, and when the last of
    // them is dropped, the channel is closed: then all is done.
    let (running, all_done) = mpsc::channel::<Infallible>();
    // The loop has a thread of its own, so that this one can keep the time even if the loop runs
    // requests itself and is in the middle of one.
    let accepting = Arc::clone(&service);
    thread::Builder::new()
        .name(log::thread_name("accepting"))
        .spawn(move || accept_all(source, &*runner, &accepting, &running))?;
    // An error would mean that nobody can raise the stop any more.
    let _ = told_to_stop.recv();
    if all_done.recv_timeout(grace) == Err(RecvTimeoutError::Disconnected) {
        return Ok(());
    }
    // No connection gets another answer. A handler that computes cannot be stopped from outside; it
    // ends with the process.
    service.cut.raise();
    let _ = all_done.recv_timeout(CUT_WITHIN);
    bail!("not every request was finished within {grace:?}, and the rest was cut: see --grace")
}
// listing: end serve
