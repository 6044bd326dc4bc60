//! Receiving ahead: one thread fills a buffer while another works on the one before.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use crate::copy::BUFFER_BYTES;

/// While one is filled, the other is hashed and written. They go round and round, so these two are
/// all that is in memory, however large the file is.
const BUFFERS: usize = 2;

/// A buffer, and how many bytes of it are filled.
type Filled = (Vec<u8>, usize);

/// What a thread of its own has received ahead.
pub struct Ahead {
    full: Receiver<io::Result<Filled>>,
    empty: SyncSender<Vec<u8>>,
    current: Filled,
    /// How much of `current` is consumed, in bytes.
    used: usize,
}

// listing: begin ahead
/// Lets `work` read `from` through a second thread, which receives the next bytes meanwhile.
///
/// When `work` gives up early, the second thread finds out after its next read, so `from` needs a
/// time limit.
pub fn receive_ahead<T>(
    from: impl Read + Send,
    work: impl FnOnce(&mut Ahead) -> T,
) -> io::Result<T> {
    let (hand_over, full) = sync_channel(BUFFERS);
    let (empty, to_fill) = sync_channel(BUFFERS);
    for _ in 0..BUFFERS {
        let _ = empty.send(vec![0; BUFFER_BYTES]);
    }
    thread::scope(|threads| {
        let receiver = thread::Builder::new();
        receiver.spawn_scoped(threads, move || receive(from, &to_fill, &hand_over))?;
        Ok(work(&mut Ahead { full, empty, current: (Vec::new(), 0), used: 0 }))
    })
}

/// Until the end, an error, or until nobody wants more.
fn receive(
    mut from: impl Read,
    to_fill: &Receiver<Vec<u8>>,
    hand_over: &SyncSender<io::Result<Filled>>,
) {
    for mut buffer in to_fill {
        let filled = read(&mut from, &mut buffer).map(|count| (buffer, count));
        let is_last = !matches!(filled, Ok((_, 1..)));
        if hand_over.send(filled).is_err() || is_last {
            return;
        }
    }
}
// listing: end ahead

/// One read(2), again when a signal came in between.
fn read(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

impl BufRead for Ahead {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.used == self.current.1 {
            // No more is sent after the end, and the end stays the end.
            let next = self.full.recv().unwrap_or_else(|_| Ok((Vec::new(), 0)))?;
            let (done, _) = std::mem::replace(&mut self.current, next);
            self.used = 0;
            if !done.is_empty() {
                // After its last bytes the other thread wants no more buffers.
                let _ = self.empty.send(done);
            }
        }
        Ok(&self.current.0[self.used..self.current.1])
    }

    fn consume(&mut self, count: usize) {
        self.used += count;
    }
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_buffers_come_in_order_and_the_end_stays_the_end() {
        let content: Vec<u8> = (0_u32..3_000_000).flat_map(u32::to_be_bytes).collect();
        let mut received = Vec::new();
        let after = receive_ahead(&content[..], |ahead| {
            ahead.read_to_end(&mut received).unwrap();
            ahead.read(&mut [0]).unwrap()
        });
        assert_eq!(after.unwrap(), 0);
        assert!(received == content);
    }

    #[test]
    fn an_error_comes_after_the_bytes_before_it() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::ConnectionReset.into())
            }
        }
        let mut received = Vec::new();
        let result = receive_ahead((&b"abc"[..]).chain(Broken), |ahead| {
            ahead.read_to_end(&mut received).unwrap_err().kind()
        });
        assert_eq!(result.unwrap(), io::ErrorKind::ConnectionReset);
        assert_eq!(received, b"abc");
    }

    /// There are endlessly many bytes, so the test ends only if the receiving thread does.
    #[test]
    fn whoever_gives_up_early_ends_the_receiving() {
        let first = receive_ahead(io::repeat(7), |ahead| ahead.fill_buf().unwrap()[0]);
        assert_eq!(first.unwrap(), 7);
    }
}
