//! The second way, the client's side: send a packet, wait for its acknowledgement, send the next.
//!
//! ```text
//! client                                     server
//!   ── open, length 3000, `poem.txt` ────────►
//!   ◄─────────────────────────────── ack 0 ──
//!   ── data 0, 1200 bytes ───────────────────►
//!   ◄──────────────────────────── ack 1200 ──
//!   ── data 1200, 1200 bytes ──── × lost
//!      … timeout …
//!   ── data 1200, 1200 bytes ────────────────►
//!   ◄──────────────────────────── ack 2400 ──
//!   ── data 2400, 600 bytes ─────────────────►
//!   ◄──────────────────────────── ack 3000 ──
//!   ── close 3000, SHA-256 ──────────────────►   compared, published
//!                   lost × ──────── stored ──
//!      … timeout …
//!   ── close 3000, SHA-256 ──────────────────►   remembered, answered again
//!   ◄─────────────────── stored `poem.txt` ──
//! ```

use std::io::{self, Read};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use indicatif::ProgressBar;
use netbasics::say;
use netbasics::trouble::{Trouble, is_timeout};
use sha2::{Digest, Sha256};

use crate::link::Link;
use crate::packet::{DATA_BYTES, Kind, Packet};

/// The wait for an acknowledgement doubles with each try, so that a busy network is not made
/// busier, but not beyond this.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// One upload.
pub struct Sender<'a> {
    pub link: &'a Link,
    pub server: SocketAddr,
    /// The number in our packets that tells this upload from others.
    pub transfer: u32,
    /// How long to wait for the first acknowledgement of a packet.
    pub timeout: Duration,
    /// How often to send a packet again before giving up.
    pub retries: u32,
    /// How far we are, for a person who watches.
    pub bar: &'a ProgressBar,
}

impl Sender<'_> {
    // listing: begin upload
    /// Sends the whole file and returns the name it was stored under.
    pub fn upload(&self, file: &mut impl Read, length: u64, name: &str) -> Result<String> {
        self.exchange(Kind::Open, length, name.as_bytes(), |answer| is_ack(answer, 0))?
            .with_context(|| self.no_answer())?;
        let mut hash = Sha256::new();
        let mut offset = 0;
        while offset < length {
            let payload = read_payload(file, length - offset)?;
            let end = offset + payload.len() as u64;
            hash.update(&payload);
            self.exchange(Kind::Data, offset, &payload, |answer| is_ack(answer, end))?
                .with_context(|| self.no_answer())?;
            self.bar.set_position(end);
            offset = end;
        }
        let digest = hash.finalize();
        let answer = self
            .exchange(Kind::Close, length, &digest, |answer| answer.kind == Kind::Stored)?
            .with_context(|| self.no_answer())
            .context("all bytes were sent, but nobody knows whether the file is stored")?;
        Ok(String::from_utf8_lossy(&answer.payload).into_owned())
    }
    // listing: end upload

    // listing: begin exchange
    /// Sends one packet, again and again if need be, until its answer comes; `None` if it never
    /// does.
    fn exchange(
        &self,
        kind: Kind,
        offset: u64,
        payload: &[u8],
        is_answer: impl Fn(&Packet) -> bool,
    ) -> Result<Option<Packet>> {
        let (transfer, payload) = (self.transfer, payload.to_vec());
        let datagram = Packet { kind, transfer, offset, window: 0, payload }.encode();
        let mut wait = self.timeout;
        for _ in 0..=self.retries {
            self.link.send(&datagram).map_err(Trouble::on("send to", self.server))?;
            if let Some(answer) = self.await_answer(wait, &is_answer)? {
                return Ok(Some(answer));
            }
            self.bar.suspend(|| say!("no answer to {kind} {offset} within {wait:?}"));
            wait = (2 * wait).min(MAX_WAIT.max(self.timeout));
        }
        Ok(None)
    }

    /// The answer, or `None` if it has not come in time. Answers to earlier tries, and packets of
    /// other uploads, do not count and do not extend the time.
    fn await_answer(
        &self,
        wait: Duration,
        is_answer: impl Fn(&Packet) -> bool,
    ) -> Result<Option<Packet>> {
        let until = Instant::now() + wait;
        while let Some(answer) = self.receive(until)? {
            if answer.transfer != self.transfer {
                continue;
            }
            if answer.kind == Kind::Refused {
                let reason = String::from_utf8_lossy(&answer.payload);
                bail!("the server refused the upload: {reason}");
            }
            if is_answer(&answer) {
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }
    // listing: end exchange

    fn no_answer(&self) -> String {
        let (server, tries) = (self.server, u64::from(self.retries) + 1);
        let tries = if tries == 1 { "1 try".into() } else { format!("{tries} tries") };
        format!("no answer from {server} after {tries}; is it running, with the same --mode?")
    }

    /// The next packet that arrives before `until`.
    fn receive(&self, until: Instant) -> Result<Option<Packet>> {
        let mut buffer = [0; 2048];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.link.socket.set_read_timeout(Some(left))?;
            match self.link.socket.recv(&mut buffer) {
                Ok(length) => {
                    if let Some(packet) = Packet::decode(&buffer[..length]) {
                        return Ok(Some(packet));
                    }
                }
                Err(error) if is_timeout(&error) || error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Trouble::on("reach", self.server)(error).into()),
            }
        }
    }
}

fn is_ack(answer: &Packet, offset: u64) -> bool {
    answer.kind == Kind::Ack && answer.offset == offset
}

/// The next bytes of the file: as many as fit into a packet, fewer only at its end.
fn read_payload(file: &mut impl Read, left: u64) -> Result<Vec<u8>> {
    let mut payload = Vec::with_capacity(DATA_BYTES);
    let wanted = left.min(DATA_BYTES as u64);
    let read: io::Result<usize> = file.take(wanted).read_to_end(&mut payload);
    ensure!(read.context("cannot read the file")? > 0, "the file became shorter while it was sent");
    Ok(payload)
}
