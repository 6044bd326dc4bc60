//! The second way, the server's side: a machine that is fed datagrams and gives answers. It has
//! neither a socket nor a clock, so every situation can be tested by writing it down.
//!
//! What follows from here: token, transfer, incoming, arrived, assembly.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use netbasics::cli::{log, log_limited};
use netbasics::system::inbox::Inbox;

use super::incoming::Incoming;
use super::room;
use super::token::Tokens;
use super::transfer::{Answer, Transfer};
use crate::packet::open::Description;
use crate::packet::{Kind, Packet};
use crate::server::Receiver;

/// How many uploads are known, most of them over and remembered for the sake of a lost answer.
const MAX_KNOWN: usize = 4096;
/// How many times the length of a datagram an answer may have before the peer's address is proven.
/// Anybody can write a victim's address as the sender of a datagram, and then our answer hits the
/// victim (reflection): it must not hit much harder than the attacker could alone. QUIC has the same
/// limit (RFC 9000, section 8.1).
const MAX_AMPLIFICATION: usize = 3;

/// Whose upload: the peer that sends it, and the number that the peer has picked for it.
type Key = (SocketAddr, u32);

/// The server's side of all uploads.
pub struct ReliableReceiver {
    inbox: Inbox,
    max_bytes: u64,
    tokens: Tokens,
    transfers: HashMap<Key, Transfer>,
    /// Transfers that owe an answer for what has come since the last ones were taken.
    owing: Vec<Key>,
    has_wondered: bool,
}

impl ReliableReceiver {
    pub fn new(inbox: Inbox, max_bytes: u64, tokens: Tokens) -> Self {
        let (transfers, owing) = (HashMap::new(), Vec::new());
        Self { inbox, max_bytes, tokens, transfers, owing, has_wondered: false }
    }

    // listing: begin answer
    /// Takes a packet; returns an answer if that is due at once and not after the whole batch.
    fn handle(&mut self, key: Key, packet: &Packet, now: Instant) -> Option<Answer> {
        if let Some(transfer) = self.transfers.get_mut(&key)
            && transfer.token == packet.token
        {
            if !transfer.owes_answer {
                self.owing.push(key);
            }
            transfer.handle(packet, now);
            return None;
        }
        if packet.kind != Kind::Open {
            // We were restarted, or have forgotten: this upload cannot go on.
            return Some(Answer::refused(&anyhow!("no such upload here; start again")));
        }
        let token = self.tokens.of(key.0, key.1);
        if packet.token != token {
            // Anybody could have sent this in the peer's name. Nothing is kept; a token goes to the
            // address, and only a reader there can come back with it.
            return Some(Answer { token: Some(token), ..Answer::new(Kind::Token, Vec::new()) });
        }
        match self.begin(key.0, packet) {
            Ok(incoming) => {
                self.make_room();
                self.transfers.insert(key, Transfer::new(incoming, token, now));
                self.owing.push(key);
                None
            }
            Err(error) => {
                log_limited!("refused an upload from {}: {error:#}", key.0);
                Some(Answer::refused(&error))
            }
        }
    }
    // listing: end answer

    fn begin(&self, peer: SocketAddr, open: &Packet) -> anyhow::Result<Incoming> {
        let under_way = self.transfers.iter().filter(|(_, transfer)| transfer.is_under_way());
        room::check(under_way.map(|((other, _), _)| *other), peer)?;
        Incoming::begin(&self.inbox, Description::decode(open.payload)?, self.max_bytes)
    }

    /// Forgets the oldest of the uploads that are over, if too many are known.
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
            log!("{peer} sends no packets of ours; is it using --mode keyword?");
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
        let answer = self.handle((peer, packet.transfer), &packet, now)?;
        let mut bytes = answer.encode(packet.transfer, packet.token);
        bytes.truncate(MAX_AMPLIFICATION * datagram.len());
        Some(bytes)
    }

    /// One answer for each upload, however many of its blocks have come.
    fn answers(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
        let transfers = &mut self.transfers;
        let answer = |key: Key| {
            let transfer = transfers.get_mut(&key)?;
            Some((key.0, transfer.answer().encode(key.1, transfer.token)))
        };
        self.owing.drain(..).filter_map(answer).collect()
    }
    // listing: end receive

    /// Drops uploads whose sender has fallen silent, and forgets those that are over.
    fn forget(&mut self, now: Instant, idle: Duration) {
        self.transfers.retain(|(peer, _), transfer| {
            let is_alive = now.saturating_duration_since(transfer.last_heard) < idle;
            if !is_alive && let Some(progress) = transfer.progress() {
                log!("dropped {progress} from {peer}: the rest did not come");
            }
            is_alive
        });
    }
}

#[cfg(test)]
mod tests;
