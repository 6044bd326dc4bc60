//! The client: connect, then talk and listen at the same time.

use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, IsTerminal, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use netbasics::cli::log;
use netbasics::cli::program::OutputError;
use netbasics::net::socket;
use netbasics::net::socket_error::{SocketError, is_timeout};
use netbasics::values::port::Endpoint;

/// How long the server may take to accept us, to take our bytes, and to answer our last one.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long our last words may take after the server has closed its half.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Say something to the server and print what comes back
#[derive(clap::Args)]
pub struct Options {
    /// What to say, each message as one line; without any, standard input is said line by line
    #[arg(value_name = "MESSAGE")]
    pub messages: Vec<String>,
}

/// Where the lines to say come from. The thread that says them owns it.
type Input = Box<dyn BufRead + Send>;

pub fn run(addr: &Endpoint, options: &Options) -> Result<()> {
    // A name may have several addresses, and the server only one of them.
    let stream = socket::try_each_address("connect to", addr, connect)?;
    talk(&stream, stream.peer_addr()?, input(&options.messages))
}

/// The messages as lines, or standard input if there are none.
fn input(messages: &[String]) -> Input {
    if !messages.is_empty() {
        return Box::new(Cursor::new(messages.join("\n") + "\n"));
    }
    if io::stdin().is_terminal() {
        log!("type a line and press Enter; Ctrl-D ends (on Windows: Ctrl-Z, then Enter)");
    }
    Box::new(BufReader::new(io::stdin()))
}

// listing: begin connect
fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    // socket(2) and connect(2) in one: the handshake with the server, and an error if it takes
    // too long. Our own address and port are the system's choice.
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    log!("{} is connected to {address}", stream.local_addr()?);
    // Both time limits hold for each single call, not for the conversation as a whole.
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
// listing: end connect

// listing: begin talk
/// Says all of `input` on a thread of its own and meanwhile prints what comes back.
///
/// One thread that first said everything and then listened would hang on a long text: the echo
/// fills all buffers on the way back, then the server stops reading, then our send blocks.
fn talk(stream: &TcpStream, server: SocketAddr, input: Input) -> Result<()> {
    // A thread can be joined, but not with a time limit, so its result comes through a channel.
    let (say_done, done) = mpsc::channel();
    let speaker = stream.try_clone()?;
    let speaking = thread::Builder::new()
        .name(log::thread_name("speaking"))
        .spawn(move || _ = say_done.send(speak(&speaker, server, input)))?;
    hear(stream, server, || speaking.is_finished())?;
    // The server says no more. What is still on its way out gets a moment; a person who is still
    // typing learns that nobody answers.
    match done.recv_timeout(LAST_WORDS) {
        Ok(said) => said,
        Err(_) => bail!("the server closed the connection before everything was said"),
    }
}
// listing: end talk

// listing: begin speak
/// Sends every line, then closes our half of the connection.
fn speak(stream: &TcpStream, server: SocketAddr, input: Input) -> Result<()> {
    let said = say_lines(stream, server, input);
    // shutdown(2): the server reads the end of the stream and knows that this was all; we can
    // still read. With close(2) we could not. If this fails, the connection is gone already.
    let _ = stream.shutdown(Shutdown::Write);
    said
}

fn say_lines(mut stream: &TcpStream, server: SocketAddr, mut input: Input) -> Result<()> {
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line).context("cannot read what to say")? > 0 {
        // send(2) until every byte is taken: `write_all` is Python's `sendall`.
        stream.write_all(&line).map_err(SocketError::on("send to", server))?;
        if !line.ends_with(b"\n") {
            break; // The end of the input. A terminal would forget that it was there.
        }
        line.clear();
    }
    Ok(())
}
// listing: end speak

// listing: begin hear
/// Prints what comes, as it comes, until the server has closed its half too.
fn hear(mut stream: &TcpStream, server: SocketAddr, said_all: impl Fn() -> bool) -> Result<()> {
    let mut output = log::output();
    let mut buffer = [0; 4096];
    loop {
        let was_all_said = said_all();
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => output
                .write_all(&buffer[..length])
                .and_then(|()| output.flush())
                .map_err(OutputError)?,
            // EINTR: a signal came first (Ctrl-Z, and then `fg`).
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Silence is no failure while the person is still typing.
            Err(error) if is_timeout(&error) && !was_all_said => {}
            Err(error) => return Err(SocketError::on("hear from", server)(error).into()),
        }
    }
}
// listing: end hear
