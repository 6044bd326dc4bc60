//! The first way: datagrams, and then one that holds the keyword `END`.
//!
//! ```text
//! client                              server
//!   ── up to 1,024 bytes ──────────────►   appended to the file
//!   ── up to 1,024 bytes ──────────────►   appended to the file
//!   ── END ────────────────────────────►   published
//! ```
//!
//! It is as simple as it can be, works most of the time, and is wrong: nobody notices a lost
//! datagram or two that changed places, and a file may contain the keyword itself.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use netbasics::cli::log_limited;
use netbasics::net::socket;
use netbasics::net::socket_error::SocketError;
use netbasics::system::inbox::{Inbox, Upload};
use netbasics::values::port::Endpoint;

use crate::link::Link;
use crate::server::{Receiver, room};

/// The datagram that ends an upload.
const KEYWORD: &[u8] = b"END";
/// Bytes of the file in one datagram.
const DATAGRAM_BYTES: u64 = 1024;
/// How long we listen whether nobody has the port.
const REFUSED_WITHIN: Duration = Duration::from_millis(50);
/// In this mode nobody says what the file is called.
const NAMELESS: &str = "upload.bin";

// listing: begin send
/// Sends the file and the keyword, and returns how many bytes went out. That they arrive is hope.
pub fn send(addr: &Endpoint, lose: Option<u64>, file: &mut impl Read) -> Result<u64> {
    let mut datagram = next_datagram(file)?;
    let (mut link, server) = socket::try_each_address("send to", addr, |server| {
        let mut link = Link::connect(server, lose)?;
        link.send(datagram.as_deref().unwrap_or(KEYWORD), server)?;
        // Nobody answers, but a host where nobody has the port may say so: "connection refused".
        link.receive(REFUSED_WITHIN, |_, _| {})?;
        Ok((link, server))
    })?;
    let mut length = 0;
    while let Some(sent) = datagram {
        length += sent.len() as u64;
        datagram = next_datagram(file)?;
        link.send(datagram.as_deref().unwrap_or(KEYWORD), server)
            .map_err(SocketError::on("send to", server))?;
    }
    Ok(length)
}

/// The next bytes of the file; `None` at its end.
fn next_datagram(file: &mut impl Read) -> Result<Option<Vec<u8>>> {
    let mut datagram = Vec::new();
    file.take(DATAGRAM_BYTES).read_to_end(&mut datagram).context("cannot read the file")?;
    Ok(Some(datagram).filter(|datagram| !datagram.is_empty()))
}
// listing: end send

/// What one peer has sent since its last keyword.
struct Begun {
    /// `None` when it cannot be stored: the rest, up to the keyword, is passed over.
    upload: Option<Upload>,
    length: u64,
    last_heard: Instant,
}

/// The server's side: one upload for each peer, so that two at once do not mix.
pub struct KeywordReceiver {
    inbox: Inbox,
    max_bytes: u64,
    begun: HashMap<SocketAddr, Begun>,
}

impl KeywordReceiver {
    pub fn new(inbox: Inbox, max_bytes: u64) -> Self {
        Self { inbox, max_bytes, begun: HashMap::new() }
    }

    // listing: begin receive
    /// Appends a datagram to its peer's file, or publishes that if it is the keyword.
    fn take(&mut self, datagram: &[u8], peer: SocketAddr, now: Instant) -> Result<()> {
        let mut begun = match self.begun.remove(&peer) {
            Some(begun) => begun,
            None => self.begin(peer, now)?,
        };
        if datagram == KEYWORD {
            let Some(upload) = begun.upload else { return Ok(()) };
            let name = upload.publish(&NAMELESS.parse()?)?;
            log_limited!("stored {name} from {peer}: {} bytes", begun.length);
            return Ok(());
        }
        begun.last_heard = now;
        let appended = begun.append(datagram, self.max_bytes);
        if appended.is_err() {
            begun.upload = None;
        }
        self.begun.insert(peer, begun);
        appended
    }
    // listing: end receive

    /// If this fails, nothing is remembered, and the peer's next datagram is taken for the beginning
    /// of a file. Datagrams without numbers cannot do better.
    fn begin(&self, peer: SocketAddr, now: Instant) -> Result<Begun> {
        room::check(self.begun.keys().copied(), peer)?;
        Ok(Begun { upload: Some(self.inbox.begin()?), length: 0, last_heard: now })
    }
}

impl Begun {
    fn append(&mut self, datagram: &[u8], max_bytes: u64) -> Result<()> {
        let Some(upload) = &mut self.upload else { return Ok(()) };
        self.length += datagram.len() as u64;
        ensure!(self.length <= max_bytes, "more than {max_bytes} bytes came");
        Ok(upload.write_all(datagram)?)
    }
}

impl Receiver for KeywordReceiver {
    /// Never answers: in this mode the client does not listen.
    fn receive(&mut self, datagram: &[u8], peer: SocketAddr, now: Instant) -> Option<Vec<u8>> {
        if let Err(error) = self.take(datagram, peer, now) {
            log_limited!("nothing stored from {peer}: {error:#}");
        }
        None
    }

    fn answers(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
        Vec::new()
    }

    fn forget(&mut self, now: Instant, idle: Duration) {
        self.begun.retain(|peer, begun| {
            let is_alive = now.duration_since(begun.last_heard) < idle;
            if !is_alive {
                let length = begun.length;
                log_limited!("dropped {length} bytes from {peer}: no END came");
            }
            is_alive
        });
    }
}
