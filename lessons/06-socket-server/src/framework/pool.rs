//! A bounded pool: a fixed number of threads, a fixed number of waiting requests, and no more.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use netbasics::cli::{log, log_limited};
use netbasics::system::stop::{Registration, Stop};

use super::{Job, Runner};

/// A fixed number of workers and a queue of limited length before them.
pub struct Pool {
    queue: Arc<Queue>,
    _registration: Registration,
}

/// What the loop and the workers share.
struct Queue {
    workers: usize,
    /// How many requests there may be at once, those that run and those that wait.
    places: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    /// How many places are taken: from `put` to the end of the job.
    taken: usize,
    /// Whether it was said that the pool is full.
    is_full: bool,
    /// The loop is to end, so it must not wait for a place any more.
    is_stopped: bool,
    /// Nobody will put anything in: workers end when nothing waits.
    is_closed: bool,
}

impl Pool {
    /// Starts `workers` threads that serve until the pool is dropped and all it had taken is done.
    pub fn start(workers: usize, waiting: usize, stop: &Stop) -> io::Result<Self> {
        let places = workers + waiting;
        let (state, changed) = (Mutex::default(), Condvar::new());
        let queue = Arc::new(Queue { workers, places, state, changed });
        let stopped = Arc::clone(&queue);
        let pool = Self {
            queue: Arc::clone(&queue),
            _registration: stop
                .when_raised(move || stopped.change(|state| state.is_stopped = true)),
        };
        for number in 1..=workers {
            let queue = Arc::clone(&queue);
            let thread = thread::Builder::new().name(log::thread_name(format!("worker {number}")));
            // Should one fail to start, dropping `pool` ends those that did.
            thread.spawn(move || queue.work())?;
        }
        Ok(pool)
    }

    /// For somebody who wants to see the pool full.
    pub fn gauge(&self) -> Gauge {
        Gauge(Arc::clone(&self.queue))
    }
}

impl Runner for Pool {
    fn run(&self, job: Job) {
        self.queue.put(job);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.queue.change(|state| state.is_closed = true);
    }
}

impl Queue {
    // listing: begin put
    /// Takes `job` as soon as there is a place.
    ///
    /// The wait is the back-pressure. The loop stands here and accepts nobody; so the system's
    /// queue fills; so clients wait, where they would otherwise fill our memory.
    fn put(&self, job: Job) {
        let mut state = self.lock();
        if state.taken < self.places {
            state.is_full = false;
        } else if !state.is_full {
            state.is_full = true;
            self.changed.notify_all();
            let waiting = self.places - self.workers;
            log_limited!(
                "the pool is full ({} running, {waiting} waiting): the next must wait",
                self.workers
            );
        }
        // When the server stops, what was accepted already is let in at once, one over the limit,
        // so that the loop can get on to closing the door.
        let is_full = |state: &mut State| state.taken >= self.places && !state.is_stopped;
        state = self.changed.wait_while(state, is_full).unwrap_or_else(PoisonError::into_inner);
        state.taken += 1;
        state.waiting.push_back(job);
        self.changed.notify_all();
    }
    // listing: end put

    // listing: begin work
    /// One worker: the next job in the queue, and the next, until there will be none any more.
    fn work(&self) {
        while let Some(job) = self.take() {
            job();
            self.change(|state| state.taken -= 1);
        }
    }

    fn take(&self) -> Option<Job> {
        let is_idle = |state: &mut State| state.waiting.is_empty() && !state.is_closed;
        let state = self.changed.wait_while(self.lock(), is_idle);
        state.unwrap_or_else(PoisonError::into_inner).waiting.pop_front()
    }
    // listing: end work

    /// Changes the state and wakes all threads that wait for a change.
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No job runs under the lock, so the state is valid whatever panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells when a pool is full.
pub struct Gauge(Arc<Queue>);

impl Gauge {
    /// Waits until somebody has to wait for a place; `false` if nobody had to within `limit`.
    pub fn wait_until_full(&self, limit: Duration) -> bool {
        let is_not = |state: &mut State| !state.is_full;
        let waited = self.0.changed.wait_timeout_while(self.0.lock(), limit, is_not);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_full
    }
}

#[cfg(test)]
mod tests;
