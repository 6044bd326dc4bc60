//! What the four servers come to: two that accept connections, two that receive datagrams.

mod datagrams;
mod streams;

use std::io;

use netbasics::net::unix::SocketFile;
use netbasics::system::stop::Stop;
use socket2::{Socket, Type};

pub use datagrams::{BUFFER_BYTES, Post};

use super::Source;
use datagrams::Datagrams;
use streams::Streams;

/// The source of a bound socket, whose waits `stop` ends. The socket's type decides, whatever its
/// address is. (Python's `serve_forever` wakes up every half second to look whether it should end.)
pub fn of(socket: Socket, file: Option<SocketFile>, stop: &Stop) -> io::Result<Box<dyn Source>> {
    let stop = stop.clone();
    if socket.r#type()? == Type::STREAM {
        Ok(Box::new(Streams::new(socket, file, stop)?))
    } else {
        Ok(Box::new(Datagrams::new(socket, file, stop)?))
    }
}
