//! A pair: a server and a client as two threads of one process.
//!
//! ```text
//! [server]  bind … announce ──────────┐ serve …                    ▲ ends
//!                                     ▼                            │
//! [client]                  waits … connect … talk … done ── stop.raise()
//! ```
//!
//! The client waits on a channel for the server's address, so it neither sleeps nor probes. When
//! the client is done, whatever its result, the server is asked to stop. When one side has ended,
//! the other one gets a little time to end too, so a failure on one side never hangs the other.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use crate::system::stop::Stop;

/// How long a server may take to get ready.
const READY_WITHIN: Duration = Duration::from_secs(10);
/// How long one side may go on after the other one has ended.
const END_WITHIN: Duration = Duration::from_secs(10);

/// What both sides of a pair came to.
#[derive(Debug)]
pub struct Outcome<S, C, E> {
    /// The server's result.
    pub server: Result<S, E>,
    /// The client's result.
    pub client: Result<C, E>,
    /// Whether the server's error only says that it had not ended in time.
    server_still_runs: bool,
}

impl<S, C, E> Outcome<S, C, E> {
    /// The client's result if both sides are well, else the error that explains more: the server's,
    /// since a client of a server that failed fails, too; but the client's own if all that is known
    /// of the server is that it still runs.
    ///
    /// # Errors
    /// When one of the sides has failed.
    pub fn into_result(self) -> Result<C, E> {
        if self.server_still_runs {
            return self.client.and_then(|client| self.server.map(|_| client));
        }
        self.server.and(self.client)
    }
}

/// What can go wrong with the pair itself, beside the two sides' own errors.
#[derive(Debug, PartialEq, Eq)]
pub enum PairError {
    /// The server ended, or took too long, before it announced itself; the client never started.
    NeverReady,
    /// This side (`server` or `client`) did not end within ten seconds of the other.
    StillRunning(&'static str),
    /// This side panicked, with this message.
    Panicked(&'static str, String),
    /// The system would not start another thread.
    NoThread(String),
}

impl fmt::Display for PairError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverReady => f.write_str("the server did not get ready, so no client started"),
            Self::StillRunning(side) => {
                write!(f, "the {side} was still running {END_WITHIN:?} after the other side ended")
            }
            Self::Panicked(side, message) => write!(f, "the {side} panicked: {message}"),
            Self::NoThread(reason) => write!(f, "the system would not start a thread: {reason}"),
        }
    }
}

impl Error for PairError {}

/// Given to the server of a pair, to say that a client can connect now.
pub struct Ready(Sender<SocketAddr>);

impl Ready {
    /// Says so on the terminal and to the waiting client: call it after `listen` or `bind`.
    pub fn announce(self, address: SocketAddr) {
        crate::log!("{}", crate::cli::ready::line(address));
        // No receiver: the client gave up waiting and the outcome says so.
        let _ = self.0.send(address);
    }
}

/// Runs `server` and `client` on threads named `[server]` and `[client]` and brings back what
/// both came to.
///
/// `server` binds, calls [`Ready::announce`] and serves until its [`Stop`] is raised (or until it
/// is done); `client` gets the announced address.
pub fn pair<S, C, E>(
    server: impl FnOnce(Ready, Stop) -> Result<S, E> + Send + 'static,
    client: impl FnOnce(SocketAddr) -> Result<C, E> + Send + 'static,
) -> Outcome<S, C, E>
where
    S: Send + 'static,
    C: Send + 'static,
    E: From<PairError> + Send + 'static,
{
    pair_within(END_WITHIN, server, client)
}

fn pair_within<S, C, E>(
    limit: Duration,
    server: impl FnOnce(Ready, Stop) -> Result<S, E> + Send + 'static,
    client: impl FnOnce(SocketAddr) -> Result<C, E> + Send + 'static,
) -> Outcome<S, C, E>
where
    S: Send + 'static,
    C: Send + 'static,
    E: From<PairError> + Send + 'static,
{
    let stop = Stop::new();
    let (ready, when_ready) = mpsc::channel();
    let (ended, one_ended) = mpsc::channel();
    let server_stop = stop.clone();
    let server = start("server", ended.clone(), move || server(Ready(ready), server_stop));
    let client = start("client", ended, move || match when_ready.recv_timeout(READY_WITHIN) {
        Ok(address) => client(address),
        Err(_) => Err(PairError::NeverReady.into()),
    });
    // An error here means that both have ended already, which is just as good.
    let _ = one_ended.recv();
    stop.raise();
    let server = server.recv_timeout(limit);
    let server_still_runs = server.is_err();
    let client = client.recv_timeout(limit);
    Outcome {
        server: result("server", server),
        client: result("client", client),
        server_still_runs,
    }
}

/// Starts one side on a thread of its own. Its result comes through the returned channel; `ended`
/// hears when it is there.
fn start<T, E>(
    side: &'static str,
    ended: Sender<()>,
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Receiver<Result<T, E>>
where
    T: Send + 'static,
    E: From<PairError> + Send + 'static,
{
    let (send_result, result) = mpsc::channel();
    let refused = send_result.clone();
    let started = thread::Builder::new().name(format!("[{side}]")).spawn(move || {
        let result = catch_unwind(AssertUnwindSafe(work))
            .unwrap_or_else(|panic| Err(PairError::Panicked(side, message(&*panic)).into()));
        // Nobody receives any more when this side was given up as still running.
        let _ = send_result.send(result);
        let _ = ended.send(());
    });
    if let Err(error) = started {
        let _ = refused.send(Err(PairError::NoThread(error.to_string()).into()));
    }
    result
}

/// The result of a side, or that it has not come in time.
fn result<T, E: From<PairError>>(
    side: &'static str,
    came: Result<Result<T, E>, RecvTimeoutError>,
) -> Result<T, E> {
    came.unwrap_or_else(|_| Err(PairError::StillRunning(side).into()))
}

/// The text of a panic, which is a `&str` or a `String` unless somebody went out of their way.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

    fn answer_one(ready: Ready) -> Result<usize> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        ready.announce(listener.local_addr()?);
        let (mut stream, _) = listener.accept()?;
        let length = stream.read(&mut [0; 16])?;
        stream.write_all(b"pong")?;
        Ok(length)
    }

    #[test]
    fn both_results_come_back() {
        let outcome: Outcome<_, _, Box<dyn Error + Send + Sync>> = pair(
            |ready, _stop| answer_one(ready),
            |address| {
                let mut stream = TcpStream::connect(address)?;
                stream.write_all(b"ping")?;
                let mut answer = String::new();
                stream.read_to_string(&mut answer)?;
                Ok(answer)
            },
        );
        assert_eq!(outcome.server.unwrap(), 4);
        assert_eq!(outcome.client.unwrap(), "pong");
    }

    #[test]
    fn a_server_that_never_gets_ready_does_not_hang_the_client() {
        let outcome: Outcome<(), (), Box<dyn Error + Send + Sync>> =
            pair(|_ready, _stop| Err("no socket today".into()), |_address| Ok(()));
        assert_eq!(outcome.server.unwrap_err().to_string(), "no socket today");
        assert_eq!(outcome.client.unwrap_err().to_string(), PairError::NeverReady.to_string());
    }

    #[test]
    fn the_error_of_a_client_is_not_hidden_by_a_server_that_still_runs() {
        let (end, wait_for_end) = mpsc::channel::<()>();
        let outcome: Outcome<(), (), Box<dyn Error + Send + Sync>> = pair_within(
            Duration::from_millis(1),
            move |ready, _stop| {
                ready.announce(([127, 0, 0, 1], 1).into());
                // Until the test has seen the outcome.
                let _ = wait_for_end.recv();
                Ok(())
            },
            |_address| Err("no such file".into()),
        );
        let still_runs = PairError::StillRunning("server").to_string();
        assert_eq!(outcome.server.as_ref().unwrap_err().to_string(), still_runs);
        // Its result was there before anybody began to wait for the server's.
        assert_eq!(outcome.into_result().unwrap_err().to_string(), "no such file");
        drop(end);
    }

    #[test]
    fn the_error_of_a_server_explains_why_no_client_started() {
        let outcome: Outcome<(), (), Box<dyn Error + Send + Sync>> =
            pair(|_ready, _stop| Err("no socket today".into()), |_address| Ok(()));
        assert_eq!(outcome.into_result().unwrap_err().to_string(), "no socket today");
    }

    #[test]
    fn a_client_that_panics_stops_the_server() {
        let outcome: Outcome<(), (), Box<dyn Error + Send + Sync>> = pair(
            |ready, stop| {
                let listener = TcpListener::bind("127.0.0.1:0")?;
                ready.announce(listener.local_addr()?);
                stop.wait_readable(&listener, None)?;
                Ok(())
            },
            |_address| panic!("dropped the phone"),
        );
        outcome.server.unwrap();
        let error = outcome.client.unwrap_err().to_string();
        assert_eq!(error, "the client panicked: dropped the phone");
    }
}
