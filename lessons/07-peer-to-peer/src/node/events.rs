//! What happens to a node, and what it wants done.

use std::io;
use std::net::SocketAddr;

use super::News;
use crate::wire::{Contact, Frame};

/// The number of a connection, of this node's own: a new one for each.
pub type LinkId = u64;

/// What happens to a node.
#[derive(Debug)]
pub enum Event {
    /// A connection is there: one that we have `dialled`, or one that was accepted.
    Opened {
        link: LinkId,
        with: SocketAddr,
        dialled: bool,
    },
    Heard {
        link: LinkId,
        frame: Frame,
    },
    /// The other side has closed it after a whole frame, or it ended otherwise, and how.
    Closed {
        link: LinkId,
        end: Result<(), String>,
    },
    CannotDial {
        address: SocketAddr,
        error: io::Error,
    },
    /// A node has made itself known by multicast.
    Announced(Contact),
    /// The person says something.
    Say(String),
    /// The person goes.
    Leave,
    /// Nothing, but time has passed.
    Tick,
}

/// What a node wants done.
#[derive(Debug)]
pub enum Action {
    Dial(SocketAddr),
    Send(LinkId, Frame),
    /// Close it, once everything is sent.
    Close(LinkId),
    Tell(News),
}
