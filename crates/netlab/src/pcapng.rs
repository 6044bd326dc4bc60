//! The capture of a run, for Wireshark, tshark and tcpdump: what the receivers saw, as if the
//! client and the server had talked to each other without the laboratory between them.
//!
//! The relay sees payloads, not packets, so the Ethernet, IP, TCP and UDP headers are made here,
//! with checksums, sequence numbers and acknowledgements as they would have been on a network
//! that carries the largest datagram in one packet. Interface `delivered` holds what arrived;
//! interface `lost` the datagrams that did not, each with a comment that says why. To see only
//! what arrived: `tshark -2 -R 'frame.interface_id == 0' -r FILE`.
//!
//! Wireshark guesses what datagrams contain, and a few of a compressed file look to it like a
//! broken RTCP; *Decode As… → Data* (`tshark -d udp.port==PORT,data`) ends the guessing.

use std::collections::HashMap;
use std::io::{self, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::fates::{Fates, arrival};
use crate::faults::{Direction, Fate};
use crate::record::{Connection, Event, Happening, Recorder, Transport};

mod blocks;
mod packets;
mod stream;

use blocks::Interface;
use stream::Stream;

/// How long packets may wait in memory, so that somebody can look at the file while it grows.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// Writes a capture to `W` while the run goes on; `W` is best a [`io::BufWriter`].
#[derive(Debug)]
pub struct Capture<W> {
    file: Packets<W>,
    streams: HashMap<u32, Stream>,
    fates: Fates,
    error: Option<io::Error>,
}

impl<W: Write> Capture<W> {
    /// Begins a capture of a relay that is being started now.
    ///
    /// # Errors
    /// When the file's beginning cannot be written.
    pub fn new(output: W) -> io::Result<Self> {
        Self::since(output, SystemTime::now())
    }

    /// Begins a capture of a relay that was started at that time of day.
    ///
    /// # Errors
    /// When the file's beginning cannot be written.
    pub fn since(mut output: W, start: SystemTime) -> io::Result<Self> {
        blocks::write_beginning(&mut output)?;
        let start = start.duration_since(UNIX_EPOCH).unwrap_or_default();
        let file = Packets { output, start, last: Duration::ZERO, flushed: Duration::ZERO };
        let (streams, fates) = (HashMap::new(), Fates::default());
        Ok(Self { file, streams, fates, error: None })
    }

    /// Ends the capture: everything recorded so far is in the file.
    ///
    /// # Errors
    /// The first error of writing; nothing was written after it.
    pub fn finish(&mut self) -> io::Result<()> {
        self.error.take().map_or_else(|| self.file.output.flush(), Err)
    }

    /// What was written to.
    pub fn into_inner(self) -> W {
        self.file.output
    }

    fn write(&mut self, event: &Event) -> io::Result<()> {
        match event.connection.transport {
            Transport::Tcp => self.write_tcp(event)?,
            Transport::Udp => self.write_udp(event)?,
        }
        self.file.flush_now_and_then(event.at)
    }

    fn write_tcp(&mut self, event: &Event) -> io::Result<()> {
        let connection = &event.connection;
        let number = connection.number;
        let mut put = |frame: Vec<u8>| self.file.put(event.at, Interface::Delivered, &frame, None);
        match &event.happening {
            Happening::Opened => {
                let stream = Stream::open(connection, &mut put)?;
                self.streams.insert(number, stream);
            }
            Happening::Refused => match self.streams.remove(&number) {
                None => Stream::refuse(connection, &mut put)?,
                Some(mut open) => open.reset(Direction::ToClient, &mut put)?,
            },
            Happening::Sent { .. } => {}
            Happening::Delivered { payload, .. } => {
                if let Some(stream) = self.streams.get_mut(&number) {
                    stream.deliver(event.direction, payload, &mut put)?;
                }
            }
            Happening::Ended => {
                if let Some(stream) = self.streams.get_mut(&number) {
                    stream.end(event.direction, &mut put)?;
                }
            }
            Happening::Reset => {
                if let Some(mut stream) = self.streams.remove(&number) {
                    stream.reset(event.direction, &mut put)?;
                }
            }
        }
        if self.streams.get(&number).is_some_and(Stream::is_over) {
            self.streams.remove(&number);
        }
        Ok(())
    }

    fn write_udp(&mut self, event: &Event) -> io::Result<()> {
        let (direction, connection) = (event.direction, &event.connection);
        match &event.happening {
            Happening::Sent { index, fate, payload } => {
                self.fates.note(direction, *index, *fate, payload);
                let Some(why) = why_lost(*fate) else { return Ok(()) };
                let comment = format!("datagram #{index} did not arrive: {why}");
                let frame = packets::datagram(connection, direction, payload)?;
                self.file.put(event.at, Interface::Lost, &frame, Some(&comment))
            }
            Happening::Delivered { index, payload } => {
                let unusual = self.fates.arrive(direction, *index, payload);
                let comment = unusual.map(|it| format!("datagram #{index} {}", arrival(&it)));
                let frame = packets::datagram(connection, direction, payload)?;
                self.file.put(event.at, Interface::Delivered, &frame, comment.as_deref())
            }
            // A datagram opens and ends nothing on the wire.
            _ => Ok(()),
        }
    }
}

impl<W: Write + Send> Recorder for Capture<W> {
    fn record(&mut self, event: &Event) {
        if self.error.is_none() {
            self.error = self.write(event).err();
        }
    }
}

fn why_lost(fate: Fate) -> Option<&'static str> {
    match fate {
        Fate::Lose => Some("the laboratory lost it"),
        Fate::TooLarge => Some("it is larger than the network carries (MTU)"),
        Fate::QueueFull => Some("the queue before the bottleneck was full"),
        Fate::Pass | Fate::Duplicate | Fate::Reorder(_) | Fate::Corrupt => None,
    }
}

/// The file, and the clock of its packets.
#[derive(Debug)]
struct Packets<W> {
    output: W,
    /// Since 1970.
    start: Duration,
    last: Duration,
    flushed: Duration,
}

impl<W: Write> Packets<W> {
    /// No two packets have the same time, so that a program that sorts them keeps their order.
    fn put(
        &mut self,
        at: Duration,
        interface: Interface,
        frame: &[u8],
        comment: Option<&str>,
    ) -> io::Result<()> {
        self.last = at.max(self.last + Duration::from_nanos(1));
        blocks::write_packet(&mut self.output, interface, self.start + self.last, frame, comment)
    }

    fn flush_now_and_then(&mut self, at: Duration) -> io::Result<()> {
        if at.saturating_sub(self.flushed) < FLUSH_EVERY {
            return Ok(());
        }
        self.flushed = at;
        self.output.flush()
    }
}

/// A frame that cannot be made is one that no network could carry.
fn impossible(error: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("no packet can carry this: {error}"))
}

/// The sender and the receiver of what goes in `direction`.
fn ends(
    connection: &Connection,
    direction: Direction,
) -> (std::net::SocketAddr, std::net::SocketAddr) {
    match direction {
        Direction::ToServer => (connection.client, connection.server),
        Direction::ToClient => (connection.server, connection.client),
    }
}
