//! The words between the sender and the loop around it.

use std::time::{Duration, Instant};

use crate::packet::Kind;

/// How an upload is to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long to wait for the first answer.
    pub timeout: Duration,
    /// How many timeouts in a row before giving up.
    pub retries: u32,
    /// Blocks on their way at once, whatever the network says.
    pub window: Option<u32>,
}

/// Why an upload failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server's words.
    Refused(String),
    /// No answer to packets of this kind, in this many tries.
    Silence(Kind, u32),
}

/// A packet to send; its payload is the caller's to fill in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outgoing {
    pub kind: Kind,
    pub token: u64,
    pub block: u32,
    pub number: u32,
    /// How often it is sent.
    pub copies: u8,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Send(Outgoing),
    /// Nothing before this time, unless an answer comes.
    Wait(Instant),
    /// A wait has timed out; for the person who watches.
    Late(Kind, Duration),
    Over(Result<String, Failure>),
}
