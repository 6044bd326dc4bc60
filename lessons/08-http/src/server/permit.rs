//! How many connections there are.

use std::sync::atomic::{AtomicUsize, Ordering};

/// A connection's permit to be open beside the others; dropping it makes room.
pub struct Permit<'a> {
    open: &'a AtomicUsize,
    /// How many there were when it came, itself included.
    pub number: usize,
}

impl<'a> Permit<'a> {
    pub fn take(open: &'a AtomicUsize) -> Self {
        Self { open, number: open.fetch_add(1, Ordering::SeqCst) + 1 }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }
}
