//! The loop around the sender: it has the socket, the clock and the file.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use indicatif::ProgressBar;
use netbasics::cli::log;
use netbasics::net::socket_error::SocketError;

use super::sender::Sender;
use super::source::Source;
use super::step::{Failure, Outgoing, Settings, Step};
use crate::link::Link;
use crate::packet::open::Description;
use crate::packet::{HEADER_BYTES, Kind, Packet};

/// One upload on its way to a server.
pub struct Upload<'a> {
    link: &'a mut Link,
    server: SocketAddr,
    about: Description,
    transfer: u32,
    /// Whether anything has come from the server.
    is_answered: bool,
    sender: Sender,
    source: Source,
    /// Datagrams that go out together.
    batch: Vec<u8>,
    bar: &'a ProgressBar,
}

impl<'a> Upload<'a> {
    pub fn new(
        link: &'a mut Link,
        server: SocketAddr,
        file: File,
        about: Description,
        transfer: u32,
        settings: Settings,
        bar: &'a ProgressBar,
    ) -> Self {
        let sender = Sender::new(transfer, about.blocks(), settings, Instant::now());
        let source = Source::new(file, about.clone());
        let (is_answered, batch) = (false, Vec::new());
        Self { link, server, about, transfer, is_answered, sender, source, batch, bar }
    }

    pub fn is_answered(&self) -> bool {
        self.is_answered
    }

    // listing: begin run
    /// Does what the sender says until it says that the upload is over; returns the name that the
    /// file got.
    pub fn run(&mut self) -> Result<String> {
        loop {
            let now = Instant::now();
            match self.sender.next(now) {
                Step::Send(outgoing) => self.send(outgoing)?,
                Step::Wait(until) => {
                    self.flush(self.size())?;
                    self.receive(until.saturating_duration_since(now))?;
                }
                Step::Late(kind, wait) => {
                    self.bar.suspend(|| log!("no answer to {kind} within {wait:.1?}"));
                }
                Step::Over(Ok(name)) => return Ok(name),
                Step::Over(Err(failure)) => return self.explain(failure),
            }
        }
    }

    fn send(&mut self, outgoing: Outgoing) -> Result<()> {
        let Outgoing { kind, token, block, number, copies } = outgoing;
        let payload = match kind {
            Kind::Open => self.about.encode(),
            Kind::Close => self.source.digest(),
            _ => Vec::new(),
        };
        let transfer = self.transfer;
        let packet = Packet { kind, transfer, token, block, number, payload: &payload };
        if kind != Kind::Data {
            (0..copies).for_each(|_| packet.write_to(&mut self.batch));
            return self.flush(HEADER_BYTES + payload.len());
        }
        packet.write_to(&mut self.batch);
        self.source.append(block, &mut self.batch)?;
        // Only the last datagram of a batch may be shorter than the others.
        let is_short = self.about.length_of(block) < self.about.block_bytes;
        if is_short || self.batch.len() >= self.link.max_batch(self.size()) * self.size() {
            self.flush(self.size())?;
            // Answers are looked at now and then, even if we could send for a long time yet.
            self.receive(Duration::ZERO)?;
        }
        Ok(())
    }
    // listing: end run

    /// Length of a datagram with a whole block.
    fn size(&self) -> usize {
        HEADER_BYTES + self.about.block_bytes as usize
    }

    /// Sends what is in the batch, as datagrams of `size` bytes.
    fn flush(&mut self, size: usize) -> Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let sent = self.link.send_batch(&self.batch, size, self.server);
        self.batch.clear();
        Ok(sent.map_err(SocketError::on("reach", self.server))?)
    }

    /// Waits for answers, and gives them to the sender.
    fn receive(&mut self, wait: Duration) -> Result<()> {
        let Self { link, sender, server, is_answered, .. } = self;
        let take = |datagram: &[u8], from| {
            if from == *server
                && let Some(packet) = Packet::decode(datagram)
            {
                *is_answered = true;
                sender.handle(&packet, Instant::now());
            }
        };
        link.receive(wait, take).map_err(SocketError::on("reach", self.server))?;
        self.bar.set_position(self.about.offset_of(self.sender.arrived()));
        Ok(())
    }

    fn explain(&self, failure: Failure) -> Result<String> {
        let (server, kind, tries) = match failure {
            Failure::Refused(reason) => bail!("the server refused the upload: {reason}"),
            Failure::Silence(kind, tries) => (self.server, kind, tries),
        };
        let tries = if tries == 1 { "1 try".into() } else { format!("{tries} tries") };
        let silence = format!("no answer from {server} after {tries}");
        match kind {
            Kind::Close => bail!(
                "all bytes were sent, but nobody knows whether the file is stored: {silence}; is it \
                 still running?"
            ),
            Kind::Data => bail!(
                "{silence}, and it answered before; is it still running, and do datagrams of {} \
                 bytes pass this network? Try a smaller --datagram",
                self.size()
            ),
            _ => {
                let silence =
                    format!("no answer after {tries}; is it running, with the same --mode?");
                Err(SocketError::on("reach", server)(io::Error::other(silence)).into())
            }
        }
    }
}
