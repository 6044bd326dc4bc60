//! The second way, the server's side: a machine that is fed datagrams and gives answers. It has
//! neither a socket nor a clock, so every situation can be tested by writing it down.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{anyhow, ensure};
use netbasics::inbox::Inbox;
use netbasics::say;

use super::transfer::{Answer, Transfer};
use crate::packet::{Kind, Packet};
use crate::server::Receiver;

/// How many uploads at once, each with a file of its own, before new ones are refused.
const MAX_TRANSFERS: usize = 256;
/// How many bytes beyond the acknowledged ones we would take. The sender of this lesson has never
/// more than one packet under way.
const WINDOW: u32 = 64 * 1024;

/// Whose upload: its sender, and the number that the sender has picked for it.
type Key = (SocketAddr, u32);

/// The server's side of all uploads.
pub struct ReliableReceiver {
    inbox: Inbox,
    max_bytes: u64,
    transfers: HashMap<Key, Transfer>,
}

impl ReliableReceiver {
    pub fn new(inbox: Inbox, max_bytes: u64) -> Self {
        Self { inbox, max_bytes, transfers: HashMap::new() }
    }

    // listing: begin answer
    /// The answer to a packet from a client.
    fn answer(&mut self, key: Key, packet: &Packet, now: Instant) -> Answer {
        if let Some(transfer) = self.transfers.get_mut(&key) {
            return transfer.take(packet, now);
        }
        if packet.kind != Kind::Open {
            // We were restarted, or have forgotten: this upload cannot go on.
            return Answer::refused(&anyhow!("this server knows no such upload; start again"));
        }
        match self.begin(packet, now) {
            Ok(transfer) => {
                self.transfers.insert(key, transfer);
                Answer::ack(0)
            }
            Err(error) => {
                say!("refused an upload from {}: {error:#}", key.0);
                Answer::refused(&error)
            }
        }
    }
    // listing: end answer

    fn begin(&self, open: &Packet, now: Instant) -> anyhow::Result<Transfer> {
        ensure!(self.transfers.len() < MAX_TRANSFERS, "too many uploads at once; try again later");
        Transfer::begin(&self.inbox, open, self.max_bytes, now)
    }
}

impl Receiver for ReliableReceiver {
    // listing: begin receive
    fn receive(&mut self, datagram: &[u8], sender: SocketAddr, now: Instant) -> Option<Vec<u8>> {
        // What is not ours gets no answer at all.
        let packet = Packet::decode(datagram)?;
        if !matches!(packet.kind, Kind::Open | Kind::Data | Kind::Close) {
            return None;
        }
        let transfer = packet.transfer;
        let Answer { kind, offset, payload } = self.answer((sender, transfer), &packet, now);
        Some(Packet { kind, transfer, offset, window: WINDOW, payload }.encode())
    }
    // listing: end receive

    /// Drops uploads whose sender has fallen silent, and forgets those that are over.
    fn forget(&mut self, now: Instant, idle: Duration) {
        self.transfers.retain(|(sender, _), transfer| {
            let is_alive = now.duration_since(transfer.last_heard) < idle;
            if !is_alive && let Some(progress) = transfer.unfinished() {
                say!("{sender} fell silent after {progress}: dropped");
            }
            is_alive
        });
    }
}

#[cfg(test)]
mod tests;
