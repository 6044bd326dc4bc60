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

/// How many uploads are under way at once, each with a file of its own; more are refused.
const MAX_UNDER_WAY: usize = 256;
/// How many uploads are known, most of them over and remembered for the sake of a lost answer.
const MAX_KNOWN: usize = 4096;
/// How many bytes beyond the acknowledged ones we would take. The client of this lesson has never
/// more than one packet under way, so it does not look.
const WINDOW: u32 = 64 * 1024;
/// How many times the length of a datagram a refusal may have. Anybody can write a victim's address
/// as the sender of a datagram, and then our answer hits the victim (reflection): it must not hit
/// much harder than the attacker could alone. QUIC has the same limit (RFC 9000, section 8.1).
const MAX_AMPLIFICATION: usize = 3;

/// Whose upload: the peer that sends it, and the number that the peer has picked for it.
type Key = (SocketAddr, u32);

/// The server's side of all uploads.
pub struct ReliableReceiver {
    inbox: Inbox,
    max_bytes: u64,
    transfers: HashMap<Key, Transfer>,
    has_wondered: bool,
}

impl ReliableReceiver {
    pub fn new(inbox: Inbox, max_bytes: u64) -> Self {
        Self { inbox, max_bytes, transfers: HashMap::new(), has_wondered: false }
    }

    // listing: begin answer
    /// The answer to a packet from a client.
    fn answer(&mut self, key: Key, packet: &Packet, now: Instant) -> Answer {
        if let Some(transfer) = self.transfers.get_mut(&key) {
            return transfer.handle(packet, now);
        }
        if packet.kind != Kind::Open {
            // We were restarted, or have forgotten: this upload cannot go on.
            return Answer::refused(&anyhow!("no such upload here; start again"));
        }
        match self.begin(packet, now) {
            Ok(transfer) => {
                self.make_room();
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
        let under_way = self.transfers.values().filter(|transfer| transfer.is_under_way());
        ensure!(under_way.count() < MAX_UNDER_WAY, "too many uploads at once; try again later");
        Transfer::begin(&self.inbox, open, self.max_bytes, now)
    }

    /// Forgets the oldest of the uploads that are over, if so many are known.
    fn make_room(&mut self) {
        if self.transfers.len() < MAX_KNOWN {
            return;
        }
        let over = self.transfers.iter().filter(|(_, transfer)| !transfer.is_under_way());
        let oldest = over.min_by_key(|(_, transfer)| transfer.last_heard).map(|(key, _)| *key);
        oldest.and_then(|key| self.transfers.remove(&key));
    }

    /// Says once that somebody sends what we do not understand: most likely the other mode.
    fn wonder(&mut self, peer: SocketAddr) {
        if !self.has_wondered {
            say!("{peer} sends no packets of ours; is it using --mode keyword?");
        }
        self.has_wondered = true;
    }
}

impl Receiver for ReliableReceiver {
    // listing: begin receive
    fn receive(&mut self, datagram: &[u8], peer: SocketAddr, now: Instant) -> Option<Vec<u8>> {
        let Some(packet) = Packet::decode(datagram).filter(Packet::is_from_client) else {
            // What is not ours gets no answer at all.
            self.wonder(peer);
            return None;
        };
        let transfer = packet.transfer;
        let Answer { kind, offset, payload } = self.answer((peer, transfer), &packet, now);
        let mut answer = Packet { kind, transfer, offset, window: WINDOW, payload }.encode();
        if kind == Kind::Refused {
            answer.truncate(MAX_AMPLIFICATION * datagram.len());
        }
        Some(answer)
    }
    // listing: end receive

    /// Drops uploads whose sender has fallen silent, and forgets those that are over.
    fn forget(&mut self, now: Instant, idle: Duration) {
        self.transfers.retain(|(peer, _), transfer| {
            let is_alive = now.duration_since(transfer.last_heard) < idle;
            if !is_alive && let Some(progress) = transfer.progress() {
                say!("dropped {progress} from {peer}: the rest did not come");
            }
            is_alive
        });
    }
}

#[cfg(test)]
mod tests;
