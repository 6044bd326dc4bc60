//! One reliable upload, as the server knows it: which bytes have come, and what to answer.

use std::io::Write;
use std::time::Instant;

use anyhow::{Result, anyhow, ensure};
use netbasics::inbox::{FileName, Inbox, Upload, explain_file};
use netbasics::say;
use sha2::{Digest, Sha256};

use crate::packet::{Kind, Packet};

/// What the server says to a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub kind: Kind,
    pub offset: u64,
    pub payload: Vec<u8>,
}

impl Answer {
    pub fn ack(offset: u64) -> Self {
        Self { kind: Kind::Ack, offset, payload: Vec::new() }
    }

    pub fn refused(error: &anyhow::Error) -> Self {
        Self { kind: Kind::Refused, offset: 0, payload: format!("{error:#}").into_bytes() }
    }
}

/// An upload: under way, or over and remembered for a client that has missed the last answer.
pub struct Transfer {
    incoming: Option<Incoming>,
    answer: Answer,
    /// When its peer was last heard from.
    pub last_heard: Instant,
}

/// The bytes that have come so far.
struct Incoming {
    upload: Upload,
    hash: Sha256,
    received: u64,
    length: u64,
    name: FileName,
}

impl Transfer {
    /// Begins what an `open` packet asks for.
    pub fn begin(inbox: &Inbox, open: &Packet, max_bytes: u64, now: Instant) -> Result<Self> {
        let length = open.offset;
        ensure!(length <= max_bytes, "{length} bytes are too many; this server takes {max_bytes}");
        let name: FileName = std::str::from_utf8(&open.payload)?.parse()?;
        let upload = inbox.begin().map_err(|error| cannot_store(&error))?;
        let incoming = Incoming { upload, hash: Sha256::new(), received: 0, length, name };
        Ok(Self { incoming: Some(incoming), answer: Answer::ack(0), last_heard: now })
    }

    // listing: begin handle
    /// Takes the next packet of this upload, and returns what its sender should know now.
    ///
    /// Once the upload is over, the answer stays the same, whatever comes: the last
    /// acknowledgement may have been lost, and then the sender asks again.
    pub fn handle(&mut self, packet: &Packet, now: Instant) -> Answer {
        self.last_heard = now;
        // Taken out, and put back only if there is more to come: whatever fails or finishes below
        // leaves `None`, and that is the end of the upload.
        if let Some(mut incoming) = self.incoming.take() {
            let result = match packet.kind {
                Kind::Data => incoming.append(packet),
                Kind::Close if incoming.received == incoming.length => {
                    self.answer = incoming.finish(packet).unwrap_or_else(|e| refuse(&e));
                    return self.answer.clone();
                }
                // A repeated `open`, or a `close` before its time: say what we have.
                _ => Ok(()),
            };
            match result {
                Ok(()) => {
                    self.answer = Answer::ack(incoming.received);
                    self.incoming = Some(incoming);
                }
                Err(error) => self.answer = refuse(&error),
            }
        }
        self.answer.clone()
    }
    // listing: end handle

    /// Whether bytes are still to come.
    pub fn is_under_way(&self) -> bool {
        self.incoming.is_some()
    }

    /// How far an upload under way has come: `1200 of 3000 bytes of poem.txt`.
    pub fn progress(&self) -> Option<String> {
        let Incoming { received, length, name, .. } = self.incoming.as_ref()?;
        Some(format!("{received} of {length} bytes of {name}"))
    }
}

impl Incoming {
    // listing: begin append
    /// Takes the bytes if they are the next ones. A duplicate, or a packet from further on, is
    /// passed over; the answer tells the sender where to go on.
    fn append(&mut self, data: &Packet) -> Result<()> {
        if data.offset == self.received {
            let end = self.received + data.payload.len() as u64;
            ensure!(end <= self.length, "more bytes came than were announced");
            self.upload.write_all(&data.payload).map_err(|error| cannot_store(&error))?;
            self.hash.update(&data.payload);
            self.received = end;
        }
        Ok(())
    }
    // listing: end append

    /// Every byte has arrived: compare, then publish.
    fn finish(self, close: &Packet) -> Result<Answer> {
        let digest: [u8; 32] = self.hash.finalize().into();
        ensure!(close.payload == digest, "the SHA-256 is not that of the bytes that came");
        let stored = self.upload.publish(&self.name).map_err(|error| cannot_store(&error))?;
        say!("stored {stored}: {} bytes, SHA-256 verified", self.length);
        let payload = stored.as_str().into();
        Ok(Answer { kind: Kind::Stored, offset: self.length, payload })
    }
}

fn refuse(error: &anyhow::Error) -> Answer {
    say!("nothing stored: {error:#}");
    Answer::refused(error)
}

fn cannot_store(error: &std::io::Error) -> anyhow::Error {
    anyhow!("cannot store the file: {}", explain_file(error))
}
