//! The same server with one thread for all: it asks the system which are ready, and serves those.
//! What happens on one connection is in `connection.rs`. For what each system calls differently
//! (epoll(7) on Linux, kqueue(2) on macOS, completion ports on Windows) `mio` has one name, `Poll`.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::mem::take;
use std::net::{self, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use netbasics::cli::log;
use netbasics::system::stop::Stop;

use super::connection::{Connection, Next, PIECE_BYTES};
use super::{Options, report_end};

/// A token is the number under which the system reports what is ready. These two are no clients.
const STOP: Token = Token(0);
const LISTENER: Token = Token(1);

/// How many events are taken from the system at once; the others wait there.
const EVENTS_AT_ONCE: usize = 1024;
/// How many clients are let in before those who are in get their turn.
const ACCEPTED_PER_TURN: usize = 64;
/// How often we look at the clock: for silent clients, and for an `accept` that has failed.
const TICK: Duration = Duration::from_millis(100);

// listing: begin events
/// Serves all connections with the current thread, until `stop` is raised.
pub fn serve(listener: net::TcpListener, options: &Options, stop: &Stop) -> Result<()> {
    let mut server = EventServer::new(listener, options)?;
    // Ctrl-C makes an event too. The waker is shared: it must still be there when that comes.
    let waker = Arc::new(Waker::new(server.poll.registry(), STOP)?);
    let ctrl_c = Arc::clone(&waker);
    let _waker = stop.when_raised(move || _ = ctrl_c.wake());
    let mut events = Events::with_capacity(EVENTS_AT_ONCE);
    // Whose turn it is.
    let mut turns: Vec<Token> = Vec::new();
    while !stop.is_raised() {
        // epoll_wait(2): the one place where this thread waits, and it waits for everybody.
        server.wait(&mut events, if turns.is_empty() { TICK } else { Duration::ZERO })?;
        turns.extend(events.iter().map(Event::token));
        server.look_at_the_clock(&mut turns);
        // Everybody gets one turn, whatever brought them here and how often.
        turns.sort_unstable();
        turns.dedup();
        // A client with more to do than fits into one turn stays for the next.
        turns.retain(|&token| server.take_turn(token) == Next::MyTurnAgain);
    }
    server.let_everybody_go();
    Ok(())
}
// listing: end events

/// All that the one thread has to remember. (A thread for each client has it on its stack.)
struct EventServer<'a> {
    poll: Poll,
    listener: TcpListener,
    options: &'a Options,
    connections: HashMap<Token, Connection>,
    last_token: Token,
    accept_again: bool,
    last_tick: Instant,
    /// One for all: what a connection must keep, it keeps itself.
    buffer: Vec<u8>,
}

impl<'a> EventServer<'a> {
    fn new(listener: net::TcpListener, options: &'a Options) -> io::Result<Self> {
        // O_NONBLOCK: a call that would have to wait returns with EWOULDBLOCK instead.
        listener.set_nonblocking(true)?;
        let mut listener = TcpListener::from_std(listener);
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            poll,
            listener,
            options,
            connections: HashMap::new(),
            last_token: LISTENER,
            accept_again: false,
            last_tick: Instant::now(),
            buffer: vec![0; PIECE_BYTES],
        })
    }

    fn wait(&mut self, events: &mut Events, limit: Duration) -> io::Result<()> {
        match self.poll.poll(events, Some(limit)) {
            // EINTR: a signal came first (Ctrl-Z, and then `fg`). Nobody is ready.
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            polled => polled,
        }
    }

    // listing: begin turn
    fn take_turn(&mut self, token: Token) -> Next {
        match token {
            STOP => Next::Wait,
            LISTENER if self.accept_again => Next::Wait,
            LISTENER => self.accept(),
            client => self.attend(client),
        }
    }

    /// The system reports once that clients have come, so we accept until there are no more.
    fn accept(&mut self) -> Next {
        for _ in 0..ACCEPTED_PER_TURN {
            match self.listener.accept() {
                Ok((stream, peer)) => self.admit(stream, peer),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Next::Wait,
                Err(error) => {
                    // No free descriptors? No event will tell when there are: the clock must.
                    log!("cannot accept a connection just now: {error}");
                    self.accept_again = true;
                    return Next::Wait;
                }
            }
        }
        Next::MyTurnAgain
    }

    /// Serves a client as far as that goes without waiting. Its failure ends nobody else.
    fn attend(&mut self, client: Token) -> Next {
        let Some(connection) = self.connections.get_mut(&client) else { return Next::Wait };
        let outcome = match connection.take_turn(self.options, &mut self.buffer) {
            Ok(Next::Close) => Ok(()),
            Ok(next) => return next,
            Err(error) => Err(error),
        };
        report_end(connection.peer, outcome);
        // close(2), by dropping the stream: the system forgets its token too.
        self.connections.remove(&client);
        Next::Close
    }
    // listing: end turn

    fn admit(&mut self, stream: TcpStream, peer: SocketAddr) {
        log!("{peer} connected");
        self.last_token.0 += 1;
        match Connection::open(stream, peer, self.poll.registry(), self.last_token) {
            Ok(connection) => _ = self.connections.insert(self.last_token, connection),
            Err(error) => report_end(peer, Err(error.into())),
        }
    }

    fn look_at_the_clock(&mut self, turns: &mut Vec<Token>) {
        if self.last_tick.elapsed() < TICK {
            return;
        }
        self.last_tick = Instant::now();
        turns.extend(take(&mut self.accept_again).then_some(LISTENER));
        let idle = self.options.idle;
        for (_, silent) in self.connections.extract_if(|_, one| one.moved.elapsed() >= idle) {
            report_end(silent.peer, Err(io::Error::from(ErrorKind::TimedOut).into()));
        }
    }

    /// After Ctrl-C. Every client reads the end of the stream.
    fn let_everybody_go(self) {
        for connection in self.connections.into_values() {
            report_end(connection.peer, connection.let_go());
        }
    }
}
