//! The two sorts of addresses, and what stands where a client has none.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use netbasics::net::unix;
use netbasics::values::port::Endpoint;
use socket2::{Domain, SockAddr};

/// Where a socket is bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// An IP address and a port.
    Internet(SocketAddr),
    /// A socket file of this machine.
    File(PathBuf),
}

/// What an address is called, before a name is resolved: a name may have several addresses.
pub enum Location {
    Internet(Endpoint),
    File(PathBuf),
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internet(addr) => addr.fmt(f),
            Self::File(path) => f.write_str(&unix::address(path)),
        }
    }
}

/// The client that asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A client with an address. One that talks over the internet always has one.
    At(Address),
    /// A client on this machine that did not bind a file. The server counts them.
    Unnamed(u64),
}

impl Address {
    /// The address in the system's form; `None` if it has no name.
    pub fn of(address: &SockAddr) -> Option<Self> {
        let internet = address.as_socket().map(Self::Internet);
        internet.or_else(|| unix::peer_path(address).map(Self::File))
    }

    /// The family of addresses, as socket(2) wants it.
    pub fn domain(&self) -> Domain {
        match self {
            Self::Internet(address) => Domain::for_address(*address),
            Self::File(_) => Domain::UNIX,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internet(address) => address.fmt(f),
            Self::File(path) => f.write_str(&unix::address(path)),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(address) => address.fmt(f),
            Self::Unnamed(number) => write!(f, "client {number}"),
        }
    }
}
