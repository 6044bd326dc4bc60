//! The relay for byte streams: accepts clients, and for each of them connects to the server.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use socket2::SockRef;

use super::event_loop::{Carrier, FIRST, FRONT, Next};
use super::flow::{Flow, Side};
use super::monitor::Monitor;
use super::pair::{Pair, reset_on_close};
use super::shared_link::{SharedLink, SharedLinks};
use super::splice::Splice;
use crate::conditions::Conditions;
use crate::faults::Direction;
use crate::record::{Connection, Transport};

/// How many connections there may be at once; each takes two sockets.
const MAX_CONNECTIONS: usize = 4096;
/// What the system may hold for a receiver on this computer. More is slower: the bytes have left
/// the processor's cache before they are read. (Far away, the system knows better.)
const SEND_BUFFER_BYTES: usize = 1 << 20;
/// How long nobody is accepted after the system had no socket for us.
const PAUSE: Duration = Duration::from_millis(100);
/// Clients accepted in one turn.
const ACCEPT_AT_ONCE: usize = 64;

pub(super) struct TcpCarrier {
    listener: TcpListener,
    server: SocketAddr,
    registry: Registry,
    monitor: Monitor,
    pairs: HashMap<u32, Pair>,
    next: u32,
    links: SharedLinks,
    /// Whether each way is plain, so that the kernel may move the bytes by itself.
    plain: (bool, bool),
    runnable: VecDeque<u32>,
    timers: BinaryHeap<Reverse<(Duration, u32)>>,
    /// Whether clients may be waiting.
    accepting: bool,
    /// Not before this time, after the system could not give us one.
    accept_at: Option<Duration>,
    /// A socket that we can do without, for when there are no more to be had.
    spare: Option<UdpSocket>,
}

impl TcpCarrier {
    pub(super) fn new(
        mut listener: TcpListener,
        server: SocketAddr,
        conditions: &Conditions,
        registry: Registry,
        monitor: Monitor,
    ) -> io::Result<Self> {
        registry.register(&mut listener, FRONT, Interest::READABLE)?;
        let Conditions { seed, to_server, to_client, .. } = conditions;
        let blind = !monitor.records();
        Ok(Self {
            listener,
            server,
            registry,
            monitor,
            pairs: HashMap::new(),
            next: 0,
            links: SharedLinks {
                to_server: SharedLink::new(*seed, Direction::ToServer, to_server),
                to_client: SharedLink::new(*seed, Direction::ToClient, to_client),
            },
            plain: (blind && to_server.is_plain(), blind && to_client.is_plain()),
            runnable: VecDeque::new(),
            timers: BinaryHeap::new(),
            accepting: true,
            accept_at: None,
            spare: spare(),
        })
    }

    fn accept(&mut self) {
        for _ in 0..ACCEPT_AT_ONCE {
            match self.listener.accept() {
                Ok((stream, client)) => self.open(stream, client),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.accepting = false;
                    return;
                }
                // It was gone before we came.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(_) if self.turn_one_away() => {}
                Err(_) => {
                    self.accept_at = Some(self.monitor.now() + PAUSE);
                    return;
                }
            }
        }
    }

    /// There are no sockets left: with the spare one, tells a client so at once instead of
    /// letting it wait.
    fn turn_one_away(&mut self) -> bool {
        if self.spare.take().is_none() {
            return false;
        }
        let accepted = self.listener.accept();
        let turned_away = accepted.is_ok();
        if let Ok((stream, client)) = accepted {
            self.refuse(stream, self.connection(client));
        }
        self.spare = spare();
        turned_away
    }

    fn connection(&self, client: SocketAddr) -> Connection {
        let (number, transport, server) = (self.next, Transport::Tcp, self.server);
        Connection { number, transport, client, server }
    }

    fn refuse(&mut self, stream: TcpStream, connection: Connection) {
        reset_on_close(&stream);
        drop(stream);
        self.next += 1;
        self.monitor.refused(connection);
    }

    fn open(&mut self, stream: TcpStream, client: SocketAddr) {
        let connection = self.connection(client);
        let room = self.pairs.len() < MAX_CONNECTIONS;
        let server = room.then(|| TcpStream::connect(self.server).ok()).flatten();
        let Some(server) = server else { return self.refuse(stream, connection) };
        let token = FIRST + 2 * self.next as usize;
        let sides = self.side(stream, token).and_then(|c| Ok((c, self.side(server, token + 1)?)));
        let Ok(sides) = sides else { return self.monitor.refused(connection) };
        let splice = |plain: bool| plain.then(Splice::default);
        let to_server = Flow::new(Direction::ToServer, &self.links.to_server, splice(self.plain.0));
        let to_client = Flow::new(Direction::ToClient, &self.links.to_client, splice(self.plain.1));
        self.pairs.insert(self.next, Pair::new(connection, sides, (to_server, to_client)));
        self.next += 1;
    }

    fn side(&self, mut stream: TcpStream, token: usize) -> io::Result<Side> {
        stream.set_nodelay(true)?;
        if stream.local_addr().is_ok_and(|address| address.ip().is_loopback()) {
            let _ = SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER_BYTES);
        }
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.registry.register(&mut stream, Token(token), interest)?;
        Ok(Side { stream, readable: false, writable: false })
    }

    /// Gives a connection its turn.
    fn run(&mut self, number: u32) {
        let Some(pair) = self.pairs.get_mut(&number) else { return };
        pair.runnable = false;
        match pair.turn(&mut self.links, &mut self.monitor) {
            Some(Next::Ready) => {}
            Some(Next::Now) => self.schedule(number),
            Some(Next::At(at)) => {
                if pair.timer.is_none_or(|timer| timer > at) {
                    pair.timer = Some(at);
                    self.timers.push(Reverse((at, number)));
                }
            }
            None => {
                if let Some(pair) = self.pairs.remove(&number) {
                    pair.close(&mut self.links, &self.monitor);
                }
            }
        }
    }

    fn schedule(&mut self, number: u32) {
        if let Some(pair) = self.pairs.get_mut(&number)
            && !pair.runnable
        {
            pair.runnable = true;
            self.runnable.push_back(number);
        }
    }

    /// Wakes whose time has come.
    fn ring(&mut self, now: Duration) {
        while let Some(Reverse((at, number))) = self.timers.peek().copied()
            && at <= now
        {
            self.timers.pop();
            if let Some(pair) = self.pairs.get_mut(&number)
                && pair.timer == Some(at)
            {
                pair.timer = None;
                self.schedule(number);
            }
        }
    }

    /// Lets those read who waited for room before the bottleneck, each in turn.
    fn unpark(&mut self, now: Duration) {
        for direction in [Direction::ToServer, Direction::ToClient] {
            while let Some(number) = self.link(direction).unpark(now) {
                if let Some(pair) = self.pairs.get_mut(&number) {
                    pair.grant(direction);
                }
                self.run(number);
            }
        }
    }

    fn link(&mut self, direction: Direction) -> &mut SharedLink {
        match direction {
            Direction::ToServer => &mut self.links.to_server,
            Direction::ToClient => &mut self.links.to_client,
        }
    }
}

impl Carrier for TcpCarrier {
    fn now(&self) -> Duration {
        self.monitor.now()
    }

    fn ready(&mut self, token: Token) {
        let Some(place) = token.0.checked_sub(FIRST) else {
            self.accepting = true;
            return;
        };
        let Ok(number) = u32::try_from(place / 2) else { return };
        if let Some(pair) = self.pairs.get_mut(&number) {
            pair.ready(place % 2 == 1);
            self.schedule(number);
        }
    }

    fn turn(&mut self) -> Next {
        let now = self.monitor.now();
        if self.accept_at.is_some_and(|at| at <= now) {
            self.accept_at = None;
        }
        if self.accepting && self.accept_at.is_none() {
            self.accept();
        }
        self.ring(now);
        self.unpark(now);
        for _ in 0..self.runnable.len() {
            if let Some(number) = self.runnable.pop_front() {
                self.run(number);
            }
        }
        if !self.runnable.is_empty() || (self.accepting && self.accept_at.is_none()) {
            return Next::Now;
        }
        let timer = self.timers.peek().map(|Reverse((at, _))| *at);
        let links = [self.links.to_server.next_at(), self.links.to_client.next_at()];
        Next::earliest([timer, self.accept_at, links[0], links[1]])
    }
}

fn spare() -> Option<UdpSocket> {
    UdpSocket::bind("127.0.0.1:0").ok()
}
