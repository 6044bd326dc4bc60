//! What the four servers come to: two that accept connections, two that receive datagrams.

mod datagrams;
mod streams;

use std::io;
use std::time::Duration;

use netbasics::local::SocketFile;
use netbasics::stop::Stop;
use netbasics::wait::Doorbell;
use socket2::{Socket, Type};

pub use datagrams::{BUFFER_BYTES, Post};

use super::Source;
use datagrams::Datagrams;
use streams::Streams;

/// How long a source waits at most before it lets the loop look whether to end. Mostly the doorbell
/// is quicker. (Python's `serve_forever` has no bell; it looks every half second.)
const TICK: Duration = Duration::from_secs(1);

/// The source of a bound socket, which `stop` wakes. Its type decides, whatever its address is.
pub fn of(socket: Socket, file: Option<SocketFile>, stop: &Stop) -> io::Result<Box<dyn Source>> {
    let bell = Doorbell::new(stop)?;
    if socket.r#type()? == Type::STREAM {
        Ok(Box::new(Streams::new(socket, file, bell)?))
    } else {
        Ok(Box::new(Datagrams::new(socket, file, bell)?))
    }
}
