//! With datagrams: each message is one, and so is each answer.

use std::io::{self, ErrorKind::Interrupted};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use netbasics::net::socket;
use netbasics::net::socket_error::{SocketError, is_timeout, is_unreachable_peer};
use netbasics::net::unix::{self, Mailbox, SocketFile};
use netbasics::system::stop::{Registration, Stop};
use netbasics::values::port::Endpoint;

use super::Server;
use crate::framework::source::BUFFER_BYTES;
use crate::target;

/// How often a datagram is sent over UDP, the first time included, before we give up.
const TRIES: u32 = 4;

// listing: begin udp
/// A socket that talks with one server. Lesson 4 says what is lost, why we send again, and how a
/// late answer may then be taken for the next one.
pub struct Udp {
    server: Endpoint,
    timeout: Duration,
    /// Connected to the address of the server that has answered.
    socket: Option<UdpSocket>,
}

pub fn over_udp(server: Endpoint, timeout: Duration) -> Udp {
    Udp { server, timeout, socket: None }
}

impl Server for Udp {
    fn ask(&mut self, message: &[u8]) -> Result<Vec<u8>> {
        let Self { server, timeout, socket } = self;
        if let Some(socket) = socket {
            let answer = ask_over(socket, message, *timeout);
            return answer.map_err(|error| SocketError::on("talk to", server)(error).into());
        }
        // A name may have several addresses. Where the first message is answered, the server is.
        let (answer, found) = socket::try_each_address("talk to", &*server, |address| {
            let socket = socket::connect_udp(address).map_err(|failed| failed.error)?;
            socket.set_read_timeout(Some(*timeout / TRIES))?;
            Ok((ask_over(&socket, message, *timeout)?, socket))
        })?;
        *socket = Some(found);
        Ok(answer)
    }
}

fn ask_over(socket: &UdpSocket, message: &[u8], timeout: Duration) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; BUFFER_BYTES];
    for _ in 0..TRIES {
        match socket.send(message).and_then(|_| socket.recv(&mut buffer)) {
            Ok(length) => return Ok(buffer[..length].to_vec()),
            Err(error) if is_timeout(&error) || error.kind() == Interrupted => {}
            Err(error) if is_unreachable_peer(&error) => {
                return Err(io::Error::other(
                    "port unreachable; its host says that no program has that port: start the \
                     server first, or check --addr",
                ));
            }
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other(format!(
        "no answer to {TRIES} tries in {timeout:?}; UDP does not tell whether something was lost, \
         or the server is busy, or gave no answer"
    )))
}
// listing: end udp

// listing: begin local
/// A socket file that talks with another one. Nothing is lost between them, so nothing is repeated.
pub struct Local {
    mailbox: Mailbox,
    server: PathBuf,
    timeout: Duration,
    _file: Arc<SocketFile>,
    _registration: Registration,
}

/// To be answered, a client needs an address as well; so this binds a file of its own.
pub fn between_files(server: &Path, timeout: Duration, stop: &Stop) -> Result<Local> {
    let folder = target::folder()?;
    let bound = Mailbox::temporary(&folder);
    let (mailbox, file) = bound.map_err(SocketError::on("bind to a file in", folder.display()))?;
    mailbox.set_time_limits(timeout, timeout)?;
    // Ctrl-C ends a client at once, as always; but a file would stay.
    let file = Arc::new(file);
    let left_behind = Arc::clone(&file);
    let registration = stop.when_raised(move || {
        left_behind.remove();
        process::exit(130);
    });
    Ok(Local {
        mailbox,
        server: server.to_owned(),
        timeout,
        _file: file,
        _registration: registration,
    })
}

impl Server for Local {
    fn ask(&mut self, message: &[u8]) -> Result<Vec<u8>> {
        let (server, timeout) = (unix::address(&self.server), self.timeout);
        self.mailbox.send_to(message, &self.server).map_err(SocketError::on("send to", &server))?;
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            match self.mailbox.receive_from(&mut buffer) {
                Ok((length, Some(sender))) if sender == self.server => {
                    return Ok(buffer[..length].to_vec());
                }
                Ok(_) => {} // A stranger, who may write to our file as well.
                Err(error) if error.kind() == Interrupted => {} // A signal came first.
                Err(error) if is_timeout(&error) => bail!(
                    "no answer from {server} within {timeout:?}; our message is in its queue or \
                     was taken: the server is busy, or gave no answer"
                ),
                Err(error) => return Err(SocketError::on("hear from", &server)(error).into()),
            }
        }
    }
}
// listing: end local
