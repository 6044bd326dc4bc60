//! The transcript of a run: a line for each thing that happened, written while it happens.
//!
//! ```text
//! client 1 connects
//! client 1 → server: 5 bytes "hello"
//! server → client 1: 6 bytes "你好"
//! client 1 → server: #3, 5 bytes "again": lost
//! ```
//!
//! A datagram's number (`#3`, counted from 0 in its direction) is the one that a fault is told
//! by. How a TCP stream falls into pieces is chance: each piece that the relay read is a line.

use std::io::{self, Write};
use std::sync::Arc;

use crate::fates::{Fates, arrival};
use crate::faults::{Direction, Fate};
use crate::payload::{bytes, grouped, show};
use crate::record::{Connection, Event, Happening, Recorder, Transport};

/// How much of a payload a line shows, in columns.
const PAYLOAD_COLUMNS: usize = 160;

/// Writes a transcript to `W`, a line at a time.
#[derive(Debug)]
pub struct Transcript<W> {
    output: W,
    times: bool,
    payload_columns: usize,
    fates: Fates,
    error: Option<io::Error>,
}

impl<W: Write> Transcript<W> {
    /// A transcript without times, so that two runs can be compared with diff(1).
    pub fn new(output: W) -> Self {
        let (times, payload_columns) = (false, PAYLOAD_COLUMNS);
        Self { output, times, payload_columns, fates: Fates::default(), error: None }
    }

    /// With the time since the start of the relay at the beginning of each line.
    #[must_use]
    pub fn with_times(mut self) -> Self {
        self.times = true;
        self
    }

    /// With another limit on how much of a payload a line shows, in columns.
    #[must_use]
    pub fn with_payload_columns(mut self, columns: usize) -> Self {
        self.payload_columns = columns;
        self
    }

    /// Ends the transcript.
    ///
    /// # Errors
    /// The first error of writing; nothing was written after it.
    pub fn finish(&mut self) -> io::Result<()> {
        self.error.take().map_or_else(|| self.output.flush(), Err)
    }

    /// What is written to.
    pub fn output(&self) -> &W {
        &self.output
    }

    /// What was written to.
    pub fn into_inner(self) -> W {
        self.output
    }

    fn write(&mut self, event: &Event, text: &str) -> io::Result<()> {
        if self.times {
            write!(self.output, "{:12.6} s  ", event.at.as_secs_f64())?;
        }
        writeln!(self.output, "{text}")?;
        self.output.flush()
    }
}

impl<W: Write + Send> Recorder for Transcript<W> {
    fn record(&mut self, event: &Event) {
        if self.error.is_none()
            && let Some(text) = line(&mut self.fates, event, self.payload_columns)
        {
            self.error = self.write(event, &text).err();
        }
    }
}

/// What a line says; `None` if the event says nothing that an earlier line did not say.
fn line(fates: &mut Fates, event: &Event, payload_columns: usize) -> Option<String> {
    let client = client(&event.connection);
    let (from, to) = match event.direction {
        Direction::ToServer => (client.as_str(), "server"),
        Direction::ToClient => ("server", client.as_str()),
    };
    let udp = event.connection.transport == Transport::Udp;
    Some(match &event.happening {
        Happening::Opened if udp => format!("{client} appears"),
        Happening::Opened => format!("{client} connects"),
        Happening::Refused => format!("{client} is refused"),
        Happening::Ended => format!("{from} → {to}: end of the stream (FIN)"),
        Happening::Reset => format!("{from} → {to}: connection reset (RST)"),
        Happening::Sent { index, fate, payload } => {
            fates.note(event.direction, *index, *fate, payload);
            let number = if udp { format!("#{index}, ") } else { String::new() };
            format!("{from} → {to}: {number}{}{}", content(payload, payload_columns), ending(*fate))
        }
        Happening::Delivered { index, payload } => {
            let arrived = fates.arrive(event.direction, *index, payload)?;
            format!("{from} → {to}: #{index} {}", arrival(&arrived))
        }
    })
}

/// `client 1` for connection 0: people count from 1.
fn client(connection: &Connection) -> String {
    format!("client {}", u64::from(connection.number) + 1)
}

fn content(payload: &Arc<[u8]>, columns: usize) -> String {
    let (text, rest) = show(payload, columns);
    let length = bytes(payload.len() as u64);
    match rest {
        _ if text.is_empty() => length,
        0 => format!("{length} {text}"),
        rest => format!("{length} {text} and {} more", grouped(rest as u64)),
    }
}

fn ending(fate: Fate) -> String {
    match fate {
        Fate::Pass => String::new(),
        Fate::Lose => ": lost".to_owned(),
        Fate::Duplicate => ": will arrive twice".to_owned(),
        Fate::Reorder(1) => ": held back until a later one has passed it".to_owned(),
        Fate::Reorder(depth) => format!(": held back until {depth} later ones have passed it"),
        Fate::Corrupt => ": will be damaged".to_owned(),
        Fate::TooLarge => ": too large for the network, dropped".to_owned(),
        Fate::QueueFull => ": the queue is full, dropped".to_owned(),
    }
}
