//! Exercise `drain`: a pool of workers with a bounded queue before it, and an end in order.
//!
//! ```text
//! work NAME      waiting NAME   if neither a worker nor a place in the queue is free
//!                started NAME   when a worker takes it
//!                done NAME      when it is finished
//! finish NAME    ok, and a request of this name that was started is finished; or none
//! stop           stopping
//! anything else  error
//! ```
//!
//! After `stop`, nobody new is served, what was begun is brought to its end, and everybody is told
//! `bye`. Try it: `cargo run -p exercise-06 --bin drain -- server --workers 1 --queue 1`, and in two
//! more terminals `nc 127.0.0.1 8888`. Grade it: `cargo xtask grade 06/drain`.

use std::collections::VecDeque;
use std::io::{self, BufReader};
use std::net::{TcpListener, TcpStream};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::Result;
use clap::Parser;
use netbasics::cli::{log, program, ready, serve};
use netbasics::net::socket;
use netbasics::net::socket_error::explain;
use netbasics::system::stop::Stop;
use netbasics::values::port::Endpoint;

#[path = "../client.rs"]
mod client;

use client::{Client, Incoming, is_name, next_line};

/// Does what it is asked, a bounded amount at a time, and ends in order
#[derive(Parser)]
struct Cli {
    /// Where to listen; port 0: any free one
    #[arg(long, global = true, value_name = "HOST:PORT", default_value = "127.0.0.1:8888")]
    addr: Endpoint,
    #[command(subcommand)]
    role: Role,
}

#[derive(clap::Subcommand)]
enum Role {
    /// Serve until a client says `stop`
    Server {
        /// How many requests are worked on at a time
        #[arg(long, value_name = "N", default_value = "4")]
        workers: NonZeroUsize,
        /// How many more may wait in the queue
        #[arg(long, value_name = "M", default_value = "8")]
        queue: NonZeroUsize,
    },
}

fn main() -> ExitCode {
    let Cli { addr, role: Role::Server { workers, queue } } = Cli::parse();
    program::end(run(&addr, workers.get(), queue.get()))
}

/// Bind, announce, serve.
fn run(addr: &Endpoint, workers: usize, queue: usize) -> Result<()> {
    let listener = socket::listen_tcp(addr)?;
    ready::announce(listener.local_addr()?)?;
    let (stop, end) = (Stop::new(), Stop::new());
    Pool { workers, queue, state: Mutex::default(), changed: Condvar::new(), stop, end }
        .serve(listener)
}

/// One request.
struct Job {
    name: String,
    client: Arc<Client>,
}

#[derive(Default)]
struct State {
    /// Requests that no worker has taken yet, the next one in front.
    queue: VecDeque<Job>,
    /// Requests that a worker has taken and nobody has finished.
    running: Vec<Arc<Job>>,
    /// How many have been told that there is no place, and wait for one.
    waiting: usize,
}

struct Pool {
    workers: usize,
    queue: usize,
    state: Mutex<State>,
    /// A waiting thread may find now what it waits for.
    changed: Condvar,
    /// Raised by `stop`: nobody new, and nothing new.
    stop: Stop,
    /// Raised when all is done: the client that said `stop` may go, too.
    end: Stop,
}

impl Pool {
    /// Serves until a client says `stop`, and then brings everything to its end.
    fn serve(&self, listener: TcpListener) -> Result<()> {
        todo!("workers, clients, no more clients, no more work: and then the last one may go")
    }

    /// Puts a request into the queue; after `stop`, it is an error. If there is no place for it, its
    /// client is told, and this returns, so that more is read from the client, only when it has one.
    fn take(&self, name: &str, client: &Arc<Client>) {
        todo!("too late: error; no place: say so and wait; then into the queue")
    }

    /// The next request for a worker; `None` if there is none and never will be.
    fn next(&self) -> Option<Arc<Job>> {
        todo!("wait for a request, or until all is done and no more can come")
    }

    /// What a worker does with a request: nothing but to wait until somebody finishes it.
    fn carry_out(&self, job: &Arc<Job>) {
        todo!("started; wait until it is not among the running ones any more; done")
    }

    /// Finishes every request of this name that a worker has taken; whether there was one.
    fn finish(&self, name: &str) -> bool {
        todo!("take it out of the running ones, and wake the threads that wait for it")
    }

    /// Does what one client's lines say, until its stream ends or somebody says `stop`. The client
    /// that says it is heard until all is done.
    fn hear(&self, stream: &TcpStream) -> io::Result<()> {
        let client = Arc::new(Client::new(stream, &self.stop)?);
        let mut lines = BufReader::new(Incoming { stream, until: &self.stop });
        let is_over = |lines: &BufReader<Incoming>| lines.get_ref().until.is_raised();
        while let Some(line) = next_line(&mut lines)?.filter(|_| !is_over(&lines)) {
            match line.split_once(' ') {
                Some(("work", name)) if is_name(name) => self.take(name, &client),
                Some(("finish", name)) if is_name(name) => {
                    client.tell(if self.finish(name) { "ok" } else { "none" });
                }
                None if line == "stop" => {
                    lines.get_mut().until = &self.end;
                    self.stop.raise();
                    // Under the lock: a thread that just found no reason to go home waits by now.
                    drop(self.state());
                    self.changed.notify_all();
                    client.tell("stopping");
                }
                _ => client.tell("error"),
            }
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is in it is valid whatever panicked while holding it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Unlocks and sleeps as long as `condition` holds, which is looked at when `changed` is notified.
    fn wait_while<'a>(
        &self,
        state: MutexGuard<'a, State>,
        condition: impl Fn(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        let waited = self.changed.wait_while(state, |state| condition(state));
        waited.unwrap_or_else(PoisonError::into_inner)
    }
}
