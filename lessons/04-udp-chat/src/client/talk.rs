//! The client's talk: each message is sent again until something comes back, or it gives up.
//!
//! Whatever comes counts as the answer, for a datagram does not say what it answers. So a late
//! answer to an earlier try may be taken for the answer to the next message, and a message whose
//! *answer* was lost is said twice. Only numbers on the messages help: lesson 5 has them.

use std::io::{self, ErrorKind, Write};
use std::iter::Peekable;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};
use netbasics::cli::log;
use netbasics::cli::program::OutputError;
use netbasics::net::socket_error::{SocketError, is_timeout, is_unreachable_peer};

use super::{Messages, Options, next_message};
use crate::server::BUFFER_BYTES;

/// How often the listening thread looks whether it should end.
const TICK: Duration = Duration::from_millis(50);

/// What the listening thread tells the speaking one: something came, or why nothing can.
type News = io::Result<()>;

// listing: begin talk
/// Says everything, and meanwhile prints what comes on a thread of its own: the others in a chat
/// room do not wait until it is our turn.
///
/// # Errors
/// When the first message is not answered: then it is still to be said, perhaps at another address.
/// Everything else is in the inner result.
pub fn talk(
    socket: &UdpSocket,
    server: SocketAddr,
    messages: &mut Peekable<Messages>,
    options: &Options,
) -> io::Result<Result<()>> {
    // SO_RCVTIMEO: the listening thread must notice when everything is said and answered.
    socket.set_read_timeout(Some(TICK))?;
    let (tell, news) = mpsc::channel();
    let ended = &AtomicBool::new(false);
    thread::scope(|threads| {
        let listening = thread::Builder::new().name(log::thread_name("listening"));
        let listening = listening.spawn_scoped(threads, move || listen(socket, &tell, ended))?;
        let said = speak(socket, server, messages, &news, options);
        ended.store(true, Ordering::SeqCst);
        let heard = listening.join().unwrap_or_else(|_| Err(anyhow!("the listener panicked")));
        // What we could not print explains more than what we could not say.
        if heard.is_err() { Ok(heard) } else { said }
    })
}
// listing: end talk

// listing: begin speak
/// Says each message once something has come back for the one before. (The errors are those of
/// [`talk`].)
fn speak(
    socket: &UdpSocket,
    server: SocketAddr,
    messages: &mut Peekable<Messages>,
    news: &Receiver<News>,
    options: &Options,
) -> io::Result<Result<()>> {
    let mut is_first = true;
    loop {
        let message = match next_message(messages, server) {
            Ok(Some(message)) => message,
            Ok(None) => return Ok(Ok(())),
            Err(error) => return Ok(Err(error)),
        };
        // What came before we spoke is no answer to it.
        while news.try_recv().is_ok() {}
        match deliver(socket, message, news, options) {
            Ok(()) => messages.next(),
            Err(error) if is_first => return Err(error),
            Err(error) => return Ok(Err(SocketError::on("talk to", server)(error).into())),
        };
        is_first = false;
    }
}
// listing: end speak

// listing: begin deliver
/// Sends `message`, and again after each timeout, at most `retries` times, until something has come
/// back.
fn deliver(
    socket: &UdpSocket,
    message: &[u8],
    news: &Receiver<News>,
    options: &Options,
) -> io::Result<()> {
    for _ in 0..=options.retries {
        // send(2): the whole message as one datagram, to the address that connect has noted.
        socket.send(message).map_err(explain_refusal)?;
        match news.recv_timeout(options.timeout) {
            Ok(came) => return came.map_err(explain_refusal),
            Err(RecvTimeoutError::Timeout) => {}
            // The listening thread has ended, and its own error says why.
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
    Err(io::Error::other(no_answer(options)))
}
// listing: end deliver

fn no_answer(options: &Options) -> String {
    let times = match options.retries {
        0 => "1 try of".to_owned(),
        retries => format!("{} tries of", u64::from(retries) + 1),
    };
    let each = if options.retries > 0 { " each" } else { "" };
    format!(
        "no answer after {times} {} s{each}; UDP does not tell whether the message or the answer \
         was lost, or nobody is there",
        options.timeout.as_secs_f64(),
    )
}

/// On a connected socket the system tells us when the server's host answers that nobody has the
/// port (ICMP "port unreachable"). It calls that "connection refused", which UDP does not have.
fn explain_refusal(error: io::Error) -> io::Error {
    if is_unreachable_peer(&error) {
        return io::Error::other(
            "port unreachable; its host says that no program has that port: start the server \
             first, or check --addr",
        );
    }
    error
}

// listing: begin listen
/// Prints what comes, as it comes, each datagram as a line.
fn listen(socket: &UdpSocket, tell: &Sender<News>, ended: &AtomicBool) -> Result<()> {
    let mut output = log::output();
    let mut buffer = vec![0; BUFFER_BYTES];
    while !ended.load(Ordering::SeqCst) {
        // recv(2): one whole datagram, which may be empty. If nobody hears the news any more,
        // everything is said, and `ended` is about to be set.
        match socket.recv(&mut buffer) {
            Ok(length) => {
                print(&mut output, &buffer[..length]).map_err(OutputError)?;
                let _ = tell.send(Ok(()));
            }
            Err(error) if is_timeout(&error) || error.kind() == ErrorKind::Interrupted => {}
            Err(error) => _ = tell.send(Err(error)),
        }
    }
    Ok(())
}
// listing: end listen

fn print(output: &mut dyn Write, datagram: &[u8]) -> io::Result<()> {
    output.write_all(datagram)?;
    if !datagram.ends_with(b"\n") {
        output.write_all(b"\n")?;
    }
    output.flush()
}
