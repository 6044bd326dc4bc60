//! What the acts of the demo need: a server and clients as threads.

use std::convert::Infallible;
use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use netbasics::cli::{log, ready};
use netbasics::system::stop::Stop;

use crate::client;
use crate::framework::{self, Address, Handler, Request, Runner, Service, Source, source};
use crate::target::{self, Target};

/// Longer than anything here takes.
pub const LIMIT: Duration = Duration::from_secs(10);
const BACKLOG: u16 = 128;

/// Runs `work` on a thread whose lines carry `label`.
pub fn labelled(label: &str, work: impl FnOnce() -> Result<()> + Send) -> Result<()> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().name(label.to_owned()).spawn_scoped(scope, work)?;
        thread.join().unwrap_or_else(|_| bail!("{label} panicked"))
    })
}

/// A client that says one word, on a thread of its own.
pub struct Client(JoinHandle<Result<()>>);

pub fn client(label: &str, target: &Target, word: &str) -> Result<Client> {
    let (target, options) =
        (target.clone(), client::Options { messages: vec![word.to_owned()], timeout: LIMIT });
    let talk = move || {
        let asked = client::ask_all(&target, &options, &Stop::new());
        asked.inspect_err(|error| log!("{error:#}"))
    };
    Ok(Client(thread::Builder::new().name(label.to_owned()).spawn(talk)?))
}

impl Client {
    /// Waits for its end, which its time limits bring about.
    pub fn join(self) -> Result<()> {
        self.0.join().unwrap_or_else(|_| bail!("a client panicked"))
    }
}

/// A server on a thread of its own.
pub struct Show {
    /// Where it really is.
    pub target: Target,
    stop: Stop,
    closed: Receiver<Infallible>,
    serving: JoinHandle<Result<()>>,
}

impl Show {
    /// Starts a server and waits until clients can come.
    pub fn start(
        target: &Target,
        handler: impl Handler + 'static,
        runner: impl FnOnce(&Stop) -> io::Result<Box<dyn Runner>> + Send + 'static,
    ) -> Result<Self> {
        let stop = Stop::new();
        let (announce, announced) = mpsc::channel();
        let (open, closed) = mpsc::channel();
        let service = Service {
            handler: Box::new(handler),
            idle: LIMIT,
            stop: stop.clone(),
            cut: Stop::new(),
        };
        let mut real = target.clone();
        let target = target.clone();
        let serve = move || {
            let bound = target::open(&target, BACKLOG)?;
            let runner = runner(&service.stop)?;
            log!("{}", ready::line(&bound.address));
            let _ = announce.send(bound.address);
            let source = source::of(bound.socket, bound.file, &service.stop)?;
            framework::serve(Box::new(Watched { source, _open: open }), runner, service, LIMIT)
        };
        let serving = thread::Builder::new().name("[server]".to_owned()).spawn(serve)?;
        match announced.recv() {
            Ok(Address::Internet(address)) => real.addr = Some(address.into()),
            Ok(Address::File(path)) => real.path = Some(path),
            // It has ended before it was ready, and says why.
            Err(_) => {
                return Err(join(serving).err().unwrap_or(anyhow!("the server ended at once")));
            }
        }
        Ok(Self { target: real, stop, closed, serving })
    }

    /// Does what Ctrl-C does.
    pub fn stop(&self) {
        self.stop.raise();
    }

    /// Waits until nobody can connect any more.
    pub fn wait_until_closed(&self) -> Result<()> {
        match self.closed.recv_timeout(LIMIT) {
            Err(RecvTimeoutError::Disconnected) => Ok(()),
            _ => bail!("the server still listens {LIMIT:?} after it was told to end"),
        }
    }

    /// Tells it to end, if nobody has yet, and waits until it has.
    pub fn end(self) -> Result<()> {
        self.stop();
        join(self.serving)
    }
}

fn join(serving: JoinHandle<Result<()>>) -> Result<()> {
    serving.join().unwrap_or_else(|_| bail!("the server panicked"))
}

/// A source that tells when it is dropped.
struct Watched {
    source: Box<dyn Source>,
    /// After `source`, as fields are dropped in their order.
    _open: Sender<Infallible>,
}

impl Source for Watched {
    fn next(&mut self) -> io::Result<Option<Request>> {
        self.source.next()
    }
}
