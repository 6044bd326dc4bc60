//! What a node has to tell the person who runs it.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use netbasics::cli::{log, log_limited};
use netbasics::net::socket_error::explain;

#[derive(Debug)]
pub enum News {
    /// A new neighbour.
    Here { name: String, address: SocketAddr },
    /// A neighbour has said that it goes.
    Left { name: String },
    /// A neighbour is lost, and how.
    Gone { name: String, why: String },
    /// Somebody has said something.
    Heard { name: String, text: String },
    /// We have said something, to this many neighbours.
    Said { text: String, to: usize },
    /// The node at this address, which we were told to connect to, is a neighbour.
    Joined(SocketAddr),
    /// It is not, for the time being.
    NotJoined { address: SocketAddr, error: io::Error },
    /// We were told to connect to ourselves.
    Myself(SocketAddr),
    /// Somebody has connected who keeps to no protocol of ours.
    Stranger { address: SocketAddr, why: String },
}

impl News {
    /// Says it to the person. (That a named node is here is told twice, once by its name.)
    pub fn say(&self) {
        match self {
            Self::Joined(_) => {}
            // Anybody can announce what is not there, and connect without a word.
            Self::Stranger { .. } | Self::NotJoined { .. } => log_limited!("{self}"),
            _ => log!("{self}"),
        }
    }
}

impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here { name, address } => write!(f, "{name} is here, at {address}"),
            Self::Left { name } => write!(f, "{name} has left"),
            Self::Gone { name, why } => write!(f, "{name} is gone: {why}"),
            Self::Heard { name, text } => write!(f, "{name} says: {text}"),
            Self::Said { text, to: 0 } => write!(f, "nobody is here to hear it: {text}"),
            Self::Said { text, to } => write!(f, "said to {to}: {text}"),
            Self::Joined(address) => write!(f, "connected with the node at {address}"),
            Self::NotJoined { address, error } => {
                write!(f, "not connected to {address}: {}; trying again", reason(error))
            }
            Self::Myself(address) => write!(f, "{address} is this node itself"),
            Self::Stranger { address, why } => write!(f, "{address} is turned away: {why}"),
        }
    }
}

/// The reason alone. (The advice behind it is for somebody who waits, and here the node tries again.)
fn reason(error: &io::Error) -> String {
    let sentence = explain(error);
    sentence.split_once(';').map_or(sentence.clone(), |(reason, _)| reason.to_owned())
}
