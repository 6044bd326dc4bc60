//! The inbox of a node: all that happens comes through here, one thing after the other.

use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{self, Receiver, SyncSender};

use crate::node::Event;

/// How much waits in an inbox. When it is full, a thread that brings more waits, too.
const INBOX: usize = 256;

/// What comes into the inbox.
pub enum Input {
    Connected {
        stream: TcpStream,
        with: SocketAddr,
        dialled: bool,
    },
    Event(Event),
    /// The node ends here and now, as if it had been killed. (The demo does this.)
    Crash,
}

/// The way into the inbox of a node.
#[derive(Clone)]
pub struct Orders(SyncSender<Input>);

pub fn inbox() -> (Orders, Receiver<Input>) {
    let (orders, inbox) = mpsc::sync_channel(INBOX);
    (Orders(orders), inbox)
}

impl Orders {
    /// Gives an order; `false` if the node has ended.
    pub fn give(&self, input: Input) -> bool {
        self.0.send(input).is_ok()
    }

    pub fn tell(&self, event: Event) -> bool {
        self.give(Input::Event(event))
    }
}
