//! The client's talk: each message is sent again until something comes back, or it gives up.
//!
//! Whatever comes counts as the answer, for a datagram does not say what it answers. So a late
//! answer to an earlier try may be taken for the answer to the next message, and a message whose
//! *answer* was lost is said twice. Only numbers on the messages help: lesson 5 has them.

use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Error, Result, anyhow, bail};
use netbasics::program::OutputError;
use netbasics::say;
use netbasics::trouble::{Trouble, is_timeout, is_unreachable_peer};

use super::{Options, check_size, input};
use crate::server::BUFFER_BYTES;

/// How often the listening thread looks whether it should end.
const TICK: Duration = Duration::from_millis(50);

/// What the listening thread tells the speaking one: something came, or why nothing can.
type News = io::Result<()>;

// listing: begin talk
/// Says everything, and meanwhile prints what comes on a thread of its own: the others in a chat
/// room do not wait until it is our turn.
pub fn talk(socket: &UdpSocket, server: SocketAddr, options: &Options) -> Result<()> {
    // SO_RCVTIMEO: the listening thread must notice when everything is said and answered.
    socket.set_read_timeout(Some(TICK))?;
    let (tell, news) = mpsc::channel();
    let ended = &AtomicBool::new(false);
    thread::scope(|threads| {
        let listening = thread::Builder::new().name(say::thread_name("listening"));
        let listening = listening.spawn_scoped(threads, move || listen(socket, &tell, ended))?;
        let said = speak(socket, server, &news, options);
        ended.store(true, Ordering::SeqCst);
        let heard = listening.join().map_err(|_| anyhow!("the listening thread panicked"))?;
        heard.and(said)
    })
}
// listing: end talk

// listing: begin speak
/// Says each message once something has come back for the one before.
fn speak(
    socket: &UdpSocket,
    server: SocketAddr,
    news: &Receiver<News>,
    options: &Options,
) -> Result<()> {
    for message in input(&options.messages) {
        let message = message.context("cannot read standard input")?;
        check_size(message.len(), server)?;
        // What came before we spoke is no answer to it.
        while news.try_recv().is_ok() {}
        let answered = deliver(socket, &message, news, options);
        if !answered.map_err(|error| cannot_talk(server, error))? {
            bail!(no_answer(server, options));
        }
    }
    Ok(())
}
// listing: end speak

// listing: begin deliver
/// Sends `message`, and again after each timeout, at most `retries` times; `false` if nothing has
/// come back by then.
fn deliver(
    socket: &UdpSocket,
    message: &[u8],
    news: &Receiver<News>,
    options: &Options,
) -> io::Result<bool> {
    for _ in 0..=options.retries {
        // send(2): the whole message as one datagram, to the address that connect has noted.
        socket.send(message)?;
        match news.recv_timeout(options.timeout) {
            Ok(came) => return came.map(|()| true),
            Err(RecvTimeoutError::Timeout) => {}
            // The listening thread has ended, and its own error says why.
            Err(RecvTimeoutError::Disconnected) => return Ok(true),
        }
    }
    Ok(false)
}
// listing: end deliver

fn no_answer(server: SocketAddr, options: &Options) -> String {
    let times = match options.retries {
        0 => "1 try of".to_owned(),
        retries => format!("{} tries of", u64::from(retries) + 1),
    };
    let each = if options.retries > 0 { " each" } else { "" };
    format!(
        "no answer from {server} after {times} {} s{each}; UDP does not tell whether the message \
         or the answer was lost, or nobody is there",
        options.timeout.as_secs_f64(),
    )
}

/// On a connected socket the system tells us when the server's host answers that nobody has the
/// port (ICMP "port unreachable"). It calls that "connection refused", which UDP does not have.
fn cannot_talk(server: SocketAddr, error: io::Error) -> Error {
    if is_unreachable_peer(&error) {
        return anyhow!(
            "cannot talk to {server}: port unreachable; its host says that no program has that \
             port: start the server first, or check --addr"
        );
    }
    Trouble::on("talk to", server)(error).into()
}

// listing: begin listen
/// Prints what comes, as it comes, each datagram as a line.
fn listen(socket: &UdpSocket, tell: &Sender<News>, ended: &AtomicBool) -> Result<()> {
    let mut output = say::output();
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
