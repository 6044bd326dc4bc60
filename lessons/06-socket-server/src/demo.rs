//! Three acts: four servers with one handler, a pool that is full, and a graceful end.

mod gate;
mod stage;

use std::process;
use std::sync::mpsc;

use anyhow::{Result, ensure};
use netbasics::cli::log;
use netbasics::net::unix;

use crate::framework::pool::Pool;
use crate::framework::runner::Threads;
use crate::shout::Shout;
use crate::target::{self, Kind, Target};
use gate::gate;
use stage::{LIMIT, Show, client, labelled};

pub fn run(target: &Target) -> Result<()> {
    labelled("[demo]", || {
        for kind in [Kind::Tcp, Kind::Udp, Kind::Unix, Kind::UnixDatagram] {
            one_server(target, kind)?;
        }
        full_pool(target)?;
        graceful_end(target)
    })
}

// listing: begin four
/// One of the four servers, always with the same handler.
fn one_server(target: &Target, kind: Kind) -> Result<()> {
    log!("one handler, server {} of 4: {kind}", kind as usize + 1);
    if kind.has_files() && !unix::AVAILABLE {
        log!("this system offers no Unix-domain sockets, so this one is left out");
        return Ok(());
    }
    let target = on_stage(target, kind)?;
    let show = Show::start(&target, Shout::default(), |_| Ok(Box::new(Threads)))?;
    let asked = client("[client]", &show.target, "hello")?.join();
    show.end()?;
    asked
}
// listing: end four

/// The address of the command line; for a socket file one that no other demo uses.
fn on_stage(target: &Target, kind: Kind) -> Result<Target> {
    let mut target = Target { kind, ..target.clone() };
    if kind.has_files() {
        target.addr = None;
        target.path = Some(target::folder()?.join(format!("demo-{}", process::id())));
    }
    Ok(target)
}

// listing: begin full
/// A pool of one worker with one place to wait, and four clients.
fn full_pool(target: &Target) -> Result<()> {
    log!("a pool with 1 worker and 1 place to wait; 4 clients come");
    let (gate, handler) = gate();
    let (send, gauge) = mpsc::channel();
    let show = Show::start(&on_stage(target, Kind::Tcp)?, handler, move |stop| {
        let pool = Pool::start(1, 1, stop)?;
        let _ = send.send(pool.gauge());
        Ok(Box::new(pool))
    })?;
    let clients = ["one", "two", "three", "four"]
        .map(|word| client(&format!("[client-{word}]"), &show.target, word));
    let is_full = gauge.recv_timeout(LIMIT)?.wait_until_full(LIMIT);
    ensure!(is_full, "four clients did not fill a pool of two places");
    log!("1 is served, 1 waits, 1 is in the loop's hands; others wait in the system's queue");
    gate.open();
    let asked = clients.into_iter().try_for_each(|client| client?.join());
    show.end()?;
    asked
}
// listing: end full

// listing: begin end
/// A server that is told to end while it serves somebody.
fn graceful_end(target: &Target) -> Result<()> {
    log!("a graceful end: Ctrl-C comes in the middle of a request");
    let (gate, handler) = gate();
    let show = Show::start(&on_stage(target, Kind::Tcp)?, handler, |stop| {
        Ok(Box::new(Pool::start(1, 1, stop)?))
    })?;
    let early = client("[client-early]", &show.target, "hello")?;
    gate.wait_until_somebody_is_there()?;
    show.stop();
    show.wait_until_closed()?;
    let late = client("[client-late]", &show.target, "hello")?.join();
    ensure!(late.is_err(), "a client was let in after the end");
    gate.open();
    let asked = early.join();
    show.end()?;
    log!("who was in was answered, who came late was refused");
    asked
}
// listing: end end
