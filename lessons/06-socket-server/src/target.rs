//! Where to serve: two sorts of addresses times two sorts of sockets makes four servers.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;
use netbasics::cli::program::Usage;
use netbasics::net::socket;
use netbasics::net::socket_error::SocketError;
use netbasics::net::unix::{self, SocketFile};
use netbasics::values::port::Endpoint;
use socket2::{Socket, Type};

use crate::framework::{Address, Location};

/// How much the system keeps for a datagram socket, in bytes: some of the largest datagrams.
const QUEUE_BYTES: usize = 256 * 1024;

/// The heading of these options in the help.
const HEADING: &str = "Where to listen, or whom to talk to";

/// The four basic servers of Python's `socketserver`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// A stream between two ports (Python: `TCPServer`)
    Tcp,
    /// Datagrams between two ports (`UDPServer`)
    Udp,
    /// A stream to a file of this machine (`UnixStreamServer`)
    Unix,
    /// Datagrams between two files of this machine (`UnixDatagramServer`)
    UnixDatagram,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Unix => "unix",
            Self::UnixDatagram => "unix-datagram",
        })
    }
}

/// Where to listen, or whom to talk to
#[derive(Clone, clap::Args)]
pub struct Target {
    /// Which of the four servers
    #[arg(long, global = true, value_enum, default_value = "tcp", help_heading = HEADING)]
    pub kind: Kind,
    /// Where tcp and udp listen; port 0: any free one; 0.0.0.0: every interface
    /// [default: 127.0.0.1:8888]
    #[arg(long, global = true, value_name = "HOST:PORT", help_heading = HEADING)]
    pub addr: Option<Endpoint>,
    /// Where the unix kinds listen [default: a file in a folder that only you can enter]
    #[arg(long, global = true, value_name = "FILE", help_heading = HEADING)]
    pub path: Option<PathBuf>,
}

impl Target {
    /// The address to listen at.
    pub fn address(&self) -> Result<Address> {
        Ok(match self.location()? {
            Location::Internet(addr) => Address::Internet(socket::resolve(addr)?),
            Location::File(path) => Address::File(path),
        })
    }

    /// Where that is: what was given, or the usual address.
    pub fn location(&self) -> Result<Location> {
        match (self.kind, &self.addr, &self.path) {
            (Kind::Tcp | Kind::Udp, addr, None) => {
                let usual = || SocketAddr::from(([127, 0, 0, 1], 8888)).into();
                Ok(Location::Internet(addr.clone().unwrap_or_else(usual)))
            }
            (Kind::Unix | Kind::UnixDatagram, None, Some(path)) => Ok(Location::File(path.clone())),
            (Kind::Unix | Kind::UnixDatagram, None, None) => Ok(Location::File(self.usual_path()?)),
            (Kind::Tcp | Kind::Udp, _, Some(_)) => {
                Err(Usage("--path is for the unix kinds; tcp and udp have --addr".into()).into())
            }
            (Kind::Unix | Kind::UnixDatagram, Some(_), _) => {
                Err(Usage("--addr is for tcp and udp; the unix kinds have --path".into()).into())
            }
        }
    }

    fn usual_path(&self) -> Result<PathBuf, SocketError> {
        let name = if self.kind.is_stream() { "stream" } else { "datagram" };
        Ok(folder()?.join(name))
    }
}

/// The folder where this lesson's socket files are, if nobody says otherwise.
pub fn folder() -> Result<PathBuf, SocketError> {
    unix::private_folder("lesson-06").map_err(SocketError::on("use", "a folder for socket files"))
}

/// A socket that is bound, and listens if it is of a kind that does.
pub struct Bound {
    /// Goes before the socket does: see [`SocketFile`].
    pub file: Option<SocketFile>,
    pub socket: Socket,
    pub address: Address,
}

// listing: begin open
impl Kind {
    /// Whether clients connect and then send a stream of bytes, or simply send datagrams.
    pub fn is_stream(self) -> bool {
        matches!(self, Self::Tcp | Self::Unix)
    }

    /// Whether its addresses are files.
    pub fn has_files(self) -> bool {
        matches!(self, Self::Unix | Self::UnixDatagram)
    }

    pub fn socket_type(self) -> Type {
        if self.is_stream() { Type::STREAM } else { Type::DGRAM }
    }
}

/// Opens a server's socket, of whichever kind; a stream's keeps up to `backlog` clients in a queue
/// until they are accepted.
pub fn open(target: &Target, backlog: u16) -> Result<Bound> {
    let (kind, address) = (target.kind, target.address()?);
    let doing = if kind.is_stream() { "listen on" } else { "bind to" };
    Ok(bind(kind, &address, backlog).map_err(SocketError::on(doing, &address))?)
}

fn bind(kind: Kind, address: &Address, backlog: u16) -> io::Result<Bound> {
    // socket(2): a family of addresses and a sort of socket. Here the four kinds differ, and from
    // here on the system calls are the same for all of them.
    let socket = Socket::new(address.domain(), kind.socket_type(), None)?;
    let mut file = None;
    match address {
        Address::Internet(address) => {
            prepare(&socket, kind, *address)?;
            // bind(2): an address and a port are ours now …
            socket.bind(&(*address).into())?;
        }
        // … or a file that did not exist before. Its path is claimed first, as `SocketFile` says.
        Address::File(path) => {
            file.insert(SocketFile::claim(path, kind.socket_type())?).bind(&socket)?;
        }
    }
    if kind.is_stream() {
        // listen(2): from now on the system connects clients and keeps them in a queue.
        socket.listen(backlog.into())?;
    }
    let address = Address::of(&socket.local_addr()?).unwrap_or_else(|| address.clone());
    Ok(Bound { file, socket, address })
}
// listing: end open

/// What lessons 2 and 4 say about their sockets: a restart, and room for large datagrams.
fn prepare(socket: &Socket, kind: Kind, address: SocketAddr) -> io::Result<()> {
    if address.is_ipv6() {
        // Some systems would take IPv4 clients, too (IPV6_V6ONLY, ipv6(7)), and others not.
        socket.set_only_v6(true)?;
    }
    if kind.is_stream() {
        return socket::reuse_address(socket);
    }
    socket.set_recv_buffer_size(QUEUE_BYTES)?;
    socket.set_send_buffer_size(QUEUE_BYTES)
}
