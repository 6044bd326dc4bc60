//! The client of the echo bench: loads any echo server, and compares every byte that comes back.
//!
//! Two questions are asked. [`ping_pong`]: how long does one round trip take, on one connection?
//! [`crowd`]: how many messages a second come back on many connections, each of which sends its
//! next message when the last one has returned?
//!
//! The crowd is one thread with an event loop, so that a machine with few cores has the others for
//! the server, and so that it needs fewer system calls for a message than the server does: it knows
//! how long an answer is, and never asks for more.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use mio::{Events, Interest, Poll, Token};

/// Length of a message, in bytes.
pub const MESSAGE_BYTES: usize = 64;
/// How long a server may take to accept a connection, and to answer a message.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// What the server is told, and what it makes of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Speech {
    /// Any bytes, which come back as they are.
    Echo,
    /// A message of sockperf 3.7, whose server answers nothing else: a header in network byte
    /// order, then any bytes. The server clears the flag "from a client".
    ///
    /// ```text
    /// +------------------+---------+----------------+=========+
    /// | number (8 bytes) | flags 2 | whole length 4 |  bytes  |
    /// +------------------+---------+----------------+=========+
    /// ```
    Sockperf,
}

type Message = [u8; MESSAGE_BYTES];

impl Speech {
    /// Flags of sockperf: sent by a client, and to be answered.
    const FROM_CLIENT: u8 = 1;
    const ANSWER_ME: u8 = 2;
    const FLAGS: usize = 9;
    const HEADER_BYTES: usize = 14;

    /// The message with this number on this connection, and what must come back. No two are equal,
    /// so an answer that belongs to another message or connection is found out.
    fn message(self, connection: u32, number: u64) -> (Message, Message) {
        let mut message = [0; MESSAGE_BYTES];
        for (place, byte) in (0_u8..).zip(&mut message) {
            *byte = place.wrapping_mul(31) ^ number.to_le_bytes()[0];
        }
        message[..8].copy_from_slice(&number.to_be_bytes());
        message[16..20].copy_from_slice(&connection.to_be_bytes());
        let mut answer = message;
        if self == Self::Sockperf {
            message[8] = 0;
            message[Self::FLAGS] = Self::FROM_CLIENT | Self::ANSWER_ME;
            message[10..Self::HEADER_BYTES]
                .copy_from_slice(&(MESSAGE_BYTES as u64).to_be_bytes()[4..]);
            answer = message;
            answer[Self::FLAGS] = Self::ANSWER_ME;
        }
        (message, answer)
    }
}

/// The times of single round trips, in order of length.
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// The time within which this many of 100 round trips have ended: 50 for the median.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> Duration {
        let last = self.0.len() - 1;
        self.0[(self.0.len() * percent / 100).min(last)]
    }

    /// How many round trips were measured.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.0.len()
    }
}

/// Sends one message after another on one connection, `rounds` of them, and takes the time of each.
/// A tenth as many go before them, unmeasured, so that both programs and the system are warm.
///
/// # Errors
/// When the server cannot be reached, answers wrong bytes, or takes longer than [`PATIENCE`].
pub fn ping_pong(addr: SocketAddr, speech: Speech, rounds: usize) -> Result<Latencies> {
    ensure!(rounds > 0, "nothing to measure: no rounds");
    let mut stream = connect(addr)?;
    let warm_up = rounds / 10;
    let mut times = Vec::with_capacity(rounds);
    let mut came = [0; MESSAGE_BYTES];
    for round in 0..warm_up + rounds {
        let (message, answer) = speech.message(0, round as u64);
        let begin = Instant::now();
        stream.write_all(&message).with_context(|| format!("cannot send to {addr}"))?;
        stream.read_exact(&mut came).with_context(|| format!("no whole answer from {addr}"))?;
        let took = begin.elapsed();
        ensure!(came == answer, "{addr} answered other bytes than it was sent (round {round})");
        if round >= warm_up {
            times.push(took);
        }
    }
    times.sort_unstable();
    Ok(Latencies(times))
}

/// What a crowd has got done.
#[derive(Debug)]
pub struct Crowd {
    /// Messages that came back, every byte as expected.
    pub messages: u64,
    /// From the moment when every connection had been answered once.
    pub elapsed: Duration,
    /// The messages of the connection that got the fewest, and of the one that got the most.
    pub fewest: u64,
    /// See [`fewest`](Self::fewest).
    pub most: u64,
}

impl Crowd {
    /// Messages a second, over all connections.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // No bench counts to 2^53.
    pub fn rate(&self) -> f64 {
        self.messages as f64 / self.elapsed.as_secs_f64()
    }
}

/// Opens this many connections and lets each send message after message for the given time. The
/// clock starts when each of them has been answered once: a server that forks has forked by then.
///
/// # Errors
/// When a connection cannot be opened, ends, brings wrong bytes, or nothing at all comes for as
/// long as [`PATIENCE`].
pub fn crowd(
    addr: SocketAddr,
    speech: Speech,
    connections: usize,
    time: Duration,
) -> Result<Crowd> {
    crowd_observed(addr, speech, connections, time, || {})
}

/// As [`crowd`], and calls `observe` when the time is over and every connection is still open: for
/// counting the server's threads, say.
pub fn crowd_observed(
    addr: SocketAddr,
    speech: Speech,
    connections: usize,
    time: Duration,
    observe: impl FnOnce(),
) -> Result<Crowd> {
    ensure!(connections > 0, "nothing to measure: no connections");
    let mut crowd = Members::open(addr, speech, connections)?;
    let mut left = connections;
    crowd.start_all()?;
    crowd.run(|member| {
        left -= usize::from(member.answered == 1);
        left == 0
    })?;
    crowd.list.iter_mut().for_each(|member| member.answered = 0);
    let begin = Instant::now();
    let mut seen = 0_u32;
    crowd.run(|_| {
        seen = seen.wrapping_add(1);
        // The clock is not free either.
        seen.is_multiple_of(16) && begin.elapsed() >= time
    })?;
    let elapsed = begin.elapsed();
    observe();
    let answered = || crowd.list.iter().map(|member| member.answered);
    let (fewest, most) = (answered().min().unwrap_or(0), answered().max().unwrap_or(0));
    Ok(Crowd { messages: answered().sum(), elapsed, fewest, most })
}

struct Members {
    poll: Poll,
    events: Events,
    addr: SocketAddr,
    speech: Speech,
    list: Vec<Member>,
}

struct Member {
    stream: mio::net::TcpStream,
    number: u32,
    answered: u64,
    sent: u64,
    expected: Message,
    came: Message,
    length: usize,
}

impl Members {
    fn open(addr: SocketAddr, speech: Speech, connections: usize) -> Result<Self> {
        let poll = Poll::new()?;
        let mut list = Vec::with_capacity(connections);
        for (number, index) in (0_u32..).zip(0..connections) {
            let stream = connect(addr).with_context(|| format!("{index} connections are open"))?;
            stream.set_nonblocking(true)?;
            let mut stream = mio::net::TcpStream::from_std(stream);
            poll.registry().register(&mut stream, Token(index), Interest::READABLE)?;
            let (expected, came) = ([0; MESSAGE_BYTES], [0; MESSAGE_BYTES]);
            list.push(Member { stream, number, answered: 0, sent: 0, expected, came, length: 0 });
        }
        Ok(Self { poll, events: Events::with_capacity(1024), addr, speech, list })
    }

    fn start_all(&mut self) -> Result<()> {
        let Self { list, speech, addr, .. } = self;
        list.iter_mut().try_for_each(|member| member.send(*speech, *addr))
    }

    /// Lets all of them go on until `is_enough`, which is asked after each answer, says so.
    ///
    /// The events at hand are seen through even then, so that each of them still has a message on
    /// its way, and the next call can go on.
    fn run(&mut self, mut is_enough: impl FnMut(&Member) -> bool) -> Result<()> {
        let mut enough = false;
        while !enough {
            match self.poll.poll(&mut self.events, Some(PATIENCE)) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            ensure!(!self.events.is_empty(), "{} has sent nothing for {PATIENCE:?}", self.addr);
            for event in &self.events {
                let member = &mut self.list[event.token().0];
                while member.receive(self.addr)? {
                    enough |= is_enough(member);
                    member.send(self.speech, self.addr)?;
                    // The next answer makes a new event. On Windows, mio makes none before it has
                    // seen that there is nothing to read.
                    if !cfg!(windows) {
                        break;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Member {
    fn send(&mut self, speech: Speech, addr: SocketAddr) -> Result<()> {
        let (message, answer) = speech.message(self.number, self.sent);
        self.sent += 1;
        self.expected = answer;
        // There is never more than one message on its way, so it always fits.
        let sent = self.stream.write(&message).with_context(|| format!("cannot send to {addr}"))?;
        ensure!(sent == MESSAGE_BYTES, "the system took only {sent} of {MESSAGE_BYTES} bytes");
        Ok(())
    }

    /// Takes what has come; true if it completes the answer.
    fn receive(&mut self, addr: SocketAddr) -> Result<bool> {
        while self.length < MESSAGE_BYTES {
            match self.stream.read(&mut self.came[self.length..]) {
                Ok(0) => bail!("{addr} has closed connection {}", self.number),
                Ok(length) => self.length += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    return Err(error).with_context(|| format!("cannot receive from {addr}"));
                }
            }
        }
        self.length = 0;
        self.answered += 1;
        let (number, sent) = (self.number, self.sent);
        ensure!(
            self.came == self.expected,
            "{addr} answered other bytes than it was sent (connection {number}, message {sent})"
        );
        Ok(true)
    }
}

fn connect(addr: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&addr, PATIENCE)
        .with_context(|| format!("cannot connect to {addr}"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;
    use netlab::port::free_address;
    use netlab::record::Transport;
    use std::net::TcpListener;
    use std::thread;

    /// Serves every connection with `attend`, each on a thread of its own, as long as the test runs.
    fn server(attend: impl Fn(TcpStream) + Clone + Send + 'static) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let attend = attend.clone();
                thread::spawn(move || attend(stream.unwrap()));
            }
        });
        addr
    }

    /// Sends back what `change` makes of each message, in pieces of this many bytes.
    fn answers(
        mut stream: TcpStream,
        piece: usize,
        change: impl Fn(&mut Message),
    ) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut message = [0; MESSAGE_BYTES];
        loop {
            stream.read_exact(&mut message)?;
            change(&mut message);
            for part in message.chunks(piece) {
                stream.write_all(part)?;
            }
        }
    }

    fn echo(piece: usize) -> SocketAddr {
        server(move |stream| _ = answers(stream, piece, |_| {}))
    }

    const SHORT: Duration = Duration::from_millis(20);

    #[test]
    fn a_ping_pong_measures_each_round_and_no_other() {
        let times = ping_pong(echo(64), Speech::Echo, 50).unwrap();
        assert_eq!(times.rounds(), 50);
        assert!(times.percentile(50) <= times.percentile(99));
        assert!(times.percentile(99) <= times.percentile(100));
    }

    #[test]
    fn a_crowd_counts_the_messages_of_all_and_each_has_some() {
        let crowd = crowd(echo(64), Speech::Echo, 8, SHORT).unwrap();
        assert!(crowd.fewest <= crowd.most && crowd.most <= crowd.messages, "{crowd:?}");
        assert!(crowd.messages > 0 && crowd.rate() > 0.0, "{crowd:?}");
        assert!(crowd.elapsed >= SHORT, "{crowd:?}");
    }

    #[test]
    fn an_answer_may_come_in_any_pieces() {
        let addr = echo(7);
        ping_pong(addr, Speech::Echo, 20).unwrap();
        assert!(crowd(addr, Speech::Echo, 3, SHORT).unwrap().messages > 0);
    }

    #[test]
    fn one_wrong_byte_is_found() {
        let addr = server(|stream| _ = answers(stream, 64, |message| message[63] ^= 1));
        let errors = [
            ping_pong(addr, Speech::Echo, 1).err().unwrap(),
            crowd(addr, Speech::Echo, 2, SHORT).unwrap_err(),
        ];
        for error in errors {
            assert!(error.to_string().contains("other bytes than it was sent"), "{error}");
        }
    }

    #[test]
    fn a_server_that_hangs_up_is_an_error() {
        let addr = server(drop);
        assert!(ping_pong(addr, Speech::Echo, 1).is_err());
        assert!(crowd(addr, Speech::Echo, 2, SHORT).is_err());
    }

    #[test]
    fn no_server_is_an_error_that_names_the_address() {
        let gone = free_address(Transport::Tcp);
        let error = crowd(gone, Speech::Echo, 1, SHORT).unwrap_err();
        assert!(format!("{error:#}").contains(&gone.to_string()), "{error:#}");
    }

    #[test]
    fn a_message_for_sockperf_says_its_length_and_comes_back_without_the_clients_flag() {
        let (message, answer) = Speech::Sockperf.message(3, 5);
        assert_eq!(message[..14], [0, 0, 0, 0, 0, 0, 0, 5, 0, 3, 0, 0, 0, 64]);
        assert_eq!(answer[..14], [0, 0, 0, 0, 0, 0, 0, 5, 0, 2, 0, 0, 0, 64]);
        assert_eq!(message[14..], answer[14..]);
        let addr = server(|stream| _ = answers(stream, 64, |message| message[9] &= !1));
        assert!(crowd(addr, Speech::Sockperf, 2, SHORT).unwrap().messages > 0);
    }
}
