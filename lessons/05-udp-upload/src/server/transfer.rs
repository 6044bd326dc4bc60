//! One reliable upload, as the server knows it: under way, or over and remembered.

use std::time::Instant;

use anyhow::Result;
use netbasics::cli::{log, log_limited};

use super::incoming::Incoming;
use crate::packet::ack::Ack;
use crate::packet::{Kind, Packet};

/// What the server says to a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub kind: Kind,
    /// For the header, if it is not to be the one of the packet that is answered.
    pub token: Option<u64>,
    pub block: u32,
    pub number: u32,
    pub payload: Vec<u8>,
}

impl Answer {
    pub fn new(kind: Kind, payload: Vec<u8>) -> Self {
        Self { kind, token: None, block: 0, number: 0, payload }
    }

    pub fn refused(error: &anyhow::Error) -> Self {
        Self::new(Kind::Refused, format!("{error:#}").into_bytes())
    }

    /// As the answer to a packet with this number and this token.
    pub fn encode(&self, transfer: u32, token: u64) -> Vec<u8> {
        let Self { kind, block, number, ref payload, .. } = *self;
        let token = self.token.unwrap_or(token);
        Packet { kind, transfer, token, block, number, payload }.encode()
    }
}

/// An upload: under way, or over and remembered for a client that has missed the last answer.
pub struct Transfer {
    state: State,
    /// What proves that a packet is from its peer.
    pub token: u64,
    /// When its peer was last heard from.
    pub last_heard: Instant,
    /// Whether something has come since the last answer.
    pub owes_answer: bool,
}

enum State {
    UnderWay(Box<Incoming>),
    Over(Answer),
}

impl Transfer {
    pub fn new(incoming: Incoming, token: u64, now: Instant) -> Self {
        let state = State::UnderWay(Box::new(incoming));
        Self { state, token, last_heard: now, owes_answer: true }
    }

    // listing: begin handle
    /// Takes the next packet of this upload. Once the upload is over, nothing changes any more,
    /// whatever comes: the last answer may have been lost, and then the client asks again.
    pub fn handle(&mut self, packet: &Packet, now: Instant) {
        self.last_heard = now;
        self.owes_answer = true;
        let State::UnderWay(incoming) = &mut self.state else { return };
        let result = match packet.kind {
            Kind::Data => incoming.take(packet).map(|()| None),
            Kind::Close if incoming.is_complete() => self.finish(packet.payload).map(Some),
            // A repeated `open`, or a `close` before its time: say what we have.
            _ => Ok(None),
        };
        match result {
            Ok(None) => {}
            Ok(Some(stored)) => self.state = State::Over(stored),
            Err(error) => {
                log_limited!("nothing stored: {error:#}");
                self.state = State::Over(Answer::refused(&error));
            }
        }
    }
    // listing: end handle

    fn finish(&mut self, digest: &[u8]) -> Result<Answer> {
        // Publishing uses the upload up, so until the answer is known something else is in its place.
        let placeholder = State::Over(Answer::new(Kind::Refused, Vec::new()));
        let State::UnderWay(incoming) = std::mem::replace(&mut self.state, placeholder) else {
            anyhow::bail!("the upload is over");
        };
        let length = incoming.length();
        let stored = incoming.finish(digest)?;
        log!("stored {stored}: {length} bytes, SHA-256 verified");
        Ok(Answer::new(Kind::Stored, stored.as_str().into()))
    }

    /// What the client should know now.
    pub fn answer(&mut self) -> Answer {
        self.owes_answer = false;
        match &self.state {
            State::Over(answer) => answer.clone(),
            State::UnderWay(incoming) => {
                let ack = incoming.ack();
                let Ack { first_missing, largest_acked, .. } = ack;
                let answer = Answer::new(Kind::Ack, ack.payload());
                Answer { block: first_missing, number: largest_acked, ..answer }
            }
        }
    }

    /// Whether blocks are still to come.
    pub fn is_under_way(&self) -> bool {
        matches!(self.state, State::UnderWay(_))
    }

    /// How far an upload under way has come: `1200 of 3000 bytes of poem.txt`.
    pub fn progress(&self) -> Option<String> {
        match &self.state {
            State::UnderWay(incoming) => Some(incoming.progress()),
            State::Over(_) => None,
        }
    }
}
