//! A server under test that ends by itself.

use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use grader::punctuality::Limit;
use netlab::program::Server;

use crate::case::Case;
use crate::exit::{attribute_exit, is_crash, wrong_end};
use crate::patience::{Wait, patience};
use crate::running::LAST_WORDS;
use crate::step_log::Difference;

/// How long to wait before the next try to connect.
const LOOK: Duration = Duration::from_millis(10);
/// More than anybody says to a client that is not served, in bytes.
const MUCH: u64 = 1024;

impl Case {
    /// Expects that the server ends by itself with this exit code. Its end is no reason for
    /// whatever fails later.
    pub fn expect_server_exit(&self, code: i32) {
        self.step(format!("your program ends by itself, with exit code {code}"));
        let wait = Wait::begin(&self.0);
        let status = wait.poll(|| self.0.state().server.as_mut().and_then(Server::ended));
        drop(wait);
        let Some(status) = status else {
            let what = format!("your program still runs after {:?}", patience());
            self.0.tell(&Difference::timeout(what));
        };
        let mut state = self.0.state();
        state.server_is_over = true;
        let said = state.server.as_ref().map_or_else(String::new, |server| {
            let limit = Limit::begin(LAST_WORDS);
            server.drain_while(|| limit.left().is_some());
            server.stderr()
        });
        drop(state);
        if status.code() != Some(code) {
            let mut difference = Difference::fail(wrong_end(status, code));
            if is_crash(status) {
                attribute_exit(&mut difference, status, &said);
            }
            self.0.tell(&difference);
        }
    }

    /// Expects that soon nobody can connect to `server` any more, although the program still runs.
    /// A connection that the system has taken before that is to end, with `last_words` or without a
    /// word.
    pub fn expect_refused(&self, server: SocketAddr, last_words: &[u8]) {
        self.step(format!("nobody can connect to {server} any more"));
        let wait = Wait::begin(&self.0);
        while let Some(left) = wait.left() {
            match TcpStream::connect_timeout(&server, left) {
                // Of all ports the system has picked this very one for our end, and so we have met
                // ourselves (RFC 9293, section 3.5): nobody else is there.
                Ok(stream) if stream.local_addr().is_ok_and(|own| own == server) => return,
                Ok(stream) => self.expect_last_words(stream, last_words, left),
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => return,
                // Taken, and closed in the same moment.
                Err(_) => {}
            }
            thread::sleep(LOOK);
        }
        drop(wait);
        let what = format!("connections are still accepted after {:?}", patience());
        self.fail(Difference::timeout(what));
    }

    fn expect_last_words(&self, stream: TcpStream, last_words: &[u8], limit: Duration) {
        let mut said = Vec::new();
        let limited = stream.set_read_timeout(Some(limit));
        // Whether it ends, or is reset, or says nothing for so long: what counts is what it has said.
        let _ = limited.and_then(|()| stream.take(MUCH).read_to_end(&mut said));
        if !said.is_empty() && said != last_words {
            let what = "a client that connected now was still served";
            self.fail(Difference::fail(what).with(last_words, &said));
        }
    }
}
