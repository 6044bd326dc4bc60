//! A handler that waits until it is told to go on, so that the demo need not sleep.

use std::convert::Infallible;
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender};

use anyhow::{Context, Result};

use super::stage::LIMIT;
use crate::framework::{Handler, Peer};
use crate::shout::Shout;

/// Opens what [`Gated`] waits for.
pub struct Gate {
    open: Sender<Infallible>,
    entered: Receiver<()>,
}

/// The lesson's handler behind a gate: it tells when somebody comes, and waits until the gate opens.
pub struct Gated {
    opened: Mutex<Receiver<Infallible>>,
    enter: Sender<()>,
}

/// A gate that is closed, and a handler behind it.
pub fn gate() -> (Gate, Gated) {
    let (open, opened) = mpsc::channel();
    let (enter, entered) = mpsc::channel();
    (Gate { open, entered }, Gated { opened: Mutex::new(opened), enter })
}

impl Gate {
    pub fn wait_until_somebody_is_there(&self) -> Result<()> {
        self.entered.recv_timeout(LIMIT).context("nobody has come to the handler")
    }

    /// Nothing is ever sent through it: dropping the sender ends every wait.
    pub fn open(self) {
        drop(self.open);
    }
}

impl Handler for Gated {
    fn answer(&self, message: &[u8], peer: &Peer) -> Vec<u8> {
        let _ = self.enter.send(());
        if let Ok(opened) = self.opened.lock() {
            let _ = opened.recv();
        }
        Shout::default().answer(message, peer)
    }
}
