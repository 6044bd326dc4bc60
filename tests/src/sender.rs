//! A sender of datagrams to the program under test: every call is a step, and fails as a step.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use netlab::faults::Direction;
use netlab::record::Transport;

use crate::bytes::brief;
use crate::client::is_timeout;
use crate::patience::{Silence, Wait, patience};
use crate::shared::Shared;
use crate::step_log::Difference;
use crate::wire::Line;

/// More than any datagram, so that one that is too large is seen as it is.
pub const BUFFER_BYTES: usize = 65_536;
/// How often, while waiting, to look whether the program still runs. One that has ended never
/// answers, and nothing on the wire says so: datagrams that it has not read vanish with it.
pub const LOOK: Duration = Duration::from_millis(50);

/// One UDP socket that talks with the program only.
#[derive(Debug)]
pub struct Sender {
    shared: Shared,
    line: Line,
    socket: UdpSocket,
    /// What came after a silence in which the test stood still; it is the next datagram.
    late: RefCell<VecDeque<Vec<u8>>>,
}

impl Sender {
    pub(crate) fn open(shared: Shared, server: SocketAddr) -> io::Result<Self> {
        // Connected: the system passes on what comes from the program's own port, nothing else.
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(server)?;
        socket.set_read_timeout(Some(LOOK))?;
        let line = shared.line(Transport::Udp, socket.local_addr()?, server);
        Ok(Self { shared, line, socket, late: RefCell::default() })
    }

    /// The address of this sender.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.line.client
    }

    /// Sends one datagram.
    pub fn send(&self, payload: &[u8]) {
        self.step(format!("sends a datagram: {}", brief(payload)));
        if let Err(error) = self.socket.send(payload) {
            self.shared.fail(Difference::fail(format!("it cannot be sent: {error}")));
        }
        self.note(Direction::ToServer, payload);
    }

    /// Expects one datagram with exactly `expected`.
    pub fn expect(&self, expected: &[u8]) {
        self.step(format!("expects a datagram: {}", brief(expected)));
        let got = self.next();
        if got != expected {
            let what = "the answer is not the one expected";
            self.shared.fail(Difference::fail(what).with(expected, &got));
        }
    }

    /// The next datagram.
    #[must_use]
    pub fn receive(&self) -> Vec<u8> {
        self.step("expects a datagram");
        self.next()
    }

    /// Expects no datagram for as long as `time`.
    pub fn expect_silence(&self, time: Duration) {
        self.step("expects no datagram");
        let silence = Silence::begin(&self.shared, time);
        match self.receive_until(|_| silence.left().is_none()) {
            Err(error) if is_timeout(&error) => {}
            Ok(got) if !silence.is_broken() => self.late.borrow_mut().push_back(got),
            Ok(got) => {
                let what = "your program has sent a datagram where it should be silent";
                self.shared.fail(Difference::fail(what).with(b"", &got));
            }
            Err(error) => self.nobody_listens(&error),
        }
    }

    fn next(&self) -> Vec<u8> {
        let wait = Wait::begin(&self.shared);
        let next = self.receive_until(|shared| wait.left().is_none() || shared.program_has_ended());
        drop(wait);
        match next {
            Ok(payload) => payload,
            Err(error) if is_timeout(&error) => self.shared.fail(Difference::timeout(format!(
                "sender {} waited {:?} for an answer from the port that it sent to",
                self.line.number,
                patience()
            ))),
            Err(error) => self.nobody_listens(&error),
        }
    }

    /// The next datagram, as long as it is not the last look.
    fn receive_until(&self, is_last: impl Fn(&Shared) -> bool) -> io::Result<Vec<u8>> {
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            // Seen before the last look at the socket: the last words of a program still count.
            let is_last = is_last(&self.shared);
            if let Some(got) = self.late.borrow_mut().pop_front() {
                return Ok(got);
            }
            match self.socket.recv(&mut buffer) {
                Err(error) if is_timeout(&error) && !is_last => {}
                // The whole machine was suspended for a moment (signal(7)).
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                received => {
                    buffer.truncate(received?);
                    self.note(Direction::ToClient, &buffer);
                    return Ok(buffer);
                }
            }
        }
    }

    fn nobody_listens(&self, error: &io::Error) -> ! {
        let what = format!("nobody listens on your program's port any more: {error}");
        self.shared.fail(Difference::fail(what));
    }

    fn step(&self, what: impl std::fmt::Display) {
        self.shared.step(format!("sender {} {what}", self.line.number));
    }

    fn note(&self, direction: Direction, payload: &[u8]) {
        self.shared.carries(&self.line, direction, payload);
    }
}
