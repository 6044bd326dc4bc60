//! The sockets and the clock for `eyeballs.rs`: non-blocking connects, all watched by one thread.

mod failure;

use std::collections::HashMap;
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::Result;
use mio::net::TcpStream as Connecting;
use mio::{Events, Interest, Poll, Token};
use netbasics::cli::log;
use netbasics::net::socket_error::explain;

use super::eyeballs::{Eyeballs, Settings, Step};
use crate::family::{Family, needs_zone, text, zone_advice};
use failure::{reason, why};

/// How many events are taken from the system at once; the others wait there.
const EVENTS_AT_ONCE: usize = 64;

// listing: begin connect
/// Connects to the first of `addresses`, which are those of `name`, that answers.
pub fn connect(name: &str, addresses: &[SocketAddr], settings: Settings) -> Result<TcpStream> {
    let mut race = Race::new(addresses, settings)?;
    loop {
        match race.eyeballs.step(race.now()) {
            Step::Start(number, address) => race.start(number, address),
            Step::WaitUntil(time) => race.wait(time)?,
            Step::Won(winner) => return race.finish(winner),
            Step::Failed => return Err(why(name, addresses, &race.eyeballs, settings)),
        }
    }
}
// listing: end connect

struct Race {
    eyeballs: Eyeballs,
    poll: Poll,
    events: Events,
    begun: Instant,
    /// The attempts of which nothing has been heard yet.
    open: HashMap<usize, Connecting>,
    connected: Option<Connecting>,
}

impl Race {
    fn new(addresses: &[SocketAddr], settings: Settings) -> io::Result<Self> {
        // getaddrinfo(3) asks for both families and answers once, in the order of RFC 6724, section
        // 6, which the person who runs this machine may have changed (gai.conf(5)).
        let preferred = addresses.first().map_or(Family::V6, |first| Family::of(*first));
        let mut eyeballs = Eyeballs::new(preferred, settings);
        for family in [Family::V6, Family::V4] {
            let of_family = addresses.iter().copied().filter(|one| Family::of(*one) == family);
            eyeballs.answered(family, of_family.collect(), Duration::ZERO);
        }
        Ok(Self {
            eyeballs,
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS_AT_ONCE),
            begun: Instant::now(),
            open: HashMap::new(),
            connected: None,
        })
    }

    fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    fn say(&self, what: fmt::Arguments<'_>) {
        log!("{:>5} ms  {what}", self.now().as_millis());
    }

    // listing: begin start
    /// Sends the first packet of the handshake and returns at once.
    fn start(&mut self, number: usize, address: SocketAddr) {
        self.say(format_args!("attempt {}: {}", number + 1, text(address)));
        // connect(2) on a non-blocking socket: EINPROGRESS, and the system goes on with it.
        let begun = Connecting::connect(address).and_then(|mut stream| {
            self.poll.registry().register(&mut stream, Token(number), Interest::WRITABLE)?;
            Ok(stream)
        });
        match begun {
            Ok(stream) => _ = self.open.insert(number, stream),
            // No IPv6 here, no route: known without asking anybody.
            Err(error) => self.fail(number, &error),
        }
    }

    /// Waits until `time`, or until something is heard of an attempt.
    fn wait(&mut self, time: Duration) -> io::Result<()> {
        let left = time.saturating_sub(self.now());
        match self.poll.poll(&mut self.events, Some(left)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            polled => polled?,
        }
        let heard: Vec<usize> = self.events.iter().map(|event| event.token().0).collect();
        for number in heard {
            self.look_at(number);
        }
        Ok(())
    }

    /// A socket that is connecting becomes writable when that is decided, one way or the other.
    fn look_at(&mut self, number: usize) {
        let Some(stream) = self.open.get(&number) else { return };
        // SO_ERROR (socket(7)): why it has failed. If it has not, there is a peer, or it is too soon.
        let outcome = match stream.take_error() {
            Ok(None) => stream.peer_addr().map(drop),
            Ok(Some(error)) | Err(error) => Err(error),
        };
        match outcome {
            Err(error) if error.kind() == ErrorKind::NotConnected => {}
            Err(error) => self.fail(number, &error),
            Ok(()) => {
                self.eyeballs.connected(number);
                // Of two that come at the same moment, one wins.
                self.connected = self.connected.take().or_else(|| self.open.remove(&number));
            }
        }
    }
    // listing: end start

    fn fail(&mut self, number: usize, error: &io::Error) {
        self.open.remove(&number);
        let address = self.eyeballs.attempts()[number].address;
        let why = if needs_zone(address) { zone_advice(address) } else { explain(error) };
        self.say(format_args!("attempt {} has failed: {}", number + 1, reason(&why)));
        self.eyeballs.failed(number, why);
    }

    // listing: begin finish
    /// The winner's connection, for calls that wait. All others are closed.
    fn finish(mut self, winner: usize) -> Result<TcpStream> {
        let stream = self.connected.take().ok_or(io::Error::from(ErrorKind::NotConnected))?;
        let (local, peer) = (stream.local_addr()?, stream.peer_addr()?);
        let family = Family::of(peer);
        self.say(format_args!(
            "attempt {} is connected over {family}: {}",
            winner + 1,
            text(local)
        ));
        let mut losers: Vec<usize> = self.open.keys().copied().collect();
        losers.sort_unstable();
        for loser in losers {
            // close(2): the system gives the handshake up, or resets what has just been connected.
            drop(self.open.remove(&loser));
            self.say(format_args!("attempt {} has lost and is closed", loser + 1));
        }
        let stream = TcpStream::from(stream);
        stream.set_nonblocking(false)?;
        Ok(stream)
    }
    // listing: end finish
}

#[cfg(test)]
mod tests;
