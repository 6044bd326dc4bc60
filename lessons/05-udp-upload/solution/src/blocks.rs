//! What `stopwait` and `window` share, and what is given: the command line, the datagrams, the
//! blocks of a file, the folder of uploads.
//!
//! ```text
//!   0        1                 5                 9
//!   +--------+-----------------+-----------------+------------------------------+
//!   |  kind  |     upload      |      block      |  payload (D only)            |
//!   +--------+-----------------+-----------------+------------------------------+
//!     1 byte      4 bytes           4 bytes          0 to 1,024 bytes
//! ```
//!
//! Kind D carries a block of the file, from the client. Kind A acknowledges one, from the server.
//! `upload` is a number that the client picks at random. Numbers are big-endian.

use std::collections::HashMap;
use std::io::{ErrorKind, Read};
use std::iter::{self, Peekable};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Error, Result};
use clap::Parser;
use netbasics::cli::{ready, serve};
use netbasics::net::socket;
use netbasics::net::socket_error::is_timeout;
use netbasics::system::files::open_to_send;
use netbasics::system::inbox::{Inbox, Upload};
use netbasics::values::port::Endpoint;

const HEADER_BYTES: usize = 9;
/// Bytes of the file in each block but the last, which has fewer.
pub const BLOCK_BYTES: usize = 1024;
/// How often a block is sent before the client gives up.
pub const TRIES: u32 = 10;

/// Uploads files in datagrams
#[derive(Parser)]
pub struct Cli<Options: clap::Args> {
    /// Where to receive or to send to; port 0: any free one
    #[arg(long, global = true, value_name = "HOST:PORT", default_value = "127.0.0.1:8888")]
    pub addr: Endpoint,
    #[command(subcommand)]
    pub role: Role<Options>,
}

#[derive(clap::Subcommand)]
pub enum Role<Options: clap::Args> {
    /// Receive one file after another, until it is killed
    Server {
        /// The folder that uploads appear in; create it first
        #[arg(long)]
        dir: PathBuf,
    },
    /// Send one file
    Client(Options),
}

/// What a client of both programs is told.
#[derive(clap::Args)]
pub struct ClientOptions {
    /// How long to wait for an acknowledgement before a block is sent again
    #[arg(long, value_name = "MILLISECONDS", default_value = "200", value_parser = milliseconds)]
    pub timeout: Duration,
    /// What to send
    pub file: PathBuf,
}

/// Reads `--timeout`.
fn milliseconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(number @ 1..=60_000) => Ok(Duration::from_millis(number)),
        _ => Err("give milliseconds, from 1 to 60000".to_owned()),
    }
}

/// Bind, announce, serve.
///
/// `begin` makes a state for a new upload, around the file that it is to fill. `take` is then given
/// each of its blocks, and says whether to acknowledge it.
pub fn serve<State>(
    addr: &Endpoint,
    dir: &Path,
    begin: impl Fn(Upload) -> State,
    take: impl Fn(&mut State, &mut Folder, u32, &[u8]) -> Result<bool>,
) -> Result<()> {
    let mut folder = Folder { inbox: Inbox::open_argument(dir)?, stored: 0 };
    folder.inbox.end_on_ctrl_c()?;
    let socket = socket::bind_udp(addr)?;
    ready::announce(socket.local_addr()?)?;
    // Nothing is forgotten: a client may repeat its last block long after.
    let mut uploads = HashMap::new();
    Ok(serve::datagrams(&socket, |datagram, sender| -> Result<Option<Vec<u8>>> {
        let Some((b'D', upload, block, payload)) = parse(datagram) else { return Ok(None) };
        let known = uploads.remove(&(sender, upload));
        let is_known = known.is_some();
        let mut state = known.map_or_else(|| Ok(begin(folder.begin()?)), Ok::<_, Error>)?;
        let is_taken = take(&mut state, &mut folder, block, payload)?;
        // Not after an error: an upload that could not be written is over.
        if is_known || is_taken {
            uploads.insert((sender, upload), state);
        }
        Ok(is_taken.then(|| header(b'A', upload, block)))
    })?)
}

/// A socket that only talks with `addr`, and a number for the upload.
///
/// A name may have several addresses, and the server only one of them. Then `first`, the payload of
/// block 0, is sent to each of them once; where an answer comes, the server is. (It will come again,
/// as any datagram may.)
pub fn connect(addr: &Endpoint, first: &[u8], timeout: Duration) -> Result<(UdpSocket, u32)> {
    let upload = getrandom::u32().context("the system gave no random number")?;
    if let [address] = socket::destinations(addr)?[..] {
        return Ok((socket::connect_udp(address)?, upload));
    }
    let block = [header(b'D', upload, 0), first.to_vec()].concat();
    let mut silent = None;
    let found = socket::try_each_address("upload to", addr, |address| {
        let socket = socket::connect_udp(address).map_err(|failed| failed.error)?;
        socket.set_read_timeout(Some(timeout))?;
        match socket.send(&block).and_then(|_| socket.recv(&mut [0; 2 * BLOCK_BYTES])) {
            Ok(_) => return Ok(socket),
            // Perhaps it was lost; or a signal came first.
            Err(error) if is_timeout(&error) || error.kind() == ErrorKind::Interrupted => {
                silent.get_or_insert(socket);
            }
            Err(error) => return Err(error),
        }
        Err(ErrorKind::TimedOut.into())
    });
    Ok((found.or_else(|error| silent.ok_or(error))?, upload))
}

/// What every datagram begins with; an acknowledgement has nothing else.
pub fn header(kind: u8, upload: u32, block: u32) -> Vec<u8> {
    [&[kind], &upload.to_be_bytes()[..], &block.to_be_bytes()].concat()
}

/// Takes a datagram apart: kind, upload, block, payload. `None` if it is none of this protocol.
pub fn parse(datagram: &[u8]) -> Option<(u8, u32, u32, &[u8])> {
    let (header, payload) = datagram.split_at_checked(HEADER_BYTES)?;
    let number = |at: usize| Some(u32::from_be_bytes(header[at..at + 4].try_into().ok()?));
    let fits = payload.len() <= BLOCK_BYTES;
    fits.then_some((header[0], number(1)?, number(5)?, payload))
}

/// What [`payloads`] returns.
pub type Payloads = Peekable<Box<dyn Iterator<Item = Result<Vec<u8>>>>>;

/// The payloads of all blocks of a file, read one by one. A full last block is followed by an
/// empty one, for a short block says that it is the last.
pub fn payloads(path: &Path) -> Result<Payloads> {
    let (mut file, _) = open_to_send(path)?;
    let path = path.display().to_string();
    let mut at_end = false;
    let payloads = iter::from_fn(move || {
        if at_end {
            return None;
        }
        let mut payload = Vec::new();
        let read = (&mut file).take(BLOCK_BYTES as u64).read_to_end(&mut payload);
        at_end = payload.len() < BLOCK_BYTES;
        Some(read.map(|_| payload).with_context(|| format!("cannot read {path}")))
    });
    let boxed: Box<dyn Iterator<Item = Result<Vec<u8>>>> = Box::new(payloads);
    Ok(boxed.peekable())
}

/// The payload of block 0, which stays the next one.
pub fn first(payloads: &mut Payloads) -> Vec<u8> {
    payloads.peek().and_then(|read| read.as_ref().ok()).cloned().unwrap_or_default()
}

/// The folder of uploads, which are numbered as they become complete.
pub struct Folder {
    inbox: Inbox,
    stored: u64,
}

impl Folder {
    /// A file for an upload, not to be seen as `K.bin` yet. Dropped, it leaves nothing.
    pub fn begin(&self) -> Result<Upload> {
        Ok(self.inbox.begin()?)
    }

    /// Makes a complete upload appear under the next number.
    pub fn publish(&mut self, upload: Upload) -> Result<()> {
        upload.publish(&format!("{}.bin", self.stored + 1).parse()?)?;
        self.stored += 1;
        Ok(())
    }
}
