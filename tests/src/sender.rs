//! A sender of datagrams to the program under test: every call is a step, and fails as a step.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::bytes::brief;
use crate::client::is_timeout;
use crate::exam::{Desk, PATIENCE};
use crate::story::{Difference, Way};

/// More than any datagram, so that one that is too large is seen as it is.
const BUFFER_BYTES: usize = 65_536;
/// How often, while waiting, to look whether the program still runs. One that has ended never
/// answers, and nothing on the wire says so: datagrams that it has not read vanish with it.
const LOOK: Duration = Duration::from_millis(50);

/// One UDP socket that talks with the program only.
#[derive(Debug)]
pub struct Sender {
    desk: Desk,
    number: usize,
    socket: UdpSocket,
}

impl Sender {
    pub(crate) fn open(desk: Desk, number: usize, server: SocketAddr) -> io::Result<Self> {
        // Connected: the system passes on what comes from the program's own port, nothing else.
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(server)?;
        socket.set_read_timeout(Some(LOOK))?;
        Ok(Self { desk, number, socket })
    }

    /// Sends one datagram.
    pub fn send(&self, payload: &[u8]) {
        self.desk.step(format!("sender {} sends a datagram: {}", self.number, brief(payload)));
        if let Err(error) = self.socket.send(payload) {
            self.desk.fail(Difference::fail(format!("it cannot be sent: {error}")));
        }
        self.note(Way::ToProgram, payload);
    }

    /// Expects one datagram with exactly `expected`.
    pub fn expect(&self, expected: &[u8]) {
        self.desk.step(format!("sender {} expects a datagram: {}", self.number, brief(expected)));
        let mut buffer = vec![0; BUFFER_BYTES];
        match self.receive(&mut buffer) {
            Ok(length) => {
                let got = &buffer[..length];
                self.note(Way::FromProgram, got);
                if got != expected {
                    let what = "the answer is not the one expected";
                    self.desk.fail(Difference::fail(what).with(expected, got));
                }
            }
            Err(error) if is_timeout(&error) => self.desk.fail(Difference::timeout(format!(
                "sender {} waited {PATIENCE:?} for an answer from the port that it sent to",
                self.number
            ))),
            Err(error) => self.desk.fail(Difference::fail(format!(
                "nobody listens on your program's port any more: {error}"
            ))),
        }
    }

    /// Waits for the next datagram until [`PATIENCE`] is over or the program has ended.
    fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let until = Instant::now() + PATIENCE;
        loop {
            // Seen before the last look at the socket: the last words of a program still count.
            let is_last = Instant::now() >= until || self.desk.server_has_ended();
            match self.socket.recv(buffer) {
                Err(error) if is_timeout(&error) && !is_last => {}
                received => return received,
            }
        }
    }

    fn note(&self, way: Way, payload: &[u8]) {
        self.desk.note(|story| story.wire(self.number, way, &brief(payload)));
    }
}
