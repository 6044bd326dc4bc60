//! The laboratory between the two sides of a lesson.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use netlab::conditions::Conditions;
use netlab::options::Network;
use netlab::record::Transport;
use netlab::relay::Relay;

use super::{Memory, Notes, conditions, summary};
use crate::conversation::{Labelled, say};

/// A relay that is started when the server's address is known.
pub struct Between {
    transport: Transport,
    conditions: Conditions,
    notes: Notes,
    relay: Option<Relay>,
}

impl Between {
    /// Checks what was asked for, and opens its files.
    pub fn prepare(transport: Transport, network: &Network, memory: &Memory) -> Result<Self> {
        let conditions = conditions(network, transport)?;
        let notes = memory.open(|| Box::new(Labelled::new("[lab]")))?;
        Ok(Self { transport, conditions, notes, relay: None })
    }

    /// Starts it in front of `server`; where clients find it.
    pub fn start(&mut self, server: SocketAddr) -> Result<SocketAddr> {
        let conditions = self.conditions.clone();
        let relay = Relay::start(self.transport, server, conditions, self.notes.recorder())
            .context("cannot start the laboratory")?;
        say(&format!("the laboratory stands between: the client talks to {}", relay.address()));
        Ok(self.relay.insert(relay).address())
    }

    /// Ends it, and says what it did and where that is written down.
    pub fn finish(self) -> Result<()> {
        let counts = self.relay.as_ref().map(Relay::counts);
        // The relay's last words come before the recorders' end.
        drop(self.relay);
        let files = self.notes.finish()?;
        let lines = counts.map(|it| summary(&it, self.transport, &self.conditions));
        lines.into_iter().flatten().chain(files).for_each(|line| say(&line));
        Ok(())
    }
}
