//! Over a stream: each message is a line, and so is each answer.

use std::io::{self, BufReader, Write};
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use netbasics::cli::program::Usage;
use netbasics::net::frame::read_line;
use netbasics::net::socket_error::SocketError;
use netbasics::net::{socket, unix};
use socket2::{Socket, Type};

use super::Server;
use crate::framework::Location;

/// Longest answer, in bytes.
const MAX_LINE_BYTES: usize = 1024 * 1024;

pub struct Connection {
    server: String,
    stream: BufReader<Socket>,
}

/// Connects to a server of either sort; from there on it makes no difference.
pub fn connect(server: &Location, timeout: Duration) -> Result<Connection, SocketError> {
    let stream: Socket = match server {
        Location::Internet(addr) => socket::connect_tcp(addr, timeout)?.into(),
        Location::File(path) => unix::connect(path, Type::STREAM, timeout)
            .map_err(SocketError::on("connect to", server))?,
    };
    limit_waits(&stream, timeout).map_err(SocketError::on("connect to", server))?;
    Ok(Connection { server: server.to_string(), stream: BufReader::new(stream) })
}

fn limit_waits(stream: &Socket, timeout: Duration) -> io::Result<()> {
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))
}

impl Server for Connection {
    fn ask(&mut self, message: &[u8]) -> Result<Vec<u8>> {
        if message.contains(&b'\n') {
            bail!(Usage(
                "a message over a stream is one line: it cannot contain a line feed".into()
            ));
        }
        let line = [message, b"\n"].concat();
        self.stream.get_ref().write_all(&line).map_err(SocketError::on("send to", &self.server))?;
        match read_line(&mut self.stream, MAX_LINE_BYTES) {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => bail!("{} closed the connection and did not answer", self.server),
            Err(error) => Err(anyhow!("cannot hear from {}: {error}", self.server)),
        }
    }
}
