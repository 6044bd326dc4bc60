//! The client: all addresses of a name, a connection to the first that answers, and a short talk.

pub mod connect;
pub mod eyeballs;

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};
use netbasics::cli::log;
use netbasics::cli::program::{self, OutputError};
use netbasics::net::socket;
use netbasics::net::socket_error::SocketError;
use netbasics::values::port::Endpoint;

use crate::family::text;
use eyeballs::{CLOSEST_STARTS, Settings};

/// How long the server may be silent, or not take what we say.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connect to the first address of a name that answers, say something, and print what comes back
#[derive(clap::Args)]
pub struct Options {
    /// What to say, each message as one line; without any, only the greeting is printed
    #[arg(value_name = "MESSAGE")]
    pub messages: Vec<String>,
    /// An address to try, in place of those of --addr's name; may be given several times
    #[arg(long = "candidate", value_name = "HOST:PORT")]
    pub candidates: Vec<Endpoint>,
    /// How long an attempt is alone before the next one starts: 0.01 to 2
    #[arg(long, value_name = "SECONDS", default_value = "0.25", value_parser = attempt_delay)]
    pub attempt_delay: Duration,
    /// How long all attempts together may take
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = program::seconds)]
    pub timeout: Duration,
}

/// RFC 8305, section 5: not below 10 ms, and it should not be above 2 s.
fn attempt_delay(text: &str) -> Result<Duration, String> {
    let delay = program::seconds(text).map_err(|error| error.to_string())?;
    let range = CLOSEST_STARTS..=Duration::from_secs(2);
    if range.contains(&delay) {
        Ok(delay)
    } else {
        Err("attempts start between 0.01 and 2 seconds apart (RFC 8305, section 5)".to_owned())
    }
}

// listing: begin run
pub fn run(addr: &Endpoint, options: &Options) -> Result<()> {
    // getaddrinfo(3) asks for the addresses of both families and answers once, when it has both.
    if options.candidates.is_empty() {
        return meet(&addr.to_string(), &socket::destinations(addr)?, options);
    }
    let mut addresses = Vec::new();
    for candidate in &options.candidates {
        addresses.extend(socket::destinations(candidate)?);
    }
    meet("any candidate", &addresses, options)
}
// listing: end run

/// Connects to the first of `addresses` that answers, and talks.
pub fn meet(name: &str, addresses: &[SocketAddr], options: &Options) -> Result<()> {
    let settings = Settings {
        attempt_delay: options.attempt_delay,
        give_up: options.timeout,
        ..Settings::default()
    };
    let stream = connect::connect(name, addresses, settings)?;
    talk(&stream, stream.peer_addr()?, &options.messages)
}

/// Says everything on a thread of its own and meanwhile prints what comes; lesson 2 has the reason.
fn talk(stream: &TcpStream, server: SocketAddr, messages: &[String]) -> Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    thread::scope(|threads| {
        let speaking = thread::Builder::new().name(log::thread_name("speaking"));
        let speaking = speaking.spawn_scoped(threads, || speak(stream, messages))?;
        hear(stream, server)?;
        let said = speaking.join().map_err(|_| anyhow!("the speaking thread panicked"))?;
        said.map_err(|error| SocketError::on("send to", text(server))(error).into())
    })
}

/// Each message as a line; then the end of the stream, so that the server ends, too.
fn speak(mut stream: &TcpStream, messages: &[String]) -> io::Result<()> {
    for message in messages {
        stream.write_all(format!("{message}\n").as_bytes())?;
    }
    stream.shutdown(Shutdown::Write)
}

/// Prints what comes, until the server has closed its half.
fn hear(mut stream: &TcpStream, server: SocketAddr) -> Result<()> {
    let mut output = log::output();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => output
                .write_all(&buffer[..length])
                .and_then(|()| output.flush())
                .map_err(OutputError)?,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(SocketError::on("hear from", text(server))(error).into()),
        }
    }
}
