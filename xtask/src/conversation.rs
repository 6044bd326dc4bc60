//! One server program, one client program: two threads, one for each.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use grader::plain::plain;
use netlab::program::{CAN_INTERRUPT, Running, Server, StartError, poll};

/// How long a server may take to say that it listens.
const READY_LIMIT: Duration = Duration::from_secs(10);
/// How long a client may take for all it has to do.
const CLIENT_LIMIT: Duration = Duration::from_secs(120);
/// How long a server may take to end once it was interrupted.
const END_LIMIT: Duration = Duration::from_secs(10);
/// How long the last lines of a program that has ended may be on their way to us.
const DRAIN_LIMIT: Duration = Duration::from_secs(1);

/// Says one line of our own between the lines of the two programs.
pub fn say(line: &str) {
    print_line("[xtask]", line);
}

/// Runs both programs and shows what they say while they say it: the client as soon as the
/// server listens, and the server until the client has ended.
///
/// # Errors
/// When either does not do its part, or not in time. Neither is left running.
pub fn hold(
    server: &mut Command,
    client: impl FnOnce(SocketAddr) -> Result<Command> + Send,
) -> Result<()> {
    watch_for_ctrl_c();
    let (ready, address) = mpsc::channel();
    let (client_lives, client_ended) = mpsc::channel();
    let (serving, talking) = thread::scope(|scope| {
        let server = scope.spawn(move || serve(server, &ready, &client_ended));
        let client = scope.spawn(move || meet(client, &address, client_lives));
        (join(server), join(client))
    });
    match (serving, talking) {
        (Err(server), Err(client)) => bail!("{server:#}; {client:#}"),
        (serving, talking) => serving.and(talking),
    }
}

/// The server's thread.
fn serve(command: &mut Command, ready: &Sender<SocketAddr>, client: &Receiver<()>) -> Result<()> {
    let show = |line: &str| print_line("[server]", line);
    let mut server = Server::start_watched(command, READY_LIMIT, show).map_err(in_one_line)?;
    // The client's thread waits for this; should it be gone, `client` is closed too.
    let _ = ready.send(server.address());
    // Nothing is ever sent here: the channel closes when the client has ended.
    let _ = client.recv();
    if let Some(status) = server.ended() {
        bail!("the server ended ({status}) before anybody asked it to");
    }
    let Some(status) = server.interrupt(END_LIMIT) else {
        bail!("the server did not end within {} s of Ctrl-C", END_LIMIT.as_secs());
    };
    server.drain(DRAIN_LIMIT);
    if CAN_INTERRUPT && !status.success() {
        bail!("after Ctrl-C the server should end with code 0; it ended with {status}");
    }
    Ok(())
}

/// The client's thread. Dropping `_lives` at its end tells the server's thread.
fn meet(
    client: impl FnOnce(SocketAddr) -> Result<Command>,
    server: &Receiver<SocketAddr>,
    _lives: Sender<()>,
) -> Result<()> {
    // Without a server there is nobody to talk to, and the server's thread says why.
    server.recv().map_or(Ok(()), |address| talk(&mut client(address)?))
}

fn talk(command: &mut Command) -> Result<()> {
    let show = |line: &str| print_line("[client]", line);
    let mut client = Running::start(command, show)?;
    let is_over = || client.ended().map(Some).or_else(|| was_interrupted().then_some(None));
    match poll(CLIENT_LIMIT, is_over) {
        None => bail!("the client did not end within {} s", CLIENT_LIMIT.as_secs()),
        Some(None) => bail!("ended by Ctrl-C"),
        Some(Some(status)) => {
            client.drain(DRAIN_LIMIT);
            if status.success() { Ok(()) } else { bail!("the client ended with {status}") }
        }
    }
}

/// A program's lines were shown when they came; its error need not repeat them.
fn in_one_line(error: StartError) -> StartError {
    match error {
        StartError::Ended(status, _) => StartError::Ended(status, String::new()),
        StartError::NotReady(limit, _) => StartError::NotReady(limit, String::new()),
        StartError::NotBound(port, limit, _) => StartError::NotBound(port, limit, String::new()),
        other @ (StartError::NotStarted(..) | StartError::Misprinted(..)) => other,
    }
}

fn join(thread: ScopedJoinHandle<'_, Result<()>>) -> Result<()> {
    thread.join().unwrap_or_else(|_| Err(anyhow!("a thread of xtask panicked")))
}

/// The programs may pass on what a stranger has sent, and here a terminal shows it.
fn print_line(label: &str, line: &str) {
    // If nobody reads us any more (`| head`), the two programs still deserve a clean end.
    let _ = writeln!(io::stdout().lock(), "{label} {}", plain(line));
}

/// Where the lines of somebody else go, with a label; each is printed when it is flushed.
pub struct Labelled {
    label: &'static str,
    line: Vec<u8>,
}

impl Labelled {
    pub fn new(label: &'static str) -> Self {
        Self { label, line: Vec::new() }
    }
}

impl Write for Labelled {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.line.is_empty() {
            print_line(self.label, String::from_utf8_lossy(&self.line).trim_end());
            self.line.clear();
        }
        Ok(())
    }
}

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

fn was_interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// The two programs run in process groups of their own: Ctrl-C at the terminal reaches only us,
/// and it is for us to end them.
fn watch_for_ctrl_c() {
    static HANDLER: Once = Once::new();
    HANDLER.call_once(|| {
        // If this fails, Ctrl-C ends us at once, as it would have without it.
        let _ = ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::SeqCst));
    });
}
