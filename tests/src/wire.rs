//! What the wire carried, as the laboratory would have recorded it: from what the test itself has
//! sent and received, so that nothing has to stand between; and from the relays, where the test
//! has put one.

use std::collections::{HashMap, VecDeque};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use netlab::faults::{Direction, Fate};
use netlab::record::{Connection, Event, Happening, Recorder, Transport};
use netlab::transcript::Transcript;

use crate::artifacts::Artifacts;
use crate::step_log::SHOWN;

/// How much of a payload a line of a report shows.
const PAYLOAD_COLUMNS: usize = 48;
/// Of each relay the indices are its own; they begin so far from each other.
const INDICES_OF_A_RELAY: u64 = 1_000_000;

/// The wire of one case.
pub struct Wire {
    began: Instant,
    transcript: Transcript<LastLines>,
    artifacts: Option<Artifacts>,
    /// The next index to the server and to the client.
    indices: [u64; 2],
    /// The number of each client, counted from 1.
    numbers: HashMap<(Transport, SocketAddr), usize>,
    connections: usize,
    relays: u64,
}

impl Wire {
    /// Nothing was carried yet. `name` is for the files that the wire is drawn in.
    pub fn begin(name: &str) -> Self {
        Self {
            began: Instant::now(),
            transcript: Transcript::new(LastLines::default())
                .with_times()
                .with_payload_columns(PAYLOAD_COLUMNS),
            artifacts: Artifacts::wanted(name),
            indices: [0; 2],
            numbers: HashMap::new(),
            connections: 0,
            relays: 0,
        }
    }

    /// A new number for the client at that address.
    pub fn new_number(&mut self, transport: Transport, client: SocketAddr) -> usize {
        self.connections += 1;
        self.numbers.insert((transport, client), self.connections);
        self.connections
    }

    /// The number of the client at that address, which may be a new one.
    pub fn number_of(&mut self, transport: Transport, client: SocketAddr) -> usize {
        let known = self.numbers.get(&(transport, client)).copied();
        known.unwrap_or_else(|| self.new_number(transport, client))
    }

    /// Notes one piece of payload, at the moment at which the test has sent or received it.
    pub fn carries(&mut self, line: &Line, direction: Direction, payload: &[u8]) {
        let next = &mut self.indices[usize::from(direction == Direction::ToClient)];
        let (index, payload) = (*next, Arc::<[u8]>::from(payload));
        *next += 1;
        let sent = Happening::Sent { index, fate: Fate::Pass, payload: Arc::clone(&payload) };
        let delivered = Happening::Delivered { index, payload };
        // Nothing lies between: both at one moment.
        let (at, connection) = (self.began.elapsed(), line.connection());
        for happening in [sent, delivered] {
            self.record(&Event { at, connection, direction, happening });
        }
    }

    /// Notes something else: a beginning, an end, a reset.
    pub fn happens(&mut self, line: &Line, direction: Direction, happening: Happening) {
        let (at, connection) = (self.began.elapsed(), line.connection());
        self.record(&Event { at, connection, direction, happening });
    }

    /// A recorder for a relay that is being started now.
    pub fn overhear(wire: &Arc<Mutex<Self>>) -> Box<dyn Recorder> {
        let mut this = wire.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, first_index) = (this.began.elapsed(), this.relays * INDICES_OF_A_RELAY);
        this.relays += 1;
        Box::new(Overhearing { wire: Arc::clone(wire), since, first_index })
    }

    /// The last lines of the transcript, and how many were before them.
    pub fn transcript(&self) -> (Vec<String>, usize) {
        let LastLines { lines, dropped, .. } = self.transcript.output();
        (lines.iter().cloned().collect(), *dropped)
    }

    /// The case has failed: the files are completed. (If it does not fail, they are removed.)
    pub fn keep_artifacts(&mut self) -> io::Result<()> {
        self.artifacts.take().map_or(Ok(()), Artifacts::keep)
    }
}

impl Recorder for Wire {
    fn record(&mut self, event: &Event) {
        self.transcript.record(event);
        if let Some(artifacts) = &mut self.artifacts {
            artifacts.record(event);
        }
    }
}

/// One connection as the test sees it from its own end.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Counted from 1.
    pub number: usize,
    pub transport: Transport,
    pub client: SocketAddr,
    pub server: SocketAddr,
    /// Whether a relay on the way tells the wire already.
    pub is_overheard: bool,
}

impl Line {
    fn connection(&self) -> Connection {
        let number = u32::try_from(self.number - 1).unwrap_or(u32::MAX);
        let Self { transport, client, server, .. } = *self;
        Connection { number, transport, client, server }
    }
}

/// What a relay tells, in the terms of the case.
struct Overhearing {
    wire: Arc<Mutex<Wire>>,
    since: Duration,
    first_index: u64,
}

impl Recorder for Overhearing {
    fn record(&mut self, event: &Event) {
        let mut event = event.clone();
        event.at += self.since;
        if let Happening::Sent { index, .. } | Happening::Delivered { index, .. } =
            &mut event.happening
        {
            *index += self.first_index;
        }
        let mut wire = self.wire.lock().unwrap_or_else(PoisonError::into_inner);
        let number = wire.number_of(event.connection.transport, event.connection.client);
        event.connection.number = u32::try_from(number - 1).unwrap_or(u32::MAX);
        wire.record(&event);
    }
}

/// Keeps only as many lines as a report shows.
#[derive(Debug, Default)]
struct LastLines {
    lines: VecDeque<String>,
    dropped: usize,
    unfinished: Vec<u8>,
}

impl Write for LastLines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unfinished.extend_from_slice(bytes);
        while let Some(end) = self.unfinished.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.unfinished.drain(..=end).collect();
            self.lines.push_back(String::from_utf8_lossy(line.trim_ascii()).into_owned());
        }
        while self.lines.len() > SHOWN {
            self.lines.pop_front();
            self.dropped += 1;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
