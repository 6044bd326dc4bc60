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
    /// Tells this upload's packets from those of others.
    pub transfer: u32,
    /// How long to wait for the first acknowledgement of a packet.
    pub timeout: Duration,
    /// How often to send a packet again before giving up.
    pub retries: u32,
}

impl Sender<'_> {
    // listing: begin upload
    /// Sends the whole file and returns the name it was stored under.
    pub fn upload(
        &self,
        file: &mut impl Read,
        length: u64,
        name: &str,
        progress: impl Fn(u64),
    ) -> Result<String> {
        let ack =
            |offset| move |answer: &Packet| answer.kind == Kind::Ack && answer.offset == offset;
        self.exchange(Kind::Open, length, name.as_bytes(), ack(0))?;
        let mut hash = Sha256::new();
        let mut offset = 0;
        while offset < length {
            let payload = read_payload(file, length - offset)?;
            let end = offset + payload.len() as u64;
            hash.update(&payload);
            self.exchange(Kind::Data, offset, &payload, ack(end))?;
            progress(end);
            offset = end;
        }
        let stored = |answer: &Packet| answer.kind == Kind::Stored && answer.offset == length;
        let answer = self
            .exchange(Kind::Close, length, &hash.finalize(), stored)
            .context("all bytes were sent, but nobody knows whether the file is stored")?;
        Ok(String::from_utf8_lossy(&answer.payload).into_owned())
    }
    // listing: end upload

    // listing: begin exchange
    /// Sends one packet, again and again if need be, until its answer comes.
    fn exchange(
        &self,
        kind: Kind,
        offset: u64,
        payload: &[u8],
        is_answer: impl Fn(&Packet) -> bool,
    ) -> Result<Packet> {
        let (transfer, payload) = (self.transfer, payload.to_vec());
        let datagram = Packet { kind, transfer, offset, window: 0, payload }.encode();
        let mut wait = self.timeout;
        for _ in 0..=self.retries {
            self.link.send(&datagram).map_err(Trouble::on("send to", self.server))?;
            if let Some(answer) = self.await_answer(wait, &is_answer)? {
                return Ok(answer);
            }
            wait = (2 * wait).min(MAX_WAIT);
        }
        bail!("no answer from {} after {} tries; giving up", self.server, self.retries + 1)
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

/// The next bytes of the file: as many as fit into a packet, fewer only at its end.
fn read_payload(file: &mut impl Read, left: u64) -> Result<Vec<u8>> {
    let mut payload = Vec::with_capacity(DATA_BYTES);
    let wanted = left.min(DATA_BYTES as u64);
    let read: io::Result<usize> = file.take(wanted).read_to_end(&mut payload);
    ensure!(read.context("cannot read the file")? > 0, "the file became shorter while it was sent");
    Ok(payload)
}
