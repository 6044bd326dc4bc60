//! The address book: whom to connect to, and when to try again.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::wire::{Contact, NodeId};

/// How many addresses are noted at most: anybody can tell us of any number.
const MAX_ENTRIES: usize = 64;
/// How many connections are begun at one moment.
const MAX_DIALS: usize = 8;
/// How often an address that we were only told of is tried.
const MAX_TRIES: u32 = 3;
/// How long to wait after the first failure; twice as long after each further one, up to an end.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(16);

struct Entry {
    /// The person named it: it is tried forever.
    named: bool,
    /// Who is there, as far as we know.
    id: Option<NodeId>,
    /// A connection to it is being made, or is there.
    busy: bool,
    failures: u32,
    next_try: Instant,
}

#[derive(Default)]
pub struct Book(BTreeMap<SocketAddr, Entry>);

impl Book {
    pub fn new(named: &[SocketAddr], now: Instant) -> Self {
        let entry = || Entry { named: true, id: None, busy: false, failures: 0, next_try: now };
        Self(named.iter().map(|address| (*address, entry())).collect())
    }

    /// Notes where a node is said to listen.
    pub fn note(&mut self, Contact { id, address }: Contact, now: Instant) {
        if let Some(entry) = self.0.get_mut(&address) {
            // Another program may have got the port. A named one we ask ourselves.
            entry.id = if entry.named { entry.id } else { Some(id) };
        } else if self.0.len() < MAX_ENTRIES {
            let id = Some(id);
            let entry = Entry { named: false, id, busy: false, failures: 0, next_try: now };
            self.0.insert(address, entry);
        }
    }

    /// At most `most` addresses to connect to now: not those of nodes that `is_known`.
    pub fn due(
        &mut self,
        most: usize,
        now: Instant,
        is_known: impl Fn(NodeId) -> bool,
    ) -> Vec<SocketAddr> {
        self.0.retain(|_, entry| entry.named || entry.busy || !entry.id.is_some_and(&is_known));
        let busy = self.0.values().filter(|entry| entry.busy).count();
        let due = self.0.iter_mut().filter(|(_, entry)| {
            !entry.busy && entry.next_try <= now && !entry.id.is_some_and(&is_known)
        });
        due.take(most.min(MAX_DIALS.saturating_sub(busy)))
            .map(|(address, entry)| {
                entry.busy = true;
                *address
            })
            .collect()
    }

    /// We have connected to `address`, and it is `id`.
    pub fn identify(&mut self, address: SocketAddr, id: NodeId) {
        if let Some(entry) = self.0.get_mut(&address) {
            entry.id = Some(id);
        }
    }

    /// Everything is well with the connection that we made to `address`.
    pub fn succeeded(&mut self, address: SocketAddr) {
        if let Some(entry) = self.0.get_mut(&address) {
            entry.failures = 0;
        }
    }

    /// There is no connection to `address` (any more): it is tried again later, or forgotten.
    /// Returns whether it was named, and this is the first time that it failed.
    pub fn failed(&mut self, address: SocketAddr, now: Instant) -> bool {
        let Some(entry) = self.0.get_mut(&address) else { return false };
        let pause = FIRST_PAUSE * 2_u32.pow(entry.failures.min(8));
        entry.busy = false;
        entry.next_try = now + pause.min(LONGEST_PAUSE);
        entry.failures += 1;
        let is_first_of_named = entry.named && entry.failures == 1;
        if !entry.named && entry.failures >= MAX_TRIES {
            self.0.remove(&address);
        }
        is_first_of_named
    }

    /// A second connection to somebody who is here already: no failure, and no reason to hurry.
    pub fn was_second(&mut self, address: SocketAddr, now: Instant) {
        if let Some(entry) = self.0.get_mut(&address) {
            entry.busy = false;
            entry.next_try = now + FIRST_PAUSE;
        }
    }

    /// Nobody to connect to: it is this node itself.
    pub fn forget(&mut self, address: SocketAddr) {
        self.0.remove(&address);
    }

    /// The node there has left, and only a person could want it back.
    pub fn left(&mut self, address: SocketAddr) {
        self.0.retain(|at, entry| entry.named || *at != address);
    }

    /// The named addresses at which node `id` was found.
    pub fn named_as(&self, id: NodeId) -> Vec<SocketAddr> {
        let named = self.0.iter().filter(|(_, entry)| entry.named && entry.id == Some(id));
        named.map(|(address, _)| *address).collect()
    }
}
