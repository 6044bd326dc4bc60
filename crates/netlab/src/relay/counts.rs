//! Live numbers: what came in, what went out, and what happened in between.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::faults::{Direction, Fate};

/// A relay's numbers so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections so far (UDP: clients).
    pub connections: u64,
    /// How many of them are open now.
    pub open: u64,
    /// Clients that were turned away: the server could not be reached, or there were too many.
    pub refused: u64,
    /// What clients sent.
    pub to_server: Tally,
    /// What the server sent.
    pub to_client: Tally,
}

/// The numbers of one direction. A piece is a datagram, or what one read of a stream gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Pieces that came to the relay.
    pub pieces_in: u64,
    /// Their bytes.
    pub bytes_in: u64,
    /// Pieces that left it.
    pub pieces_out: u64,
    /// Their bytes.
    pub bytes_out: u64,
    /// Lost by chance or by order; of a stream, what came after an early close.
    pub lost: u64,
    /// Arrived twice.
    pub duplicated: u64,
    /// Were overtaken.
    pub reordered: u64,
    /// Arrived with a changed byte.
    pub corrupted: u64,
    /// Larger than the network carries.
    pub too_large: u64,
    /// Found the queue full.
    pub queue_full: u64,
}

/// The same numbers while the relay counts. It writes them after the fact and nobody decides
/// anything by them, so no order among them is promised (`Relaxed`).
#[derive(Debug, Default)]
pub(super) struct Counters {
    connections: AtomicU64,
    open: AtomicU64,
    refused: AtomicU64,
    to_server: Tallies,
    to_client: Tallies,
}

#[derive(Debug, Default)]
struct Tallies {
    pieces_in: AtomicU64,
    bytes_in: AtomicU64,
    pieces_out: AtomicU64,
    bytes_out: AtomicU64,
    fates: [AtomicU64; 6],
}

impl Counters {
    pub(super) fn opened(&self) {
        add(&self.connections, 1);
        add(&self.open, 1);
    }

    pub(super) fn closed(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn refused(&self) {
        add(&self.refused, 1);
    }

    pub(super) fn came_in(&self, direction: Direction, fate: Fate, bytes: usize) {
        let tallies = self.of(direction);
        add(&tallies.pieces_in, 1);
        add(&tallies.bytes_in, bytes as u64);
        if let Some(fate) = place(fate) {
            add(&tallies.fates[fate], 1);
        }
    }

    pub(super) fn went_out(&self, direction: Direction, pieces: usize, bytes: usize) {
        let tallies = self.of(direction);
        add(&tallies.pieces_out, pieces as u64);
        add(&tallies.bytes_out, bytes as u64);
    }

    fn of(&self, direction: Direction) -> &Tallies {
        match direction {
            Direction::ToServer => &self.to_server,
            Direction::ToClient => &self.to_client,
        }
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            connections: read(&self.connections),
            open: read(&self.open),
            refused: read(&self.refused),
            to_server: self.to_server.tally(),
            to_client: self.to_client.tally(),
        }
    }
}

impl Tallies {
    fn tally(&self) -> Tally {
        let [lost, duplicated, reordered, corrupted, too_large, queue_full] =
            [0, 1, 2, 3, 4, 5].map(|fate: usize| read(&self.fates[fate]));
        Tally {
            pieces_in: read(&self.pieces_in),
            bytes_in: read(&self.bytes_in),
            pieces_out: read(&self.pieces_out),
            bytes_out: read(&self.bytes_out),
            lost,
            duplicated,
            reordered,
            corrupted,
            too_large,
            queue_full,
        }
    }
}

fn place(fate: Fate) -> Option<usize> {
    match fate {
        Fate::Pass => None,
        Fate::Lose => Some(0),
        Fate::Duplicate => Some(1),
        Fate::Reorder(_) => Some(2),
        Fate::Corrupt => Some(3),
        Fate::TooLarge => Some(4),
        Fate::QueueFull => Some(5),
    }
}

fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
