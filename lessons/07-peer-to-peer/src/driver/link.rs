//! One connection: a thread that reads what comes, and one that writes what is to be sent.

use std::io::{BufReader, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use netbasics::net::frame::read_frame;
use netbasics::system::stop::Stop;
use netbasics::system::wait::Stoppable;

use super::Orders;
use super::rate_limit::RateLimit;
use crate::node::{Event, LinkId};
use crate::wire::{Frame, MAX_PAYLOAD_BYTES};

/// How many frames wait for a neighbour who takes them slowly.
pub const QUEUE_FRAMES: usize = 512;

/// What the carrier holds of a connection.
pub struct Wire {
    /// Raised when it is cut, by us.
    pub cut: Stop,
    /// The way to its writing thread; none when nothing more is to be sent.
    pub queue: Option<SyncSender<Frame>>,
    /// When it is cut, whatever is left to be sent.
    pub until: Option<Instant>,
}

impl Wire {
    // listing: begin queue
    /// Puts `frame` into the queue. It never waits: a neighbour who takes nothing must not stop the
    /// others. `false` if the queue is full.
    pub fn send(&self, frame: Frame) -> bool {
        let Some(queue) = &self.queue else { return true };
        !matches!(queue.try_send(frame), Err(TrySendError::Full(_)))
    }
    // listing: end queue

    /// Ends both threads wherever they wait. What is in the queue is still written if the neighbour
    /// takes it at once.
    pub fn cut(&mut self) {
        self.queue = None;
        self.cut.raise();
    }
}

/// What became of the last frame that was written. A connection tells its reset once: if that is to
/// the thread that writes, the thread that reads sees an ordinary end.
#[derive(Default)]
pub struct Written {
    state: Mutex<Writing>,
    changed: Condvar,
}

#[derive(Default, PartialEq)]
enum Writing {
    #[default]
    Nothing,
    UnderWay,
    Failed,
}

/// A write that has met a reset returns at once; one that takes longer waits for a slow neighbour.
const A_MOMENT: Duration = Duration::from_millis(100);

impl Written {
    fn is_now(&self, writing: Writing) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = writing;
        self.changed.notify_all();
    }

    fn has_failed(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_under_way = |state: &mut Writing| *state == Writing::UnderWay;
        let waited = self.changed.wait_timeout_while(state, A_MOMENT, is_under_way);
        *waited.unwrap_or_else(PoisonError::into_inner).0 == Writing::Failed
    }
}

// listing: begin link
/// Writes what comes through `queue`, until there will be no more; then closes our half.
pub fn write(stream: &TcpStream, queue: &Receiver<Frame>, cut: &Stop, written: &Written) {
    // A failure is the reading thread's to tell: the connection has ended for it, too.
    if let Ok(stoppable) = Stoppable::new(stream, cut, None).map(Stoppable::finishing) {
        let mut outgoing = &stoppable;
        let _ = queue.iter().try_for_each(|frame| {
            written.is_now(Writing::UnderWay);
            let outcome = outgoing.write_all(&frame.encode());
            written.is_now(if outcome.is_ok() { Writing::Nothing } else { Writing::Failed });
            outcome
        });
    }
    let _ = stream.shutdown(Shutdown::Write);
}

/// Reads frames until there will be no more, and tells each, and the end.
pub fn read(stream: &TcpStream, link: LinkId, orders: &Orders, cut: &Stop, written: &Written) {
    let stoppable = Stoppable::new(stream, cut, None).map_err(|error| error.to_string());
    let mut end = stoppable.and_then(|stream| read_frames(&stream, link, orders));
    if end.is_ok() && written.has_failed() {
        end = Err("the connection was reset".to_owned());
    }
    // Nobody is there to be told when the node has ended: then we end, too.
    let _ = orders.tell(Event::Closed { link, end });
}

fn read_frames(stream: &Stoppable<TcpStream>, link: LinkId, orders: &Orders) -> Result<(), String> {
    let mut incoming = BufReader::new(stream);
    let mut rate_limit = RateLimit::new(Instant::now());
    loop {
        let payload = read_frame(&mut incoming, MAX_PAYLOAD_BYTES);
        let Some(payload) = payload.map_err(|error| error.to_string())? else { return Ok(()) };
        let frame = Frame::decode(&payload).map_err(|malformed| malformed.to_string())?;
        thread::sleep(rate_limit.wait(Instant::now()));
        if !orders.tell(Event::Heard { link, frame }) {
            return Ok(());
        }
    }
}
// listing: end link
