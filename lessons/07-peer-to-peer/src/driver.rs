//! The driver: sockets and threads around a [`Node`], without an opinion of their own.
//!
//! ```text
//! listener ──► accepting ─┐                              ┌─► queue ──► writing ──► neighbour
//! multicast ─► hearing ───┼─► inbox ──► the node ──► ────┼─► queue ──► writing ──► neighbour
//! neighbour ─► reading ───┤   (one thread: this one)     └─► dialling ─┐
//! person ────► speaking ──┘ ◄──────────────────────────────────────────┘
//! ```
//!
//! The thread of the node never waits for a neighbour, only for its inbox. The others wait: for the
//! network, and for room in the inbox, so that nobody brings more than the node can take.

mod actions;
mod inbox;
mod link;
mod rate_limit;

use std::collections::{HashMap, VecDeque};
use std::net::{SocketAddrV4, TcpListener};
use std::sync::mpsc::Receiver;
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use anyhow::Result;
use netbasics::cli::{log, serve};
use netbasics::system::stop::Stop;

use crate::discovery;
use crate::node::{Event, LinkId, News, Node, Setup};
use crate::wire::Contact;
pub use inbox::{Input, Orders, inbox};
use link::Wire;
pub use rate_limit::RateLimit;

/// How often a node looks at the clock.
const TICK: Duration = Duration::from_millis(100);
/// How long a connection may take.
const DIAL_WITHIN: Duration = Duration::from_secs(5);
/// How long the last frames of a connection may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);
/// How long neighbours may take to answer the farewell that Ctrl-C makes us say.
const LEAVE_WITHIN: Duration = Duration::from_millis(50);
/// How many connections are in that state at most: more than a node has that leaves.
const MAX_CLOSING: usize = 64;
/// What the system keeps for a neighbour who does not take it, in bytes (it may double this).
const SEND_BUFFER: usize = 64 * 1024;

/// Runs a node on a listening socket until it has left, and returns how many neighbours have taken
/// its farewell. `tell` hears the news; an error of its ends the node at once.
pub fn run(
    listener: &TcpListener,
    setup: Setup,
    group: Option<SocketAddrV4>,
    (orders, inbox): (Orders, Receiver<Input>),
    stop: &Stop,
    tell: &mut dyn FnMut(News) -> Result<()>,
) -> Result<usize> {
    let own = Contact { id: setup.id, address: listener.local_addr()? };
    // Ctrl-C means to leave, and leaving takes a moment. `ended` is for our own threads.
    let leaving = orders.clone();
    let _registration = stop.when_raised(move || _ = leaving.tell(Event::Leave));
    let ended = &Stop::new();
    thread::scope(|threads| {
        let (accepting, hearing) = (orders.clone(), orders.clone());
        let started = start(threads, "accepting", move || accept(listener, &accepting, ended));
        let discover = |group| move || discovery::run(group, own, &hearing, ended);
        let discovers = group.map_or(Ok(()), |group| start(threads, "discovery", discover(group)));
        let node = Node::new(setup, Instant::now());
        let mut driver = Driver { node, threads, orders, wires: HashMap::new(), next: 0 };
        let started = started.and(discovers).map_err(Into::into);
        let done = started.and_then(|()| driver.work(&inbox, stop, tell));
        // Every thread waits for one of these three: a connection, the listener, the inbox.
        driver.wires.values_mut().for_each(Wire::cut);
        ended.raise();
        drop(inbox);
        done.map(|()| driver.node.farewells_taken())
    })
}

/// Starts a thread of this node, which carries its label.
fn start<'scope>(
    threads: &'scope Scope<'scope, '_>,
    task: &str,
    work: impl FnOnce() + Send + 'scope,
) -> std::io::Result<()> {
    thread::Builder::new().name(log::thread_name(task)).spawn_scoped(threads, work).map(drop)
}

fn accept(listener: &TcpListener, orders: &Orders, ended: &Stop) {
    let accepted = |(stream, with)| orders.give(Input::Connected { stream, with, dialled: false });
    match serve::connections(listener, ended) {
        Ok(mut connections) => while connections.next().is_some_and(accepted) {},
        Err(error) => log!("nobody can connect: {error}"),
    }
}

struct Driver<'scope, 'env> {
    node: Node,
    threads: &'scope Scope<'scope, 'env>,
    orders: Orders,
    wires: HashMap<LinkId, Wire>,
    /// The number of the next connection.
    next: LinkId,
}

impl Driver<'_, '_> {
    // listing: begin work
    fn work(
        &mut self,
        inbox: &Receiver<Input>,
        stop: &Stop,
        tell: &mut dyn FnMut(News) -> Result<()>,
    ) -> Result<()> {
        let (mut next_tick, mut last_moment) = (Instant::now(), None);
        loop {
            let next = last_moment.map_or(next_tick, |moment| next_tick.min(moment));
            let wait = next.saturating_duration_since(Instant::now());
            let mut events = VecDeque::new();
            match inbox.recv_timeout(wait) {
                Ok(Input::Crash) => {
                    log!("crashes: its connections end without a word");
                    return Ok(());
                }
                Ok(Input::Connected { stream, with, dialled }) => {
                    events.extend(self.connect(stream, with, dialled));
                }
                Ok(Input::Event(event)) => events.push_back(event),
                Err(_) => {}
            }
            let now = Instant::now();
            if now >= next_tick {
                events.push_back(Event::Tick);
                next_tick = now + TICK;
            }
            while let Some(event) = events.pop_front() {
                if matches!(event, Event::Leave) {
                    let within = if stop.is_raised() { LEAVE_WITHIN } else { CLOSE_WITHIN };
                    last_moment.get_or_insert(now + within);
                }
                self.handle(event, now, &mut events, tell)?;
            }
            if self.node.has_left() || last_moment.is_some_and(|moment| now >= moment) {
                return Ok(());
            }
        }
    }
    // listing: end work
}
