//! Exercise `keyword`: an end that cannot be taken for data, and that notices what is missing.
//!
//! ```text
//! client                                server
//!   ── D, bytes of the file ─────────────►   appended to this sender's upload
//!   ── D, bytes of the file ─────────────►   appended
//!   ── E, length of the file ────────────►   compared with what came, published
//!   ◄──────────── stored 14 bytes as 1.bin ──
//! ```
//!
//! Try it: `cargo run -p exercise-05 --bin keyword -- server --dir DIR`, and in another terminal
//! `(printf Dhello; sleep 1; printf 'E\0\0\0\0\0\0\0\5') | nc -u -w 2 127.0.0.1 8888`. Grade it:
//! `cargo xtask grade 05/keyword`.

use std::collections::HashMap;
use std::io::Write;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use netbasics::cli::{log, program, ready};
use netbasics::net::socket;
use netbasics::net::socket_error::{SocketError, is_unreachable_peer};
use netbasics::system::inbox::{FileName, Inbox, Upload};
use netbasics::values::port::Endpoint;

/// Larger than any datagram; what does not fit would be cut off (recvfrom(2)).
const BUFFER_BYTES: usize = 65_536;

/// Receives files in datagrams
#[derive(Parser)]
struct Cli {
    /// Where to receive; port 0: any free one
    #[arg(long, global = true, value_name = "HOST:PORT", default_value = "127.0.0.1:8888")]
    addr: Endpoint,
    #[command(subcommand)]
    role: Role,
}

#[derive(clap::Subcommand)]
enum Role {
    /// Receive one file after another, until it is killed
    Server {
        /// The folder that uploads appear in; create it first
        #[arg(long)]
        dir: PathBuf,
    },
}

fn main() -> ExitCode {
    let Cli { addr, role: Role::Server { dir } } = Cli::parse();
    program::end(run(&addr, &dir))
}

/// Bind, announce, serve.
fn run(addr: &Endpoint, dir: &Path) -> Result<()> {
    let inbox = Inbox::open_argument(dir)?;
    inbox.end_on_ctrl_c()?;
    let socket = socket::bind_udp(addr)?;
    ready::announce(socket.local_addr()?)?;
    serve(&socket, Uploads { inbox, begun: HashMap::new(), stored: 0 })
}

/// Receives until the process is killed.
fn serve(socket: &UdpSocket, mut uploads: Uploads) -> Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match socket.recv_from(&mut buffer) {
            Ok((length, sender)) => answer(socket, &mut uploads, &buffer[..length], sender),
            // An earlier answer found nobody. (Windows says so here.)
            Err(error) if is_unreachable_peer(&error) => {}
            Err(error) => return Err(SocketError::on("receive on", "this socket")(error).into()),
        }
    }
}

/// What goes wrong with one datagram (a full disk, a sender that is gone) ends nothing else.
fn answer(socket: &UdpSocket, uploads: &mut Uploads, datagram: &[u8], sender: SocketAddr) {
    let answered = uploads.receive(datagram, sender).and_then(|answer| {
        if let Some(answer) = answer {
            socket.send_to(answer.as_bytes(), sender)?;
        }
        Ok(())
    });
    if let Err(error) = answered {
        log!("cannot take or answer a datagram from {sender}: {error:#}");
    }
}

/// What a datagram says.
enum Datagram<'a> {
    /// These bytes belong to the file.
    Data(&'a [u8]),
    /// That was all; the number of bytes in the whole file.
    End { length: u64 },
}

impl<'a> Datagram<'a> {
    /// `None` if it is neither. The first byte decides, and nothing that comes after it.
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        // exercise: begin "tell data from an end by the first byte; whatever is neither is None"
        match bytes.split_first()? {
            (b'D', data) => Some(Self::Data(data)),
            (b'E', length) => {
                Some(Self::End { length: u64::from_be_bytes(length.try_into().ok()?) })
            }
            _ => None,
        }
        // exercise: end
    }
}

/// What one sender has sent since its last end.
struct Begun {
    upload: Upload,
    length: u64,
}

/// All uploads: those that have begun, and how many are stored.
struct Uploads {
    inbox: Inbox,
    /// By the whole address of the sender: two programs on one host differ in the port only.
    begun: HashMap<SocketAddr, Begun>,
    stored: u64,
}

impl Uploads {
    /// Takes a datagram and returns the answer to its sender, if there is one.
    fn receive(&mut self, datagram: &[u8], sender: SocketAddr) -> Result<Option<String>> {
        // exercise: begin "append data; at an end compare the lengths, then publish or drop"
        let Some(datagram) = Datagram::parse(datagram) else {
            return Ok(Some("not understood".to_owned()));
        };
        let mut begun = match self.begun.remove(&sender) {
            Some(begun) => begun,
            None => Begun { upload: self.inbox.begin()?, length: 0 },
        };
        match datagram {
            Datagram::Data(bytes) => {
                begun.upload.write_all(bytes)?;
                begun.length += bytes.len() as u64;
                self.begun.insert(sender, begun);
                Ok(None)
            }
            // Not put back: the sender's next datagram begins a new upload.
            Datagram::End { length } if length != begun.length => {
                Ok(Some(format!("incomplete: {} of {length} bytes came", begun.length)))
            }
            Datagram::End { length } => {
                let name = self.publish(begun.upload)?;
                Ok(Some(format!("stored {length} bytes as {name}")))
            }
        }
        // exercise: end
    }

    /// Makes a complete upload appear in the folder under the next number.
    fn publish(&mut self, upload: Upload) -> Result<FileName> {
        let name: FileName = format!("{}.bin", self.stored + 1).parse()?;
        let name = upload.publish(&name)?;
        self.stored += 1;
        Ok(name)
    }
}
