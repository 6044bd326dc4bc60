//! The wire: what two nodes say to each other over TCP, byte by byte.
//!
//! Every frame is a length and a payload (`netbasics::net::frame`); the payload's first byte is its kind.
//! Numbers are unsigned and big-endian, texts are UTF-8.
//!
//! ```text
//! length 4 | kind 1 | …                                   the length counts from the kind on
//!
//! kind  name     what follows
//!   1   HELLO    "PEER" 4 | version 1 | node id 8 | port 2 | name 1…32     first, both ways
//!   2   WELCOME  nothing           the smaller id first, the larger one answers: now it counts
//!   3   REFUSE   reason 1          or does not: 1 there is one already, 2 no place; then closed
//!   4   PEERS    repeated: node id 8 | address 16 | port 2            at most 32 of them
//!   5   TEXT     origin's id 8 | number 4 | hops 1 | length of name 1 | name 1…32 | text 0…1024
//!   6   LEAVE    nothing                          the last frame of a node that means to go
//!   7   ALIVE    nothing                          so that silence means a crash
//! ```
//!
//! An address has 16 bytes, so that there is room for IPv6; an IPv4 address takes the last four,
//! behind ten bytes of 0x00 and two of 0xff (RFC 4291, section 2.5.5.2). What does not fit this
//! table exactly ends the connection on which it came.

mod read;
mod write;

use std::fmt;
use std::net::SocketAddr;

use netbasics::values::escape::is_harmless;

/// What a greeting begins with, so that a stranger is known by its first bytes.
pub const MAGIC: [u8; 4] = *b"PEER";
/// The version of this table. A change of the table changes it, too.
pub const VERSION: u8 = 1;

/// Longest name of a node, in bytes; the shortest has one.
pub const MAX_NAME_BYTES: usize = 32;
/// Longest text, in bytes.
pub const MAX_TEXT_BYTES: usize = 1024;
/// How many peers are told in one frame.
pub const MAX_CONTACTS: usize = 32;
/// Largest payload, in bytes: a TEXT with everything at its longest.
pub const MAX_PAYLOAD_BYTES: usize = 1 + 8 + 4 + 1 + 1 + MAX_NAME_BYTES + MAX_TEXT_BYTES;

/// Which node: chosen at random when it starts. An address is no name: it may have several, and the
/// next program gets its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u64);

/// Which message: who said it, and its number among all that this node says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessageId {
    pub origin: NodeId,
    pub number: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    pub id: NodeId,
    /// The port on which it listens. The address is the one that its connection comes from.
    pub port: u16,
    pub name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// We have a connection already.
    Second = 1,
    /// As many as this node wants.
    NoPlace = 2,
}

/// A node that somebody knows of, and where it listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contact {
    pub id: NodeId,
    pub address: SocketAddr,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub id: MessageId,
    /// How often it may still be passed on.
    pub hops: u8,
    /// The name of its author. It comes along, for not everybody has met everybody.
    pub name: String,
    pub words: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    Hello(Hello),
    Welcome,
    Refuse(Reason),
    Peers(Vec<Contact>),
    Text(Text),
    Leave,
    Alive,
}

/// What does not fit the table, in words for the person who watches.
#[derive(Debug, PartialEq, Eq)]
pub enum Malformed {
    /// A greeting of something else.
    NoGreeting,
    /// A greeting in another version of this protocol.
    Version(u8),
    /// A kind that the table does not have.
    Kind(u8),
    /// Too short, too long, no UTF-8, or a name that is none; of this kind.
    Content(u8),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoGreeting => f.write_str("its greeting is none of this protocol"),
            Self::Version(version) => {
                write!(f, "it speaks version {version} of the protocol, we speak {VERSION}")
            }
            Self::Kind(kind) => write!(f, "it sent a frame of kind {kind}, which does not exist"),
            Self::Content(kind) => write!(f, "it sent a frame of kind {kind} with a wrong content"),
        }
    }
}

/// Whether a name can stand in a line for people: neither empty nor too long, and without control
/// characters or such as turn or hide others.
pub fn is_name(name: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&name.len()) && is_harmless(name)
}

#[cfg(test)]
mod tests;
