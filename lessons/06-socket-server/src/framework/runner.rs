//! Three ways to run requests; the third has a file of its own, `pool.rs`.

use std::thread;

use netbasics::cli::log;

use super::{Job, Runner};

// listing: begin runners
/// One after the other, on the thread of the loop: what Python's four servers do by themselves.
pub struct Inline;

impl Runner for Inline {
    fn run(&self, job: Job) {
        job();
    }
}

/// A new thread for each, however many there are: Python's `ThreadingMixIn`.
pub struct Threads;

impl Runner for Threads {
    fn run(&self, job: Job) {
        let thread = thread::Builder::new().name(log::thread_name("request"));
        if let Err(error) = thread.spawn(job) {
            // The job went with it, and so its connection is closed.
            log!("no thread for a request, which is dropped: {error}");
        }
    }
}
// listing: end runners
